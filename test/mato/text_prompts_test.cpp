// SPDX-License-Identifier: MIT
/// @file text_prompts_test.cpp: prompts and outputs that are found in the history and on the screen of a terminal.
#include "screens/terminal_text.hpp"
#include "screens/text_prompts.hpp"

#include "support/catch.hpp"

#include <memory>
#include <string>

using namespace mux;

namespace {

/// A shell in a terminal of 6 rows and 20 columns.
struct shell {
    std::shared_ptr<vt::terminal> terminal;
    std::unique_ptr<terminal_text> text;

    explicit shell(vt::screen_size size = {6, 20}) {
        vt::terminal_options options;
        options.size = size;
        terminal = std::make_shared<vt::terminal>(options);
        text = std::make_unique<terminal_text>(terminal);
    }
    void prompt() const { terminal->feed("\033]133;A\a$ \033]133;B\a"); }
    void run(const std::string& typed, const std::string& output) const { terminal->feed(typed + "\r\n\033]133;C\a" + output); }
    void end(int code = 0) const { terminal->feed("\033]133;D;" + std::to_string(code) + "\a"); }
    void command(const std::string& typed, const std::string& output) const {
        prompt();
        run(typed, output);
        end();
    }
    [[nodiscard]] std::string output_at(std::uint64_t line, int column = 0) const {
        const auto found = mux::output_at(*text, {line, column});
        return found ? found->text_of(*text).value_or("too long") : "none";
    }
};

} // namespace

TEST_CASE("the prompts before and after a line are found", "[prompts]") {
    shell in;
    CHECK_FALSE(prompt_before(*in.text, {5, 0}));
    in.command("one", "a\r\nb\r\n"); // lines 0 to 2
    in.command("two", "c\r\n");      // 3 and 4
    in.prompt();                     // 5
    CHECK(prompt_before(*in.text, {5, 2}) == text_position{3, 0});
    CHECK(prompt_before(*in.text, {3, 4}) == text_position{0, 0});
    CHECK_FALSE(prompt_before(*in.text, {0, 9}));
    CHECK(prompt_after(*in.text, {0, 0}) == text_position{3, 0});
    CHECK(prompt_after(*in.text, {4, 0}) == text_position{5, 0});
    CHECK_FALSE(prompt_after(*in.text, {5, 0}));
}

TEST_CASE("the output of the command at a place is found, or of the last one before that has any", "[prompts]") {
    shell in;
    CHECK(in.output_at(0) == "none");
    in.command("one", "a\r\nb\r\n");                          // 0 to 2
    in.command("true", "");                                   // 3
    in.command("long", std::string(45, 'x') + "\r\nend\r\n"); // 4 to 6; the first line wraps
    in.prompt();                                              // 7
    CHECK(in.output_at(0) == "a\nb\n");
    CHECK(in.output_at(2) == "a\nb\n");
    CHECK(in.output_at(3) == "a\nb\n");
    CHECK(in.output_at(5) == std::string(45, 'x') + "\nend\n");
    CHECK(in.output_at(7, 2) == std::string(45, 'x') + "\nend\n");
    for (const auto& [rows, columns] : {std::pair{3, 7}, {24, 80}, {1, 1}, {6, 20}}) {
        in.terminal->resize({rows, columns});
        CHECK(in.output_at(7, 2) == std::string(45, 'x') + "\nend\n");
        CHECK(in.output_at(0) == "a\nb\n");
    }
}

TEST_CASE("an output that does not end in a new line, or goes on, is found as far as it is", "[prompts]") {
    shell in;
    in.command("printf", "no newline");
    in.prompt();
    CHECK(in.output_at(1, 12) == "no newline");
    in.run("sleep", "");
    CHECK(in.output_at(2) == "no newline");
    in.terminal->feed("working\r\nstill");
    CHECK(in.output_at(3, 5) == "working\nstill");
}

TEST_CASE("the alternate screen has no prompts of the primary one's rows", "[prompts]") {
    shell in;
    for (int i = 0; i < 10; ++i) in.command("c", std::to_string(i) + "\r\n"); // most of it in the history
    in.prompt();
    in.terminal->feed("\033[?1049h\033[Hvim");
    CHECK(in.output_at(in.text->end_line()) == "6\n"); // the last one that is in the history whole
    in.terminal->feed("\033[?1049l");
    CHECK(in.output_at(in.text->end_line()) == "9\n");
}
