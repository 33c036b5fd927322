// SPDX-License-Identifier: MIT
#include "key_names.hpp"

#include <array>

namespace mux {
namespace {

struct named_key {
    std::string_view name;
    std::string_view plain;
    char letter; // xterm, "PC-Style Function Keys": CSI 1 ; modifier letter; 0: CSI number ; modifier ~
    int number;
};

// xterm control sequences, "PC-Style Function Keys" and "VT220-Style Function Keys".
constexpr std::array keys{
    named_key{"Up", "\033[A", 'A', 1},      named_key{"Down", "\033[B", 'B', 1},  named_key{"Right", "\033[C", 'C', 1},
    named_key{"Left", "\033[D", 'D', 1},    named_key{"Home", "\033[H", 'H', 1},  named_key{"End", "\033[F", 'F', 1},
    named_key{"Insert", "\033[2~", 0, 2},   named_key{"Delete", "\033[3~", 0, 3}, named_key{"PageUp", "\033[5~", 0, 5},
    named_key{"PageDown", "\033[6~", 0, 6}, named_key{"F1", "\033OP", 'P', 1},    named_key{"F2", "\033OQ", 'Q', 1},
    named_key{"F3", "\033OR", 'R', 1},      named_key{"F4", "\033OS", 'S', 1},    named_key{"F5", "\033[15~", 0, 15},
    named_key{"F6", "\033[17~", 0, 17},     named_key{"F7", "\033[18~", 0, 18},   named_key{"F8", "\033[19~", 0, 19},
    named_key{"F9", "\033[20~", 0, 20},     named_key{"F10", "\033[21~", 0, 21},  named_key{"F11", "\033[23~", 0, 23},
    named_key{"F12", "\033[24~", 0, 24},
};

struct simple_key {
    std::string_view name, bytes;
};
constexpr std::array simple{
    simple_key{"Enter", "\r"}, simple_key{"Tab", "\t"},      simple_key{"BTab", "\033[Z"},
    simple_key{"Space", " "},  simple_key{"BSpace", "\177"}, simple_key{"Escape", "\033"},
};

/// The control byte of a key: ECMA-48 C0, reached by clearing bits 6 and 7.
std::optional<char> control(std::string_view key) {
    if (key == "Space") return '\0';
    if (key.size() != 1) return std::nullopt;
    const char c = key[0];
    if (c >= 'a' && c <= 'z') return static_cast<char>(c - 'a' + 1);
    if (c >= '@' && c <= '_') return static_cast<char>(c - '@');
    if (c == '?') return '\177';
    return std::nullopt;
}

} // namespace

std::optional<std::string> key_bytes(std::string_view name) {
    int modifiers = 1; // xterm: 1 + shift 1 + alt 2 + control 4
    std::string_view base = name;
    while (base.size() > 2 && base[1] == '-') {
        const int bit = base[0] == 'S' ? 1 : base[0] == 'M' ? 2 : base[0] == 'C' ? 4 : 0;
        if (bit == 0 || ((modifiers - 1) & bit)) return std::nullopt;
        modifiers += bit;
        base.remove_prefix(2);
    }
    for (const named_key& key : keys) {
        if (key.name != base) continue;
        if (modifiers == 1) return std::string(key.plain);
        std::string bytes = "\033[";
        bytes.append(std::to_string(key.number)).append(";").append(std::to_string(modifiers));
        bytes += key.letter ? key.letter : '~';
        return bytes;
    }
    const bool alt = (modifiers - 1) & 2, ctrl = (modifiers - 1) & 4, shift = (modifiers - 1) & 1;
    const std::string escape = alt ? "\033" : "";
    if (ctrl && !shift)
        if (const auto byte = control(base)) return escape + *byte;
    for (const simple_key& key : simple) {
        if (key.name != base) continue;
        if (shift && base == "Tab") return escape + "\033[Z";
        if (ctrl && base == "BSpace") return escape + "\b";
        return escape + std::string(key.bytes); // xterm reports no other modifier with these
    }
    if (alt && !ctrl && !shift && base.size() == 1) return escape + std::string(base);
    return std::nullopt;
}

std::optional<char> parse_prefix(std::string_view name) {
    if (name.size() != 3 || !name.starts_with("C-") || name[2] == '?') return std::nullopt;
    return control(name.substr(2));
}

} // namespace mux
