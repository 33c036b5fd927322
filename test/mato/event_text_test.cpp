// SPDX-License-Identifier: MIT
/// @file event_text_test.cpp: events as lines: every kind with its members, gaps counted, JSON always JSON.
#include "client/event_text.hpp"

#include <mato/printable.hpp>

#include "support/catch.hpp"
#include "support/json_reader.hpp"

#include <algorithm>
#include <random>

using mux::daemon_event;
using mux::message;

namespace {

constexpr std::int64_t noon = 1'771'689'600'042;

std::string json(daemon_event event) {
    event.number = 7;
    event.at = noon;
    const std::string line = mux::format_event(event, mux::output_format::json);
    INFO(line);
    CHECK(support::is_json(line));
    const std::string begin = "{\"event\": \"" + event.kind + "\", \"number\": 7, \"time\": 1771689600.042";
    REQUIRE(line.starts_with(begin));
    return line.substr(begin.size());
}

/// The text after the local time.
std::string text(daemon_event event) {
    event.at = noon;
    const std::string line = mux::format_event(event, mux::output_format::text);
    REQUIRE(line.size() > 14);
    CHECK(line.substr(2, 1) + line.substr(5, 1) + line.substr(8, 6) == "::.042  ");
    return line.substr(14);
}

std::ptrdiff_t lines_in(const std::string& all) { return std::count(all.begin(), all.end(), '\n'); }

mux::header frame(const std::string& payload) { return mux::parse_header(payload).value(); }

} // namespace

// ---- the contract ----

