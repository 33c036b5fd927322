// SPDX-License-Identifier: MIT
/// @file listings_test.cpp: the output of ls, clients and status.
#include "client/listings.hpp"
#include "client/tab_columns.hpp"

#include <mato/printable.hpp>
#include <mato/status.hpp>

#include "support/catch.hpp"
#include "support/json_reader.hpp"

#include <random>

namespace {

constexpr auto as_json = mux::output_format::json, as_text = mux::output_format::text;

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

mux::tab_info example_tab() {
    mux::tab_info tab;
    tab.id = 7;
    tab.task = "Task 1";
    tab.name = "vim";
    tab.title = "file.c";
    tab.command = "vim file.c";
    tab.cwd = "/src";
    tab.emulator = "raw";
    tab.pid = 4711;
    tab.size = {40, 120};
    tab.clients = 1;
    tab.idle_ms = 2999;
    tab.memory_bytes = 1000;
    return tab;
}

mux::status_report example_report() {
    mux::status_report report;
    report.pid = 12345;
    report.version = "0.1.0";
    report.started = 1'771'689'600;
    report.uptime_seconds = 2 * 3600 + 15 * 60 + 7;
    report.socket = "/home/user/.local/state/mato/daemon.sock";
    report.config_path = "/home/user/.config/mato/config.toml";
    report.tasks = {{"Task 1", 3}, {"Task 2", 5}};
    report.clients = 2;
    report.memory_bytes = 45ull << 20;
    report.cpu_permille = 5;
    return report;
}

} // namespace

// ---- the contract ----

TEST_CASE("tabs are listed under their task", "[listings]") {
    auto other = example_tab();
    other.id = 8;
    other.task = "Task 2";
    other.clients = 0;
    other.running = false;
    other.exit_code = 3;
    const auto text = mux::format_tabs({{example_tab(), other}}, as_text);
    CHECK(text == "Task 1\n  7  vim  120x40  running  1 client  vim file.c\n"
                  "Task 2\n  8  vim  120x40  exited 3  0 clients  vim file.c\n");
    auto second = example_tab();
    CHECK(mux::format_tabs({{example_tab(), second}}, as_text).find("Task 1", 5) == std::string::npos); // its name appears once
    CHECK(mux::format_tabs({}, as_text).empty());
}

TEST_CASE("what a tab says comes last in its line", "[listings]") {
    auto tab = example_tab();
    const auto end_of = [&] {
        const auto line = mux::format_tabs({{tab}}, as_text);
        return line.substr(line.find("vim file.c") + 10);
    };
    tab.mark = "wrote";
    CHECK(end_of() == "\n");
    tab.said = "working";
    CHECK(end_of() == "  working\n");
    tab.mark = "asks", tab.notice = "may\033 I?";
    CHECK(end_of() == "  asks: may\\x1b I?\n");
    tab.note = "run the tests?";
    CHECK(end_of() == "  asks: run the tests?\n");
    tab.mark = "done", tab.note.clear(), tab.notice.clear();
    CHECK(end_of() == "  done\n");
}

TEST_CASE("on a terminal tabs are in columns, and no line is wider than the terminal", "[listings]") {
    auto agent = example_tab(), logs = example_tab();
    agent.id = 12, agent.name = "agent", agent.mark = "asks", agent.notice = "may I?", agent.clients = 0;
    logs.id = 13, logs.task = "Task 2", logs.name = "\u6f22\u5b57", logs.running = false, logs.exit_code = 3, logs.clients = 2;
    const mux::tab_list list{{example_tab(), agent, logs}};
    CHECK(mux::tabs_in_columns(list, {.columns = 80, .current = 12}) ==
          "Task 1\n"
          "   7  vim    running       120x40  1 client   vim file.c\n"
          " *12  agent  asks: may I?  120x40             vim file.c\n"
          "Task 2\n"
          "  13  \u6f22\u5b57   exited 3      120x40  2 clients  vim file.c\n");
    CHECK(mux::tabs_in_columns(list, {.columns = 20, .unicode = false}) == "Task 1\n"
                                                                           "  7  vim    running>\n"
                                                                           " 12  agent  asks: m>\n"
                                                                           "Task 2\n"
                                                                           " 13  \u6f22\u5b57   exited >\n");
    agent.command = "a\033[31m", agent.clients = 0;
    CHECK(mux::tabs_in_columns({{agent}}, {}) == "Task 1\n 12  agent  asks: may I?  120x40  a\\x1b[31m\n");
    for (int columns = 0; columns < 90; ++columns) CHECK(mux::tabs_in_columns(list, {.columns = columns}).ends_with("\n"));
    CHECK(mux::tabs_in_columns({}, {}).empty());
}

