// SPDX-License-Identifier: MIT
#include "recovery.hpp"

#include "handed_over.hpp"
#include "tab/tab_emulator.hpp"

#include <mato/version.hpp>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mux {
namespace {

struct kept_parts {
    tab_remains remains;
    mato::unique_fd record;
};

/// The parts of each tab that the keeper holds.
std::map<tab_id, kept_parts> parts_of(std::vector<mato::kept_item> items) {
    std::map<tab_id, kept_parts> found;
    for (mato::kept_item& each : items) {
        const auto slash = each.name.find('/');
        if (slash == std::string::npos) continue;
        tab_id id = 0;
        std::from_chars(each.name.data() + slash + 1, each.name.data() + each.name.size(), id);
        const std::string_view kind = std::string_view(each.name).substr(0, slash);
        if (id == 0) continue;
        kept_parts& parts = found[id];
        if (kind == "record") parts.record = std::move(each.descriptor);
        if (kind == "store") parts.remains.store = std::move(each.descriptor);
        if (kind == "ring") parts.remains.ring = std::move(each.descriptor);
        if (kind != "tab") continue;
        parts.remains.terminal = std::move(each.descriptor);
        parts.remains.pid = each.child;
        if (each.status) parts.remains.exit_code = exit_code_of(*each.status);
    }
    return found;
}

/// Of the process before, if this one has replaced it. From here on no other process uses it: what was typed is typed once.
handed_over take_handed_over(daemon_state& state, std::vector<mato::kept_item>& items) {
    handed_over got;
    const auto at = std::ranges::find(items, handed_over::name, &mato::kept_item::name);
    if (at == items.end()) return got;
    mato::failure why;
    const auto file = mato::memory_file::adopt(std::move(at->descriptor), why);
    if (file) got = handed_over::read(file, why);
    if (why) state.host.log().error("unread input of the tabs is lost: " + why.message());
    state.host.kept().drop(handed_over::name);
    if (!why) state.variables = parse_environment(got.variables);
    return got;
}

/// The closed tabs that the keeper holds; the other items stay.
std::vector<closed_tab> take_closed(daemon_state& state, std::vector<mato::kept_item>& items) {
    std::vector<closed_tab> all;
    for (mato::kept_item& each : items) {
        if (!each.name.starts_with("closed/")) continue;
        mato::failure why;
        auto file = mato::memory_file::adopt(std::move(each.descriptor), why);
        if (!why) all.push_back(closed_tab::read(std::move(file), why));
        if (!why) continue;
        if (!all.empty() && all.back().name.id == 0) all.pop_back();
        state.host.log().warning("a closed tab cannot be brought back: " + why.message());
        state.host.kept().drop(each.name);
    }
    std::erase_if(items, [](const mato::kept_item& each) { return each.name.starts_with("closed/"); });
    return all;
}

void tell(daemon_state& state, std::size_t count, const std::string& version_before) {
    const auto& now = state.host.generation();
    const std::string tabs = std::to_string(count) + (count == 1 ? " tab, " : " tabs, ");
    const std::string gap = std::to_string(now.gap.count()) + " ms";
    if (now.reason == mato::generation::why::upgraded) {
        const std::string what = "mato " + version_before + " to " MATO_VERSION_STRING ", " + tabs + gap;
        state.host.log().info("upgraded: " + what);
        return state.events.tell_restart(
            {.kind = "daemon-upgraded", .client = now.number, .name = MATO_VERSION_STRING, .text = version_before});
    }
    const restart_facts& facts = state.last_restart;
    const std::string in = facts.tab == 0 ? "" : " in tab " + std::to_string(facts.tab);
    state.host.log().info("took back the tabs of the process that died: signal " + std::to_string(now.last_signal) + in + ", " +
                          tabs + gap);
    if (facts.input_bytes_lost > 0)
        state.host.log().warning(std::to_string(facts.input_bytes_lost) +
                                 " bytes that were typed, and that no program had read, are lost");
    state.events.tell_restart(
        {.kind = "daemon-restarted", .tab = facts.tab, .client = now.number, .name = "crashed", .exit_code = now.last_signal});
}

constexpr int hung_up = 128 + SIGHUP; // of a program whose terminal was closed before it was kept

} // namespace

