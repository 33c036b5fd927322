// SPDX-License-Identifier: MIT
/// @file config.hpp: reads a TOML file into a struct, completely or not at all.
/// Layer: 2 (policy), the only header with toml++.  Test: test/toolkit/config_test.cpp, test/fuzz/config_fuzz.cpp.
/// Threads: distinct objects are independent; a finished schema may be read from several threads.   Blocks: while reading the
/// file.
///
/// A schema lists the keys, their types, and the member that each key sets. Unknown keys, wrong types, bad values and syntax
/// errors are `errc::invalid_config`; the detail is "FILE:LINE:COL: why", lines and columns from 1.
#pragma once

#if !__has_include(<toml++/toml.hpp>) && !__has_include(<toml++/toml.h>)
#error "mato: toml++ was not found, install it (Debian: libtomlplusplus-dev) or add -I; config.hpp alone needs it"
#endif

#include "error.hpp"
#include "sys.hpp"
#include "unique_fd.hpp"

#if __has_include(<toml++/toml.hpp>)
#include <toml++/toml.hpp>
#else
#include <toml++/toml.h>
#endif

#include <algorithm>
#include <charconv>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace mato {
inline namespace MATO_ABI {
namespace config {

/// Converts one TOML value to a T. Specialise it for your own types: `read` returns empty for a wrong value, `expected`
/// describes a right one. Provided: bool, integers, floating point, std::string, std::chrono::milliseconds ("250ms", "2s",
/// "5m"), enumerations with `enum_words`, paths such as std::filesystem::path; and of all readable types std::vector,
/// std::optional (a key that is absent leaves it as it is) and std::map with std::string as its key.
template <class T> struct value_reader;

/// std::filesystem::path, or a type like it; this header does not include its header.
template <class P> concept path_like = requires(const P& path) {
    typename P::string_type;
    path.lexically_normal();
};

/// The words of an enumeration in a configuration. Specialise it with
/// `static constexpr std::pair<std::string_view, E> words[] = {{"fast", E::fast}, …};`. Two words may mean one value.
template <class E> struct enum_words;

template <class T> concept readable = requires(const toml::node& node) {
    { value_reader<T>::read(node) } -> std::same_as<std::optional<T>>;
    { value_reader<T>::expected() } -> std::convertible_to<std::string>;
};

/// The keys of one TOML table and the members of `Value` that they set. Build it once, use it as `const`.
///
/// @threads a finished schema may be read from several threads. @blocks only `load`, while reading the file.
///
/// @code
/// mato::config::schema<settings> keys;
/// keys.field("greeting", &settings::greeting).field("most", &settings::most);
/// auto config = std::make_shared<mato::config::reloadable<settings>>(keys, options.paths.file("config.toml"));
/// mato::failure invalid;
/// config->reload(invalid); // in the starter, so that the user sees errors on the terminal
/// if (invalid) return report(invalid);
/// @endcode
template <class Value> class schema {
public:
    /// `key` sets `member`. `check` returns an empty string, or the reason why a value of the right type is not allowed.
    template <class T> schema& field(std::string key, T Value::*member, std::function<std::string(const T&)> check = {});
    /// Keys under `[name]`, which set members of the same `Value`.
    schema& table(std::string name, schema inner);
    /// Keys under `[name]`, which set members of a struct in `Value`.
    template <class Inner> schema& table(std::string name, Inner Value::*member, schema<Inner> inner);
    /// Each `[[name]]` is an element, in their order. They replace the default elements, if there is at least one.
    template <class Inner> schema& tables(std::string name, std::vector<Inner> Value::*member, schema<Inner> inner);

    /// The keys under `[name]` can be any. `check` gets a key, its value, and those under `[name]` that were read before it; it
    /// returns an empty string, or the reason why this one is not allowed. They replace the default elements.
    template <class T> schema& entries(
        std::string name, std::map<std::string, T> Value::*member,
        std::function<std::string(const std::string& key, const T& value, const std::map<std::string, T>& before)> check = {});

    /// Starts from `defaults`, applies the text, returns the result.
    /// @errors invalid_config. The message shows `name` as the file's name.
    [[nodiscard]] Value parse(std::string_view text, std::string_view name, Value defaults, error_out out) const;
    /// As `parse`. A missing file is no error and gives `defaults`.
    /// @errors invalid_config · any of open(2), read(2) · EFBIG: over `max_file_bytes`.
    [[nodiscard]] Value load(const std::string& path, Value defaults, error_out out) const {
        bool ignored = false;
        return load(path, std::move(defaults), ignored, out);
    }
    /// As above; `was_there` tells whether the file exists.
    [[nodiscard]] Value load(const std::string& path, Value defaults, bool& was_there, error_out out) const;

    static constexpr std::size_t max_file_bytes = std::size_t{1}
                                                  << 20; ///< 1 MiB; a larger file is most likely not a configuration

private:
    struct entry {
        std::string key;
        std::function<std::string(const toml::node&, Value&)> apply; ///< returns an empty string, or why the value is refused
        std::function<void(const toml::node&, const std::string& full, std::string_view name, Value&, error_out)> nested;
    };
    template <class> friend class schema;
    void apply(const toml::table& table, const std::string& prefix, std::string_view name, Value& value, error_out out) const;

    std::vector<entry> entries_;
};

/// The current configuration. A successful reload replaces all of it, a failed one changes nothing. See `schema` for a sample.
///
/// @threads one object, one thread. @blocks only `reload`, while reading the file.
template <class Value> class reloadable {
public:
    reloadable(schema<Value> keys, std::string path, Value defaults = {})
        : schema_(std::move(keys)), path_(std::move(path)), defaults_(std::move(defaults)), current_(defaults_) {}

    /// @errors as schema::load · ENOENT: the file existed at the last reload and is gone. `last_error` keeps the error until a
    /// reload succeeds.
    void reload(error_out out) {
        failure why;
        bool was_there = false;
        Value fresh = schema_.load(path_, defaults_, was_there, why);
        if (!why && !was_there && was_read_)
            why = {{ENOENT, std::system_category()},
                   "open configuration",
                   path_,
                   "the file was removed; create an empty file to use the defaults"};
        last_error_ = why;
        if (why) return out.set(why);
        was_read_ = was_there;
        current_ = std::move(fresh);
    }

    [[nodiscard]] const Value& operator*() const noexcept { return current_; }
    [[nodiscard]] const Value* operator->() const noexcept { return &current_; }
    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    [[nodiscard]] const failure& last_error() const noexcept { return last_error_; }

private:
    schema<Value> schema_;
    std::string path_;
    Value defaults_, current_;
    failure last_error_;
    bool was_read_ = false;
};

/// "250ms", "2s", "5m", "1h"; a number without a unit is not a duration. Empty: not a duration, or over 2^31 ms. Pure.
[[nodiscard]] inline std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) noexcept {
    std::uint32_t count = 0;
    const auto [rest, why] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (why != std::errc()) return std::nullopt;
    const std::string_view unit(rest, static_cast<std::size_t>(text.data() + text.size() - rest));
    const std::uint64_t scale = unit == "ms" ? 1 : unit == "s" ? 1000 : unit == "m" ? 60'000 : unit == "h" ? 3'600'000 : 0;
    const std::uint64_t total = count * scale;
    if (scale == 0 || total > 0x7fffffff) return std::nullopt;
    return std::chrono::milliseconds(total);
}

// ---- implementation ----

/// Reads `true` or `false`. Other values are refused.
template <> struct value_reader<bool> {
    static std::optional<bool> read(const toml::node& node) { return node.value_exact<bool>(); }
    static std::string expected() { return "true or false"; }
};

/// Reads a whole number. A number outside the range of T is refused.
template <std::integral T>
requires(!std::same_as<T, bool>) struct value_reader<T> {
    static std::optional<T> read(const toml::node& node) {
        const auto number = node.value_exact<std::int64_t>();
        if (!number || !std::in_range<T>(*number)) return std::nullopt;
        return static_cast<T>(*number);
    }
    static std::string expected() {
        return std::string("a whole number from ") + std::to_string(std::numeric_limits<T>::min()) + " to " +
               std::to_string(std::min<std::uint64_t>(std::numeric_limits<T>::max(), std::numeric_limits<std::int64_t>::max()));
    }
};

/// Reads a string. Other values are refused.
template <> struct value_reader<std::string> {
    static std::optional<std::string> read(const toml::node& node) { return node.value_exact<std::string>(); }
    static std::string expected() { return "a string"; }
};

/// Reads an array of strings. The array may be empty.
template <> struct value_reader<std::vector<std::string>> {
    static std::optional<std::vector<std::string>> read(const toml::node& node) {
        const auto* array = node.as_array();
        if (!array) return std::nullopt;
        std::vector<std::string> result;
        for (const toml::node& item : *array) {
            auto text = item.value_exact<std::string>();
            if (!text) return std::nullopt;
            result.push_back(std::move(*text));
        }
        return result;
    }
    static std::string expected() { return "an array of strings"; }
};

/// Reads a finite number, also one without a point. A number outside the range of T is refused.
template <std::floating_point T> struct value_reader<T> {
    static std::optional<T> read(const toml::node& node) {
        auto number = node.value_exact<double>();
        if (const auto whole = node.value_exact<std::int64_t>()) number = static_cast<double>(*whole);
        constexpr double most =
            static_cast<double>(std::min<long double>(std::numeric_limits<T>::max(), std::numeric_limits<double>::max()));
        if (!number || !(*number >= -most && *number <= most)) return std::nullopt; // NaN compares false
        return static_cast<T>(*number);
    }
    static std::string expected() { return "a number"; }
};

/// Reads one of the words of `enum_words`. Other strings are refused.
template <class E>
requires std::is_enum_v<E> && requires { enum_words<E>::words[0]; }
struct value_reader<E> {
    static std::optional<E> read(const toml::node& node) {
        const auto text = node.value_exact<std::string>();
        for (const auto& [word, value] : enum_words<E>::words)
            if (text && *text == word) return value;
        return std::nullopt;
    }
    static std::string expected() {
        std::string text = "one of";
        for (const auto& [word, value] : enum_words<E>::words)
            text.append(text.size() > 6 ? ", \"" : " \"").append(word) += '"';
        return text;
    }
};

/// Reads a path: a string that is not empty. It is not made absolute.
template <path_like P> struct value_reader<P> {
    static std::optional<P> read(const toml::node& node) {
        const auto text = node.value_exact<std::string>();
        if (!text || text->empty() || text->find('\0') != std::string::npos) return std::nullopt;
        return P(*text);
    }
    static std::string expected() { return "a path, a string that is not empty"; }
};

/// Reads an array of any readable type. The array may be empty.
template <readable T> struct value_reader<std::vector<T>> {
    static std::optional<std::vector<T>> read(const toml::node& node) {
        const auto* const array = node.as_array();
        if (!array) return std::nullopt;
        std::vector<T> result;
        for (const toml::node& item : *array) {
            auto value = value_reader<T>::read(item);
            if (!value) return std::nullopt;
            result.push_back(std::move(*value));
        }
        return result;
    }
    static std::string expected() { return "an array, each item " + value_reader<T>::expected(); }
};

/// Reads a value of any readable type. TOML has no null, so only a key that is absent leaves it empty.
template <readable T> struct value_reader<std::optional<T>> {
    static std::optional<std::optional<T>> read(const toml::node& node) {
        auto value = value_reader<T>::read(node);
        return value ? std::optional<std::optional<T>>(std::in_place, std::move(*value)) : std::nullopt;
    }
    static std::string expected() { return value_reader<T>::expected(); }
};

/// Reads a table with any keys. Its values have one readable type.
template <readable T> struct value_reader<std::map<std::string, T>> {
    static std::optional<std::map<std::string, T>> read(const toml::node& node) {
        const auto* const table = node.as_table();
        if (!table) return std::nullopt;
        std::map<std::string, T> result;
        for (const auto& [key, item] : *table) {
            auto value = value_reader<T>::read(item);
            if (!value) return std::nullopt;
            result.emplace(std::string(key.str()), std::move(*value));
        }
        return result;
    }
    static std::string expected() { return "a table, each value " + value_reader<T>::expected(); }
};

/// Reads a duration such as "250ms". See parse_duration.
template <> struct value_reader<std::chrono::milliseconds> {
    static std::optional<std::chrono::milliseconds> read(const toml::node& node) {
        const auto text = node.value_exact<std::string>();
        return text ? parse_duration(*text) : std::nullopt;
    }
    static std::string expected() { return "a duration such as \"250ms\", \"2s\" or \"5m\""; }
};

namespace detail {
inline std::string located(std::string_view name, const toml::source_region& where, std::string_view why) {
    return std::string(name) + ":" + std::to_string(where.begin.line) + ":" + std::to_string(where.begin.column) + ": " +
           std::string(why);
}

inline void refuse(error_out out, std::string_view name, const toml::source_region& where, std::string_view why) {
    out.set(errc::invalid_config, "configuration", {}, located(name, where, why));
}

/// toml++ limits the nesting of values but not the parts of a dotted key: it builds a table for each part and destroys them
/// recursively. About 50 000 parts overflow the stack; a configuration needs only a few.
inline constexpr int max_key_dots = 64;

/// The position of a key with more dots than that; dots in strings and comments do not count. Pure.
inline std::optional<toml::source_region> overlong_key(std::string_view text) {
    int dots = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '"' || c == '\'') {
            const std::string quote(text.substr(i, 3) == std::string(3, c) ? 3 : 1, c);
            const bool lines = quote.size() == 3;
            for (i += quote.size(); i < text.size() && text.substr(i, quote.size()) != quote; ++i) {
                if (c == '"' && text[i] == '\\') ++i;
                if (!lines && i < text.size() && text[i] == '\n') break; // not closed: the parser reports it
            }
            i += quote.size() - 1;
            while (lines && i + 1 < text.size() && text[i + 1] == c)
                ++i; // a multi-line string may end in up to two quotes of its own
        } else if (c == '#') {
            i = std::min(text.find('\n', i), text.size());
            dots = 0;
        } else if (c == '.') {
            if (++dots <= max_key_dots) continue;
            toml::source_region where;
            where.begin = {1, 1};
            for (const char before : text.substr(0, i)) {
                if (before == '\n')
                    where.begin = {where.begin.line + 1, 1};
                else if ((static_cast<unsigned char>(before) & 0xc0) != 0x80)
                    ++where.begin.column;
            }
            return where;
        } else if (std::string_view("\n=,[]{}").find(c) != std::string_view::npos) {
            dots = 0;
        }
    }
    return std::nullopt;
}
} // namespace detail

