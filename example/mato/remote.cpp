// SPDX-License-Identifier: MIT
#include "remote.hpp"

#include "launch.hpp"

#include <mato/version.hpp>

#include <unistd.h>

#include <algorithm>

namespace mux {

remote remote::open(const program_paths& paths, start mode, mato::deadline until, const std::function<void()>& meanwhile) {
    remote result;
    mato::exponential_backoff pause;
    for (;;) {
        mato::failure why;
        if (mode == start::if_needed)
            result.client_ = mato::basic_client<policies>::connect_or_start(
                paths.daemon, until, [&] { return launch_daemon(paths, meanwhile); }, why);
        else
            result.client_ = mato::basic_client<policies>::connect(mato::owned_path(paths.daemon.socket), until, why);
        if (!why && result.greet(until, meanwhile, why)) return result;
        // It went away before it knew us: it was stopping, and nothing of ours was lost with it.
        const bool again =
            mode == start::if_needed && (why.code == mato::errc::stopping || why.code == mato::errc::closed ||
                                         why.code == std::errc::connection_reset || why.code == std::errc::broken_pipe);
        const auto wait = again && !until.passed() ? pause.next(mato::clock::now()) : std::nullopt;
        if (wait) {
            mato::sys::sleep_ms(static_cast<long>(wait->count()));
            continue;
        }
        if (mode == start::never &&
            (why.code == mato::cond::not_running || why.code == mato::errc::stopping || why.code == mato::errc::closed))
            throw command_failure{1, "no daemon is running (" + paths.daemon.socket + ")"};
        if (why.code == mato::errc::timed_out)
            throw command_failure{mato::exit_code::not_answering, "the daemon does not answer (" + why.message() + ")"};
        throw command_failure{mato::exit_code_for(why.code), why.message()};
    }
}

/// Says hello; true once welcome. @throws command_failure when refused.
bool remote::greet(mato::deadline until, const std::function<void()>& meanwhile, mato::failure& why) {
    hello greeting;
    greeting.pid = static_cast<std::uint32_t>(mato::sys::getpid());
    greeting.program = "mato " MATO_VERSION_STRING;
    char tty[256];
    if (::ttyname_r(0, tty, sizeof tty) == 0) greeting.tty = tty;
    mato::failure sending; // a daemon that refused has closed its side; what it said is still to be read
    client_.send(encode(message::hello, ++last_id_, greeting), until, sending);
    if (meanwhile) meanwhile();
    const auto payload = client_.receive(until, why);
    if (why) return false;
    const auto frame = payload ? parse_header(*payload) : std::nullopt;
    if (frame && frame->type == message::refused)
        if (const auto text = decode<refusal>(frame->body)) throw command_failure{text->exit_code, text->text};
    const auto answer = frame && frame->type == message::welcome ? decode<welcome>(frame->body) : std::nullopt;
    if (!answer) throw command_failure{mato::exit_code::version_mismatch, "what answers on the socket is no mato daemon"};
    welcome_ = *answer;
    const auto behind = client_.next(why); // sent in one go with the welcome when the daemon is on its way out
    if (behind && parse_header(*behind).value_or(header{}).type == message::stopping)
        why = {mato::errc::stopping, "greet", {}, "the daemon is stopping"};
    return !why;
}

std::optional<header> remote::next(mato::deadline until) {
    mato::failure why;
    const auto payload = client_.receive(until, why);
    if (why.code == mato::errc::timed_out) return std::nullopt;
    if (why) throw command_failure{1, "the daemon went away (" + why.message() + ")"};
    const auto frame = parse_header(*payload);
    if (!frame) throw command_failure{mato::exit_code::version_mismatch, "the daemon sent a message without a header"};
    return frame;
}

std::vector<std::string> remote::environment_for_daemon() const {
    std::vector<std::string> result;
    for (const std::string& name : welcome_.update_environment) {
        const char* const value = ::getenv(name.c_str());
        result.push_back(value ? name + "=" + value : name);
    }
    return result;
}

} // namespace mux
