// SPDX-License-Identifier: MIT
/// @file payloads.hpp: what programs write to terminals, by kind; the same bytes in every run.
#pragma once

#include <array>
#include <cstddef>
#include <random>
#include <string>
#include <vector>

namespace bench {

class payloads {
public:
    static constexpr std::array<const char*, 6> names = {"ascii", "short", "unicode", "sgr", "cursor", "region"};

    payloads() {
        for (std::string& each : words_)
            for (int n = 2 + below(9); n > 0; --n) each += static_cast<char>('a' + below(26));
    }
    [[nodiscard]] std::string make(std::size_t kind, std::size_t bytes) {
        std::string text;
        while (text.size() < bytes) piece(kind, text);
        return text;
    }
    /// Lines as of a source file: indented, of several lengths, `columns` at most.
    [[nodiscard]] std::string page(int rows, int columns) {
        std::string text;
        for (int row = 0; row < rows; ++row) {
            std::string line(static_cast<std::size_t>(4 * below(4)), ' ');
            for (const int end = below(columns * 2 / 3); static_cast<int>(line.size()) < end;) line += word() + " ";
            text += line + (row + 1 < rows ? "\r\n" : "");
        }
        return text;
    }
    [[nodiscard]] std::string history(int lines) {
        std::string text;
        for (int i = 0; i < lines; ++i) {
            for (int n = 20 + below(60); n > 0; --n) text += static_cast<char>('a' + below(26));
            text += '\n';
        }
        return text;
    }

private:
    [[nodiscard]] int below(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }
    [[nodiscard]] const std::string& word() { return words_[static_cast<std::size_t>(below(static_cast<int>(words_.size())))]; }

    void piece(std::size_t kind, std::string& to) {
        static constexpr std::array<const char*, 9> many = {"αβγδ", "эюя", "漢字", "かな", "한글", "é", "ñ", "🙂", "─│┌┐"};
        switch (kind) {
        case 0:
            for (int n = 3 + below(13); n > 0; --n) to += word() + (n > 1 ? " " : "\n");
            break;
        case 1:
            for (int i = 0; i < 4096; ++i) to += "y\n";
            break;
        case 2:
            for (int i = 0; i < 12; ++i) to.append(many[static_cast<std::size_t>(below(9))]).append(i < 11 ? " " : "\n");
            break;
        case 3:
            for (int i = 0; i < 8; ++i) {
                to.append("\033[38;5;").append(std::to_string(below(256))).append(";48;5;").append(std::to_string(below(256)));
                to.append("m").append(word());
            }
            to += "\033[0m\n";
            break;
        case 4:
            for (int i = 0; i < 100; ++i) {
                to.append("\033[").append(std::to_string(1 + below(23))).append(";").append(std::to_string(1 + below(79)));
                to.append("H").append(1, static_cast<char>('A' + below(25)));
            }
            break;
        default:
            to += "\033[5;20r\033[20;1H";
            for (int i = 0; i < 50; ++i) to.append(word()).append(i < 49 ? "\n" : "");
            to += "\033[r";
        }
    }

    std::mt19937 random_{7};
    std::array<std::string, 4000> words_;
};

} // namespace bench