template <class Value> template <class T>
schema<Value>& schema<Value>::field(std::string key, T Value::*member, std::function<std::string(const T&)> check) {
    static_assert(readable<T>, "mato: no value_reader for the type of this key; specialise `read` and `expected`");
    entries_.push_back({std::move(key),
                        [member, check = std::move(check)](const toml::node& node, Value& value) -> std::string {
                            auto got = value_reader<T>::read(node);
                            if (!got) return "expected " + value_reader<T>::expected();
                            if (check)
                                if (std::string why = check(*got); !why.empty()) return why;
                            value.*member = std::move(*got);
                            return {};
                        },
                        nullptr});
    return *this;
}

template <class Value> schema<Value>& schema<Value>::table(std::string name, schema inner) {
    const auto apply = [keys = std::make_shared<const schema>(std::move(inner))](const toml::node& node,
                                                                                 const std::string& full, std::string_view file,
                                                                                 Value& value, error_out out) {
        if (node.is_table()) return keys->apply(*node.as_table(), full + ".", file, value, out);
        detail::refuse(out, file, node.source(), "'" + full + "' must be a table; write [" + full + "]");
    };
    entries_.push_back({std::move(name), nullptr, apply});
    return *this;
}

template <class Value> template <class Inner>
schema<Value>& schema<Value>::table(std::string name, Inner Value::*member, schema<Inner> inner) {
    const auto apply = [member, keys = std::make_shared<const schema<Inner>>(std::move(inner))](
                           const toml::node& node, const std::string& full, std::string_view file, Value& value,
                           error_out out) {
        if (node.is_table()) return keys->apply(*node.as_table(), full + ".", file, value.*member, out);
        detail::refuse(out, file, node.source(), "'" + full + "' must be a table; write [" + full + "]");
    };
    entries_.push_back({std::move(name), nullptr, apply});
    return *this;
}

