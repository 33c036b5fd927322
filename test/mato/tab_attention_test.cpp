// SPDX-License-Identifier: MIT
/// @file tab_attention_test.cpp: when a tab asks, for how long, and how many of its notices are told.
#include "daemon/tab_attention.hpp"

#include "support/catch.hpp"

using mux::bar_mark;
using mux::said_state;
using mux::tab_attention;
using namespace std::chrono_literals;

namespace {

/// A time of the test.
tab_attention::time_point at(std::chrono::milliseconds since) { return tab_attention::time_point(1h + since); }

mux::program_notice says(std::string text) { return {std::move(text), mux::notice_form::osc_9}; }

} // namespace

TEST_CASE("a bell asks until a person looks, a blocked state until another one is told", "[attention]") {
    tab_attention tab;
    CHECK(tab.mark(at(0ms)) == bar_mark::none);
    tab.ask(at(5ms));
    tab.ask(at(9ms));
    CHECK(tab.asks());
    CHECK(tab.asks_since() == at(5ms));
    CHECK(tab.mark(at(100ms)) == bar_mark::asks);
    tab.seen();
    CHECK(tab.mark(at(0ms)) == bar_mark::none);
    tab.say(said_state::blocked, "may I?", at(20ms));
    tab.say(said_state::blocked, "may I, please?", at(30ms));
    CHECK(tab.asks_since() == at(20ms));
    CHECK(tab.note() == "may I, please?");
    tab.seen();
    CHECK(tab.mark(at(100ms)) == bar_mark::asks);
    tab.ask(at(10ms));
    CHECK(tab.asks_since() == at(10ms));
    tab.seen();
    tab.say(said_state::working, "", at(40ms));
    CHECK_FALSE(tab.asks());
    CHECK(tab.note().empty());
    tab.say(said_state::blocked, "", at(50ms));
    CHECK(tab.asks_since() == at(50ms));
    tab.forget_state();
    CHECK_FALSE(tab.asks());
}

TEST_CASE("what has ended is marked for those who have not looked since", "[attention]") {
    tab_attention tab;
    tab.say(said_state::done, "", at(10ms));
    CHECK(tab.mark(at(9ms)) == bar_mark::done);
    CHECK(tab.mark(at(10ms)) == bar_mark::none);
    tab.say(said_state::working, "", at(11ms));
    CHECK(tab.mark(at(9ms)) == bar_mark::none);
    tab.end_command(tab_attention::command_end::long_and_well, at(20ms));
    CHECK(tab.mark(at(9ms)) == bar_mark::done);
    tab.end_command(tab_attention::command_end::failed, at(30ms));
    tab.end_command(tab_attention::command_end::long_and_well, at(40ms));
    CHECK(tab.mark(at(9ms)) == bar_mark::failed);
    CHECK(tab.mark(at(35ms)) == bar_mark::done);
    CHECK(tab.mark(at(40ms)) == bar_mark::none);
}

TEST_CASE("one notice a second is told, with the number of those that it stands for", "[attention]") {
    tab_attention tab;
    CHECK_FALSE(tab.due());
    auto told = tab.notice(says("first"), at(0ms));
    REQUIRE(told);
    CHECK(told->newest.text == "first");
    CHECK(told->count == 1);
    CHECK_FALSE(tab.due());
    for (int i = 0; i < 10'000; ++i)
        CHECK_FALSE(tab.notice(says("n" + std::to_string(i)), at(std::chrono::milliseconds(i / 100))));
    REQUIRE(tab.due());
    CHECK(*tab.due() == at(1000ms));
    const auto later = tab.take(at(1000ms));
    CHECK(later.newest.text == "n9999");
    CHECK(later.count == 10'000);
    CHECK_FALSE(tab.due());
    CHECK_FALSE(tab.notice(says("x"), at(1999ms)));
    told = tab.notice(says("y"), at(2000ms));
    REQUIRE(told);
    CHECK(told->count == 2);
}

TEST_CASE("a note is printable and of a limited length", "[attention]") {
    tab_attention tab;
    tab.say(said_state::working, std::string(100'000, 'x') + "\033[31m", at(0ms));
    CHECK(tab.note().size() <= tab_attention::most_note);
    tab.say(said_state::working, "a\033[31mb", at(0ms));
    CHECK(tab.note() == R"(a\x1b[31mb)");
}

TEST_CASE("a state is restored as the process before had it", "[attention]") {
    tab_attention tab;
    tab.restore(true, said_state::blocked, "which one?", at(7ms));
    CHECK(tab.has_asked());
    CHECK(tab.state() == said_state::blocked);
    CHECK(tab.note() == "which one?");
    CHECK(tab.asks_since() == at(7ms));
}
