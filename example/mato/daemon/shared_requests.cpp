// SPDX-License-Identifier: MIT
/// @file shared_requests.cpp: the requests about what clients share by name: buffers and channels.
#include "requests.hpp"

#include "protocol/names.hpp"

namespace mux {
namespace {

std::string no_buffer(const std::string& name) { return "no buffer '" + name + "'; see 'mato buffer ls'"; }

} // namespace

void requests::set_buffer(client& from, std::uint32_t id, const buffer_content& wanted) {
    const std::string problem = state_.buffers.set(wanted.name, wanted.text);
    return problem.empty() ? done(from, id) : refuse(from, id, problem);
}

void requests::get_buffer(client& from, std::uint32_t id, const name_only& wanted) {
    const std::string* const text = state_.buffers.find(wanted.name);
    if (!text) return refuse(from, id, no_buffer(wanted.name));
    reply<message::buffer_text>(from, id, {wanted.name, *text});
}

void requests::remove_buffer(client& from, std::uint32_t id, const name_only& wanted) {
    return state_.buffers.remove(wanted.name) ? done(from, id) : refuse(from, id, no_buffer(wanted.name));
}

void requests::paste_buffer(client& from, std::uint32_t id, const paste_request& wanted) {
    const std::string* const text = state_.buffers.find(wanted.name);
    if (!text) return refuse(from, id, no_buffer(wanted.name));
    tab_entry* const found = resolve_tab_or_task(from, id, wanted.which);
    if (!found) return;
    if (!found->program->type({0, 0}, pasted_into(*found->program, *text)))
        return refuse(from, id, "not pasted: the program of " + named(found->program->id()) + " accepts no more input");
    state_.tabs.touch(*found);
    done(from, id);
}

void requests::wait_for_channel(client& from, std::uint32_t id, const name_only& wanted) {
    if (const auto problem = check_name(wanted.name); !problem.empty())
        return refuse(from, id, "channel '" + wanted.name + "': " + problem, mato::exit_code::usage);
    if (!state_.signals.may_wait())
        return refuse(from, id,
                      "too many requests wait for channels: at most " + std::to_string(channels::most_waiting) +
                          "; try again later",
                      mato::exit_code::unavailable);
    if (state_.signals.take_or_wait(wanted.name, from.reply_to(id))) done(from, id);
}

void requests::signal_channel(client& from, std::uint32_t id, const name_only& wanted) {
    if (const auto problem = check_name(wanted.name); !problem.empty())
        return refuse(from, id, "channel '" + wanted.name + "': " + problem, mato::exit_code::usage);
    if (!state_.signals.may_signal(wanted.name))
        return refuse(from, id,
                      "signals of " + std::to_string(channels::most_kept) +
                          " channels are kept already; wait for one of them first, with 'mato channel wait NAME'");
    for (const reply_target& each : state_.signals.signal(wanted.name)) state_.clients.reply<message::done>(each, nothing{});
    done(from, id);
}

} // namespace mux