void take_back_tabs(daemon_state& state, tab_programs& programs) {
    auto places = state.kept.open(state.returning);
    const auto& now = state.host.generation();
    if (now.number == 1) return;
    auto items = state.host.kept().take_all();
    const handed_over handed = take_handed_over(state, items);
    auto closed = take_closed(state, items);
    auto found = parts_of(std::move(items));
    for (const auto& [id, parts] : found) // a tab that no client was told of yet
        if (std::none_of(places.begin(), places.end(), [id = id](const tab_place& each) { return each.id == id; }))
            if (parts.remains.terminal) places.push_back({id, {}, {}});
    std::size_t count = 0;
    for (tab_place& place : places) {
        const auto at = found.find(place.id);
        if (at == found.end()) continue;
        kept_parts parts = std::move(at->second);
        found.erase(at);
        mato::failure why;
        tab_record::birth opened;
        tab_record record = tab_record::adopt(std::move(parts.record), opened, why);
        if (!why && opened.options.id != place.id)
            why = {mato::errc::malformed, "read the record of a tab", {}, "the record belongs to another tab"};
        if (why) {
            state.host.log().error(named(place.id) + " is lost: " + why.message());
            state.kept.drop(place.id);
            continue;
        }
        if (place.task.empty()) place.task = opened.task, place.name = opened.name;
        if (const auto code = record.exit_code()) parts.remains.exit_code = code;
        parts.remains.is_past = record.is_past();
        if (!parts.remains.terminal && !parts.remains.exit_code) parts.remains.exit_code = hung_up;
        if (now.reason == mato::generation::why::upgraded)
            record.set_quarantine(quarantine::none); // another program may interpret it
        parts.remains.cause = record.cause();
        parts.remains.signal = now.last_signal;
        if (parts.remains.cause != quarantine::none) parts.remains.store.reset();
        programs.take_back(place, std::move(parts.remains), std::move(opened.options), std::move(record),
                           handed.find(place.id));
        programs.go_on_recording(place.id, handed.find_recorded(place.id));
        ++count;
    }
    for (const auto& [id, parts] : found) state.kept.drop(id); // it was not opened completely
    programs.take_back_closed(std::move(closed));
    state.kept.save();
    tell(state, count, handed.version);
}

void try_to_take_back(multiplexer_daemon& host, mato::error_out out) {
    const tab_counter readable(tab_counter::path_beside(host.options().paths.socket));
    std::map<std::string, int> stores, rings, records;
    const auto copy_of = [&](int descriptor) {
        mato::unique_fd own(mato::sys::fcntl(descriptor, F_DUPFD_CLOEXEC, 3));
        return own ? mato::memory_file::adopt_copy(std::move(own), out)
                   : out.fail<mato::memory_file>(mato::last_error(), "read what is kept");
    };
    bool has_list = false;
    for (const mato::kept_sight& each : host.kept().look()) {
        const std::string name(each.name);
        if (name == kept_tabs::list_name) {
            has_list = true;
            if (const auto list = copy_of(each.descriptor)) kept_tabs::check(list, out);
        }
        if (name == handed_over::name)
            if (const auto file = copy_of(each.descriptor)) static_cast<void>(handed_over::read(file, out));
        if (out.failed()) return;
        if (name.starts_with("store/")) stores[name.substr(6)] = each.descriptor;
        if (name.starts_with("ring/")) rings[name.substr(5)] = each.descriptor;
        if (name.starts_with("record/")) records[name.substr(7)] = each.descriptor;
    }
    if (!has_list) return out.set(mato::errc::malformed, "read the list of the tabs", {}, "the keeper has no list");
    for (const auto& [id, descriptor] : records) {
        mato::failure why;
        tab_record::birth opened;
        bool is_quarantined = false; // its output may end this process too, so it is interpreted once this one serves
        if (auto copy = copy_of(descriptor))
            is_quarantined = tab_record::adopt(std::move(copy), opened, why).cause() != quarantine::none;
        const auto store = is_quarantined ? stores.end() : stores.find(id);
        if (out.failed()) return;
        if (!why && store != stores.end())
            if (auto copy = copy_of(store->second)) try_restore(std::move(copy), opened.options, why);
        if (const auto ring = rings.find(id); !why && ring != rings.end())
            if (auto copy = copy_of(ring->second)) static_cast<void>(raw_store::adopt(std::move(copy), why));
        if (out.failed()) return;
        if (!why) continue;
        why.path = "tab " + id;
        return out.set(std::move(why));
    }
}

} // namespace mux