template <class Value> template <class T> schema<Value>&
schema<Value>::entries(std::string name, std::map<std::string, T> Value::*member,
                       std::function<std::string(const std::string&, const T&, const std::map<std::string, T>&)> check) {
    static_assert(readable<T>, "mato: no value_reader for the type of these keys; specialise `read` and `expected`");
    const auto apply = [member, check = std::move(check)](const toml::node& node, const std::string& full,
                                                          std::string_view file, Value& value, error_out out) {
        if (!node.is_table())
            return detail::refuse(out, file, node.source(), "'" + full + "' must be a table; write [" + full + "]");
        std::map<std::string, T> all;
        for (const auto& [key, item] : *node.as_table()) {
            const std::string word(key.str());
            auto got = value_reader<T>::read(item);
            std::string why = got ? std::string() : "expected " + value_reader<T>::expected();
            if (got && check) why = check(word, *got, all);
            if (!why.empty()) return detail::refuse(out, file, key.source(), "'" + full + "." + word + "': " + why);
            all.emplace(word, std::move(*got));
        }
        value.*member = std::move(all);
    };
    entries_.push_back({std::move(name), nullptr, apply});
    return *this;
}

template <class Value> template <class Inner>
schema<Value>& schema<Value>::tables(std::string name, std::vector<Inner> Value::*member, schema<Inner> inner) {
    const auto apply = [member, keys = std::make_shared<const schema<Inner>>(std::move(inner))](
                           const toml::node& node, const std::string& full, std::string_view file, Value& value,
                           error_out out) {
        const std::string expected = "'" + full + "' must be tables; write [[" + full + "]] for each";
        if (!node.is_array()) return detail::refuse(out, file, node.source(), expected);
        std::vector<Inner> all;
        for (const toml::node& each : *node.as_array()) {
            if (!each.is_table()) return detail::refuse(out, file, each.source(), expected);
            const std::string prefix = full + "[" + std::to_string(all.size()) + "].";
            keys->apply(*each.as_table(), prefix, file, all.emplace_back(), out);
            if (out.failed()) return;
        }
        value.*member = std::move(all);
    };
    entries_.push_back({std::move(name), nullptr, apply});
    return *this;
}

