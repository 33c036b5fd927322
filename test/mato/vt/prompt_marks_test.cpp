// SPDX-License-Identifier: MIT
/// @file prompt_marks_test.cpp: marks of prompts stay on their lines through scrolling, resizes, eviction and snapshots.
#include "vt/bytes.hpp"
#include "vt/prompt_marks.hpp"
#include "vt/terminal.hpp"

#include <catch2/catch.hpp>

#include <random>
#include <string>
#include <vector>

using namespace mux::vt;

namespace {

terminal_options options(int rows, int columns, std::size_t lines = 1000) {
    terminal_options wanted;
    wanted.size = {rows, columns};
    wanted.limits.history.lines = lines;
    return wanted;
}

/// A command as a marking shell shows it: prompt, what is typed, its output.
std::string command(const std::string& typed, const std::string& output, int code = 0) {
    return "\033]133;A\a$ \033]133;B\a" + typed + "\r\n\033]133;C\a" + output + "\033]133;D;" + std::to_string(code) + "\a";
}

/// The text from a mark's place to the end of its line.
std::string text_after(const terminal& t, const prompt_mark& mark) {
    row line;
    const std::uint64_t first = t.first_history_line();
    std::uint64_t at = first + t.history_lines() - (t.is_history_open() ? 1 : 0);
    if (mark.line < at || (mark.line == at && t.is_history_open())) t.read_history_line(mark.line - first, line);
    for (int r = 0; r < t.size().rows && at <= mark.line; ++r) {
        const row& here = t.row_at(r);
        if (at == mark.line) line.append_piece(here);
        if (!here.wraps) ++at;
    }
    std::string text;
    line.append_text(text, std::min(mark.column, line.used()), line.used());
    return text;
}

std::vector<std::string> texts(const terminal& t, mark_kind kind) {
    std::vector<std::string> all;
    for (const prompt_mark& each : t.prompt_marks())
        if (each.kind == kind) all.push_back(text_after(t, each));
    return all;
}

using list = std::vector<std::string>;

} // namespace

TEST_CASE("each mark of a shell is kept with its line and column", "[marks]") {
    terminal t(options(5, 20));
    t.feed(command("ls", "a\r\nb\r\n") + command("false", "", 1) + "\033]133;A\a$ ");
    CHECK(texts(t, mark_kind::input) == list{"ls", "false"});
    CHECK(texts(t, mark_kind::output) == list{"a", "$ "});
    CHECK(texts(t, mark_kind::prompt) == list{"$ ls", "$ false", "$ "});
    std::vector<int> codes;
    for (const prompt_mark& each : t.prompt_marks())
        if (each.kind == mark_kind::end) codes.push_back(each.exit_code);
    CHECK(codes == std::vector<int>{0, 1});
}

TEST_CASE("marks stay with their text through scrolling and any resize", "[marks]") {
    terminal t(options(4, 12));
    t.feed(command("one", std::string(30, 'x') + "\r\n") + command("two", "y\r\nz\r\n") + command("three", "w\r\n", 3) +
           "\033]133;A\a$ ");
    const list inputs{"one", "two", "three"}, outputs{std::string(30, 'x'), "y", "w"};
    for (const auto& [rows, columns] : {std::pair{4, 12}, {10, 40}, {3, 5}, {1, 1}, {24, 80}, {4, 12}}) {
        CAPTURE(rows, columns);
        t.resize({rows, columns});
        CHECK(texts(t, mark_kind::input) == inputs);
        CHECK(texts(t, mark_kind::output) == outputs);
    }
    t.feed(std::string(500, '\n'));
    CHECK(texts(t, mark_kind::input) == inputs);
}

TEST_CASE("marks go with the lines that history drops", "[marks]") {
    terminal t(options(3, 20, 10));
    for (int i = 0; i < 50; ++i) t.feed(command("c" + std::to_string(i), "out\r\n"));
    for (const prompt_mark& each : t.prompt_marks()) CHECK(each.line >= t.first_history_line());
    CHECK(texts(t, mark_kind::input).back() == "c49");
    t.feed(std::string(100, '\n'));
    CHECK(t.prompt_marks().empty());
    t.feed("\033[3J\033[H\033[2J" + command("again", "x\r\n"));
    CHECK(texts(t, mark_kind::input) == list{"again"});
}

