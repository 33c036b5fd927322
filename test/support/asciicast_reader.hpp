// SPDX-License-Identifier: MIT
/// @file asciicast_reader.hpp: parses an asciicast v2 file according to its specification, independently of the writer.
#pragma once

#include "json_reader.hpp"

#include <cstdlib>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace support {

struct asciicast {
    struct event {
        double at = 0;
        char code = 0;
        std::string text;
    };
    std::string header;
    std::vector<event> events;
    std::string problem; ///< empty: every line is valid and complete

    [[nodiscard]] static asciicast read(const std::string& file) {
        asciicast result;
        std::istringstream lines(file);
        std::getline(lines, result.header);
        const auto names = [&] {
            json_reader reader(result.header);
            return reader.whole() ? reader.names() : std::vector<std::string>();
        }();
        const std::vector<std::string> wanted{"version", "width", "height", "timestamp"};
        if (names.size() < 4 || !std::equal(wanted.begin(), wanted.end(), names.begin())) result.problem = "the header";
        double last = 0;
        for (std::string line; std::getline(lines, line);) {
            event each;
            if (!is_json(line) || line.front() != '[' || !parse(line, each)) result.problem = "line: " + line.substr(0, 200);
            if (each.at < last) result.problem = "time runs backwards: " + line.substr(0, 200);
            last = each.at;
            result.events.push_back(std::move(each));
        }
        if (file.empty() || file.back() != '\n') result.problem = "the last line is cut";
        return result;
    }
    /// The output of a player.
    [[nodiscard]] std::string output() const {
        std::string all;
        for (const event& each : events)
            if (each.code == 'o') all += each.text;
        return all;
    }
    [[nodiscard]] std::vector<std::string> texts(char code) const {
        std::vector<std::string> all;
        for (const event& each : events)
            if (each.code == code) all.push_back(each.text);
        return all;
    }

    /// The text inside a JSON string whose escapes are for bytes below 0x80.
    [[nodiscard]] static std::string unescaped(std::string_view inside) {
        std::string result;
        for (std::size_t at = 0; at < inside.size(); ++at) {
            if (inside[at] != '\\') {
                result += inside[at];
            } else if (inside[++at] == 'u') {
                result += static_cast<char>(std::strtol(std::string(inside.substr(at + 1, 4)).c_str(), nullptr, 16));
                at += 4;
            } else {
                constexpr std::string_view letters("\"\\/bfnrt"), meant("\"\\/\b\f\n\r\t");
                result += meant[letters.find(inside[at])];
            }
        }
        return result;
    }

private:
    static bool parse(const std::string& line, event& to) {
        char* end = nullptr;
        to.at = std::strtod(line.c_str() + 1, &end);
        const std::string_view rest(end);
        if (rest.size() < 9 || !rest.starts_with(", \"") || rest.substr(4, 4) != "\", \"" || !rest.ends_with("\"]"))
            return false;
        to.code = rest[3];
        to.text = unescaped(rest.substr(8, rest.size() - 10));
        return std::string_view("oirm").find(to.code) != std::string_view::npos;
    }
};

} // namespace support
