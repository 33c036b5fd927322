// SPDX-License-Identifier: MIT
/// @file command_table_test.cpp: parsing, help and the documents agree with the table of commands.
#include "client/command_table.hpp"

#include "client/command/words.hpp"
#include "client/help.hpp"
#include "support/catch.hpp"
#include "support/markdown.hpp"

#include <algorithm>
#include <filesystem>
#include <set>
#include <sstream>

namespace {

const std::filesystem::path root = MATO_SOURCE_DIRECTORY;
const std::filesystem::path manual = root / "example/mato/README.md";

/// Every command line in a document: the spans between backticks, and the lines of blocks for a shell.
std::vector<std::string> command_lines(const std::filesystem::path& document) {
    std::string prose;
    std::vector<std::string> found;
    bool in_block = false, for_shell = false;
    for (const std::string& line : support::lines_of(document)) {
        if (line.starts_with("```")) {
            in_block = !in_block;
            for_shell = line == "```sh";
        } else if (!in_block) {
            prose += line + ' ';
        } else if (for_shell) {
            found.push_back(line.substr(0, line.find('#')));
        }
    }
    for (std::string& span : support::code_spans(prose)) found.push_back(std::move(span));
    return found;
}

/// The words of a command line after `mato`; brackets, bars and dots of a usage are left out. Empty: another program.
std::vector<std::string> words_for_mato(const std::string& line) {
    std::istringstream in(line);
    std::vector<std::string> words;
    for (std::string word; in >> word;) {
        std::erase_if(word, [](char c) { return std::string_view("[]()|\\,").find(c) != std::string_view::npos; });
        if (!word.empty()) words.push_back(word);
    }
    if (!words.empty() && words[0] == "mato") return {words.begin() + 1, words.end()};
    if (words.size() > 1 && words[0] == "sh" && words[1] == "example/run.sh") return {words.begin() + 2, words.end()};
    return {};
}

bool is_word(const std::string& text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= 'a' && c <= 'z'; });
}

bool has_option(std::span<const mux::option> options, std::string_view written) {
    return std::any_of(options.begin(), options.end(), [&](const mux::option& each) { return each.is(written); });
}

} // namespace

TEST_CASE("names of commands and spellings of options are unique and complete", "[command table]") {
    std::set<std::string_view> names;
    for (const mux::command_entry& each : mux::command_table()) {
        CAPTURE(each.name);
        CHECK(names.insert(each.name).second);
        for (const std::string_view alias : each.aliases) CHECK(names.insert(alias).second);
        CHECK(mux::find_command(each.name) == &each);
        CHECK_FALSE(each.text.empty());
        CHECK_FALSE(each.examples.empty());
        std::set<std::string> spellings;
        mux::choice group = mux::choice::none;
        for (const mux::option& one : each.options) {
            CAPTURE(one.spelling());
            CHECK(spellings.insert(one.spelling()).second);
            CHECK(one.letter.size() <= 1);
            CHECK(one.letter.empty() != one.word.empty()); // cxxopts would name an option by only one of two
            CHECK_FALSE(one.text.empty());
            CHECK(one.take != nullptr);
            CHECK(one.value.empty() == (one.kind == mux::value_kind::flag));
            if (one.in == mux::choice::none) continue;
            CHECK((group == mux::choice::none || group == one.in));
            group = one.in;
        }
        for (const mux::operand& one : each.operands) CHECK(one.kind != mux::value_kind::flag);
    }
    for (const mux::option& one : mux::global_options()) {
        CHECK(one.letter.size() == 1);
        CHECK(one.word.size() > 1);
    }
}

TEST_CASE("every example is accepted as its command", "[command table]") {
    for (const mux::command_entry& each : mux::command_table())
        for (const std::string_view example : each.examples) {
            CAPTURE(example);
            std::string problem;
            auto words = mux::split_words(std::string(example), problem);
            CHECK(problem.empty());
            REQUIRE(words.size() >= 2);
            CHECK(words[0] == "mato");
            words.erase(words.begin());
            try {
                CHECK(mux::parse_command_line(words).command == each.command);
            } catch (const mux::command_failure& why) {
                FAIL_CHECK(why.text);
            }
        }
}

