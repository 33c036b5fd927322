// SPDX-License-Identifier: MIT
/// @file measures.hpp: the measures of a multiplexer, each taken once in its own session.
#pragma once

#include "../support/statistics.hpp"
#include "payloads.hpp"
#include "server.hpp"
#include "session.hpp"

#include <filesystem>

namespace bench {

inline constexpr std::string_view ready_mark = "<ready>",
                                  end_mark = "<=<=end=>=>"; // not part of any payload, so all of its cells are drawn
inline constexpr milliseconds patience{120'000};

/// Shows the ready mark, waits for Enter, writes the file, shows the end mark.
[[nodiscard]] inline std::string writer_script(const std::string& file) {
    return "stty -echo; printf '<re''ady>\\n'; read x; cat " + file + "; printf '\\033[0m\\r\\n<=<=''end=>=>\\r\\n'; read x\n";
}

/// Seconds from Enter to the end mark at the client.
[[nodiscard]] inline double throughput_seconds(const multiplexer& m, const std::string& file) {
    session s(m);
    outer_terminal& client = s.start(s.script(writer_script(file)));
    client.until(ready_mark, patience);
    client.quiet(200);
    const auto from = clock_type::now();
    client.send("\r");
    client.until(end_mark, patience);
    const double took = std::chrono::duration<double>(clock_type::now() - from).count();
    client.send("\r");
    return took;
}

/// Seconds of the server's processor time while a client sees a file.
[[nodiscard]] inline double throughput_cpu_seconds(const multiplexer& m, const std::string& file) {
    session s(m);
    outer_terminal& client = s.start(s.script(writer_script(file)));
    client.until(ready_mark, patience);
    const pid_t server = s.server();
    client.quiet(200);
    const double before = server_cpu_seconds(server);
    client.send("\r");
    client.until(end_mark, patience);
    client.quiet(100);
    const double used = server_cpu_seconds(server) - before;
    client.send("\r");
    return used;
}

/// Microseconds from a key to its echo, for `keys` keys, while `floods` other tabs write endlessly.
[[nodiscard]] inline samples echo_microseconds(const multiplexer& m, int keys, int floods) {
    constexpr int warm_up = 50;
    session s(m);
    outer_terminal& client = s.start(s.script("stty raw -echo; printf '<re''ady>'; exec cat\n"));
    client.until(ready_mark, patience);
    const std::string flood = s.script("exec yes 'the quick brown fox jumps over the lazy dog'\n");
    for (int i = 0; i < floods; ++i) s.more(flood);
    client.quiet(200);
    samples result;
    text_filter filter;
    std::string text;
    for (int i = 0; i < keys + warm_up; ++i) {
        const char key = static_cast<char>('a' + i % 26);
        text.clear();
        const std::uint64_t from = now_ns();
        client.send({&key, 1});
        while (text.find(key) == std::string::npos) {
            if (now_ns() - from > 5'000'000'000) throw std::runtime_error("an echo was lost");
            filter.take(client.read(1000), text);
        }
        if (i >= warm_up) result.add(static_cast<double>(now_ns() - from) * 1e-3);
        let_pass(milliseconds(2));
        while (!client.read(0).empty()) {
        }
    }
    return result;
}

/// Milliseconds from starting the client, with no server, to the first output of the program in it.
[[nodiscard]] inline double start_milliseconds(const multiplexer& m) {
    session s(m);
    const std::string script = s.script("printf '<re''ady>\\n'; read x\n");
    const auto from = clock_type::now();
    s.start(script).until(ready_mark, patience);
    return std::chrono::duration<double, std::milli>(clock_type::now() - from).count();
}

/// Seconds until the last of `count` clients of one tab has the end of a file.
[[nodiscard]] inline double viewers_seconds(const multiplexer& m, const std::string& file, std::size_t count) {
    session s(m);
    std::vector<outer_terminal> viewers;
    outer_terminal& first = s.start(s.script(writer_script(file)));
    first.until(ready_mark, patience);
    for (std::size_t i = 1; i < count; ++i) viewers.push_back(s.attach());
    for (outer_terminal& each : viewers) {
        if (m.more)
            each.until(ready_mark, patience); // a new viewer gets the screen's contents
        else
            each.quiet(30);
    }
    for (outer_terminal& each : viewers)
        while (!each.read(0).empty()) {
        }
    std::vector<outer_terminal*> waiting = {&first};
    for (outer_terminal& each : viewers) waiting.push_back(&each);
    const auto from = clock_type::now();
    first.send("\r");
    std::vector<pollfd> ready;
    while (!waiting.empty()) {
        ready.clear();
        for (const outer_terminal* each : waiting) ready.push_back({each->fd(), POLLIN, 0});
        ::poll(ready.data(), ready.size(), 1000);
        for (std::size_t i = waiting.size(); i-- > 0;)
            if (ready[i].revents != 0 && waiting[i]->read_sees(end_mark, 0))
                waiting.erase(waiting.begin() + static_cast<long>(i));
        if (clock_type::now() - from > patience) throw std::runtime_error("viewers never saw the end");
    }
    return std::chrono::duration<double>(clock_type::now() - from).count();
}

/// Waits until the server's memory has not changed for half a second; KiB.
[[nodiscard]] inline long settled_kib(pid_t server) {
    long last = -1;
    for (int same = 0, round = 0; same < 5 && round < 600; ++round) {
        let_pass(milliseconds(100));
        const long now = server_memory_kib(server);
        same = now == last ? same + 1 : 0;
        last = now;
    }
    return last;
}

/// Growth of the server for tabs that wrote 10 000 lines each, relative to their bytes.
[[nodiscard]] inline double history_over_text(const multiplexer& m, int tabs) {
    const std::string text = payloads().history(10'000);
    session s(m);
    const std::string file = s.path("history"), full = s.path("full");
    std::ofstream(file) << text;
    outer_terminal& client = s.start(s.script("printf '<re''ady>\\n'; exec sleep 600\n"));
    client.until(ready_mark, patience);
    const pid_t server = s.server();
    const long before = settled_kib(server);
    for (int i = 0; i < tabs; ++i) {
        std::string mark = full;
        mark += std::to_string(i);
        s.more(s.script("cat " + file + "; : >" + mark + "; exec sleep 600\n"));
    }
    for (int i = 0; i < tabs; ++i) {
        std::string mark = full;
        mark += std::to_string(i);
        if (!wait_until(patience, [&] { return std::filesystem::exists(mark); })) throw std::runtime_error("a tab is stuck");
    }
    return static_cast<double>(settled_kib(server) - before) * 1024 / (static_cast<double>(text.size()) * tabs);
}

/// KiB of the server for each of many idle tabs.
[[nodiscard]] inline double idle_tab_kib(const multiplexer& m, int tabs) {
    session s(m);
    outer_terminal& client = s.start(s.script("printf '<re''ady>\\n'; exec sleep 600\n"));
    client.until(ready_mark, patience);
    const std::string sleeper = s.script("exec sleep 600\n");
    const pid_t server = s.server();
    const long before = settled_kib(server);
    for (int i = 0; i < tabs; ++i) {
        s.more(sleeper);
        while (!client.read(0).empty()) {
        }
    }
    return static_cast<double>(settled_kib(server) - before) / tabs;
}

/// Growth of the server in MiB during a flood of `time` with one of two viewers not reading.
[[nodiscard]] inline double stalled_growth_mib(const multiplexer& m, milliseconds time) {
    session s(m);
    outer_terminal& client =
        s.start(s.script("printf '<re''ady>\\n'; read x; exec yes 'the quick brown fox jumps over the lazy dog'\n"));
    client.until(ready_mark, patience);
    outer_terminal other = s.attach();
    other.quiet(200);
    const pid_t server = s.server();
    client.send("\r");
    const auto watch = [&](milliseconds how_long, bool both) {
        for (const auto end = clock_type::now() + how_long; clock_type::now() < end; client.read(10))
            if (both) other.read(0);
    };
    watch(milliseconds(1000), true);
    const long before = server_memory_kib(server);
    watch(time, false);
    return static_cast<double>(server_memory_kib(server) - before) / 1024;
}

/// Seconds that a viewer needs for a file while another one reads, or does not.
[[nodiscard]] inline double seconds_with_another(const multiplexer& m, const std::string& file, bool other_reads) {
    session s(m);
    outer_terminal& client = s.start(s.script(writer_script(file)));
    client.until(ready_mark, patience);
    outer_terminal other = s.attach();
    other.quiet(300);
    client.quiet(200);
    const auto from = clock_type::now();
    client.send("\r");
    while (!client.read_sees(end_mark, 10)) {
        if (other_reads) other.read(0);
        if (clock_type::now() - from > patience) throw std::runtime_error("never saw the end");
    }
    return std::chrono::duration<double>(clock_type::now() - from).count();
}

/// Wake-ups of server and client during an idle `time`.
[[nodiscard]] inline double idle_wakeups(const multiplexer& m, milliseconds time) {
    session s(m);
    outer_terminal& client = s.start(s.script("printf '<re''ady>\\n'; exec sleep 600\n"));
    client.until(ready_mark, patience);
    client.quiet(1500);
    const pid_t server = s.server();
    let_pass(milliseconds(1500)); // the query woke it
    const long before = server_switches(server) + context_switches(client.pid());
    let_pass(time);
    return static_cast<double>(server_switches(server) + context_switches(client.pid()) - before);
}

/// Average bytes to the terminal for a key echoed by a program.
[[nodiscard]] inline double echo_bytes(const multiplexer& m) {
    constexpr int keys = 20; // fewer than a line
    session s(m);
    outer_terminal& client = s.start(s.script("stty raw -echo; printf '<re''ady>'; exec cat\n"));
    client.until(ready_mark, patience);
    client.quiet(300);
    const std::uint64_t before = client.total();
    for (int i = 0; i < keys; ++i) {
        client.send("k");
        client.quiet(60);
    }
    return static_cast<double>(client.total() - before) / keys;
}

/// Bytes of the first frame a 200x50 terminal gets of a screen of typical text.
[[nodiscard]] inline double frame_bytes(const multiplexer& m) {
    session s(m);
    const std::string file = s.path("page");
    std::ofstream(file) << payloads().page(48, 200);
    outer_terminal& client =
        s.start(s.script("printf '\\033[H'; cat " + file + "; printf '<re''ady>'; exec sleep 600\n"), {200, 50});
    client.until(ready_mark, patience);
    client.quiet(300);
    outer_terminal other = s.attach({200, 50});
    other.quiet(500);
    return static_cast<double>(other.total());
}

} // namespace bench
