// SPDX-License-Identifier: MIT
#include "listings.hpp"

#include "json.hpp"

#include <mato/printable.hpp>
#include <mato/status.hpp>

#include <algorithm>
#include <cstdio>

namespace mux {
namespace {

constexpr const char* heading = "Mato Daemon Status\n==================\n";

std::string size_text(vt::screen_size size) { return std::to_string(size.columns) + "x" + std::to_string(size.rows); }

std::string count_text(std::size_t count, const std::string& noun) {
    return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

json::verbatim as_json(const tab_info& tab) {
    return json::object()
        .add("id", tab.id)
        .add("task", tab.task)
        .add("name", tab.name)
        .add("title", tab.title)
        .add("pid", tab.pid)
        .add("command", tab.command)
        .add("cwd", tab.cwd)
        .add("cols", tab.size.columns)
        .add("rows", tab.size.rows)
        .add("emulator", tab.emulator)
        .add("clients", tab.clients)
        .add("state", tab.running ? "running" : "exited")
        .add("exit_code", tab.running ? json::verbatim{"null"} : json::verbatim{std::to_string(tab.exit_code)})
        .add("idle_seconds", tab.idle_ms / 1000)
        .add("bell", tab.bell)
        .add("history_lines", tab.history_lines)
        .add("memory_bytes", tab.memory_bytes)
        .done();
}

json::verbatim stream_json(const client_info& client) {
    return json::object()
        .add("tab", client.recorded ? json::verbatim{std::to_string(client.recorded)} : json::verbatim{"null"})
        .add("delivered", client.delivered)
        .add("dropped", client.dropped)
        .add("superseded", client.superseded)
        .add("gaps", client.gaps)
        .add("resyncs", client.resyncs)
        .add("lag", client.lag)
        .done();
}

json::verbatim as_json(const client_info& client) {
    return json::object()
        .add("id", client.id)
        .add("pid", client.pid)
        .add("uid", client.uid)
        .add("tty", client.tty)
        .add("cols", client.size.columns)
        .add("rows", client.size.rows)
        .add("tab", client.tab ? json::verbatim{std::to_string(client.tab)} : json::verbatim{"null"})
        .add("readonly", client.readonly)
        .add("path", client.tab == 0 ? ""
                     : client.direct ? "direct"
                                     : "relayed")
        .add("bytes_sent", client.bytes_sent)
        .add("frames_dropped", client.frames_dropped)
        .add("queue_bytes", client.queue_bytes)
        .add("stream", client.recorded != 0 || client.follows_events ? stream_json(client) : json::verbatim{"null"})
        .done();
}

/// null of a daemon that is one process.
json::verbatim known(std::uint64_t value, const status_report& report) {
    return {report.generation == 0 ? "null" : std::to_string(value)};
}

json::verbatim last_restart_json(const status_report& report) {
    if (report.crashed == 0) return {"null"};
    return json::object()
        .add("why", "crashed")
        .add("signal", report.crash_signal)
        .add("at", report.crashed)
        .add("gap_ms", report.gap_ms)
        .done();
}

json::verbatim not_kept_json(const status_report& report) {
    std::vector<json::verbatim> all;
    for (const tab_not_kept& each : report.not_kept)
        all.push_back(json::object().add("tab", each.id).add("why", each.why).done());
    return report.generation == 0 ? json::verbatim{"null"} : json::array(all);
}

/// The first tabs that are not kept, each with the reason.
std::string not_kept_text(const status_report& report) {
    constexpr std::size_t most_named = 3;
    std::string text;
    for (std::size_t i = 0; i < std::min(most_named, report.not_kept.size()); ++i)
        text += "  tab " + std::to_string(report.not_kept[i].id) + " is not: " + mato::printable(report.not_kept[i].why) + "\n";
    if (report.not_kept.size() > most_named) text += "  and others; see 'mato status --json'\n";
    return text;
}

std::string status_json(const status_report& report) {
    std::vector<json::verbatim> tasks;
    std::uint32_t tabs = 0;
    for (const task_count& each : report.tasks) {
        tasks.push_back(json::object().add("name", each.name).add("tabs", each.tabs).done());
        tabs += each.tabs;
    }
    const auto config =
        json::object()
            .add("path", report.config_path.empty() ? json::verbatim{"null"} : json::verbatim{json::quote(report.config_path)})
            .add("error",
                 report.config_error.empty() ? json::verbatim{"null"} : json::verbatim{json::quote(report.config_error)})
            .done();
    return json::object()
               .add("running", true)
               .add("pid", report.pid)
               .add("version", report.version)
               .add("protocol", report.protocol)
               .add("started", report.started)
               .add("uptime_seconds", report.uptime_seconds)
               .add("socket", report.socket)
               .add("config", config)
               .add("tasks", json::array(tasks))
               .add("tabs", tabs)
               .add("clients", report.clients)
               .add("memory_bytes", report.memory_bytes)
               .add("cpu_percent", static_cast<double>(report.cpu_permille) / 10)
               .add("recorders", report.recorders)
               .add("bytes_sent", report.bytes_sent)
               .add("frames_dropped", report.frames_dropped)
               .add("resyncs", report.resyncs)
               .add("slowest_queue_bytes", report.slowest_queue_bytes)
               .add("slowest_lag_frames", report.slowest_lag_frames)
               .add("generation", known(report.generation, report))
               .add("keeper_pid", known(static_cast<std::uint64_t>(report.pid), report))
               .add("worker_pid", known(static_cast<std::uint64_t>(report.worker_pid), report))
               .add("kept", known(report.kept_tabs, report))
               .add("not_kept", not_kept_json(report))
               .add("last_restart", last_restart_json(report))
               .done()
               .text +
           "\n";
}

} // namespace

std::string format_tabs(const tab_list& list, output_format format) {
    if (format == output_format::json) {
        std::vector<json::verbatim> items;
        for (const tab_info& each : list.tabs) items.push_back(as_json(each));
        return json::array(items).text + "\n";
    }
    std::string text, task;
    for (const tab_info& each : list.tabs) {
        if (each.task != task || text.empty()) text += mato::printable(task = each.task) + "\n";
        const std::string state = each.running ? "running" : "exited " + std::to_string(each.exit_code);
        text += "  " + std::to_string(each.id) + "  " + mato::printable(each.name) + "  " + size_text(each.size) + "  " +
                state + "  " + count_text(each.clients, "client") + "  " + mato::printable(each.command) + "\n";
    }
    return text;
}

std::string format_clients(const client_list& list, output_format format) {
    if (format == output_format::json) {
        std::vector<json::verbatim> items;
        for (const client_info& each : list.clients) items.push_back(as_json(each));
        return json::array(items).text + "\n";
    }
    std::string text;
    for (const client_info& each : list.clients) {
        const std::uint64_t tab = each.tab ? each.tab : each.recorded;
        if (tab == 0 && !each.follows_events) continue; // commands such as this one
        text += std::to_string(each.id) + "  " + (tab == 0 ? "events" : "tab " + std::to_string(tab)) + "  " +
                (each.tty.empty() ? "-" : mato::printable(each.tty)) + "  " +
                (each.tab != 0   ? size_text(each.size)
                 : each.recorded ? "recorder"
                                 : "follower") +
                "  pid " + std::to_string(each.pid) +
                (each.tab == 0 ? ""
                 : each.direct ? "  direct"
                               : "  relayed") +
                (each.readonly ? "  read-only" : "") + "  sent " + mato::format_bytes(each.bytes_sent);
        if (each.queue_bytes > 0) text += "  queued " + mato::format_bytes(each.queue_bytes);
        if (each.resyncs > 1) text += "  lost " + count_text(each.superseded, "frame");
        text += "\n";
    }
    return text;
}

std::string format_capture(const captured& last, const std::string& text) {
    std::vector<json::verbatim> lines;
    for (std::size_t at = 0; at < text.size();) {
        const auto end = text.find('\n', at);
        lines.push_back({json::quote(text.substr(at, end - at))});
        at = end == std::string::npos ? text.size() : end + 1;
    }
    const auto cursor =
        json::object().add("row", last.cursor_row).add("column", last.cursor_column).add("visible", last.cursor_visible);
    return json::object()
               .add("tab", last.tab)
               .add("cols", last.size.columns)
               .add("rows", last.size.rows)
               .add("cursor", cursor.done())
               .add("alternate_screen", last.alternate_screen)
               .add("title", last.title)
               .add("history", last.history_rows)
               .add("lines", json::array(lines))
               .done()
               .text +
           "\n";
}

std::string format_status(const status_report& report, output_format format) {
    if (format == output_format::json) return status_json(report);
    std::string text = heading;
    text += "Status: ✓ Running\n";
    text += "PID: " + std::to_string(report.pid) + "\n";
    text += "Started: " + mato::format_time(static_cast<std::time_t>(report.started)) + "\n";
    text += "Uptime: " + mato::format_duration(std::chrono::seconds(report.uptime_seconds)) + "\n";
    text += "Socket: " + mato::printable(report.socket) + "\n";
    text += "Config: " + (report.config_path.empty() ? "(defaults)" : mato::printable(report.config_path)) + "\n\n";
    text += "Active Sessions:\n";
    std::uint32_t tabs = 0;
    for (const task_count& each : report.tasks) {
        text += "  " + mato::printable(each.name) + ": " + count_text(each.tabs, "tab") + "\n";
        tabs += each.tabs;
    }
    text += "  Total: " + count_text(tabs, "tab") + "\n\n";
    text += "Memory: " + mato::format_bytes(report.memory_bytes) + "\n";
    char cpu[32];
    std::snprintf(cpu, sizeof cpu, "CPU: %.1f%%\n", static_cast<double>(report.cpu_permille) / 10);
    text += cpu;
    text += "Clients: " + std::to_string(report.clients) + "\n";
    if (report.generation > 0) {
        text += "Generation: " + std::to_string(report.generation) + "\n";
        text += "Keeper: " + std::to_string(report.pid) + "\n";
        text += "Worker: " + std::to_string(report.worker_pid) + "\n";
        text += "Kept: " + std::to_string(report.kept_tabs) + " of " + count_text(tabs, "tab") + "\n";
        text += not_kept_text(report);
    }
    if (report.crashed != 0)
        text += "Last crash: " + mato::format_time(static_cast<std::time_t>(report.crashed)) + ", signal " +
                std::to_string(report.crash_signal) + ", " + std::to_string(report.gap_ms) + " ms without service\n";
    if (report.recorders > 0) text += "Recorders: " + std::to_string(report.recorders) + "\n";
    if (report.slowest_queue_bytes > 0)
        text += "Slowest client: " + mato::format_bytes(report.slowest_queue_bytes) + " queued\n";
    if (!report.config_error.empty()) text += "Config error: " + mato::printable(report.config_error) + "\n";
    return text;
}

std::string format_no_daemon(output_format format) {
    return format == output_format::json ? json::object().add("running", false).done().text + "\n"
                                         : std::string(heading) + "Status: ✗ Not running\n";
}

std::string format_silent_daemon(output_format format) {
    return format == output_format::json ? json::object().add("running", true).add("answering", false).done().text + "\n"
                                         : std::string(heading) + "Status: ✗ Not answering\n";
}

} // namespace mux
