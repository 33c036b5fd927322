// SPDX-License-Identifier: MIT
#include "input_sequence.hpp"

#include "escape.hpp"

#include <algorithm>

namespace mux {

namespace {

using state = decltype(sequence_end::state);

bool is_between(char c, char low, char high) noexcept { return low <= c && c <= high; }

} // namespace

sequence_end end_of_input_sequence(std::string_view bytes, std::size_t limit) noexcept {
    const std::size_t end = std::min(bytes.size(), limit);
    for (std::size_t i = 2; i < end; ++i) {
        const char c = bytes[i];
        if (is_between(c, ' ', '?')) continue;
        if (c == '[' && i == 2) continue; // the Linux console's F1 to F5 are ESC [ [ A to E
        if (is_between(c, '@', '~')) return {state::complete, i + 1};
        return {state::broken, i};
    }
    if (bytes.size() < limit) return {state::cut, bytes.size()};
    return {state::broken, limit};
}

sequence_end end_of_string(std::string_view bytes, std::size_t limit) noexcept {
    const std::size_t end = std::min(bytes.size(), limit);
    for (std::size_t i = 2; i < end; ++i) {
        const char c = bytes[i];
        if (c == '\a' && bytes[1] == ']') return {state::complete, i + 1};
        if (c == escape) {
            if (i + 1 == limit) return {state::broken, i};
            if (i + 1 == bytes.size()) return {state::cut, bytes.size()};
            return bytes[i + 1] == '\\' ? sequence_end{state::complete, i + 2} : sequence_end{state::broken, i};
        }
        if (!is_between(c, ' ', '~')) return {state::broken, i}; // answers are ASCII
    }
    if (bytes.size() < limit) return {state::cut, bytes.size()};
    return {state::broken, limit};
}

input_sequence parse_input_sequence(std::string_view bytes) noexcept {
    input_sequence parts;
    parts.final = bytes.back();
    bytes = bytes.substr(2, bytes.size() - 3);
    if (!bytes.empty() && is_between(bytes.front(), '<', '?')) {
        parts.leader = bytes.front();
        bytes.remove_prefix(1);
    }
    std::size_t size = bytes.size();
    while (size > 0 && is_between(bytes[size - 1], ' ', '/')) --size;
    parts.parameters = bytes.substr(0, size);
    parts.intermediates = bytes.substr(size);
    return parts;
}

std::optional<parameter_fields> parse_fields(std::string_view parameters) noexcept {
    parameter_fields fields;
    for (auto& field : fields.at) field.fill(-1);
    if (parameters.empty()) return fields;
    std::size_t field = 0, sub = 0;
    int number = -1;
    const auto store = [&] {
        if (field < fields.width && sub < fields.width) fields.at[field][sub] = number;
        number = -1;
    };
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        const char c = parameters[i];
        if (is_between(c, '0', '9')) {
            number = std::min(std::max(number, 0) * 10 + (c - '0'), parameter_fields::largest);
        } else if (c == ';') {
            store();
            ++field;
            sub = 0;
        } else if (c == ':') {
            store();
            ++sub;
        } else {
            return std::nullopt;
        }
    }
    store();
    fields.count = field + 1;
    return fields;
}

} // namespace mux
