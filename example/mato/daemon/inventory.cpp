// SPDX-License-Identifier: MIT
#include "inventory.hpp"

#include <mato/version.hpp>

#include <algorithm>
#include <chrono>
#include <filesystem>

namespace mux {

std::uint64_t idle_ms_of(const tab& which) {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<mato::milliseconds>(mato::clock::now() - which.last_output()).count());
}

namespace {

constexpr std::size_t most_list =
    multiplexer_daemon::session::framing::max_frame_bytes / 2; // an event snapshot contains clients too
constexpr std::size_t info_bytes = 180;                        // of a tab_info without its texts
constexpr std::size_t most_reasons = 100; // in one report: a limit that refuses one tab's memory usually refuses them all

void cut(std::string& text, std::size_t limit) {
    if (text.size() <= limit) return;
    while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xc0) == 0x80)
        --limit; // cut before a character, not inside it
    text.resize(limit);
    text += "…";
}

} // namespace

void make_fit(tab_list& list, std::size_t most) {
    for (const std::size_t limit : {std::size_t{512}, std::size_t{128}, std::size_t{32}, std::size_t{8}}) {
        std::size_t all = 0;
        for (const tab_info& each : list.tabs)
            all += info_bytes + each.task.size() + each.name.size() + each.command.size() + each.cwd.size() +
                   each.title.size() + each.mark.size() + each.said.size() + each.note.size() + each.notice.size();
        if (all <= most) return;
        for (tab_info& each : list.tabs)
            for (std::string* const text : {&each.command, &each.cwd, &each.title, &each.note, &each.notice}) cut(*text, limit);
    }
}

tab_list inventory::tabs() const {
    tab_list list;
    for (const auto& task : state_.tabs.names().tasks())
        for (const auto& named : task.tabs) {
            const tab_entry& entry = state_.tabs.entry(named.id);
            const tab& each = *entry.program;
            tab_info info;
            info.id = named.id;
            info.task = task.name;
            info.name = named.name;
            info.command = each.command();
            info.cwd = each.directory();
            info.emulator = each.is_past()          ? each.screen() ? past_emulator : past_raw_emulator
                            : each.screen()         ? "vt"
                            : each.is_quarantined() ? quarantined_emulator
                                                    : "raw";
            if (const vt::terminal* const screen = each.screen()) {
                info.title = screen->title();
                info.history_lines = screen->history_lines();
            }
            info.bell = entry.says.has_asked();
            info.mark = name_of(mark_of(entry, entry.seen));
            info.said = entry.says.state() == said_state::none ? std::string() : std::string(name_of(entry.says.state()));
            info.note = entry.says.note();
            info.notice = entry.says.has_asked() ? entry.says.last_notice() : std::string();
            info.pid = each.pid();
            info.size = each.size();
            info.clients = static_cast<std::uint32_t>(state_.clients.count_viewers(named.id));
            info.running = each.is_running();
            info.exit_code = each.exit_code();
            info.idle_ms = idle_ms_of(each);
            info.memory_bytes = each.memory_bytes();
            list.tabs.push_back(std::move(info));
        }
    make_fit(list, most_list);
    return list;
}

ended_list inventory::ended() const {
    ended_list list;
    for (const ended_tab& each : state_.ended.all()) list.tabs.push_back({each.id, each.task, each.name, each.exit_code});
    return list;
}

client_list inventory::clients() const {
    client_list list;
    for (const auto& [number, each] : state_.clients)
        if (each.greeted) {
            client_info info;
            info.id = number;
            info.pid = each.greeting.pid;
            info.uid = static_cast<std::uint32_t>(each.session->peer().uid);
            info.tty = each.greeting.tty;
            info.size = each.view.size;
            info.tab = each.attached;
            info.readonly = each.view.readonly;
            const traffic all = traffic_of(each);
            info.bytes_sent = all.bytes_sent;
            info.frames_dropped = all.frames_dropped;
            info.queue_bytes = each.queue_bytes();
            info.direct = each.screen && each.screen->outlet().is_direct();
            if (const auto stream = stream_status(each)) {
                info.recorded = each.recorded;
                info.follows_events = state_.events.is_followed_by(each.session.get());
                info.delivered = stream->delivered;
                info.dropped = stream->dropped;
                info.superseded = stream->superseded;
                info.gaps = stream->gaps;
                info.resyncs = stream->resyncs;
                info.lag = stream->lag;
            }
            list.clients.push_back(std::move(info));
        }
    return list;
}

