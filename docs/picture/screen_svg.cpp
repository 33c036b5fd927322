// SPDX-License-Identifier: MIT
// The last screen of a recording as an SVG picture: screen_svg RECORDING.cast >PICTURE.svg. The emulator reads the recording.
// Source: asciicast v2 (docs.asciinema.org); SVG 1.1, 10.4 textLength: every run takes its columns, whatever the font is.
#include "vt/terminal.hpp"
#include "vt/text_line.hpp"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>

namespace {

using namespace mux;

constexpr double cell_width = 8.4, cell_height = 18, font_size = 14, edge = 12; // pixels

constexpr vt::rgb paper{0x1d, 0x1f, 0x21}, ink{0xd8, 0xd8, 0xd2};

[[noreturn]] void fail(const std::string& text) {
    std::cerr << "screen_svg: " << text << '\n';
    std::exit(1);
}

/// The JSON string that begins at `json[at]`; `at` is after it then.
std::string read_string(std::string_view json, std::size_t& at) {
    std::string out;
    for (++at; at < json.size() && json[at] != '"'; ++at) {
        if (json[at] != '\\') {
            out += json[at];
            continue;
        }
        switch (const char c = at + 1 < json.size() ? json[++at] : ' '; c) {
        case 'n': out += '\n'; break;
        case 'r': out += '\r'; break;
        case 't': out += '\t'; break;
        case 'b': out += '\b'; break;
        case 'f': out += '\f'; break;
        case 'u': { // of controls: all other characters are written as they are
            const auto code = std::strtoul(std::string(json.substr(at + 1, 4)).c_str(), nullptr, 16);
            if (code > 0x7f) fail("an escaped character above U+007F");
            out += static_cast<char>(code);
            at += 4;
            break;
        }
        default: out += c;
        }
    }
    ++at;
    return out;
}

int read_number(std::string_view json, std::string_view key) {
    const auto at = json.find("\"" + std::string(key) + "\":");
    if (at == json.npos) fail("the recording's first line has no " + std::string(key));
    return std::atoi(std::string(json.substr(at + key.size() + 3, 8)).c_str());
}

vt::terminal replay(std::ifstream& recording) {
    std::string line;
    if (!std::getline(recording, line)) fail("the recording is empty");
    vt::terminal screen({.size = {read_number(line, "height"), read_number(line, "width")}});
    while (std::getline(recording, line)) {
        std::size_t at = line.find('"');
        if (at == line.npos) continue;
        const std::string kind = read_string(line, at);
        at = line.find('"', at);
        if (kind != "o" || at == line.npos) continue;
        screen.feed(read_string(line, at));
    }
    return screen;
}

std::string hex(vt::rgb c) {
    char out[8];
    std::snprintf(out, sizeof out, "#%02x%02x%02x", c.red, c.green, c.blue);
    return out;
}

vt::rgb seen(const vt::terminal& screen, vt::colour c, vt::rgb otherwise) {
    if (c.is_default()) return otherwise;
    return c.is_direct() ? c.components() : screen.palette_colour(c.index());
}

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '&')
            out += "&amp;";
        else if (c == '<')
            out += "&lt;";
        else
            out += c;
    }
    return out;
}

void draw_run(const vt::terminal& screen, const vt::text_line& line, const vt::text_run& run, int row) {
    vt::rgb front = seen(screen, run.style.foreground, ink), back = seen(screen, run.style.background, paper);
    if (run.style.has(vt::attributes::inverse)) std::swap(front, back);
    const double x = edge + run.column * cell_width, y = edge + row * cell_height, width = run.columns * cell_width;
    if (back != paper)
        std::printf("<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"/>\n", x, y, width, cell_height,
                    hex(back).c_str());
    const std::string text = line.text.substr(run.from, run.bytes);
    if (text.find_first_not_of(' ') == text.npos) return;
    std::printf("<text x=\"%.1f\" y=\"%.1f\" textLength=\"%.1f\" fill=\"%s\"%s%s>%s</text>\n", x, y + cell_height * 0.75, width,
                hex(front).c_str(), run.style.has(vt::attributes::bold) ? " font-weight=\"bold\"" : "",
                run.style.underlined() != vt::underline::none ? " text-decoration=\"underline\"" : "", escaped(text).c_str());
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 2) fail("usage: screen_svg RECORDING.cast");
    std::ifstream recording(argv[1]);
    if (!recording) fail(std::string("cannot open ") + argv[1]);
    const vt::terminal screen = replay(recording);
    const auto [rows, columns] = screen.size();
    const double width = 2 * edge + columns * cell_width, height = 2 * edge + rows * cell_height;
    std::printf("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\" role=\"img\">\n", width,
                height, width);
    std::printf("<title>mato in a terminal of %d rows by %d columns</title>\n", rows, columns);
    std::printf("<rect width=\"100%%\" height=\"100%%\" rx=\"6\" fill=\"%s\"/>\n", hex(paper).c_str());
    std::printf("<g font-family=\"ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace\" font-size=\"%.0f\""
                " xml:space=\"preserve\">\n",
                font_size);
    vt::text_line line;
    for (int row = 0; row < rows; ++row) {
        screen.read_row(row, line);
        for (const vt::text_run& run : line.runs) draw_run(screen, line, run, row);
    }
    std::puts("</g>\n</svg>");
}
