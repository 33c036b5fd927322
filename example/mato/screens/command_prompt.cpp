// SPDX-License-Identifier: MIT
#include "command_prompt.hpp"

#include "bottom_row.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace mux {
namespace {

std::string_view shared_beginning(const std::vector<std::string>& lines) {
    std::string_view shared = lines.front();
    for (const std::string& each : lines) {
        const auto end = std::mismatch(shared.begin(), shared.end(), each.begin(), each.end()).first;
        shared = shared.substr(0, static_cast<std::size_t>(end - shared.begin()));
    }
    while (!shared.empty() && shared.size() < lines.front().size() &&
           (static_cast<unsigned char>(lines.front()[shared.size()]) & 0xc0) == 0x80)
        shared.remove_suffix(1); // the rest of a character differs
    return shared;
}

/// Of a completed line: what is completed in it.
std::string_view last_part(std::string_view line) {
    const std::size_t blank = line.find(' ');
    return blank == line.npos || blank + 1 == line.size() ? line.substr(0, blank) : line.substr(blank + 1);
}

} // namespace

overlay command_prompt::draw(vt::screen_size size, const looks& look) {
    static constexpr std::array hints{key_hint{"Tab", "complete"}, key_hint{"Enter", "do"}, key_hint{"Esc", "back"}};
    vt::position at{size.rows - 1, 0};
    overlay result = as_bottom(typed_row(":", typed_, says_, hints, size.columns, look, at.column), size);
    result.cursor = at;
    return result;
}

screen_reply command_prompt::press(const key_event& key) {
    says_.clear();
    if (key.key == keys::escape || key.is_control('c') || key.is_control('g')) return {true};
    if (key.key == keys::enter) return run();
    if (key.key == keys::tab) return complete(), screen_reply{};
    if (key.key == keys::up || key.is_control('p')) return go_to_history(-1), screen_reply{};
    if (key.key == keys::down || key.is_control('n')) return go_to_history(1), screen_reply{};
    typed_.press(key);
    return {};
}

/// As much as is certain; then it names what is possible.
void command_prompt::complete() {
    const std::string line = typed_.text();
    const std::vector<std::string> lines = completions_of(line, known_);
    if (lines.empty()) return void(says_ = "nothing fits");
    const std::string_view shared = shared_beginning(lines);
    if (shared.size() > line.size()) return typed_.set(shared);
    if (lines.size() == 1) return;
    for (const std::string& each : lines) says_.append(says_.empty() ? "" : "  ").append(last_part(each));
}

void command_prompt::go_to_history(std::ptrdiff_t steps) {
    const auto last = static_cast<std::ptrdiff_t>(history_->size());
    const auto wanted = std::clamp<std::ptrdiff_t>(static_cast<std::ptrdiff_t>(place_) + steps, 0, last);
    place_ = static_cast<std::size_t>(wanted);
    typed_.set(place_ < history_->size() ? (*history_)[place_] : std::string());
}

screen_reply command_prompt::run() {
    const std::string line = typed_.text();
    parsed_command command = parse_command(line, known_);
    if (!command.acts) {
        says_ = std::move(command.problem);
        return {says_.empty()}; // an empty line goes back
    }
    std::erase(*history_, line);
    history_->push_back(line);
    if (history_->size() > most_history) history_->pop_front();
    return {true, std::move(command.acts)};
}

} // namespace mux