TEST_CASE("every kind has its members, in their order", "[event_text]") {
    CHECK(json({.kind = "tab-opened", .tab = 3, .task = "Task 1", .name = "sh", .text = "sleep 9"}) ==
          R"(, "tab": 3, "task": "Task 1", "name": "sh", "command": "sleep 9"})");
    CHECK(json({.kind = "tab-exited", .tab = 3, .exit_code = 0}) == R"(, "tab": 3, "exit_code": 0})");
    CHECK(json({.kind = "tab-exited", .tab = 3, .exit_code = 129}) == R"(, "tab": 3, "exit_code": 129})");
    CHECK(json({.kind = "tab-closed", .tab = 3}) == R"(, "tab": 3})");
    CHECK(json({.kind = "tab-respawned", .tab = 3}) == R"(, "tab": 3})");
    CHECK(json({.kind = "tab-renamed", .tab = 3, .task = "t", .name = "new", .text = "old"}) ==
          R"(, "tab": 3, "task": "t", "name": "new", "was": "old"})");
    CHECK(json({.kind = "tab-moved", .tab = 3, .task = "to", .name = "sh", .text = "from"}) ==
          R"(, "tab": 3, "task": "to", "name": "sh", "was": "from"})");
    CHECK(json({.kind = "tab-resized", .tab = 3, .size = {24, 80}}) == R"(, "tab": 3, "cols": 80, "rows": 24})");
    CHECK(json({.kind = "task-renamed", .task = "new", .text = "old"}) == R"(, "task": "new", "was": "old"})");
    CHECK(json({.kind = "title", .tab = 3, .text = ""}) == R"(, "tab": 3, "title": ""})");
    CHECK(json({.kind = "bell", .tab = 3}) == R"(, "tab": 3})");
    CHECK(json({.kind = "notice", .tab = 3, .text = "done", .exit_code = 5}) == R"(, "tab": 3, "notice": "done", "count": 5})");
    CHECK(json({.kind = "state", .tab = 3, .name = "blocked", .text = "why"}) ==
          R"(, "tab": 3, "state": "blocked", "note": "why"})");
    CHECK(json({.kind = "prompt", .tab = 3}) == R"(, "tab": 3})");
    CHECK(json({.kind = "command-started", .tab = 3, .text = "make"}) == R"(, "tab": 3, "command": "make"})");
    CHECK(json({.kind = "command-finished", .tab = 3, .text = "make", .exit_code = 2, .duration_ms = 1500}) ==
          R"(, "tab": 3, "command": "make", "exit_code": 2, "duration_ms": 1500})");
    CHECK(json({.kind = "silence", .tab = 3}) == R"(, "tab": 3})");
    CHECK(json({.kind = "cwd", .tab = 3, .text = "file://h/x"}) == R"(, "tab": 3, "cwd": "file://h/x"})");
    for (const char* kind : {"client-attached", "client-switched", "client-detached"})
        CHECK(json({.kind = kind, .tab = 3, .client = 9}) == R"(, "client": 9, "tab": 3})");
    CHECK(json({.kind = "client-resized", .tab = 3, .client = 9, .size = {2, 1}}) ==
          R"(, "client": 9, "tab": 3, "cols": 1, "rows": 2})");
    CHECK(json({.kind = "daemon-restarted", .tab = 3, .client = 2, .name = "crashed", .exit_code = 9}) ==
          R"(, "generation": 2, "tab": 3, "reason": "crashed", "signal": 9})");
    CHECK(json({.kind = "daemon-restarted", .client = 2, .name = "crashed", .exit_code = 6}) ==
          R"(, "generation": 2, "reason": "crashed", "signal": 6})");
    CHECK(json({.kind = "daemon-upgraded", .client = 3, .name = "0.3.0", .text = "0.2.0"}) ==
          R"(, "generation": 3, "version": "0.3.0", "was": "0.2.0"})");
    CHECK(json({.kind = "output-left-out", .tab = 3, .exit_code = 64}) == R"(, "tab": 3, "bytes": 64})");
    CHECK(json({.kind = "tab-quarantined", .tab = 3}) == R"(, "tab": 3})");
    CHECK(json({.kind = "config-error", .text = "f:1:2: no"}) == R"(, "error": "f:1:2: no"})");
    for (const char* kind : {"reloaded", "stopping"}) CHECK(json({.kind = kind}) == "}");
}

TEST_CASE("for people the same members follow time and kind", "[event_text]") {
    CHECK(text({.kind = "tab-opened", .tab = 3, .task = "Task 1", .name = "sh", .text = "a\nb"}) ==
          R"(tab-opened  tab=3  task="Task 1"  name="sh"  command="a\nb")");
    CHECK(text({.kind = "stopping"}) == "stopping");
}

TEST_CASE("a kind from a newer daemon is shown with all its members", "[event_text]") {
    CHECK(json({.kind = "tab-bookmarked", .tab = 3, .text = "here"}) == R"(, "tab": 3, "text": "here"})");
    CHECK(json({.kind = "x", .task = "t", .name = "n", .exit_code = 2, .size = {4, 3}}) ==
          R"(, "task": "t", "name": "n", "exit_code": 2, "cols": 3, "rows": 4})");
}

TEST_CASE("a snapshot is one line with both lists", "[event_text]") {
    mux::event_snapshot all{5, noon, {}, {}, true};
    CHECK(mux::format_snapshot(all, mux::output_format::json) ==
          R"({"event": "snapshot", "number": 5, "time": 1771689600.042, "complete": true, "tabs": [], "clients": []})");
    all.tabs.tabs.resize(2);
    all.tabs.tabs[0].name = "a\n  b";
    all.clients.clients.resize(1);
    const std::string line = mux::format_snapshot(all, mux::output_format::json);
    CHECK(support::is_json(line));
    CHECK(line.find('\n') == line.npos);
    CHECK(line.find(R"("name": "a\n  b")") != line.npos);
    CHECK(line.find("}, {\"id\"") != line.npos);
    CHECK(mux::format_snapshot(all, mux::output_format::text).ends_with("snapshot  tabs=2  clients=1"));
}

TEST_CASE("a snapshot that replaces events first reports which ones are missing", "[event_text]") {
    mux::event_lines lines(mux::output_format::json);
    const auto snapshot = [&](std::uint64_t number) {
        const auto payload = mux::encode<message::event_snapshot>(0, mux::event_snapshot{number, noon, {}, {}, true});
        return lines.of(frame(payload));
    };
    const auto event = [&](std::uint64_t number) {
        const auto payload = mux::encode<message::event>(0, daemon_event{.number = number, .at = noon, .kind = "bell"});
        return lines.of(frame(payload));
    };
    CHECK(lines_in(snapshot(4)) == 1); // at the start of a stream nothing is missing
    CHECK(lines_in(event(5)) == 1);
    CHECK(lines_in(snapshot(5)) == 1);
    CHECK(snapshot(9).starts_with(
        "{\"event\": \"gap\", \"time\": 1771689600.042, \"first\": 6, \"last\": 9}\n{\"event\": \"snapshot\""));
    CHECK(lines_in(event(10)) == 1);
    CHECK(snapshot(11).starts_with("{\"event\": \"gap\", \"time\": 1771689600.042, \"first\": 11, \"last\": 11}\n"));
    CHECK(event(13).starts_with("{\"event\": \"gap\", \"time\": 1771689600.042, \"first\": 12, \"last\": 12}\n"));
    CHECK(lines.go_on().since == 13);
}

TEST_CASE("a reader that names its last event is told which ones it missed", "[event_text]") {
    const std::uint64_t since = GENERATE(3u, 7u, 8u);
    mux::event_lines lines(mux::output_format::json, since);
    CHECK(lines.go_on().since == since);
    const auto first = lines.of(frame(mux::encode<message::event_snapshot>(0, mux::event_snapshot{7, noon, {}, {}, true})));
    CHECK(first.starts_with("{\"event\": \"gap\"") == (since < 7));
    if (since < 7) CHECK(first.starts_with("{\"event\": \"gap\", \"time\": 1771689600.042, \"first\": 4, \"last\": 7}\n"));
    CHECK(lines.go_on().since == 7); // 8: of an earlier daemon, whose numbers do not count
}

// ---- the refusals ----

TEST_CASE("an invalid or truncated event gives no line", "[event_text]") {
    mux::event_lines lines(mux::output_format::json);
    const auto stopping = mux::encode<message::stopping>(0);
    CHECK(lines.of(frame(stopping)).empty());
    const auto whole = mux::encode<message::event>(0, daemon_event{.kind = "bell"});
    for (std::size_t size = 8; size < whole.size(); ++size) CHECK(lines.of(frame(whole.substr(0, size))).empty());
}

// ---- the edges ----

TEST_CASE("any bytes and any numbers give one line, as JSON and as text without control characters", "[event_text]") {
    std::mt19937_64 random(5);
    const auto any = [&] {
        std::string bytes(random() % 12, ' ');
        for (char& c : bytes) c = static_cast<char>(random());
        return bytes;
    };
    for (int round = 0; round < 3000; ++round) {
        daemon_event event{.number = random(),
                           .at = static_cast<std::int64_t>(random()),
                           .kind = random() % 2 ? std::string("tab-opened") : any(),
                           .tab = random(),
                           .task = any(),
                           .name = any(),
                           .text = any()};
        const std::string json = mux::format_event(event, mux::output_format::json),
                          text = mux::format_event(event, mux::output_format::text);
        CHECK(support::is_json(json));
        CHECK(json == mato::printable(json));
        CHECK(text == mato::printable(text));
    }
}
