// SPDX-License-Identifier: MIT
#include "completion.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace mux {
namespace {

/// What the words before the last one have said.
class reader {
public:
    void take(const std::string& word) {
        if (open_) return take_value(word);
        if (only_operands_ || !word.starts_with('-') || word == "-") return take_operand(word);
        if (word == "--") {
            only_operands_ = true;
            return;
        }
        const std::size_t equals = word.find('=');
        if (word.starts_with("--") && equals != word.npos) {
            open_ = option_of(word.substr(0, equals));
            if (open_) take_value(word.substr(equals + 1));
        } else if (!place_.command && find_command(word)) { // "--stop" is a command
            place_.command = find_command(word);
        } else {
            open_ = option_of(word);
            if (open_ && open_->value.empty()) open_ = nullptr;
        }
    }

    completion_place finish(const std::string& last) {
        place_.typed = last;
        const std::size_t equals = last.find('=');
        if (open_) {
            if (last == "=") place_.typed.clear(); // bash splits words at '='
            place_.kind = open_->kind;
        } else if (only_operands_ || !last.starts_with('-')) {
            find_operand();
            place_.may_be_option = !only_operands_ && !is_lost_ && last.empty();
        } else if (last.starts_with("--") && equals != last.npos) {
            if (const option* const which = option_of(last.substr(0, equals))) place_.kind = which->kind;
            place_.head = last.substr(0, equals + 1);
            place_.typed = last.substr(equals + 1);
        } else {
            place_.may_be_option = true;
        }
        return std::move(place_);
    }

private:
    [[nodiscard]] std::span<const option> options() const {
        return place_.command ? place_.command->options : global_options();
    }

    /// The option that `word` is, or whose value follows a word of several letters; null: none.
    [[nodiscard]] const option* option_of(std::string_view word) const {
        for (const option& each : options()) {
            if (each.is(word)) return &each;
            if (!word.starts_with("--") && !each.value.empty() && word.ends_with(each.letter) && !each.letter.empty())
                return &each;
        }
        return nullptr;
    }

    void take_value(const std::string& word) {
        if (word == "=") return;
        if (!place_.command && open_->kind != value_kind::flag) {
            invocation taken;
            try {
                open_->take(taken, *open_, word);
            } catch (const command_failure&) { // the command will tell it
            }
            if (!taken.paths.socket.empty()) place_.paths.socket = taken.paths.socket;
            if (!taken.paths.label.empty()) place_.paths.label = taken.paths.label;
        }
        open_ = nullptr;
    }

    void take_operand(const std::string& word) {
        if (place_.command)
            ++operands_, after_dashes_ += only_operands_ ? 1 : 0;
        else if (!(place_.command = find_command(word)))
            is_lost_ = true;
    }

    void find_operand() {
        if (!place_.command) {
            if (!is_lost_) place_.kind = value_kind::command;
            return;
        }
        const auto all = place_.command->operands;
        if (all.empty()) return;
        std::size_t which = operands_;
        if (place_.command->runs_program() && only_operands_) which = all.size() - 1;
        if (which >= all.size()) {
            const bool repeats = all.back().repeats() || all.back().kind == value_kind::program;
            if (!repeats) return;
            which = all.size() - 1;
        }
        place_.kind = all[which].kind;
        place_.operand = all[which].name;
        if (!all[which].is_needed() && which + 1 < all.size()) place_.next_operand = all[which + 1].name;
        const bool has_program = only_operands_ ? after_dashes_ > 0 : operands_ > which;
        if (place_.kind == value_kind::program && has_program) place_.kind = value_kind::file;
    }

    completion_place place_;
    const option* open_ = nullptr; // its value is the next word
    std::size_t operands_ = 0, after_dashes_ = 0;
    bool only_operands_ = false; // after "--"
    bool is_lost_ = false;       // after a word that is no command
};

/// "working" and "blocked" of "working|blocked"; words in capitals are names of values.
std::vector<completion> alternatives_in(std::string_view operand) {
    std::vector<completion> found;
    while (!operand.empty()) {
        const std::size_t bar = std::min(operand.find('|'), operand.size());
        const std::string_view word = operand.substr(0, bar);
        if (std::ranges::all_of(word, [](char c) { return c >= 'a' && c <= 'z'; })) found.push_back({std::string(word), {}});
        operand.remove_prefix(std::min(bar + 1, operand.size()));
    }
    return found;
}

std::vector<completion> values_of(const completion_place& place, const live_names& names) {
    switch (place.kind) {
    case value_kind::tab: return names.tabs;
    case value_kind::task: return names.tasks;
    case value_kind::client: return names.clients;
    case value_kind::emulator: return {{"vt", {}}, {"raw", "none"}};
    case value_kind::command: {
        std::vector<completion> all;
        for (const command_entry& each : command_table()) all.push_back({std::string(each.name), std::string(each.text)});
        return all;
    }
    default: return alternatives_in(place.operand);
    }
}

} // namespace

completion_place completion_place_of(std::span<const std::string> words) {
    reader line;
    if (words.empty()) return line.finish({});
    for (const std::string& each : words.first(words.size() - 1)) line.take(each);
    return line.finish(words.back());
}

std::vector<completion> completions_of(const completion_place& place, const live_names& names) {
    std::vector<completion> found = values_of(place, names);
    for (completion& each : alternatives_in(place.next_operand)) found.push_back(std::move(each));
    if (place.may_be_option) {
        const auto options = place.command ? place.command->options : global_options();
        for (const option& each : options) {
            if (!each.letter.empty()) found.push_back({std::string("-").append(each.letter), std::string(each.text)});
            if (!each.word.empty()) found.push_back({std::string("--").append(each.word), std::string(each.text)});
        }
        if (place.command && place.command->runs_program()) found.push_back({"--", "the program follows"});
    }
    std::erase_if(found, [&](const completion& each) { return !each.word.starts_with(place.typed); });
    for (completion& each : found) each.word.insert(0, place.head);
    return found;
}

std::string completion_lines(const completion_place& place, std::span<const completion> found) {
    std::string lines;
    if (place.kind == value_kind::file) lines += ":files\n";
    if (place.kind == value_kind::directory) lines += ":directories\n";
    if (place.kind == value_kind::program) lines += ":programs\n";
    const auto add = [&](const std::string& text) {
        for (const char each : text)
            if (static_cast<unsigned char>(each) >= 0x20 && each != 0x7f) lines += each;
    };
    for (const completion& each : found) {
        add(each.word);
        lines += '\t';
        add(each.text);
        lines += '\n';
    }
    return lines;
}

} // namespace mux
