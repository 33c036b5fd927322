// SPDX-License-Identifier: MIT
/// @file make_unicode_table.cpp: writes unicode_table.cpp from the Unicode character database.
/// Usage: make_unicode_table DIRECTORY > unicode_table.cpp   (Debian's unicode-data: /usr/share/unicode)
/// Source: UAX 11 (East Asian width), UAX 29 table 2 (grapheme cluster break), UTS 51 (Extended_Pictographic, variation
/// sequences).
#include "vt/unicode.hpp"

#include <array>
#include <cstdio>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace {

using namespace mux::vt;

constexpr std::size_t code_points = 0x110000;
constexpr std::size_t block = unicode_block;

std::string trimmed(const std::string& s) {
    const auto from = s.find_first_not_of(" \t");
    if (from == std::string::npos) return {};
    return s.substr(from, s.find_last_not_of(" \t\r") - from + 1);
}

// Lines of the form "XXXX[..YYYY] ; value # comment".
void each_range(const std::string& path, const std::function<void(std::size_t, std::size_t, const std::string&)>& take) {
    std::ifstream in(path);
    if (!in) {
        std::cerr << "cannot read " << path << '\n';
        std::exit(1);
    }
    for (std::string line; std::getline(in, line);) {
        line = line.substr(0, line.find('#'));
        const auto semicolon = line.find(';');
        if (semicolon == std::string::npos) continue;
        const std::string range = trimmed(line.substr(0, semicolon));
        const auto dots = range.find("..");
        const std::size_t first = std::stoul(range, nullptr, 16);
        const std::size_t last = dots == std::string::npos ? first : std::stoul(range.substr(dots + 2), nullptr, 16);
        take(first, last, trimmed(line.substr(semicolon + 1)));
    }
}

std::vector<std::string> general_categories(const std::string& path) {
    std::vector<std::string> category(code_points, "Cn");
    std::ifstream in(path);
    std::size_t range_start = 0;
    for (std::string line; std::getline(in, line);) {
        std::istringstream fields(line);
        std::array<std::string, 3> f;
        for (auto& field : f) std::getline(fields, field, ';');
        const std::size_t code = std::stoul(f[0], nullptr, 16);
        if (f[1].ends_with(", First>")) range_start = code;
        const std::size_t from = f[1].ends_with(", Last>") ? range_start : code;
        for (std::size_t c = from; c <= code; ++c) category[c] = f[2];
    }
    return category;
}

grapheme_class class_named(const std::string& name) {
    static const std::map<std::string, grapheme_class> names{{"CR", grapheme_class::control},
                                                             {"LF", grapheme_class::control},
                                                             {"Control", grapheme_class::control},
                                                             {"Extend", grapheme_class::extend},
                                                             {"ZWJ", grapheme_class::joiner},
                                                             {"Prepend", grapheme_class::prepend},
                                                             {"SpacingMark", grapheme_class::spacing},
                                                             {"L", grapheme_class::l},
                                                             {"V", grapheme_class::v},
                                                             {"T", grapheme_class::t},
                                                             {"LV", grapheme_class::lv},
                                                             {"LVT", grapheme_class::lvt},
                                                             {"Regional_Indicator", grapheme_class::regional}};
    return names.at(name);
}

void print_array(const char* type, const char* name, const std::vector<unsigned>& values) {
    std::printf("const std::%s %s[%zu] = {", type, name, values.size());
    for (std::size_t i = 0; i < values.size(); ++i) std::printf("%s%u", i % 40 == 0 ? (i ? ",\n" : "\n") : ",", values[i]);
    std::printf("};\n");
}

} // namespace

int main(int argc, char** argv) {
    const std::string root = argc > 1 ? argv[1] : "/usr/share/unicode";
    std::ifstream first_line(root + "/EastAsianWidth.txt");
    std::string version;
    std::getline(first_line, version); // "# EastAsianWidth-15.0.0.txt"
    version = version.substr(version.find('-') + 1);
    version = version.substr(0, version.find(".txt"));

    const auto category = general_categories(root + "/UnicodeData.txt");
    std::vector<unsigned> width(code_points, 1), breaks(code_points, 0), pictographic(code_points, 0),
        variations(code_points, 0);
    each_range(root + "/EastAsianWidth.txt", [&](std::size_t a, std::size_t b, const std::string& v) {
        if (v == "W" || v == "F")
            for (std::size_t c = a; c <= b; ++c) width[c] = 2;
    });
    each_range(root + "/auxiliary/GraphemeBreakProperty.txt", [&](std::size_t a, std::size_t b, const std::string& v) {
        for (std::size_t c = a; c <= b; ++c) breaks[c] = static_cast<unsigned>(class_named(v));
    });
    each_range(root + "/emoji/emoji-data.txt", [&](std::size_t a, std::size_t b, const std::string& v) {
        if (v == "Extended_Pictographic")
            for (std::size_t c = a; c <= b; ++c) pictographic[c] = 1;
    });
    // "XXXX FE0E ; text style;": the first number is the base.
    each_range(root + "/emoji/emoji-variation-sequences.txt",
               [&](std::size_t base, std::size_t, const std::string&) { variations[base] = 1; });
    for (std::size_t c = 0; c < code_points; ++c) {
        const bool prepended = breaks[c] == static_cast<unsigned>(grapheme_class::prepend);
        const auto& k = category[c];
        // Marks and format characters combine with the cell before them; a soft hyphen is visible, as in xterm.
        // Controls and surrogates have no cell; callers never ask for them.
        if (k == "Cc" || k == "Cs") width[c] = 0;
        if (k == "Mn" || k == "Me" || (k == "Cf" && !prepended && c != 0xad)) width[c] = 0;
        // Vowels and trailing consonants of a decomposed Hangul syllable share the leading consonant's two columns.
        if (breaks[c] == static_cast<unsigned>(grapheme_class::v) || breaks[c] == static_cast<unsigned>(grapheme_class::t))
            width[c] = 0;
    }

    std::map<std::vector<unsigned>, unsigned> known;
    std::vector<unsigned> index, leaves;
    for (std::size_t start = 0; start < code_points; start += block) {
        std::vector<unsigned> leaf(block);
        for (std::size_t i = 0; i < block; ++i)
            leaf[i] = width[start + i] | breaks[start + i] << 2 | pictographic[start + i] << 6 | variations[start + i] << 7;
        const auto [it, fresh] = known.try_emplace(leaf, static_cast<unsigned>(known.size()));
        if (fresh) leaves.insert(leaves.end(), leaf.begin(), leaf.end());
        index.push_back(it->second);
    }
    std::printf("// SPDX-License-Identifier: MIT\n"
                "// Generated by tools/make_unicode_table.cpp from Unicode %s; do not edit.\n// clang-format off\n"
                "#include \"unicode.hpp\"\n\nnamespace mux::vt {\n\nconst char unicode_version[] = \"%s\";\n\n",
                version.c_str(), version.c_str());
    print_array("uint8_t", "unicode_index", index);
    print_array("uint8_t", "unicode_leaves", leaves);
    std::printf("\n} // namespace mux::vt\n");
    return known.size() > 256 ? 1 : 0;
}
