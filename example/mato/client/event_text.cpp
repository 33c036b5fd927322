// SPDX-License-Identifier: MIT
#include "event_text.hpp"

#include "json.hpp"
#include "listings.hpp"

#include <mato/printable.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <utility>

namespace mux {
namespace {

constexpr std::array kinds{
    event_kind{"tab-opened", "tab task name command", "a tab was opened"},
    event_kind{"tab-exited", "tab exit_code", "its program has ended"},
    event_kind{"tab-closed", "tab", "a tab was removed"},
    event_kind{"tab-respawned", "tab", "its program was started again"},
    event_kind{"tab-renamed", "tab task name was", "a tab has another name"},
    event_kind{"tab-moved", "tab task name was", "a tab is in another task; `was`: the task before"},
    event_kind{"tab-resized", "tab cols rows", "a tab has another size"},
    event_kind{"task-renamed", "task was", "a task has another name"},
    event_kind{"title", "tab title", "a program has set its title"},
    event_kind{"bell", "tab", "a program has rung the bell"},
    event_kind{"notice", "tab notice count", "a program notifies; `count`: so many came since the last one that was told"},
    event_kind{"state", "tab state note", "a program or a hook says what the tab does: `mato state`"},
    event_kind{"prompt", "tab", "a shell shows its prompt (OSC 133 A)"},
    event_kind{"command-started", "tab command", "a shell starts a command (OSC 133 C)"},
    event_kind{"command-finished", "tab command exit_code duration_ms",
               "it has ended (OSC 133 D); `exit_code` -1: the shell did not say"},
    event_kind{"silence", "tab", "a tab that was active has written nothing for the configured time"},
    event_kind{"cwd", "tab cwd", "a program has reported its working directory (OSC 7)"},
    event_kind{"client-attached", "client tab", "a client shows a tab"},
    event_kind{"client-switched", "client tab", "a client shows another tab"},
    event_kind{"client-detached", "client tab", "a client no longer shows a tab"},
    event_kind{"client-resized", "client tab cols rows", "its terminal has another size"},
    event_kind{"reloaded", "", "the configuration was read again"},
    event_kind{"config-error", "error", "the configuration is wrong and was not used"},
    event_kind{"daemon-restarted", "generation tab reason signal",
               "the daemon's process has died, and the next one goes on; `tab`: as in `last_restart`"},
    event_kind{"daemon-upgraded", "generation version was",
               "a program of this version goes on instead of the one before; `was`: the version before"},
    event_kind{"output-left-out", "tab bytes",
               "so many bytes of its output ended the daemon's process and are not interpreted"},
    event_kind{
        "tab-quarantined", "tab",
        "its output is not interpreted: it ended the daemon's process three times, or what the tab showed cannot be restored"},
    event_kind{"stopping", "", "the daemon stops"},
};

bool has_word(std::string_view words, std::string_view word) {
    for (std::size_t at = 0; at < words.size();) {
        const std::size_t end = std::min(words.find(' ', at), words.size());
        if (words.substr(at, end - at) == word) return true;
        at = end + 1;
    }
    return false;
}

/// The name of the member that is the event's text: the one that no other member of a message has. Empty: it has none.
std::string_view text_name(std::string_view members) {
    constexpr std::string_view others =
        "client tab task name exit_code cols rows generation reason signal version bytes state count duration_ms";
    for (std::size_t at = 0; at < members.size();) {
        const std::size_t end = std::min(members.find(' ', at), members.size());
        const std::string_view word = members.substr(at, end - at);
        if (!has_word(others, word)) return word;
        at = end + 1;
    }
    return {};
}

/// Members in order: of a JSON object, or NAME=VALUE with the same values, so that no control character reaches a terminal.
class line {
public:
    line(std::string_view kind, std::uint64_t number, std::int64_t at, output_format format) : format_(format) {
        char text[64];
        at = std::max<std::int64_t>(at, 0);
        if (format == output_format::json) {
            std::snprintf(text, sizeof text, "%lld.%03d", static_cast<long long>(at / 1000), static_cast<int>(at % 1000));
            object_.add("event", kind);
            if (number != 0) object_.add("number", number);
            object_.add("time", json::verbatim{text});
            return;
        }
        const auto seconds = static_cast<std::time_t>(at / 1000);
        std::tm local{};
        ::localtime_r(&seconds, &local);
        const std::size_t size = std::strftime(text, sizeof text, "%H:%M:%S", &local);
        std::snprintf(text + size, sizeof text - size, ".%03d  ", static_cast<int>(at % 1000));
        text_ = text;
        mato::append_printable(text_, kind);
    }
    line& add(std::string_view name, const auto& value) {
        if (format_ == output_format::json)
            object_.add(name, value);
        else
            text_.append("  ").append(name).append("=").append(json::value(value));
        return *this;
    }
    [[nodiscard]] std::string done() const { return format_ == output_format::json ? object_.done().text : text_; }

private:
    output_format format_;
    json::object object_;
    std::string text_;
};

} // namespace

std::span<const event_kind> event_kinds() noexcept { return kinds; }

std::string format_event(const daemon_event& event, output_format format) {
    const auto kind = std::find_if(kinds.begin(), kinds.end(), [&](const event_kind& each) { return each.kind == event.kind; });
    const bool is_known = kind != kinds.end();
    // Of a kind that is not listed: all members that are set.
    const auto has = [&](std::string_view member, bool is_set) { return is_known ? has_word(kind->members, member) : is_set; };
    const std::string_view text = is_known ? text_name(kind->members) : event.text.empty() ? std::string_view() : "text";
    line result(event.kind, event.number, event.at, format);
    const bool is_restart = is_known && has_word(kind->members, "generation"); // its members have names of their own
    if (event.client != 0) result.add(is_restart ? "generation" : "client", event.client);
    if (event.tab != 0) result.add("tab", event.tab);
    if (has("task", !event.task.empty())) result.add("task", event.task);
    if (has("name", !event.name.empty())) result.add("name", event.name);
    if (has("reason", false)) result.add("reason", event.name).add("signal", event.exit_code);
    if (has("version", false)) result.add("version", event.name);
    if (has("state", false)) result.add("state", event.name);
    if (has("bytes", false)) result.add("bytes", event.exit_code);
    if (!text.empty()) result.add(text, event.text);
    if (has("count", false)) result.add("count", event.exit_code);
    if (has("exit_code", event.exit_code != 0)) result.add("exit_code", event.exit_code);
    if (has("duration_ms", event.duration_ms != 0)) result.add("duration_ms", event.duration_ms);
    if (has("cols", event.size != vt::screen_size{})) result.add("cols", event.size.columns).add("rows", event.size.rows);
    return result.done();
}

std::string format_snapshot(const event_snapshot& snapshot, output_format format) {
    line result("snapshot", snapshot.number, snapshot.at, format);
    if (format == output_format::text)
        return result.add("tabs", snapshot.tabs.tabs.size()).add("clients", snapshot.clients.clients.size()).done();
    return result.add("complete", snapshot.complete)
        .add("tabs", json::verbatim{on_one_line(format_tabs(snapshot.tabs, format))})
        .add("clients", json::verbatim{on_one_line(format_clients(snapshot.clients, format))})
        .done();
}

std::string format_gap(std::uint64_t first, std::uint64_t last, std::int64_t at, output_format format) {
    return line("gap", 0, at, format).add("first", first).add("last", last).done();
}

std::string event_lines::of(const header& frame) {
    if (frame.type == message::event) {
        const auto event = read_as<message::event>(frame);
        if (!event) return {};
        const std::uint64_t next = std::exchange(last_, event->number).value_or(event->number - 1) + 1;
        std::string missed; // after a crash an event may come before the snapshot
        if (event->number > next) missed = format_gap(next, event->number - 1, event->at, format_) + "\n";
        return missed + format_event(*event, format_) + "\n";
    }
    const auto snapshot = read_as<message::event_snapshot>(frame);
    if (!snapshot) return {};
    const std::uint64_t before = std::exchange(last_, snapshot->number).value_or(snapshot->number);
    std::string text;
    if (snapshot->number > before) text = format_gap(before + 1, snapshot->number, snapshot->at, format_) + "\n";
    return text + format_snapshot(*snapshot, format_) + "\n";
}

std::string on_one_line(std::string_view json) {
    std::string line;
    for (std::size_t at = 0; at < json.size();) {
        const std::size_t end = std::min(json.find('\n', at), json.size());
        line.append(json.substr(at, end - at));
        at = std::min(json.find_first_not_of(" \n", end), json.size());
        if (line.ends_with(',') && at < json.size()) line += ' ';
    }
    return line;
}

} // namespace mux