TEST_CASE("ended tabs are listed with their exit codes", "[listings]") {
    const mux::ended_list list{{{3, "Task 1", "vim", 0}, {5, "a\nb", "make", 2}}};
    CHECK(mux::format_ended(list, as_text) == "3  Task 1/vim  exited 0\n5  a\\x0ab/make  exited 2\n");
    CHECK(mux::format_ended(list, as_json) == "[\n  {\"id\": 3, \"task\": \"Task 1\", \"name\": \"vim\", \"exit_code\": 0},\n"
                                              "  {\"id\": 5, \"task\": \"a\\nb\", \"name\": \"make\", \"exit_code\": 2}\n]\n");
    CHECK(mux::format_ended({}, as_text).empty());
}

TEST_CASE("tabs as JSON have all members, in their order", "[listings]") {
    CHECK(mux::format_tabs({{example_tab()}}, as_json) ==
          "[\n  {\"id\": 7, \"task\": \"Task 1\", \"name\": \"vim\", \"title\": \"file.c\", \"pid\": 4711, "
          "\"command\": \"vim file.c\", \"cwd\": \"/src\", \"cols\": 120, \"rows\": 40, \"emulator\": \"raw\", \"clients\": 1, "
          "\"state\": \"running\", \"exit_code\": null, \"idle_seconds\": 2, \"bell\": false, \"history_lines\": 0, "
          "\"memory_bytes\": 1000, \"mark\": null, \"said\": null, \"note\": null, \"notice\": null}\n]\n");
    auto ended = example_tab();
    ended.running = false;
    ended.exit_code = 143;
    CHECK(has(mux::format_tabs({{ended}}, as_json), "\"state\": \"exited\", \"exit_code\": 143"));
    CHECK(mux::format_tabs({}, as_json) == "[]\n");
}

TEST_CASE("clients that show a tab are listed; as JSON all clients are", "[listings]") {
    mux::client_info viewer;
    viewer.id = 3;
    viewer.pid = 99;
    viewer.uid = 1000;
    viewer.tty = "/dev/pts/4";
    viewer.size = {24, 80};
    viewer.tab = 7;
    viewer.readonly = true;
    viewer.bytes_sent = 5;
    mux::client_info asking;
    asking.id = 4;
    const mux::client_list both{{viewer, asking}};
    CHECK(mux::format_clients(both, as_text) == "3  tab 7  /dev/pts/4  80x24  pid 99  relayed  read-only  sent 5 B\n");
    CHECK(
        mux::format_clients(both, as_json) ==
        "[\n  {\"id\": 3, \"pid\": 99, \"uid\": 1000, \"tty\": \"/dev/pts/4\", \"cols\": 80, \"rows\": 24, \"tab\": 7, "
        "\"readonly\": true, \"path\": \"relayed\", \"bytes_sent\": 5, \"frames_dropped\": 0, \"queue_bytes\": 0, \"stream\": "
        "null},\n"
        "  {\"id\": 4, \"pid\": 0, \"uid\": 0, \"tty\": \"\", \"cols\": 80, \"rows\": 24, \"tab\": null, \"readonly\": false, "
        "\"path\": \"\", \"bytes_sent\": 0, \"frames_dropped\": 0, \"queue_bytes\": 0, \"stream\": null}\n]\n");
    viewer.tty.clear();
    viewer.queue_bytes = 2048;
    CHECK(has(mux::format_clients({{viewer}}, as_text), "  -  "));
    CHECK(has(mux::format_clients({{viewer}}, as_text), "  queued 2 KB\n"));
}

TEST_CASE("a client that records is listed with what it received and what it missed", "[listings]") {
    mux::client_info recorder;
    recorder.id = 9;
    recorder.pid = 100;
    recorder.recorded = 7;
    recorder.bytes_sent = 3 << 20;
    recorder.resyncs = 1; // the first screen
    recorder.delivered = 50;
    CHECK(mux::format_clients({{recorder}}, as_text) == "9  tab 7  -  recorder  pid 100  sent 3 MB\n");
    recorder.resyncs = 3;
    recorder.superseded = recorder.frames_dropped = 20;
    recorder.lag = 4;
    CHECK(mux::format_clients({{recorder}}, as_text) == "9  tab 7  -  recorder  pid 100  sent 3 MB  lost 20 frames\n");
    CHECK(
        has(mux::format_clients({{recorder}}, as_json),
            "\"tab\": null, \"readonly\": false, \"path\": \"\", \"bytes_sent\": 3145728, \"frames_dropped\": 20, "
            "\"queue_bytes\": 0, \"stream\": {\"tab\": 7, \"delivered\": 50, \"dropped\": 0, \"superseded\": 20, \"gaps\": 0, "
            "\"resyncs\": 3, \"lag\": 4}}"));
}

