// SPDX-License-Identifier: MIT
/// @file json_reader.hpp: checks that a text is one JSON value (RFC 8259, UTF-8), and returns the names in its objects.
#pragma once

#include <cctype>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace support {

class json_reader {
public:
    explicit json_reader(std::string_view text) : rest_(text) {}
    [[nodiscard]] bool whole() {
        const bool ok = value();
        blank();
        return ok && rest_.empty();
    }
    /// Names at the given depth of objects, in order, from 1. After `whole`.
    [[nodiscard]] std::vector<std::string> names(int depth = 1) const {
        std::vector<std::string> result;
        for (const auto& [at, name] : names_)
            if (at == depth) result.push_back(name);
        return result;
    }

    /// The same value without white space between its parts.
    [[nodiscard]] static std::string compact(std::string_view text) {
        std::string result;
        bool quoted = false;
        for (std::size_t at = 0; at < text.size(); ++at) {
            const char c = text[at];
            if (!quoted && std::isspace(static_cast<unsigned char>(c))) continue;
            result += c;
            if (quoted && c == '\\' && at + 1 < text.size())
                result += text[++at];
            else if (c == '"')
                quoted = !quoted;
        }
        return result;
    }

private:
    void blank() {
        while (!rest_.empty() && std::string_view(" \t\r\n").find(rest_[0]) != std::string_view::npos) rest_.remove_prefix(1);
    }
    bool eat(std::string_view word) {
        if (!rest_.starts_with(word)) return false;
        rest_.remove_prefix(word.size());
        return true;
    }
    bool digits() {
        std::size_t count = 0;
        for (; !rest_.empty() && std::isdigit(static_cast<unsigned char>(rest_[0])); ++count) rest_.remove_prefix(1);
        return count > 0;
    }
    bool number() {
        eat("-");
        if (!eat("0") && !digits()) return false;
        if (eat(".") && !digits()) return false;
        if (eat("e") || eat("E")) {
            if (!eat("+")) eat("-");
            return digits();
        }
        return true;
    }
    /// One UTF-8 sequence of more than a byte; overlong forms and surrogates are invalid.
    bool letter() {
        const auto byte = [&](std::size_t i) { return i < rest_.size() ? static_cast<unsigned char>(rest_[i]) : 0u; };
        const std::size_t size = byte(0) >= 0xf0 ? 4 : byte(0) >= 0xe0 ? 3 : 2;
        char32_t code = byte(0) & (0xffu >> (size + 1));
        for (std::size_t i = 1; i < size; ++i) {
            if ((byte(i) & 0xc0) != 0x80) return false;
            code = code << 6 | (byte(i) & 0x3f);
        }
        const char32_t least = size == 2 ? 0x80 : size == 3 ? 0x800 : 0x10000;
        if (byte(0) < 0xc0 || code < least || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return false;
        rest_.remove_prefix(size);
        return true;
    }
    bool string() {
        if (!eat("\"")) return false;
        while (!rest_.empty()) {
            const auto c = static_cast<unsigned char>(rest_[0]);
            if (eat("\"")) return true;
            if (c < 0x20) return false;
            if (c >= 0x80) {
                if (!letter()) return false;
                continue;
            }
            rest_.remove_prefix(1);
            if (c != '\\') continue;
            if (eat("u")) {
                for (int i = 0; i < 4; ++i) {
                    if (rest_.empty() || !std::isxdigit(static_cast<unsigned char>(rest_[0]))) return false;
                    rest_.remove_prefix(1);
                }
            } else {
                if (rest_.empty() || std::string_view("\"\\/bfnrt").find(rest_[0]) == std::string_view::npos) return false;
                rest_.remove_prefix(1);
            }
        }
        return false;
    }
    template <class Member> bool list(std::string_view end, Member member) {
        blank();
        if (eat(end)) return true;
        do {
            if (!member()) return false;
            blank();
        } while (eat(","));
        return eat(end);
    }
    bool value() {
        blank();
        if (eat("true") || eat("false") || eat("null")) return true;
        if (eat("[")) return list("]", [&] { return value(); });
        if (eat("{")) {
            ++depth_;
            const bool ok = list("}", [&] {
                blank();
                const std::string_view before = rest_;
                if (!string()) return false;
                names_.emplace_back(depth_, before.substr(1, before.size() - rest_.size() - 2));
                blank();
                return eat(":") && value();
            });
            --depth_;
            return ok;
        }
        return rest_.starts_with('"') ? string() : number();
    }
    std::string_view rest_;
    std::vector<std::pair<int, std::string>> names_;
    int depth_ = 0;
};

[[nodiscard]] inline bool is_json(std::string_view text) { return json_reader(text).whole(); }

} // namespace support
