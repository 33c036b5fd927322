// SPDX-License-Identifier: MIT
/// @file shell_completion_process_test.cpp: the Tab key in real shells, each in a tab.
#include "support/mato_world.hpp"

#include <cstdlib>
#include <filesystem>

using namespace support;

namespace {

struct shell {
    const char* name;
    std::vector<std::string> program;
    const char* load;
};

/// A shell at its prompt, with mato's completion loaded, in tab 1; another tab to complete the name of.
class completing_shell {
public:
    explicit completing_shell(const shell& which) {
        world_.configure("exit_empty = false\n");
        write_file(world_.home() / "unique.cast", "");
        const std::string directory = std::filesystem::path(world_.executable()).parent_path();
        std::vector<std::string> words{
            "new", "-d", "-t", "first", "-x", "150", "-y", "60", "-e", "PATH=" + directory + ":" + std::getenv("PATH"), "--"};
        words.insert(words.end(), which.program.begin(), which.program.end());
        world_.must(words);
        world_.must({"new", "-d", "-t", "my task", "-n", "build", "--", "sleep", "1000"});
        world_.must({"new", "-d", "-t", "other", "-n", "log", "--", "sleep", "1000"});
        world_.must({"send", "1", "-l", which.load + std::string("; echo loa''ded")});
        world_.must({"send", "1", "Enter"});
        wait_for("^loaded");
    }
    /// Types, presses the key, and waits until the line shows `expected`.
    void completes(const std::string& typed, const std::string& expected) {
        CAPTURE(typed, expected);
        world_.must({"send", "1", "C-u"});
        world_.must({"send", "1", "-l", typed});
        wait_for(typed);
        world_.must({"send", "1", "Tab"});
        wait_for(expected);
    }

private:
    void wait_for(const std::string& text) {
        const outcome seen = world_.run({"wait", "1", "--timeout", "30s", "--text", text});
        CAPTURE(world_.run({"capture", "1"}).out);
        REQUIRE(seen.exit_code == 0);
    }
    mato_world world_;
};

} // namespace

TEST_CASE("the Tab key completes commands, options and names in shells", "[mato][completion]") {
    const auto which =
        GENERATE(shell{"bash", {"bash", "--norc", "--noprofile", "-i"}, "eval \"$(mato completion bash)\""},
                 shell{"zsh", {"zsh", "-f", "-i"}, "autoload -U compinit; compinit -u -D; eval \"$(mato completion zsh)\""},
                 shell{"fish", {"fish", "--no-config", "-i"}, "mato completion fish | source"});
    CAPTURE(which.name);
    completing_shell tried(which);
    tried.completes("mato clie", "mato clients");
    tried.completes("mato wait --tim", "mato wait --timeout");
    tried.completes("mato attach oth", "mato attach other/log");
    tried.completes("mato new -t my", "mato new -t my\\\\ task");
    tried.completes("mato state bl", "mato state blocked");
    tried.completes("mato record 1 uni", "mato record 1 unique.cast");
}

TEST_CASE("completion starts no daemon, and says what it takes", "[mato][completion]") {
    mato_world world;
    CHECK(world.run({"completion", "words", "--", "attach", ""}).out ==
          "-r\tread-only: what is typed is discarded\n"
          "-d\tdetach the tab's other clients\n"
          "--ignore-size\tthis terminal's size does not count for the tab's size\n"
          "--relay\tpass the output through this client; the daemon does not open the terminal\n"
          "--nest\tinside a tab: show the tab in the current tab instead of switching to it\n");
    CHECK(world.run({"ls"}).exit_code == 1);
    const outcome wrong = world.run({"completion", "tcsh"});
    CHECK(wrong.exit_code == 64);
    CHECK(contains(wrong.err, "completion takes bash, zsh or fish, not 'tcsh'"));
}
