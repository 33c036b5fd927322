// SPDX-License-Identifier: MIT
#include "past_saver.hpp"

#include "tab/past_text.hpp"

#include <asio/post.hpp>

#include <algorithm>
#include <ctime>
#include <utility>

namespace mux {
namespace {

/// Grows with all that changes the tab's text.
std::uint64_t position_of(const tab& shown) { return shown.screen() ? shown.screen()->revision() : shown.bytes()->end(); }

/// Nothing of a quarantined tab: its output must not be interpreted.
std::string saved_text_of(const tab& shown, std::size_t lines) {
    if (shown.is_quarantined()) return {};
    return shown.screen() ? past_text(*shown.screen(), lines, past_tabs::most_text) : shown.raw_output(past_tabs::most_text);
}

} // namespace

past_saver::past_saver(daemon_state& state)
    : state_(state), files_(past_tabs::path_next_to(state.host.options().paths.socket)), timer_(state.host.context()) {}

// ---- when ----

void past_saver::wait_for_output() {
    output_due_ = mato::clock::now() + state_.configuration->restore_save_every;
    wait();
}

void past_saver::wait_for_layout() {
    noted_ = state_.tabs.revision();
    if (!layout_due_) layout_due_ = mato::clock::now() + layout_gap;
    wait();
}

void past_saver::settings_changed() {
    if (!is_on()) return;
    if (output_due_) output_due_.reset(), wait_for_output(); // the time may be shorter now
    wait_for_layout();
}

void past_saver::wait() {
    if (!output_due_ && !layout_due_) return;
    const auto never = mato::clock::time_point::max();
    timer_.expires_at(std::min(output_due_.value_or(never), layout_due_.value_or(never)));
    timer_.async_wait([this](std::error_code cancelled) {
        if (!cancelled) begin();
    });
}

void past_saver::begin() {
    if (!is_on()) return output_due_.reset(), layout_due_.reset();
    const bool with_output = output_due_ && *output_due_ <= mato::clock::now();
    if (with_output) output_due_.reset();
    layout_due_.reset();
    choose_tabs(with_output);
    wait();
    if (!std::exchange(works_, true)) work();
}

/// New tabs are saved at once, others after output alone.
void past_saver::choose_tabs(bool with_output) {
    queue_.clear();
    for (const auto& [id, each] : state_.tabs) {
        if (each.program->is_past() || each.program->is_closing()) continue;
        const auto at = saved_.find(id);
        if (at == saved_.end() || (with_output && at->second != position_of(*each.program))) queue_.push_back(id);
        if (queue_.size() == past_tabs::most_tabs) break;
    }
}

/// One tab; the others have their turns first.
void past_saver::work() {
    works_ = false;
    if (!is_on()) return queue_.clear();
    if (queue_.empty()) return save_layout();
    save(queue_.front());
    queue_.pop_front();
    works_ = true;
    asio::post(state_.host.context(), [this] { work(); });
}

void past_saver::save_all() {
    if (state_.configuration->restore == restore_when::off) return;
    timer_.cancel();
    const auto until = mato::clock::now() + most_stop;
    choose_tabs(true);
    while (!queue_.empty() && mato::clock::now() < until) {
        save(queue_.front());
        queue_.pop_front();
    }
    if (!queue_.empty())
        state_.host.log().warning(std::to_string(queue_.size()) +
                                  " tabs are not saved as they are now: saving the others took " +
                                  std::to_string(most_stop.count()) + " ms");
    queue_.clear();
    save_layout();
}

// ---- what ----

void past_saver::save(tab_id id) {
    const tab_entry* const entry = state_.tabs.find(id);
    if (!entry || entry->program->is_past() || entry->program->is_closing()) return;
    const tab& shown = *entry->program;
    const tab_name name = state_.tabs.name_of(id);
    past_tab one{{id, name.task, name.name},
                 {shown.options(), name.task, name.name},
                 saved_text_of(shown, state_.configuration->restore_lines),
                 std::time(nullptr)};
    one.birth.options.size = one.birth.options.program.size = shown.dimensions();
    one.birth.options.program.directory = shown.start_directory();
    mato::failure why;
    files_.save(one, why);
    if (why) return log(why);
    saved_.insert_or_assign(id, position_of(shown));
    last_failure_.clear();
}

void past_saver::save_layout() {
    std::vector<past_place> places;
    for (const auto& task : state_.tabs.names().tasks())
        for (const auto& each : task.tabs) {
            const tab_entry& entry = state_.tabs.entry(each.id);
            if (entry.program->is_closing() || places.size() == past_tabs::most_tabs) continue;
            places.push_back({each.id, task.name, each.name, entry.used, entry.touched});
        }
    if (places == layout_) return;
    mato::failure why;
    files_.save_layout(places, why);
    if (why) return log(why);
    layout_ = std::move(places);
}

void past_saver::forget(tab_id id) {
    if (!is_on()) return;
    saved_.erase(id);
    files_.forget(id);
    note_layout();
}

/// The same failure is logged once.
void past_saver::log(const mato::failure& why) {
    std::string text = why.message();
    if (text == last_failure_) return;
    state_.host.log().warning("what the tabs show is not saved: " + text);
    last_failure_ = std::move(text);
}

std::vector<past_tab> past_saver::load() const {
    std::vector<mato::failure> refused;
    auto found = files_.load(refused);
    for (const mato::failure& why : refused) state_.host.log().warning("cannot show what was saved: " + why.message());
    return found;
}

} // namespace mux
