// SPDX-License-Identifier: MIT
#include "notice_reader.hpp"

#include "protocol/short_text.hpp"
#include "vt/image_size.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace mux {
namespace {

/// ConEmu's commands have the same number: 4 reports progress.
bool is_command(std::string_view text) {
    const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    return digits > 0 && digits <= 2 && (digits == text.size() ? text == "4" : text[digits] == ';');
}

std::string_view take_until(std::string_view& rest, char separator) {
    const std::size_t end = std::min(rest.find(separator), rest.size());
    const std::string_view part = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return part;
}

std::optional<program_notice> made(std::string_view title, std::string_view body, notice_form form) {
    if (title.empty() && body.empty()) return std::nullopt;
    std::string all(title);
    if (!title.empty() && !body.empty()) all += ": ";
    return program_notice{short_text(all.append(body), notice_reader::most_text), form};
}

} // namespace

std::optional<program_notice> notice_reader::read(const vt::event& event) {
    std::string_view rest = event.text;
    if (event.target == "99") return read_kitty(rest);
    if (event.target == "777") {
        if (take_until(rest, ';') != "notify") return std::nullopt;
        const std::string_view title = take_until(rest, ';');
        return made(title, rest, notice_form::osc_777);
    }
    if (is_command(rest)) return std::nullopt;
    return made({}, rest, notice_form::osc_9);
}

/// Parts of one notice have the same `i`; the last one has no `d=0`.
std::optional<program_notice> notice_reader::read_kitty(std::string_view rest) {
    std::string_view keys = take_until(rest, ';'), id, payload = "title";
    bool is_last = true, is_encoded = false;
    while (!keys.empty()) {
        std::string_view value = take_until(keys, ':');
        const std::string_view key = take_until(value, '=');
        if (key == "i") id = value;
        if (key == "p") payload = value;
        if (key == "d") is_last = value != "0";
        if (key == "e") is_encoded = value == "1";
    }
    if (id != id_) {
        id_ = id.substr(0, most_text);
        title_.clear(), body_.clear();
    }
    std::string* const part = payload == "title" ? &title_ : payload == "body" ? &body_ : nullptr;
    if (part) part->append(is_encoded ? vt::decode_base64(rest, most_text) : std::string(rest.substr(0, most_text)));
    if (part && part->size() > most_text) part->resize(most_text);
    if (!is_last) return std::nullopt;
    id_.clear();
    const std::string title = std::exchange(title_, {}), body = std::exchange(body_, {});
    return made(title, body, notice_form::osc_99);
}

} // namespace mux
