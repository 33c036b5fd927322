// SPDX-License-Identifier: MIT
#include "sequence_boundary.hpp"

#include "protocol/utf8_length.hpp"

#include <cctype>

namespace mux {
namespace {

constexpr auto none = std::string_view::npos;

struct found_end {
    std::size_t at;         ///< `none`: it is incomplete
    bool is_broken = false; ///< by another sequence, which begins there
};

/// The end of the sequence that begins with ESC at `from`. Another ESC, CAN and SUB end any sequence.
found_end end_of_sequence(std::string_view output, std::size_t from) noexcept {
    constexpr std::string_view cancels("\030\032\033"), cancels_osc("\a\030\032\033");
    std::size_t at = from + 1;
    const auto is_control = [&] { return (static_cast<unsigned char>(output[at]) < 0x20 || output[at] == 0x7f); };
    while (at < output.size() && is_control() && cancels.find(output[at]) == none)
        ++at; // executed immediately, also inside a sequence
    if (at == output.size()) return {none};
    const char kind = output[at];
    if (kind == ']' && at + 1 < output.size() && (output[at + 1] == 'P' || output[at + 1] == 'R')) {
        // xterm manual, brokenLinuxOSC: ESC ] P nrrggbb and ESC ] R have no terminator.
        constexpr std::size_t digits = 7;
        const std::size_t first = at + 2, most = output[at + 1] == 'P' ? digits : 0;
        at = first;
        while (at < output.size() && at - first < most && std::isxdigit(static_cast<unsigned char>(output[at])) != 0) ++at;
        return {at == output.size() && at - first < most ? none : at, at < output.size() && output[at] == '\033'};
    }
    if (std::string_view("]P_^X").find(kind) != none) {
        at = output.find_first_of(kind == ']' ? cancels_osc : cancels, at + 1);
        if (at == none || (output[at] == '\033' && at + 1 == output.size())) return {none};
        if (output[at] != '\033') return {at + 1};
        if (output[at + 1] == '\\') return {at + 2};
        return {at, true};
    }
    const unsigned first_final = kind == '[' ? '@' : '0';
    if (kind == '[') ++at;
    for (; at < output.size(); ++at) {
        const auto byte = static_cast<unsigned char>(output[at]);
        if (byte == 033 || byte >= 0x80) return {at, byte == 033};
        if ((byte >= first_final && byte != 0x7f) || cancels.find(output[at]) != none) return {at + 1};
    }
    return {none};
}

} // namespace

std::size_t sequence_boundary(std::string_view output) noexcept {
    output.remove_suffix(utf8_unfinished(output));
    for (std::size_t escape = output.find('\033'), first = escape; escape != none;) {
        const auto [end, is_broken] = end_of_sequence(output, escape);
        if (end == none) return first;
        escape = output.find('\033', end);
        if (!is_broken) first = escape; // otherwise the broken sequence would be cut too
    }
    return output.size();
}

} // namespace mux
