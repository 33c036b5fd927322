// SPDX-License-Identifier: MIT
/// @file closed_tabs_test.cpp: which closed tabs can be brought back, and how much memory that takes at most.
#include "daemon/closed_tabs.hpp"

#include "support/catch.hpp"

#include <algorithm>
#include <random>

namespace {

using namespace std::chrono_literals;

const mato::clock::time_point start{};

mux::closed_tab closed(mux::tab_id id, const std::string& task, const std::string& name, std::size_t bytes = 10,
                       std::chrono::seconds at = 0s) {
    return {{id, task, name}, {}, std::string(bytes, 'x'), start + at};
}

mux::tab_id found(const mux::closed_tabs& all, std::string_view target, mux::tab_id current = 0) {
    const auto* const tab = all.find(target, current);
    return tab ? tab->name.id : 0;
}

} // namespace

TEST_CASE("a closed tab is found by number, by name, or as the one closed last", "[closed_tabs]") {
    mux::closed_tabs all;
    CHECK(found(all, "") == 0);
    all.remember(closed(4, "work", "build"));
    all.remember(closed(2, "work", "logs"));
    all.remember(closed(7, "home", "build"));
    CHECK(found(all, "") == 7);
    CHECK(found(all, "2") == 2);
    CHECK(found(all, "build") == 7);
    CHECK(found(all, "work/build") == 4);
    CHECK(found(all, ".", 4) == 4);
    CHECK(found(all, ".") == 0);
    CHECK(found(all, "3") == 0);
    CHECK(found(all, "bui") == 0);
    CHECK(found(all, "other/build") == 0);
    CHECK(found(all, "2x") == 0);
    CHECK(found(all, "99999999999999999999999") == 0);
    all.forget(7);
    all.forget(99);
    CHECK(found(all, "build") == 4);
    CHECK(found(all, "") == 2);
}

TEST_CASE("a tab that is closed twice is there once, as it was the second time", "[closed_tabs]") {
    mux::closed_tabs all;
    all.remember(closed(4, "work", "build", 10));
    all.remember(closed(5, "work", "logs", 10));
    all.remember(closed(4, "work", "other", 30));
    CHECK(all.count() == 2);
    CHECK(all.bytes() == 40);
    CHECK(found(all, "") == 4);
    CHECK(found(all, "build") == 0);
}

TEST_CASE("closed tabs are bounded in number and bytes; the oldest are forgotten", "[closed_tabs]") {
    mux::closed_tabs all;
    for (mux::tab_id id = 1; id <= mux::closed_tabs::most + 5; ++id) all.remember(closed(id, "t", "n"));
    CHECK(all.count() == mux::closed_tabs::most);
    CHECK(found(all, "5") == 0);
    CHECK(found(all, "6") == 6);
    for (mux::tab_id id = 100; id < 120; ++id) {
        all.remember(closed(id, "t", "n", 3u << 20));
        CHECK(all.bytes() <= mux::closed_tabs::most_bytes);
    }
    CHECK(all.count() == 5); // of three mebibytes
    CHECK(found(all, "") == 119);
    all.remember(closed(200, "t", "n", mux::closed_tabs::most_shown + 1)); // too large: its program can be started again
    CHECK(found(all, "") == 200);
    CHECK(all.find("", 0)->shown.empty());
    CHECK(all.count() == 6);
}

TEST_CASE("closed tabs are forgotten after a time", "[closed_tabs]") {
    mux::closed_tabs all;
    CHECK_FALSE(all.oldest());
    all.remember(closed(1, "t", "n", 10, 1s));
    all.remember(closed(2, "t", "n", 10, 5s));
    CHECK(all.oldest() == start + 1s);
    all.forget_before(start + 1s);
    CHECK(all.count() == 2);
    all.forget_before(start + 2s);
    CHECK(all.count() == 1);
    CHECK(all.oldest() == start + 5s);
    all.forget_before(start + 1h);
    CHECK(all.count() == 0);
    CHECK(all.bytes() == 0);
    CHECK_FALSE(all.oldest());
}

TEST_CASE("each tab that is forgotten is told to the one who keeps a copy of it", "[closed_tabs]") {
    mux::closed_tabs all;
    std::vector<mux::tab_id> told;
    all.on_forgotten = [&](mux::tab_id id) { told.push_back(id); };
    const mux::closed_tab* const first = all.remember(closed(1, "t", "n"));
    CHECK(first == all.find("1", 0));
    all.remember(closed(2, "t", "n", 10, 2s));
    all.remember(closed(1, "t", "n", 10, 3s)); // again
    all.forget(99);
    CHECK(told == std::vector<mux::tab_id>{1});
    all.forget_before(start + 3s);
    all.forget(1);
    CHECK(told == std::vector<mux::tab_id>{1, 2, 1});
    for (mux::tab_id id = 1; id <= mux::closed_tabs::most + 2; ++id) all.remember(closed(id, "t", "n"));
    CHECK(told.size() == 5);
}

namespace {

mux::closed_tab written(std::size_t bytes) {
    auto gone = closed(7, "work", "build", bytes, 90s);
    gone.options.id = 7;
    gone.options.command = "make";
    gone.options.size = {{30, 90}, {}};
    gone.options.program.argv = {"make"};
    gone.options.program.environment = {"A=1"};
    mato::failure why;
    gone.write(why);
    INFO(why.message());
    REQUIRE_FALSE(why);
    return gone;
}

mato::memory_file copy_of(const mato::memory_file& file) {
    mato::failure why;
    auto copy = mato::memory_file::create("copy", file.size(), why);
    std::copy(file.bytes().begin(), file.bytes().end(), copy.bytes().begin());
    return copy;
}

} // namespace

TEST_CASE("another process reads a closed tab as it was", "[closed_tabs]") {
    const std::size_t bytes = GENERATE(0u, 1u, 100'000u);
    const auto gone = written(bytes);
    CHECK(gone.shown.empty());
    CHECK(gone.text() == std::string(bytes, 'x'));
    mato::failure why;
    const auto again = mux::closed_tab::read(copy_of(gone.file), why);
    INFO(why.message());
    REQUIRE_FALSE(why);
    CHECK(again.name.id == 7);
    CHECK(again.name.task == "work");
    CHECK(again.name.name == "build");
    CHECK(again.options.command == "make");
    CHECK(again.options.size == mux::terminal_size{{30, 90}, {}});
    CHECK(again.options.program.environment == std::vector<std::string>{"A=1"});
    CHECK(again.at == start + 90s);
    CHECK(again.text() == std::string(bytes, 'x'));
}

TEST_CASE("a closed tab of another version or a damaged one is refused", "[closed_tabs]") {
    const auto gone = written(300);
    mato::failure why;
    auto newer = copy_of(gone.file);
    newer.bytes()[8] = 9;
    static_cast<void>(mux::closed_tab::read(std::move(newer), why));
    CHECK(why.code == mato::errc::version_mismatch);
    auto large = copy_of(gone.file);
    large.bytes()[20] = 1; // more bytes than there are
    static_cast<void>(mux::closed_tab::read(std::move(large), why));
    CHECK(why.code == mato::errc::malformed);
    std::mt19937 random(GENERATE(range(0u, 4u)));
    for (int round = 0; round < 200; ++round) {
        auto damaged = copy_of(gone.file);
        for (int i = 0; i < 3; ++i) damaged.bytes()[random() % damaged.size()] = static_cast<char>(random());
        const auto read = mux::closed_tab::read(std::move(damaged), why);
        CHECK((read.name.id != 0) == !why);
        static_cast<void>(read.text());
    }
}
