// SPDX-License-Identifier: MIT
#include "json_fields.hpp"

#include <array>
#include <vector>

namespace mux {
namespace {

/// A member of a message as it is.
template <auto Member, class Record> json::verbatim plain(const Record& record) { return {json::value(record.*Member)}; }
json::verbatim number_or_null(std::uint64_t value, bool is_known) { return {is_known ? std::to_string(value) : "null"}; }
json::verbatim text_or_null(const std::string& text) { return {text.empty() ? "null" : json::quote(text)}; }

template <class Record> json::verbatim columns(const Record& record) { return {json::value(record.size.columns)}; }
template <class Record> json::verbatim rows(const Record& record) { return {json::value(record.size.rows)}; }

constexpr std::array tab_fields{
    json_field<tab_info>{"id", plain<&tab_info::id>, "the tab's number; it is not used again"},
    json_field<tab_info>{"task", plain<&tab_info::task>, "the name of its task"},
    json_field<tab_info>{"name", plain<&tab_info::name>, "its name"},
    json_field<tab_info>{"title", plain<&tab_info::title>, "the title that its program has set"},
    json_field<tab_info>{"pid", plain<&tab_info::pid>, "the process id of its program"},
    json_field<tab_info>{"command", plain<&tab_info::command>, "its program and arguments"},
    json_field<tab_info>{"cwd", plain<&tab_info::cwd>, "the working directory of its foreground program"},
    json_field<tab_info>{"cols", columns, "columns"},
    json_field<tab_info>{"rows", rows, "rows"},
    json_field<tab_info>{"emulator",
                         [](const tab_info& tab) {
                             const bool has_none = tab.emulator == quarantined_emulator || tab.emulator == past_raw_emulator;
                             return json::verbatim{json::quote(has_none ? "raw" : tab.is_past() ? "vt" : tab.emulator)};
                         },
                         "`vt`, or `raw`: none"},
    json_field<tab_info>{"clients", plain<&tab_info::clients>, "how many clients show it"},
    json_field<tab_info>{
        "state", [](const tab_info& tab) { return json::verbatim{json::quote(tab.state())}; },
        "`running`, `exited`; `quarantined`: it runs, and its output is not interpreted; `past`: it shows what was "
        "saved before the machine was lost, and has no program"},
    json_field<tab_info>{"exit_code",
                         [](const tab_info& tab) {
                             return tab.running || tab.is_past() ? json::verbatim{"null"}
                                                                 : json::verbatim{json::value(tab.exit_code)};
                         },
                         "of a program that has ended: its code, or 128 + N for signal N; else null"},
    json_field<tab_info>{"idle_seconds", [](const tab_info& tab) { return json::verbatim{json::value(tab.idle_ms / 1000)}; },
                         "seconds since its last output"},
    json_field<tab_info>{"bell", plain<&tab_info::bell>, "its bell has rung, or a notice came, since a client showed it"},
    json_field<tab_info>{"history_lines", plain<&tab_info::history_lines>, "lines above the screen"},
    json_field<tab_info>{"memory_bytes", plain<&tab_info::memory_bytes>, "memory that it takes in the daemon"},
    json_field<tab_info>{"mark", [](const tab_info& tab) { return text_or_null(tab.mark); },
                         "what a person who has not looked should know: `asks`, `failed`, `done`, `wrote`, or null"},
    json_field<tab_info>{"said", [](const tab_info& tab) { return text_or_null(tab.said); },
                         "the state that `mato state` has set: `working`, `blocked`, `done`, or null"},
    json_field<tab_info>{"note", [](const tab_info& tab) { return text_or_null(tab.note); },
                         "what was said with that state, or null"},
    json_field<tab_info>{"notice", [](const tab_info& tab) { return text_or_null(tab.notice); },
                         "the newest notice that no person has seen, or null"},
};

constexpr std::array ended_fields{
    json_field<ended_info>{"id", plain<&ended_info::id>, "the tab's number"},
    json_field<ended_info>{"task", plain<&ended_info::task>, "the name that its task had"},
    json_field<ended_info>{"name", plain<&ended_info::name>, "its name"},
    json_field<ended_info>{"exit_code", plain<&ended_info::exit_code>,
                           "of its last program: its code, or 128 + N for signal N"},
};

constexpr std::array buffer_fields{
    json_field<buffer_info>{"name", plain<&buffer_info::name>, "its name; `copied` has what a user has copied last"},
    json_field<buffer_info>{"bytes", plain<&buffer_info::bytes>, "how long its text is"},
    json_field<buffer_info>{"begin", plain<&buffer_info::begin>, "the begin of its text, as one printable line"},
};

constexpr std::array client_fields{
    json_field<client_info>{"id", plain<&client_info::id>, "the client's number"},
    json_field<client_info>{"pid", plain<&client_info::pid>, "its process id"},
    json_field<client_info>{"uid", plain<&client_info::uid>, "its user id"},
    json_field<client_info>{"tty", plain<&client_info::tty>, "its terminal"},
    json_field<client_info>{"cols", columns, "columns of the terminal"},
    json_field<client_info>{"rows", rows, "rows of the terminal"},
    json_field<client_info>{"tab", [](const client_info& client) { return number_or_null(client.tab, client.tab != 0); },
                            "the tab that it shows, or null"},
    json_field<client_info>{"readonly", plain<&client_info::readonly>, "it cannot type"},
    json_field<client_info>{
        "path",
        [](const client_info& client) {
            return json::verbatim{json::quote(client.tab == 0 ? "" : client.direct ? "direct" : "relayed")};
        },
        "`direct`: the daemon writes to the terminal itself; `relayed`: through the client; empty: it shows no tab"},
    json_field<client_info>{"bytes_sent", plain<&client_info::bytes_sent>, "bytes sent to its terminal, or to it"},
    json_field<client_info>{"frames_dropped", plain<&client_info::frames_dropped>, "frames that newer ones have replaced"},
    json_field<client_info>{"queue_bytes", plain<&client_info::queue_bytes>, "bytes that it has not accepted yet"},
    json_field<client_info>{"stream",
                            [](const client_info& client) {
                                const bool has_one = client.recorded != 0 || client.follows_events;
                                return has_one ? as_json(client_stream{client}) : json::verbatim{"null"};
                            },
                            "of a client that records a tab or follows the events: see below; else null"},
};

template <auto Member> json::verbatim of_client(const client_stream& stream) { return {json::value(stream.client.*Member)}; }
constexpr std::array stream_fields{
    json_field<client_stream>{
        "tab", [](const client_stream& stream) { return number_or_null(stream.client.recorded, stream.client.recorded != 0); },
        "the tab that it records; null: it follows the events"},
    json_field<client_stream>{"delivered", of_client<&client_info::delivered>, "frames that it has accepted"},
    json_field<client_stream>{"dropped", of_client<&client_info::dropped>, "frames that it has missed"},
    json_field<client_stream>{"superseded", of_client<&client_info::superseded>,
                              "frames that a screen or a snapshot has replaced"},
    json_field<client_stream>{"gaps", of_client<&client_info::gaps>, "how often frames were missing"},
    json_field<client_stream>{"resyncs", of_client<&client_info::resyncs>, "screens or snapshots sent, including the first"},
    json_field<client_stream>{"lag", of_client<&client_info::lag>, "frames that it has not accepted yet"},
};

json::verbatim cursor_json(const captured_screen& screen) {
    const captured& last = screen.last;
    return json::object()
        .add("row", last.cursor_row)
        .add("column", last.cursor_column)
        .add("visible", last.cursor_visible)
        .done();
}
json::verbatim lines_json(const captured_screen& screen) {
    std::vector<json::verbatim> lines;
    const std::string& text = screen.text;
    for (std::size_t at = 0; at < text.size();) {
        const auto end = text.find('\n', at);
        lines.push_back({json::quote(text.substr(at, end - at))});
        at = end == std::string::npos ? text.size() : end + 1;
    }
    return json::array(lines);
}
template <auto Member> json::verbatim of_screen(const captured_screen& screen) { return {json::value(screen.last.*Member)}; }
constexpr std::array screen_fields{
    json_field<captured_screen>{"tab", of_screen<&captured::tab>, "the tab's number"},
    json_field<captured_screen>{"cols", [](const captured_screen& screen) { return columns(screen.last); }, "columns"},
    json_field<captured_screen>{"rows", [](const captured_screen& screen) { return rows(screen.last); }, "rows"},
    json_field<captured_screen>{"cursor", cursor_json, "`row` and `column` from 0, and `visible`"},
    json_field<captured_screen>{"alternate_screen", of_screen<&captured::alternate_screen>, "the alternate screen is shown"},
    json_field<captured_screen>{"title", of_screen<&captured::title>, "the title that its program has set"},
    json_field<captured_screen>{"history", of_screen<&captured::history_rows>, "how many of the lines are history"},
    json_field<captured_screen>{"lines", lines_json, "the lines, without newlines"},
};

constexpr std::array task_fields{
    json_field<task_count>{"name", plain<&task_count::name>, "the task's name"},
    json_field<task_count>{"tabs", plain<&task_count::tabs>, "how many tabs it has"},
};

constexpr std::array not_kept_fields{
    json_field<tab_not_kept>{"tab", plain<&tab_not_kept::id>, "the tab's number"},
    json_field<tab_not_kept>{"why", plain<&tab_not_kept::why>, "the reason"},
};

constexpr std::array config_fields{
    json_field<used_config>{"path", [](const used_config& used) { return text_or_null(used.report.config_path); },
                            "the file; null: there is none, and the defaults are used"},
    json_field<used_config>{"error", [](const used_config& used) { return text_or_null(used.report.config_error); },
                            "why the last reload failed, or null"},
};

constexpr std::array restart_fields{
    json_field<last_restart>{"why",
                             [](const last_restart& last) {
                                 return json::verbatim{json::quote(last.report.upgraded != 0 ? "upgraded" : "crashed")};
                             },
                             "`crashed` or `upgraded`"},
    json_field<last_restart>{"signal",
                             [](const last_restart& last) { return json::verbatim{json::value(last.report.crash_signal)}; },
                             "the signal that ended the process; 0: an upgrade"},
    json_field<last_restart>{
        "tab", [](const last_restart& last) { return number_or_null(last.report.crash_tab, last.report.crash_tab != 0); },
        "the tab whose output it interpreted then; null: none"},
    json_field<last_restart>{"at",
                             [](const last_restart& last) {
                                 const auto& report = last.report;
                                 return json::verbatim{json::value(report.upgraded != 0 ? report.upgraded : report.crashed)};
                             },
                             "when, in seconds since 1970"},
    json_field<last_restart>{"gap_ms", [](const last_restart& last) { return json::verbatim{json::value(last.report.gap_ms)}; },
                             "milliseconds without a process that serves"},
    json_field<last_restart>{"skipped_bytes",
                             [](const last_restart& last) { return json::verbatim{json::value(last.report.skipped_bytes)}; },
                             "bytes of output that no process could interpret"},
    json_field<last_restart>{"input_bytes_lost",
                             [](const last_restart& last) { return json::verbatim{json::value(last.report.input_bytes_lost)}; },
                             "bytes that were typed and that no program has read"},
};

/// null of a daemon that is one process.
template <auto Member> json::verbatim of_worker(const status_report& report) {
    return number_or_null(static_cast<std::uint64_t>(report.*Member), report.generation != 0);
}
constexpr std::array status_fields{
    json_field<status_report>{"running", [](const status_report&) { return json::verbatim{"true"}; },
                              "a daemon is running; if false, there are no other members"},
    json_field<status_report>{"pid", plain<&status_report::pid>, "the daemon's process id"},
    json_field<status_report>{"version", plain<&status_report::version>, "its version"},
    json_field<status_report>{"protocol", plain<&status_report::protocol>, "the version of its protocol"},
    json_field<status_report>{"started", plain<&status_report::started>, "when it was started, in seconds since 1970"},
    json_field<status_report>{"uptime_seconds", plain<&status_report::uptime_seconds>, "seconds since then"},
    json_field<status_report>{"socket", plain<&status_report::socket>, "the path of its socket"},
    json_field<status_report>{"config", [](const status_report& report) { return as_json(used_config{report}); },
                              "its configuration: see below"},
    json_field<status_report>{"tasks", [](const status_report& report) { return as_json(report.tasks); },
                              "its tasks: see below"},
    json_field<status_report>{"tabs", [](const status_report& report) { return json::verbatim{json::value(tabs_of(report))}; },
                              "tabs of all tasks"},
    json_field<status_report>{"clients", plain<&status_report::clients>, "clients that show a tab"},
    json_field<status_report>{"memory_bytes", plain<&status_report::memory_bytes>, "memory that it takes"},
    json_field<status_report>{
        "cpu_percent",
        [](const status_report& report) { return json::verbatim{json::value(static_cast<double>(report.cpu_permille) / 10)}; },
        "processor time, in percent of one core"},
    json_field<status_report>{"recorders", plain<&status_report::recorders>, "clients that record a tab"},
    json_field<status_report>{"bytes_sent", plain<&status_report::bytes_sent>, "bytes sent to all clients since the start"},
    json_field<status_report>{"frames_dropped", plain<&status_report::frames_dropped>, "frames dropped since the start"},
    json_field<status_report>{"resyncs", plain<&status_report::resyncs>, "screens and snapshots sent since the start"},
    json_field<status_report>{"slowest_queue_bytes", plain<&status_report::slowest_queue_bytes>,
                              "bytes queued for the slowest client"},
    json_field<status_report>{"slowest_lag_frames", plain<&status_report::slowest_lag_frames>,
                              "frames that the slowest client has not accepted yet"},
    json_field<status_report>{"generation", of_worker<&status_report::generation>,
                              "with `survive`: counts the processes that have served; here and below null without it"},
    json_field<status_report>{"keeper_pid", of_worker<&status_report::pid>, "the process that holds the terminals"},
    json_field<status_report>{"worker_pid", of_worker<&status_report::worker_pid>, "the process that serves"},
    json_field<status_report>{"kept", of_worker<&status_report::kept_tabs>, "how many tabs survive a crash"},
    json_field<status_report>{
        "not_kept",
        [](const status_report& report) { return report.generation == 0 ? json::verbatim{"null"} : as_json(report.not_kept); },
        "the tabs that do not survive a crash: see below"},
    json_field<status_report>{"last_restart",
                              [](const status_report& report) {
                                  const bool is_first = report.crashed == 0 && report.upgraded == 0;
                                  return is_first ? json::verbatim{"null"} : as_json(last_restart{report});
                              },
                              "the last crash or upgrade: see below; null: none"},
};

} // namespace

std::span<const json_field<tab_info>> fields_of(const tab_info*) noexcept { return tab_fields; }
std::span<const json_field<client_info>> fields_of(const client_info*) noexcept { return client_fields; }
std::span<const json_field<ended_info>> fields_of(const ended_info*) noexcept { return ended_fields; }
std::span<const json_field<buffer_info>> fields_of(const buffer_info*) noexcept { return buffer_fields; }
std::span<const json_field<client_stream>> fields_of(const client_stream*) noexcept { return stream_fields; }
std::span<const json_field<captured_screen>> fields_of(const captured_screen*) noexcept { return screen_fields; }
std::span<const json_field<status_report>> fields_of(const status_report*) noexcept { return status_fields; }
std::span<const json_field<task_count>> fields_of(const task_count*) noexcept { return task_fields; }
std::span<const json_field<tab_not_kept>> fields_of(const tab_not_kept*) noexcept { return not_kept_fields; }
std::span<const json_field<used_config>> fields_of(const used_config*) noexcept { return config_fields; }
std::span<const json_field<last_restart>> fields_of(const last_restart*) noexcept { return restart_fields; }

std::uint32_t tabs_of(const status_report& report) noexcept {
    std::uint32_t tabs = 0;
    for (const task_count& each : report.tasks) tabs += each.tabs;
    return tabs;
}

} // namespace mux