TEST_CASE("a usage shows options, alternatives and operands", "[command table]") {
    const auto usage = [](std::string_view name) { return mux::usage_of(*mux::find_command(name)); };
    CHECK(usage("ls") == "ls [--ended | -w] [--json]");
    CHECK(usage("has") == "has TAB");
    CHECK(usage("kill") == "kill (--others | -t TASK | TAB…)");
    CHECK(usage("detach") == "detach [-a | --others | -t TASK | -c CLIENT] [-E CMD] [-P] [TAB]");
    CHECK(usage("send") == "send [-l] [--mark] TAB TEXT…");
    CHECK(usage("wait").starts_with("wait (--exit | --idle DUR | --text REGEX | --prompt | "));
    CHECK(usage("wait").ends_with(" | --state STATE) [--any] [--new] [--since MARK] [--json] [--timeout DUR] TAB…"));
    CHECK(usage("new").starts_with("new [-d | -W | -A] [-t TASK]"));
    CHECK(usage("new").find(" [-e NAME=VALUE]… ") != std::string::npos);
    CHECK(usage("new").ends_with(" [-- CMD ARG…]"));
}

TEST_CASE("help names every command and option, and a command's help its exit codes and examples", "[command table]") {
    const std::string all = mux::help_text();
    for (const mux::option& one : mux::global_options())
        CHECK(all.find("  -" + std::string(one.letter) + ", --" + std::string(one.word)) != std::string::npos);
    for (const mux::command_entry& each : mux::command_table()) {
        CAPTURE(each.name);
        CHECK(all.find("  mato " + mux::usage_of(each) + "\n") != std::string::npos);
        for (const std::string_view alias : each.aliases) CHECK(all.find("  " + std::string(alias) + " ") != std::string::npos);
        const std::string help = mux::help_of(each);
        CHECK(help.find("usage: mato " + mux::usage_of(each) + "\n") != std::string::npos);
        for (const mux::option& one : each.options) {
            CHECK(help.find("\n  " + one.spelling()) != std::string::npos);
            CHECK(help.find(one.text) != std::string::npos);
        }
        for (const mux::exit_meaning& one : each.exits) CHECK(help.find(one.text) != std::string::npos);
        for (const mux::exit_meaning& one : mux::common_exits())
            CHECK(help.find("\n  " + std::to_string(one.code) + " ") != std::string::npos);
        for (const std::string_view example : each.examples)
            CHECK(help.find("\n  " + std::string(example) + "\n") != std::string::npos);
    }
}

TEST_CASE("the manual's table of commands is the table of commands", "[command table]") {
    CHECK(support::joined(support::table_rows(manual, "| command |")) == support::joined(mux::manual_rows()));
}

TEST_CASE("the manual's table of exit codes has the codes of the table of commands", "[command table]") {
    std::set<std::string> documented, known;
    for (const std::string& row : support::table_rows(manual, "| exit code |"))
        documented.insert(row.substr(2, row.find(" |", 2) - 2));
    const auto add = [&](std::span<const mux::exit_meaning> exits) {
        for (const mux::exit_meaning& each : exits)
            known.insert(each.code == mux::programs_code ? "program's" : std::to_string(each.code));
    };
    add(mux::common_exits());
    for (const mux::command_entry& each : mux::command_table()) add(each.exits);
    CHECK(documented == known);
}

TEST_CASE("documents name only commands and options that exist", "[command table]") {
    std::size_t checked = 0;
    std::vector<std::filesystem::path> documents{root / "README.md", manual, root / "example/mato/DESIGN.md"};
    for (const auto& entry : std::filesystem::directory_iterator(root / "docs"))
        if (entry.path().extension() == ".md") documents.push_back(entry.path());
    for (const auto& document : documents)
        for (const std::string& line : command_lines(document)) {
            const auto words = words_for_mato(line);
            const mux::command_entry* command = nullptr;
            for (const std::string& word : words) {
                CAPTURE(document.filename().string(), line, word);
                if (word == "--") break;
                if (word.starts_with('-') && word != "-") {
                    const std::string written = word.substr(0, word.find('='));
                    const bool is_known = has_option(mux::global_options(), written) || mux::find_command(written) ||
                                          (command && has_option(command->options, written));
                    CHECK(is_known);
                } else if (!command && is_word(word)) {
                    command = mux::find_command(word);
                    CHECK(command != nullptr);
                    if (!command) break;
                    ++checked;
                }
            }
        }
    CHECK(checked > 20);
}