status_report inventory::status() {
    status_report report;
    const auto usage = usage_.ask();
    const auto& configuration = state_.configuration;
    report.pid = pid_of(state_.host);
    report.version = MATO_VERSION_STRING;
    report.started = state_.kept.started();
    report.uptime_seconds = static_cast<std::uint64_t>(usage.uptime.count());
    if (has_keeper(state_.host)) tell_of_generation(report);
    report.socket = state_.host.options().paths.socket;
    std::error_code none;
    if (std::filesystem::exists(configuration.path(), none)) report.config_path = configuration.path();
    if (const mato::failure& why = configuration.last_error())
        report.config_error = why.code == mato::errc::invalid_config ? why.detail : why.message();
    for (const auto& each : state_.tabs.names().tasks())
        report.tasks.push_back({each.name, static_cast<std::uint32_t>(each.tabs.size())});
    report.memory_bytes = usage.usage.memory_bytes;
    report.cpu_permille = static_cast<std::uint32_t>(usage.cpu_percent * 10);
    traffic all = gone_;
    for (const auto& [number, each] : state_.clients) {
        if (each.attached != 0) ++report.clients;
        all += traffic_of(each);
        report.slowest_queue_bytes = std::max(report.slowest_queue_bytes, each.queue_bytes());
        const auto stream = stream_status(each);
        if (!stream) continue;
        if (each.recorded != 0) ++report.recorders;
        report.slowest_lag_frames = std::max(report.slowest_lag_frames, stream->lag);
    }
    report.bytes_sent = all.bytes_sent;
    report.frames_dropped = all.frames_dropped;
    report.resyncs = all.resyncs;
    return report;
}

void inventory::tell_of_generation(status_report& report) const {
    const auto& now = state_.host.generation();
    report.generation = now.number;
    report.worker_pid = mato::sys::getpid();
    const auto& missing = state_.kept.missing();
    report.kept_tabs = static_cast<std::uint32_t>(state_.tabs.count() - missing.size());
    for (const auto& [id, why] : missing)
        if (report.not_kept.size() < most_reasons) report.not_kept.push_back({id, why});
    if (now.number == 1) return;
    report.uptime_seconds = static_cast<std::uint64_t>(std::max<std::time_t>(0, std::time(nullptr) - report.started));
    (now.reason == mato::generation::why::upgraded ? report.upgraded : report.crashed) = born_;
    report.crash_signal = static_cast<std::uint32_t>(now.last_signal);
    report.gap_ms = static_cast<std::uint64_t>(now.gap.count());
    report.crash_tab = state_.last_restart.tab;
    report.skipped_bytes = state_.last_restart.skipped_bytes;
    report.input_bytes_lost = state_.last_restart.input_bytes_lost;
}

traffic inventory::traffic_of(const client& who) const {
    traffic all = who.left;
    all.bytes_sent += who.session->sent_bytes();
    if (who.screen) all += mux::traffic_of(*who.screen);
    if (const auto stream = stream_status(who)) all += {0, stream->dropped + stream->superseded, stream->resyncs};
    return all;
}

std::optional<mato::subscriber_status> inventory::stream_status(const client& who) const {
    if (auto events = state_.events.status(who.session.get())) return events;
    const auto at = state_.streams.find(who.recorded);
    return at == state_.streams.end() ? std::nullopt : at->second.status(who.session.get());
}

} // namespace mux
