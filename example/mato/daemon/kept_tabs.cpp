// SPDX-License-Identifier: MIT
#include "kept_tabs.hpp"

#include "vt/bytes.hpp"

#include <algorithm>
#include <utility>

namespace mux {
namespace {

// The memory file `daemon`.
constexpr std::size_t last_event_at = 0, started_at = 8, layout_version_at = 16, layout_at = 64;
constexpr std::uint64_t layout_version = 1;
constexpr std::size_t most_layout = 4u << 20; // bytes: 20 000 tabs with names of usual lengths
constexpr std::size_t codes_at = layout_at + kept_slots::memory_for(most_layout);
constexpr std::size_t file_bytes = codes_at + kept_slots::memory_for(ended_tabs::most_text);
constexpr std::uint64_t most_number = ~std::uint64_t{0} >> 1;
constexpr int most_cells = 1 << 16;
constexpr std::uint32_t most_pid = ~std::uint32_t{0} >> 1;

std::string name_of(const char* kind, tab_id id) { return std::string(kind).append("/").append(std::to_string(id)); }

std::string_view write_layout(std::string& buffer, const tab_table& tabs, const client_table& clients) {
    vt::byte_writer to(buffer);
    to.number(tabs.last_act());
    to.number(tabs.names().tasks().size());
    for (const workspace::task& task : tabs.names().tasks()) {
        to.text(task.name);
        to.number(task.tabs.size());
        for (const workspace::tab& each : task.tabs) {
            const tab_entry& entry = tabs.entry(each.id);
            to.number(each.id), to.text(each.name);
            to.flag(entry.has_fixed_size), to.flag(entry.says.has_asked());
            to.number(entry.used), to.number(entry.touched);
            const vt::screen_size size = entry.program->size();
            to.number(static_cast<std::uint64_t>(size.columns)), to.number(static_cast<std::uint64_t>(size.rows));
        }
    }
    to.number(clients.count());
    for (const auto& [id, each] : clients) to.number(each.greeting.pid), to.number(each.attached), to.number(each.activity);
    for (const auto& [id, each] : clients) to.byte(!each.bar ? 0U : *each.bar ? 2U : 1U); // older programs do not read it
    for (const auto& [id, each] : tabs) { // up to the end; older programs do not read it either
        if (each.says.state() == said_state::none) continue;
        to.number(id), to.byte(static_cast<unsigned>(each.says.state())), to.text(each.says.note());
    }
    return to.written();
}

/// What can be read of it; `is_whole`: all. @param clients those that showed tabs
std::vector<tab_place> read_layout(std::string_view body, std::uint64_t& last_act,
                                   std::vector<returning_clients::client>& clients, bool& is_whole) {
    vt::byte_reader from(body);
    std::vector<tab_place> places;
    last_act = from.bounded<std::uint64_t>(most_number);
    for (auto tasks = from.bounded<std::size_t>(most_layout); tasks > 0 && from.ok(); --tasks) {
        const std::string task(from.text(most_layout));
        for (auto left = from.bounded<std::size_t>(most_layout); left > 0 && from.ok(); --left) {
            tab_place each;
            each.task = task;
            each.id = from.bounded<tab_id>(most_number);
            each.name = from.text(most_layout);
            each.has_fixed_size = from.flag(), each.has_rung = from.flag();
            each.used = from.number(), each.touched = from.number();
            each.size.columns = from.bounded(most_cells), each.size.rows = from.bounded(most_cells);
            if (from.ok()) places.push_back(std::move(each));
        }
    }
    for (auto left = from.bounded<std::size_t>(most_layout); left > 0 && from.ok(); --left) {
        returning_clients::client each;
        each.pid = from.bounded<std::uint32_t>(most_pid);
        each.tab = from.bounded<tab_id>(most_number);
        each.activity = from.number();
        if (from.ok()) clients.push_back(each);
    }
    if (from.ok() && !from.at_end()) // it is not there if an older program wrote it
        for (returning_clients::client& each : clients)
            if (const int chosen = from.bounded(2); chosen != 0) each.bar = chosen == 2;
    while (from.ok() && !from.at_end()) {
        const auto id = from.bounded<tab_id>(most_number);
        const auto state = from.bounded<said_state>(static_cast<unsigned>(last_of(said_state::none)));
        std::string note(from.text(tab_attention::most_note));
        const auto at = std::find_if(places.begin(), places.end(), [id](const tab_place& each) { return each.id == id; });
        if (from.ok() && at != places.end()) at->said = state, at->note = std::move(note);
    }
    std::erase_if(clients, [](const returning_clients::client& each) { return each.tab == 0; });
    is_whole = from.ok();
    return places;
}

} // namespace

std::vector<tab_place> kept_tabs::open(returning_clients& clients) {
    // A keeper that died within an upgrade has still given the file to this process.
    if (!has_keeper(host_) && !host_.kept().has(list_name)) return {};
    mato::failure why;
    file_ = host_.kept().memory(list_name, file_bytes, why);
    if (!file_) return log_failure("names and order of the tabs do", why), std::vector<tab_place>();
    const auto all = file_.bytes();
    const auto layout = all.subspan(layout_at, codes_at - layout_at), codes = all.subspan(codes_at);
    auto* const words = reinterpret_cast<std::uint64_t*>(all.data());
    events_.count_at(words + last_event_at / 8);
    if (host_.generation().number == 1) {
        words[started_at / 8] = static_cast<std::uint64_t>(started_);
        words[layout_version_at / 8] = layout_version;
        layout_ = kept_slots::create(layout, why);
        codes_ = kept_slots::create(codes, why);
        save();
        save_ended();
        return {};
    }
    if (words[started_at / 8] != 0) started_ = static_cast<std::time_t>(words[started_at / 8]);
    const auto adopt = [&](std::span<char> memory) {
        why = {};
        auto found = kept_slots::adopt(memory, why);
        if (!why) return found;
        host_.log().error("cannot read the kept names, order or exit codes of the tabs: " + why.message());
        return kept_slots::create(memory, why);
    };
    layout_ = adopt(layout);
    codes_ = adopt(codes);
    ended_ = ended_tabs::parse(codes_.newest());
    std::uint64_t acts = 0;
    bool is_whole = false;
    std::vector<returning_clients::client> expected;
    auto places = read_layout(layout_.newest(), acts, expected, is_whole);
    clients.expect(std::move(expected));
    tabs_.continue_acts(acts);
    return places;
}

void kept_tabs::check(const mato::memory_file& file, mato::error_out out) {
    const auto refuse = [&](std::error_code code, const char* why) { out.set(code, "read the list of the tabs", {}, why); };
    const auto all = file.bytes();
    if (all.size() < layout_at) return refuse(mato::errc::malformed, "the file is truncated");
    if (reinterpret_cast<const std::uint64_t*>(all.data())[layout_version_at / 8] != layout_version || all.size() != file_bytes)
        return refuse(mato::errc::version_mismatch, "it is of another version");
    const auto layout = kept_slots::adopt(all.subspan(layout_at, codes_at - layout_at), out);
    if (out.failed()) return;
    static_cast<void>(kept_slots::adopt(all.subspan(codes_at), out));
    if (out.failed()) return;
    std::uint64_t acts = 0;
    bool is_whole = false;
    std::vector<returning_clients::client> expected;
    static_cast<void>(read_layout(layout.newest(), acts, expected, is_whole));
    if (!is_whole) refuse(mato::errc::malformed, "it is damaged");
}

void kept_tabs::keep(const tab& opened, const tab_record::birth& birth, mato::error_out out) {
    if (!has_keeper(host_)) return;
    mato::failure why;
    tab_record record = tab_record::create(birth, why);
    if (!why) {
        const std::string names[] = {name_of("record", opened.id()), name_of("store", opened.id()),
                                     name_of("ring", opened.id()), name_of("tab", opened.id())};
        if (opened.is_past()) record.set_past(), record.ended(opened.exit_code());
        // The terminal comes last: a tab without one was not opened, unless it is one of the past.
        std::vector<mato::keep_request> parts{{names[0], record.native_handle()}};
        if (opened.store()) parts.push_back({names[1], opened.store()->native_handle()});
        if (opened.ring()) parts.push_back({names[2], opened.ring()->native_handle()});
        if (!opened.is_past()) parts.push_back({names[3], opened.terminal(), {.child = opened.pid()}});
        host_.kept().keep(parts, why);
    }
    if (!why) return take_back(opened.id(), std::move(record));
    drop(opened.id());
    out.set(std::move(why));
}

void kept_tabs::keep_program(const tab& again, mato::error_out out) {
    if (!has_keeper(host_)) return;
    // Before: a death between the two leaves a tab whose program has got a hang-up, and not one that seems to have ended.
    if (const auto at = records_.find(again.id()); at != records_.end()) at->second.runs();
    host_.kept().keep(name_of("tab", again.id()), again.terminal(), {.child = again.pid()}, out);
}

void kept_tabs::program_ended(tab_id id, int exit_code) noexcept {
    if (const auto at = records_.find(id); at != records_.end()) at->second.ended(exit_code);
}

void kept_tabs::set_quarantine(tab_id id, quarantine cause) noexcept {
    if (const auto at = records_.find(id); at != records_.end()) at->second.set_quarantine(cause);
}

void kept_tabs::keep_store(const tab& again, mato::error_out out) {
    if (!has_keeper(host_)) return;
    if (const auto at = records_.find(again.id()); at != records_.end()) at->second.set_quarantine(quarantine::none);
    for (const char* const kind : {"store", "ring"}) host_.kept().drop(name_of(kind, again.id()));
    if (again.store()) host_.kept().keep(name_of("store", again.id()), again.store()->native_handle(), out);
}

void kept_tabs::keep_ring(const tab& again, mato::error_out out) {
    if (!has_keeper(host_)) return;
    host_.kept().drop(name_of("ring", again.id()));
    host_.kept().keep(name_of("ring", again.id()), again.ring()->native_handle(), out);
}

void kept_tabs::drop_ring(tab_id id) {
    if (has_keeper(host_)) host_.kept().drop(name_of("ring", id));
}

void kept_tabs::closes(tab_id id) noexcept {
    if (const auto at = records_.find(id); at != records_.end()) at->second.closes();
}

void kept_tabs::drop_program(tab_id id) {
    if (has_keeper(host_)) host_.kept().drop(name_of("tab", id));
}

void kept_tabs::drop(tab_id id) {
    records_.erase(id);
    missing_.erase(id);
    if (!has_keeper(host_)) return;
    for (const char* const kind : {"tab", "store", "ring", "record"})
        host_.kept().drop(name_of(kind, id)); // the terminal first
}

void kept_tabs::keep_closed(closed_tab& gone, mato::error_out out) {
    if (!has_keeper(host_)) return;
    gone.write(out);
    if (!out.failed()) host_.kept().keep(name_of("closed", gone.name.id), gone.file.native_handle(), out);
    gone.close_descriptor();
}

void kept_tabs::drop_closed(tab_id id) {
    if (has_keeper(host_)) host_.kept().drop(name_of("closed", id));
}

void kept_tabs::save() {
    if (!file_ || !has_keeper(host_) || saved_ == tabs_.revision()) return;
    saved_ = tabs_.revision();
    mato::failure why;
    if (!layout_.publish(write_layout(buffer_, tabs_, clients_), why))
        log_failure("the newest names and order of the tabs do", why);
}

void kept_tabs::save_ended() {
    if (!file_ || !has_keeper(host_)) return;
    mato::failure why;
    if (!codes_.publish(ended_.to_text(), why)) log_failure("the newest exit codes do", why);
}

void kept_tabs::log_failure(const std::string& what, const mato::failure& why) {
    host_.log().warning(what + " not survive the daemon: " + why.message());
}

} // namespace mux
