// SPDX-License-Identifier: MIT
/// @file json_check.hpp: whether a text is one JSON value (RFC 8259), and the names in its outermost objects.
#pragma once

#include <cctype>
#include <string>
#include <string_view>
#include <vector>

namespace support {

class json_check {
public:
    explicit json_check(std::string_view text) : rest_(text) {
        ok_ = value(0);
        space();
        ok_ = ok_ && rest_.empty();
    }
    [[nodiscard]] bool ok() const noexcept { return ok_; }
    /// Names at the given depth of objects, in order, from 1.
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
    void space() {
        while (!rest_.empty() && std::string_view(" \t\r\n").find(rest_[0]) != std::string_view::npos) rest_.remove_prefix(1);
    }
    bool take(std::string_view text) {
        space();
        if (!rest_.starts_with(text)) return false;
        rest_.remove_prefix(text.size());
        return true;
    }
    bool string(std::string& to) {
        if (!take("\"")) return false;
        while (!rest_.empty() && rest_[0] != '"') {
            if (static_cast<unsigned char>(rest_[0]) < 0x20) return false;
            const std::size_t size = rest_[0] != '\\' ? 1 : rest_.starts_with("\\u") ? 6 : 2;
            if (size > rest_.size()) return false;
            to += rest_.substr(0, size);
            rest_.remove_prefix(size);
        }
        return take("\"");
    }
    bool number() {
        const std::size_t size = rest_.find_first_not_of("+-.0123456789eE");
        const auto text = rest_.substr(0, size);
        rest_.remove_prefix(text.size());
        return !text.empty() && std::isdigit(static_cast<unsigned char>(text.back()));
    }
    bool value(int depth) {
        space();
        if (rest_.empty() || depth > 64) return false;
        std::string ignored;
        switch (rest_[0]) {
        case '"': return string(ignored);
        case '{':
            return items("{", "}", [&] {
                std::string name;
                if (!string(name) || !take(":")) return false;
                names_.emplace_back(depth + 1, name);
                return value(depth + 1);
            });
        case '[': return items("[", "]", [&] { return value(depth); });
        default: return take("true") || take("false") || take("null") || number();
        }
    }
    template <class Item> bool items(std::string_view begin, std::string_view end, Item item) {
        take(begin);
        if (take(end)) return true;
        do {
            if (!item()) return false;
        } while (take(","));
        return take(end);
    }

    std::string_view rest_;
    std::vector<std::pair<int, std::string>> names_;
    bool ok_ = false;
};

} // namespace support
