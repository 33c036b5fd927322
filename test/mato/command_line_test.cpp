// SPDX-License-Identifier: MIT
// The command prompt's language: what each command means, what is said of a wrong one, and how it is completed.
#include "screens/command_line.hpp"

#include "support/catch.hpp"

#include <string>
#include <vector>

using namespace mux;

namespace {

const command_names known{{{1, "web", "shell"}, {2, "web", "vim"}, {7, "ops", "shell"}, {9, "ops", "two words"}},
                          {"web", "ops", "work"}};

pressed_action meaning(std::string_view line) {
    const parsed_command command = parse_command(line, known);
    CAPTURE(line, command.problem);
    REQUIRE(command.acts);
    return *command.acts;
}

std::string problem(std::string_view line) {
    const parsed_command command = parse_command(line, known);
    CHECK_FALSE(command.acts);
    return command.problem;
}

using lines = std::vector<std::string>;

} // namespace

TEST_CASE("each action is a command by its name", "[screens][command]") {
    for (const action_entry& each : all_actions) {
        if (each.what == action::tab_by_number) continue;
        CAPTURE(each.name);
        const pressed_action meant = meaning(each.name);
        CHECK((meant.what == each.what && meant.number == 0 && !meant.answer));
        CHECK(completions_of(each.name, known).front().starts_with(each.name));
    }
}

TEST_CASE("a command is given a name, a text, or a tab", "[screens][command]") {
    CHECK(meaning("  rename-tab  two words ").answer == "two words");
    CHECK(meaning("move-tab work").answer == "work");
    CHECK(meaning("find re:a b").answer == "re:a b");
    CHECK(meaning("find-all x").what == action::find_all);
    CHECK((meaning("tab 3").what == action::tab_by_number && meaning("tab 3").number == 3));
    CHECK((meaning("tab vim").what == action::tab_by_id && meaning("tab vim").number == 2));
    CHECK(meaning("tab ops/shell").number == 7);
    CHECK(meaning("tab v").number == 2);
    CHECK(meaning("tab two words").number == 9);
}

TEST_CASE("a wrong command says why, and what was probably meant", "[screens][command]") {
    CHECK(problem("") == "");
    CHECK(problem("nwe-tab") == "no command 'nwe-tab'; did you mean 'new-tab'?");
    CHECK(problem("det") == "no command 'det'; did you mean 'detach'?");
    CHECK(problem("xyzzy") == "no command 'xyzzy'");
    CHECK(problem(std::string(200, 'x')) == "no command '" + std::string(200, 'x') + "'");
    CHECK(problem("detach now") == "'detach' takes nothing after it");
    CHECK(problem("tab") == "'tab' needs the number or the name of a tab");
    CHECK(problem("tab vmi") == "no tab 'vmi'; did you mean 'vim'?");
    CHECK(problem("tab shell") == "several tabs fit 'shell': web/shell, ops/shell");
    CHECK(problem("tab -1") == "no tab '-1'");
    CHECK(problem("tab 99999999999999999999999") == "no tab '99999999999999999999999'");
}

TEST_CASE("a command is completed from the names of actions, tabs and tasks", "[screens][command]") {
    CHECK(completions_of("", known).size() == all_actions.size());
    CHECK(completions_of("ren", known) == lines{"rename-tab ", "rename-task "});
    CHECK(completions_of("detach", known) == lines{"detach", "detach-others"});
    CHECK(completions_of("tab o", known) == lines{"tab ops/shell", "tab ops/two words"});
    CHECK(completions_of("tab sh", known) == lines{"tab shell"});
    CHECK(completions_of("move-tab w", known) == lines{"move-tab web", "move-tab work"});
    CHECK(completions_of("rename-tab w", known).empty());
    CHECK(completions_of("none ", known).empty());
}
