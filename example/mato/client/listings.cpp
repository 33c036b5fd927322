// SPDX-License-Identifier: MIT
#include "listings.hpp"

#include "json.hpp"
#include "json_fields.hpp"

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

/// The first tabs that are not kept, each with the reason.
std::string not_kept_text(const status_report& report) {
    constexpr std::size_t most_named = 3;
    std::string text;
    for (std::size_t i = 0; i < std::min(most_named, report.not_kept.size()); ++i)
        text += "  tab " + std::to_string(report.not_kept[i].id) + " is not: " + mato::printable(report.not_kept[i].why) + "\n";
    if (report.not_kept.size() > most_named) text += "  and others; see 'mato status --json'\n";
    return text;
}

/// What the last crash cost.
std::string losses_of(const status_report& report) {
    std::string text;
    if (report.skipped_bytes > 0) text += ", " + count_text(report.skipped_bytes, "byte") + " of output left out";
    if (report.input_bytes_lost > 0) text += ", " + count_text(report.input_bytes_lost, "typed byte") + " lost";
    return text.empty() ? ", nothing lost" : text;
}

} // namespace

std::string attention_of(const tab_info& tab) {
    std::string text = tab.mark == "wrote" || tab.mark.empty() ? tab.said : tab.mark;
    const std::string& what = tab.note.empty() ? tab.notice : tab.note;
    if (!text.empty() && !what.empty()) text.append(": ").append(mato::printable(what));
    return text;
}

std::string state_text(const tab_info& tab) {
    std::string state(tab.state());
    if (!tab.running && !tab.is_past()) state.append(" ").append(std::to_string(tab.exit_code));
    return state;
}

std::string format_ended(const ended_list& list, output_format format) {
    if (format == output_format::json) return as_json(list.tabs).text + "\n";
    std::string text;
    for (const ended_info& each : list.tabs)
        text += std::to_string(each.id) + "  " + mato::printable(each.task + "/" + each.name) + "  exited " +
                std::to_string(each.exit_code) + "\n";
    return text;
}

std::string format_tabs(const tab_list& list, output_format format) {
    if (format == output_format::json) return as_json(list.tabs).text + "\n";
    std::string text, task;
    for (const tab_info& each : list.tabs) {
        if (each.task != task || text.empty()) text += mato::printable(task = each.task) + "\n";
        text += "  " + std::to_string(each.id) + "  " + mato::printable(each.name) + "  " + size_text(each.size) + "  " +
                state_text(each) + "  " + count_text(each.clients, "client") + "  " + mato::printable(each.command);
        if (const std::string says = attention_of(each); !says.empty()) text += "  " + says;
        text += "\n";
    }
    return text;
}

std::string format_buffers(const buffer_list& list, output_format format) {
    if (format == output_format::json) return as_json(list.buffers).text + "\n";
    std::string text;
    for (const buffer_info& each : list.buffers)
        text += mato::printable(each.name) + "  " + mato::format_bytes(each.bytes) + "  " + mato::printable(each.begin) + "\n";
    return text;
}

std::string format_clients(const client_list& list, output_format format) {
    if (format == output_format::json) return as_json(list.clients).text + "\n";
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
    return as_json(captured_screen{last, text}).text + "\n";
}

std::string format_status(const status_report& report, output_format format) {
    if (format == output_format::json) return as_json(report).text + "\n";
    std::string text = heading;
    text += "Status: ✓ Running\n";
    text += "PID: " + std::to_string(report.pid) + "\n";
    text += "Started: " + mato::format_time(static_cast<std::time_t>(report.started)) + "\n";
    text += "Uptime: " + mato::format_duration(std::chrono::seconds(report.uptime_seconds)) + "\n";
    text += "Socket: " + mato::printable(report.socket) + "\n";
    text += "Config: " + (report.config_path.empty() ? "(defaults)" : mato::printable(report.config_path)) + "\n\n";
    text += "Active Sessions:\n";
    for (const task_count& each : report.tasks)
        text += "  " + mato::printable(each.name) + ": " + count_text(each.tabs, "tab") + "\n";
    const std::uint32_t tabs = tabs_of(report);
    text += "  Total: " + count_text(tabs, "tab") + "\n\n";
    text += "Memory: " + mato::format_bytes(report.memory_bytes) + "\n";
    char cpu[32];
    std::snprintf(cpu, sizeof cpu, "CPU: %.1f%%\n", static_cast<double>(report.cpu_permille) / 10);
    text += cpu;
    text += "Clients: " + std::to_string(report.clients) + "\n";
    if (report.generation > 0) {
        text += "Generation: " + std::to_string(report.generation);
        if (report.upgraded != 0)
            text += " (upgraded " + mato::format_time(static_cast<std::time_t>(report.upgraded)) + ", " +
                    std::to_string(report.gap_ms) + " ms)";
        text += "\n";
        text += "Keeper: " + std::to_string(report.pid) + "\n";
        text += "Worker: " + std::to_string(report.worker_pid) + "\n";
        text += "Kept: " + std::to_string(report.kept_tabs) + " of " + count_text(tabs, "tab") + "\n";
        text += not_kept_text(report);
    }
    if (report.crashed != 0)
        text += "Last crash: " + mato::format_time(static_cast<std::time_t>(report.crashed)) + ", signal " +
                std::to_string(report.crash_signal) +
                (report.crash_tab == 0 ? "" : " in tab " + std::to_string(report.crash_tab)) + ", " +
                std::to_string(report.gap_ms) + " ms without service" + losses_of(report) + "\n";
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