TEST_CASE("text that is written again or erased has no old marks", "[marks]") {
    terminal t(options(6, 20));
    t.feed(command("one", "a\r\n") + "\033]133;A\a$ \033]133;B\atw");
    t.feed("\r\033]133;A\a$ \033]133;B\atwo"); // the shell draws its line again
    CHECK(texts(t, mark_kind::input) == list{"one", "two"});
    t.feed("\033[H\033[2J\033]133;A\a$ \033]133;B\athree"); // C-l
    CHECK(texts(t, mark_kind::input) == list{"three"});
    t.feed("\033[H\033[J");
    CHECK(texts(t, mark_kind::input).empty());
    t.feed("\033]133;A\a$ \033]133;B\afour\033c");
    CHECK(t.prompt_marks().empty());
}

TEST_CASE("what is no mark of a command is not kept", "[marks]") {
    terminal t(options(6, 20));
    t.feed("\033]133;\a\033]133;X\a\033]133;AA\a\033]133;A;k=s\a\033]133;A;aid=1;k=s\a\033]133;P;k=i\a");
    CHECK(t.prompt_marks().empty());
    t.feed("\033[?1049h" + command("in an editor", "x"));
    CHECK(t.prompt_marks().empty());
    t.feed("\033[?1049l\033]133;A;cl=m\a\033]133;D;\a\033]133;D;x\a\033]133;D;99999999999\a");
    REQUIRE(t.prompt_marks().size() == 1); // each takes the place of the one before
    CHECK(t.prompt_marks()[0].kind == mark_kind::end);
    CHECK(t.prompt_marks()[0].exit_code == prompt_mark::unknown_code);
}

TEST_CASE("any number of marks has a bound, and the newest are kept", "[marks]") {
    terminal t(options(24, 80, 100'000));
    for (int i = 0; i < 5'000; ++i) t.feed(command(std::to_string(i), "x\r\n"));
    CHECK(t.prompt_marks().size() <= prompt_marks::most);
    CHECK(t.prompt_marks().size() >= prompt_marks::most / 2);
    CHECK(texts(t, mark_kind::input).back() == "4999");
    const std::size_t before = t.memory_bytes();
    for (int i = 0; i < 100'000; ++i) t.feed("\r\033]133;A\a\033]133;B\a");
    CHECK(t.memory_bytes() <= before + 4096);
}

TEST_CASE("marks are in snapshots and checkpoints", "[marks]") {
    terminal t(options(4, 12));
    t.feed(command("one", "a\r\n", 7) + command("two", std::string(40, 'y') + "\r\n") + "\033]133;A\a$ ");
    terminal other(options(4, 12));
    REQUIRE(other.restore(t.save()) == snapshot_error::none);
    CHECK(other.is_same(t));
    CHECK(std::vector(other.prompt_marks().begin(), other.prompt_marks().end()) ==
          std::vector(t.prompt_marks().begin(), t.prompt_marks().end()));
    other.feed("\033]133;B\athree");
    t.feed("\033]133;B\athree");
    CHECK(other.save() == t.save()); // the packed bytes follow
}

TEST_CASE("any bytes for marks are refused or give marks in order", "[marks]") {
    std::mt19937 random(7);
    for (int round = 0; round < 3'000; ++round) {
        std::string bytes;
        for (auto left = random() % 30; left > 0; --left) bytes += static_cast<char>(random() % (random() % 4 == 0 ? 256 : 8));
        byte_reader in(bytes);
        prompt_marks read;
        const bool taken = read.take(in);
        if (!taken) CHECK(read.empty());
        const auto all = read.from(0);
        for (std::size_t i = 1; i < all.size(); ++i) {
            const bool in_order =
                all[i - 1].line < all[i].line || (all[i - 1].line == all[i].line && all[i - 1].column <= all[i].column);
            CHECK(in_order);
        }
        if (!taken) continue;
        std::string again;
        byte_writer out(again);
        read.put(out);
        byte_reader back(out.written());
        prompt_marks same;
        CHECK(same.take(back));
        CHECK(std::vector(same.from(0).begin(), same.from(0).end()) == std::vector(all.begin(), all.end()));
    }
}