template <class Value> void schema<Value>::apply(const toml::table& table, const std::string& prefix, std::string_view name,
                                                 Value& value, error_out out) const {
    for (const auto& [key, node] : table) {
        const std::string full = prefix + std::string(key.str());
        const auto refuse = [&](const toml::source_region& where, const std::string& why) {
            detail::refuse(out, name, where, why);
        };
        const entry* known = nullptr;
        for (const entry& candidate : entries_)
            if (candidate.key == key.str()) known = &candidate;
        if (!known) return refuse(key.source(), "unknown key '" + full + "'");
        if (known->nested) {
            known->nested(node, full, name, value, out);
            if (out.failed()) return;
        } else if (const std::string why = known->apply(node, value); !why.empty()) {
            return refuse(node.source(), "'" + full + "': " + why);
        }
    }
}

template <class Value>
Value schema<Value>::parse(std::string_view text, std::string_view name, Value defaults, error_out out) const {
    Value value = defaults;
    toml::table table;
    if (const auto where = detail::overlong_key(text)) {
        out.set(errc::invalid_config, "configuration", {},
                detail::located(name, *where,
                                "a key has more than " + std::to_string(detail::max_key_dots + 1) + " parts; shorten it"));
        return defaults;
    }
    try {
        table = toml::parse(text, name);
    } catch (const toml::parse_error& broken) {
        out.set(errc::invalid_config, "configuration", {}, detail::located(name, broken.source(), broken.description()));
        return defaults;
    }
    apply(table, "", name, value, out);
    return out.failed() ? defaults : value;
}

template <class Value>
Value schema<Value>::load(const std::string& path, Value defaults, bool& was_there, error_out out) const {
    const unique_fd fd(sys::open(path.c_str(), O_RDONLY | O_NONBLOCK));
    was_there = static_cast<bool>(fd);
    if (!fd) {
        if (errno != ENOENT && errno != ENOTDIR) out.set(last_error(), "open configuration", path);
        return defaults;
    }
    std::string text;
    char buffer[16'384];
    for (ssize_t got; (got = sys::read(fd.get(), buffer, sizeof buffer)) != 0;) {
        if (got < 0) return out.set(last_error(), "read configuration", path), defaults;
        text.append(buffer, static_cast<std::size_t>(got));
        if (text.size() > max_file_bytes) return out.set({EFBIG, std::system_category()}, "read configuration", path), defaults;
    }
    return parse(text, path, std::move(defaults), out);
}

} // namespace config
} // namespace MATO_ABI
} // namespace mato