TEST_CASE("a client that follows events is listed with what it received", "[listings]") {
    mux::client_info follower;
    follower.id = 9;
    follower.pid = 100;
    follower.follows_events = true;
    follower.delivered = 50;
    follower.resyncs = 1;
    CHECK(mux::format_clients({{follower}}, as_text) == "9  events  -  follower  pid 100  sent 0 B\n");
    follower.resyncs = 2;
    follower.superseded = 20;
    CHECK(mux::format_clients({{follower}}, as_text) == "9  events  -  follower  pid 100  sent 0 B  lost 20 frames\n");
    CHECK(has(mux::format_clients({{follower}}, as_json), "\"stream\": {\"tab\": null, \"delivered\": 50, "));
}

TEST_CASE("status is the documented text, field by field", "[listings]") {
    const auto report = example_report();
    CHECK(mux::format_status(report, as_text) == "Mato Daemon Status\n"
                                                 "==================\n"
                                                 "Status: ✓ Running\n"
                                                 "PID: 12345\n"
                                                 "Started: " +
                                                     mato::format_time(static_cast<std::time_t>(report.started)) +
                                                     "\n"
                                                     "Uptime: 2h 15m\n"
                                                     "Socket: /home/user/.local/state/mato/daemon.sock\n"
                                                     "Config: /home/user/.config/mato/config.toml\n"
                                                     "\n"
                                                     "Active Sessions:\n"
                                                     "  Task 1: 3 tabs\n"
                                                     "  Task 2: 5 tabs\n"
                                                     "  Total: 8 tabs\n"
                                                     "\n"
                                                     "Memory: 45 MB\n"
                                                     "CPU: 0.5%\n"
                                                     "Clients: 2\n");
}

TEST_CASE("status shows when the defaults apply and when a reload failed", "[listings]") {
    auto report = example_report();
    report.config_path.clear();
    report.config_error = "c.toml:1:2: why";
    report.tasks = {{"one", 1}};
    const auto text = mux::format_status(report, as_text);
    CHECK(has(text, "Config: (defaults)\n"));
    CHECK(text.ends_with("Clients: 2\nConfig error: c.toml:1:2: why\n"));
    CHECK(has(text, "  one: 1 tab\n  Total: 1 tab\n"));
    report.tasks.clear();
    CHECK(has(mux::format_status(report, as_text), "Active Sessions:\n  Total: 0 tabs\n"));
}

TEST_CASE("status of a daemon with a keeper has its processes and the last crash", "[listings]") {
    auto report = example_report();
    report.generation = 1, report.worker_pid = 12346, report.kept_tabs = 7;
    CHECK(mux::format_status(report, as_text)
              .ends_with("Clients: 2\nGeneration: 1\nKeeper: 12345\nWorker: 12346\nKept: 7 of 8 tabs\n"));
    CHECK(has(mux::format_status(report, as_json), "\"kept\": 7, \"not_kept\": [], \"last_restart\": null}"));
    report.not_kept = {{3, "File too large"}, {5, "why\033"}};
    CHECK(mux::format_status(report, as_text)
              .ends_with("Kept: 7 of 8 tabs\n  tab 3 is not: File too large\n  tab 5 is not: why\\x1b\n"));
    CHECK(has(mux::format_status(report, as_json), "\"not_kept\": [\n  {\"tab\": 3, \"why\": \"File too large\"},\n"));
    report.not_kept.insert(report.not_kept.end(), 2, {9, "more"});
    CHECK(mux::format_status(report, as_text).ends_with("  tab 9 is not: more\n  and others; see 'mato status --json'\n"));
    report.not_kept.clear();
    report.generation = 2, report.crashed = report.started, report.crash_signal = 11, report.gap_ms = 14;
    CHECK(mux::format_status(report, as_text)
              .ends_with("Last crash: " + mato::format_time(static_cast<std::time_t>(report.started)) +
                         ", signal 11, 14 ms without service, nothing lost\n"));
    CHECK(has(mux::format_status(report, as_json),
              "\"last_restart\": {\"why\": \"crashed\", \"signal\": 11, \"tab\": null, \"at\": 1771689600, \"gap_ms\": 14, "
              "\"skipped_bytes\": 0, \"input_bytes_lost\": 0}}"));
    report.crash_tab = 3, report.skipped_bytes = 64, report.input_bytes_lost = 1;
    CHECK(mux::format_status(report, as_text)
              .ends_with(", signal 11 in tab 3, 14 ms without service, 64 bytes of output left out, 1 typed byte lost\n"));
    CHECK(has(mux::format_status(report, as_json), "\"tab\": 3, "));
}

