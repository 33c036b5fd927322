// SPDX-License-Identifier: MIT
#include "answers.hpp"

#include "input_sequence.hpp"

#include <algorithm>
#include <charconv>

namespace mux {

namespace {

/// The numbers between ';', at most `limit` of them. Kitty ends its attributes with a ';'.
std::optional<std::vector<int>> parse_numbers(std::string_view text, std::size_t limit) {
    std::vector<int> numbers;
    while (!text.empty()) {
        const auto size = std::min(text.find(';'), text.size());
        int n = 0;
        if (size > 0) {
            const auto [end, problem] = std::from_chars(text.data(), text.data() + size, n);
            if (problem != std::errc() || n < 0 || end != text.data() + size) return std::nullopt;
            if (numbers.size() < limit) numbers.push_back(n);
        }
        text.remove_prefix(std::min(size + 1, text.size()));
    }
    return numbers;
}

/// One to four hexadecimal digits, scaled to 16 bits as XParseColor does.
std::optional<std::uint16_t> parse_component(std::string_view text) {
    unsigned value = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
    if (problem != std::errc() || end != text.data() + text.size() || text.size() > 4) return std::nullopt;
    const unsigned largest = (1u << 4 * text.size()) - 1;
    return static_cast<std::uint16_t>(value * 0xffff / largest);
}

std::optional<terminal_answer> parse_colour_reply(std::string_view text) {
    colour_reply reply;
    unsigned number = 0;
    const bool of_palette = text.starts_with("4;");
    if (of_palette) text.remove_prefix(2);
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    const auto digits = static_cast<std::size_t>(end - text.data());
    if (problem != std::errc() || !text.substr(digits).starts_with(';')) return std::nullopt;
    if (of_palette ? number > 255 : number < 10 || number > 12) return std::nullopt;
    reply.index = static_cast<std::uint16_t>(of_palette ? number : number - 10 + mux::vt::palette::foreground);
    text.remove_prefix(digits + 1);
    if (text.starts_with("rgb:"))
        text.remove_prefix(4);
    else if (text.starts_with("rgba:"))
        text.remove_prefix(5);
    else
        return std::nullopt;
    std::uint16_t* const parts[] = {&reply.colour.red, &reply.colour.green, &reply.colour.blue};
    for (std::uint16_t* part : parts) {
        const auto size = text.find('/');
        const auto value = parse_component(text.substr(0, size));
        if (!value) return std::nullopt;
        *part = *value;
        text.remove_prefix(size == std::string_view::npos ? text.size() : size + 1);
    }
    return reply;
}

std::optional<terminal_answer> parse_string(std::string_view sequence) {
    const char kind = sequence[1];
    sequence.remove_prefix(2);
    sequence.remove_suffix(sequence.back() == '\a' ? 1 : 2);
    if (kind == ']') return parse_colour_reply(sequence);
    if (kind == 'P' && sequence.starts_with(">|")) return terminal_version{std::string(sequence.substr(2))};
    if (kind == 'P' && sequence.size() == 6 && sequence.starts_with("1$r") && sequence.ends_with(" q") && sequence[3] >= '0' &&
        sequence[3] <= '6')
        return cursor_style_report{sequence[3] - '0'};
    if (kind == '_' && sequence.starts_with("G")) return graphics_reply{sequence.ends_with(";OK")};
    return std::nullopt;
}

} // namespace

std::optional<terminal_answer> parse_answer(std::string_view sequence) {
    if (sequence.size() < 3 || sequence[0] != '\x1b') return std::nullopt;
    if (sequence[1] != '[') {
        if (end_of_string(sequence, longest_answer).state != sequence_end::state::complete) return std::nullopt;
        return parse_string(sequence);
    }
    const input_sequence parts = parse_input_sequence(sequence);
    const bool is_window = parts.leader == 0 && parts.final == 't';
    if (parts.leader != '?' && !is_window) return std::nullopt;
    const auto numbers = parse_numbers(parts.parameters, device_attributes::limit);
    if (!numbers || numbers->empty()) return std::nullopt;
    if (is_window) {
        if (numbers->size() != 3 || (*numbers)[0] != 6 || !parts.intermediates.empty()) return std::nullopt;
        return cell_report{(*numbers)[2], (*numbers)[1]};
    }
    if (parts.final == 'n') {
        if (numbers->size() != 2 || (*numbers)[0] != 997 || !parts.intermediates.empty()) return std::nullopt;
        if ((*numbers)[1] != 1 && (*numbers)[1] != 2) return std::nullopt;
        return theme_report{static_cast<mux::vt::theme>((*numbers)[1])};
    }
    if (parts.final == 'c' && parts.intermediates.empty()) return device_attributes{*numbers};
    if (parts.final == 'u' && parts.intermediates.empty() && numbers->size() == 1) return keyboard_flags{(*numbers)[0]};
    if (parts.final == 'y' && parts.intermediates == "$" && numbers->size() == 2)
        return mode_state{(*numbers)[0], (*numbers)[1]};
    return std::nullopt;
}

} // namespace mux
