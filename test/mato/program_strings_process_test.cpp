// SPDX-License-Identifier: MIT
/// @file program_strings_process_test.cpp: what a viewer's terminal receives from a program's control strings.
#include "support/mato_world.hpp"
#include "support/pty_client.hpp"

#include <memory>
#include <vector>

using namespace support;

namespace {

/// A tab that writes the given parts, each in its own write, to the terminals of three viewers.
class string_tab {
public:
    explicit string_tab(const std::string& configuration = {}) {
        if (!configuration.empty()) world_.configure(configuration);
        world_.must({"new", "-d", "--", "stty -echo; printf ready; while read -r part; do cat \"$part\"; done"});
        for (const std::vector<std::string>& words :
             {std::vector<std::string>{"attach", "1"}, {"attach", "1", "--relay"}, {"attach", "1", "-r"}}) {
            viewers_.push_back(std::make_unique<pty_client>(world_, words));
            REQUIRE(viewers_.back()->wait_for("ready"));
        }
    }

    /// Writes `parts` and then a mark. @returns the OSC 52 strings that each viewer's terminal received before the mark
    std::vector<std::vector<std::string>> clipboards(const std::vector<std::string>& parts) {
        const std::string mark = "[" + std::to_string(++marks_) + "]";
        std::string lines;
        const auto add = [&](const std::string& bytes) {
            const std::string name = "part" + std::to_string(++files_);
            write_file(world_.home() / name, bytes);
            lines += name + "\n";
        };
        for (const std::string& each : parts) add(each);
        add(mark);
        std::vector<std::size_t> from;
        for (const auto& each : viewers_) from.push_back(each->shown().size());
        world_.must({"send", "1", "-l", lines});
        std::vector<std::vector<std::string>> all;
        for (std::size_t i = 0; i < viewers_.size(); ++i) {
            REQUIRE(viewers_[i]->wait_for(mark));
            auto& found = all.emplace_back();
            const std::string got = viewers_[i]->shown().substr(from[i]);
            for (auto at = got.find("\033]52"); at != std::string::npos; at = got.find("\033]52", at + 1))
                found.push_back(got.substr(at, got.find_first_of("\033\a", at + 1) - at));
        }
        return all;
    }

private:
    mato_world world_;
    std::vector<std::unique_ptr<pty_client>> viewers_;
    int marks_ = 0, files_ = 0;
};

using strings = std::vector<std::string>;

} // namespace

TEST_CASE("no form of a clipboard query reaches a viewer's terminal", "[mato][strings]") {
    string_tab tab;
    const std::vector<strings> nothing(3);
    for (const char* payload : {"?", "?\001", "\001?", "?\177", "\302\200?", "?\302\237", "\n?", "?\r\n", "\t?\t"}) {
        CAPTURE(payload);
        CHECK(tab.clipboards({"\033]52;c;" + std::string(payload) + "\033\\"}) == nothing);
        CHECK(tab.clipboards({"\033]52;c;" + std::string(payload) + "\a"}) == nothing);
    }
    CHECK(tab.clipboards({"\033", "]5", "2;c;", "?", "\001", "\033", "\\"}) == nothing);
    CHECK(tab.clipboards({"\033]52;c;\302", "\200?\302", "\234\033", "\\"}) == nothing); // U+009C is dropped too
    CHECK(tab.clipboards({"\033]52;c;?\033", "[m"}) == nothing);                         // a lone ESC ends it without effect
    CHECK(tab.clipboards({"\033]5\0012;\001c;?\001\a"}) == nothing);
    CHECK(tab.clipboards({"\033]52;?;?\a\033]52;c;?;\a"})[0] == strings{"\033]52;c;"}); // the second is not a query: it clears
}

TEST_CASE("a clipboard is set and cleared only on terminals that may type, and only by base64", "[mato][strings]") {
    string_tab tab;
    const auto both = [](const std::string& wanted) { return std::vector<strings>{{wanted}, {wanted}, {}}; };
    CHECK(tab.clipboards({"\033]52;c;aGk=\a"}) == both("\033]52;c;aGk="));
    CHECK(tab.clipboards({"\033]52;c;aG", "k=\033", "\\"}) == both("\033]52;c;aGk="));
    CHECK(tab.clipboards({"\033]52;;aGk=\a"}) == both("\033]52;;aGk="));
    CHECK(tab.clipboards({"\033]52;zpc;aGk=\a"}) == both("\033]52;cp;aGk="));
    CHECK(tab.clipboards({"\033]52;p;\a"}) == both("\033]52;p;"));
    for (const char* other : {"!", "? ", "a\033c", "a;b", "\342\200\256aGk=", "a?b", "-"}) {
        CAPTURE(other);
        for (const strings& each : tab.clipboards({"\033]52;c;" + std::string(other) + "\a"}))
            for (const std::string& got : each) CHECK(got == "\033]52;c;");
    }
}

TEST_CASE("with clipboard = false nothing of OSC 52 reaches a viewer's terminal", "[mato][strings]") {
    string_tab tab("clipboard = false\n");
    CHECK(tab.clipboards({"\033]52;c;aGk=\a\033]52;c;?\001\a\033]52;c;\a"}) == std::vector<strings>(3));
}