TEST_CASE("status as JSON has all members", "[listings]") {
    auto report = example_report();
    const auto text = mux::format_status(report, as_json);
    CHECK(text ==
          "{\"running\": true, \"pid\": 12345, \"version\": \"0.1.0\", \"protocol\": 1, \"started\": 1771689600, "
          "\"uptime_seconds\": 8107, \"socket\": \"/home/user/.local/state/mato/daemon.sock\", "
          "\"config\": {\"path\": \"/home/user/.config/mato/config.toml\", \"error\": null}, "
          "\"tasks\": [\n  {\"name\": \"Task 1\", \"tabs\": 3},\n  {\"name\": \"Task 2\", \"tabs\": 5}\n], "
          "\"tabs\": 8, \"clients\": 2, \"memory_bytes\": 47185920, \"cpu_percent\": 0.5, \"recorders\": 0, "
          "\"bytes_sent\": 0, \"frames_dropped\": 0, \"resyncs\": 0, \"slowest_queue_bytes\": 0, "
          "\"slowest_lag_frames\": 0, \"generation\": null, \"keeper_pid\": null, \"worker_pid\": null, \"kept\": null, "
          "\"not_kept\": null, \"last_restart\": null}\n");
    report.recorders = 1;
    report.slowest_queue_bytes = 4096;
    CHECK(mux::format_status(report, as_text).ends_with("Clients: 2\nRecorders: 1\nSlowest client: 4 KB queued\n"));
    report.config_path.clear();
    report.config_error = "why";
    CHECK(has(mux::format_status(report, as_json), "\"config\": {\"path\": null, \"error\": \"why\"}"));
}

TEST_CASE("no daemon, and one that does not answer", "[listings]") {
    CHECK(mux::format_no_daemon(as_text) == "Mato Daemon Status\n==================\nStatus: ✗ Not running\n");
    CHECK(mux::format_no_daemon(as_json) == "{\"running\": false}\n");
    CHECK(has(mux::format_silent_daemon(as_text), "Status: ✗ Not answering\n"));
    CHECK(mux::format_silent_daemon(as_json) == "{\"running\": true, \"answering\": false}\n");
}

// ---- the edges ----

TEST_CASE("no control character of a name reaches the terminal, and JSON stays valid", "[listings]") {
    std::mt19937 random(3);
    const auto noise = [&] {
        std::string text(random() % 40, '\0');
        for (char& c : text) c = static_cast<char>(random());
        return text;
    };
    for (int round = 0; round < 300; ++round) {
        auto tab = example_tab();
        for (auto* text : {&tab.task, &tab.name, &tab.title, &tab.command, &tab.cwd}) *text = noise();
        mux::client_info client;
        client.tab = 1;
        client.tty = noise();
        auto report = example_report();
        report.tasks = {{noise(), 1}};
        report.config_error = noise();
        report.socket = report.config_path = "/s";
        for (const std::string& text : {mux::format_tabs({{tab}}, as_text), mux::format_clients({{client}}, as_text),
                                        mux::format_status(report, as_text)})
            REQUIRE(text == mato::printable(text, "\n"));
        for (const std::string& text : {mux::format_tabs({{tab, tab}}, as_json), mux::format_clients({{client}}, as_json),
                                        mux::format_status(report, as_json)}) {
            REQUIRE(support::is_json(text));
            REQUIRE(text == mato::printable(text, "\n"));
        }
    }
}

TEST_CASE("a control character of each class is shown as an escape, and JSON has it as \\uXXXX", "[listings]") {
    auto tab = example_tab();
    tab.command = "a\x1b[2J\x7f\u009b5n\x9b"
                  "6n\u202e\u2069\u2028z";
    CHECK(has(mux::format_tabs({{tab}}, as_text),
              "a\\x1b[2J\\x7f\\xc2\\x9b5n\\x9b6n\\xe2\\x80\\xae\\xe2\\x81\\xa9\\xe2\\x80\\xa8z"));
    CHECK(has(mux::format_tabs({{tab}}, as_json), "\"a\\u001b[2J\\u007f\\u009b5n\xef\xbf\xbd"
                                                  "6n\\u202e\\u2069\\u2028z\""));
}
