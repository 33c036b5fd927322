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

/// The members that a kind has in addition to tab and client, and the name of its text. Empty: it has no text.
struct kind_shape {
    std::string_view kind;
    bool task = false, name = false, exit_code = false, size = false;
    std::string_view text{};
};
constexpr std::array shapes{
    kind_shape{.kind = "tab-opened", .task = true, .name = true, .text = "command"},
    kind_shape{.kind = "tab-exited", .exit_code = true},
    kind_shape{.kind = "tab-renamed", .task = true, .name = true, .text = "was"},
    kind_shape{.kind = "tab-moved", .task = true, .name = true, .text = "was"},
    kind_shape{.kind = "tab-resized", .size = true},
    kind_shape{.kind = "task-renamed", .task = true, .text = "was"},
    kind_shape{.kind = "title", .text = "title"},
    kind_shape{.kind = "cwd", .text = "cwd"},
    kind_shape{.kind = "client-resized", .size = true},
    kind_shape{.kind = "config-error", .text = "error"},
};

/// For a kind that is not listed: all members that are set.
kind_shape shape_of(const daemon_event& event) {
    const auto at = std::find_if(shapes.begin(), shapes.end(), [&](const auto& each) { return each.kind == event.kind; });
    if (at != shapes.end()) return *at;
    return {event.kind,
            !event.task.empty(),
            !event.name.empty(),
            event.exit_code != 0,
            event.size != vt::screen_size{},
            event.text.empty() ? std::string_view() : "text"};
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

std::string format_event(const daemon_event& event, output_format format) {
    const kind_shape shape = shape_of(event);
    line result(event.kind, event.number, event.at, format);
    if (event.client != 0) result.add("client", event.client);
    if (event.tab != 0) result.add("tab", event.tab);
    if (shape.task) result.add("task", event.task);
    if (shape.name) result.add("name", event.name);
    if (!shape.text.empty()) result.add(shape.text, event.text);
    if (shape.exit_code) result.add("exit_code", event.exit_code);
    if (shape.size) result.add("cols", event.size.columns).add("rows", event.size.rows);
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
        last_ = event->number;
        return format_event(*event, format_) + "\n";
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
