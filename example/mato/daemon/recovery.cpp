// SPDX-License-Identifier: MIT
#include "recovery.hpp"

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
        if (kind != "tab") continue;
        parts.remains.terminal = std::move(each.descriptor);
        parts.remains.pid = each.child;
        if (each.status) parts.remains.exit_code = exit_code_of(*each.status);
    }
    return found;
}

constexpr int hung_up = 128 + SIGHUP; // of a program whose terminal was closed before it was kept

} // namespace

void take_back_tabs(daemon_state& state, tab_programs& programs) {
    auto places = state.kept.open(state.returning);
    const auto& now = state.host.generation();
    if (now.number == 1) return;
    auto found = parts_of(state.host.kept().take_all());
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
            why = {mato::errc::malformed, "read the record of a tab", {}, "it is another tab's"};
        if (why) {
            state.host.log().error("tab " + std::to_string(place.id) + " is lost: " + why.message());
            state.kept.drop(place.id);
            continue;
        }
        if (place.task.empty()) place.task = opened.task, place.name = opened.name;
        if (const auto code = record.exit_code()) parts.remains.exit_code = code;
        if (!parts.remains.terminal && !parts.remains.exit_code) parts.remains.exit_code = hung_up;
        programs.take_back(place, std::move(parts.remains), std::move(opened.options), std::move(record));
        ++count;
    }
    for (const auto& [id, parts] : found) state.kept.drop(id); // it was not opened completely
    state.kept.save();
    const std::string what = "signal " + std::to_string(now.last_signal) + ", " + std::to_string(count) + " tabs, " +
                             std::to_string(now.gap.count()) + " ms";
    state.host.log().info("took back the tabs of the process that died: " + what);
    state.events.tell({.kind = "daemon-restarted", .text = what});
}

} // namespace mux
