// SPDX-License-Identifier: MIT
#include "upgrading.hpp"

#include "handed_over.hpp"

#include <mato/sys.hpp>
#include <mato/version.hpp>

#include <chrono>
#include <utility>

namespace mux {
namespace {

constexpr mato::milliseconds patience{10'000}; // for the new program to start and to restore, on a busy machine

} // namespace

void upgrading::begin(client& from, std::uint32_t id, const upgrade_request& wanted) {
    mato::unique_fd program = from.session->take_descriptor();
    const auto refuse = [&](std::string why) { state_.clients.refuse(from, id, std::move(why)); };
    if (!has_keeper(state_.host))
        return refuse("this daemon is one process, which cannot be replaced; set 'survive = true' and start the daemon again");
    if (wanted.same_program) program.reset(mato::sys::open("/proc/self/exe", O_RDONLY));
    if (!program) return refuse("no program was received; the daemon may be out of descriptors");
    const auto who = from.reply_to(id);
    const auto until = mato::deadline::in(patience);
    const auto handler = [this, who, is_check = wanted.check](const mato::upgrade_outcome& outcome) {
        end(who, is_check, outcome.why);
    };
    if (wanted.check)
        state_.host.check_upgrade(std::move(program), until, handler);
    else
        state_.host.upgrade(std::move(program), until, handler);
}

void upgrading::freeze(mato::error_out out) {
    const auto refuse = [&](std::string why) { out.set(mato::errc::busy, "upgrade", {}, std::move(why)); };
    handed_over all{MATO_VERSION_STRING, to_strings(state_.variables), {}, {}};
    for (const auto& [id, each] : state_.tabs) {
        const tab& shown = *each.program;
        if (const auto missing = state_.kept.missing().find(id); missing != state_.kept.missing().end())
            return refuse(named(id) + " is not kept, so an upgrade would lose it (" + missing->second + "); close it first");
        if (state_.pending.is_respawning(id)) return refuse(named(id) + " is being started again; try again");
        const auto idle_since =
            std::chrono::duration_cast<std::chrono::microseconds>(shown.last_output().time_since_epoch()).count();
        all.tabs.push_back({id, shown.typed_input(), shown.raw_output(), static_cast<std::uint64_t>(idle_since)});
    }
    for (const auto& [id, each] : state_.streams) all.recorded.push_back({id, each.tail_begin(), each.tail()});
    state_.kept.save();
    const auto file = all.write(out);
    if (file) state_.host.kept().keep(handed_over::name, file.native_handle(), out);
    if (!out.failed()) tell_typists(false);
}

void upgrading::thaw() {
    state_.host.kept().drop(handed_over::name);
    tell_typists(true);
}

/// What clients have sent and this process has not read would be lost with it, so they keep it for the next one.
void upgrading::tell_typists(bool is_over) {
    for (auto& [id, each] : state_.clients) {
        if (!each.relay) continue;
        state_.clients.send(each, encode<message::restarting>(0, restart_notice{each.received, is_over}));
        each.session->flush(); // no turn of the loop follows
    }
}

/// If the new program has taken over, the answers here are this process's last ones.
void upgrading::end(reply_target who, bool is_check, const mato::failure& why) {
    if (why)
        return state_.clients.refuse(who, why.message(),
                                     why.code == mato::errc::version_mismatch ? mato::exit_code::version_mismatch : 1);
    if (!is_check) refuse_unread_sends();
    state_.clients.reply<message::upgrade_report>(who, report());
}

/// The new program types what viewers have typed. Of a `send`, only its sender can know whether the rest is still wanted.
void upgrading::refuse_unread_sends() {
    for (const auto& [id, each] : state_.tabs)
        each.program->for_each_unread_send([&, id = id](reply_target from, std::size_t taken) {
            state_.clients.refuse(from, "the daemon was upgraded after the program in " + named(id) + " had read " +
                                            std::to_string(taken) + " bytes of the input; send the rest again");
        });
}

upgrade_report upgrading::report() const {
    upgrade_report all;
    for (const auto& [number, each] : state_.clients) {
        const bool stays = each.attached != 0 || each.recorded != 0 || state_.events.is_followed_by(each.session.get());
        if (!stays) continue;
        ++all.clients;
        if ((each.greeting.features & comes_back) == 0)
            all.too_old.push_back({number, each.greeting.pid, each.greeting.program});
    }
    all.tabs = static_cast<std::uint32_t>(std::distance(state_.tabs.begin(), state_.tabs.end()));
    return all;
}

} // namespace mux
