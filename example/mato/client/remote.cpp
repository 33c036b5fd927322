// SPDX-License-Identifier: MIT
#include "remote.hpp"

#include "launch.hpp"
#include "lost_socket.hpp"

#include <mato/version.hpp>

#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace mux {
namespace {

constexpr mato::milliseconds most_unheard{300}; // how long a `wait` may not be called

/// The connection ended before the daemon knew the client: it was stopping, or created its socket again. Nothing is lost.
bool ended_before_greeting(const std::error_code& why) {
    return why == mato::errc::stopping || why == mato::errc::closed || why == std::errc::connection_reset ||
           why == std::errc::broken_pipe;
}

} // namespace

void pause_for(mato::milliseconds span, const daemon_wait& wait) {
    if (!wait) return mato::sys::sleep_ms(static_cast<long>(span.count()));
    if (!wait(-1, mato::deadline::in(span))) throw wait_ended{{1, "the wait for the daemon was given up"}};
}

remote remote::open(const program_paths& paths, start mode, mato::deadline until, const std::function<void()>& meanwhile,
                    const daemon_wait& wait) {
    remote result;
    result.wait_ = wait;
    mato::exponential_backoff pause;
    lost_socket lost(paths.daemon);
    const auto launch = [&] {
        auto outcome = launch_daemon(paths, meanwhile);
        if (outcome.what == mato::start_outcome::kind::already_running) lost.look();
        return outcome;
    };
    for (;;) {
        mato::failure why;
        // Without a queue of waiting clients that is full it does not wait.
        const mato::deadline soon(wait ? std::min(until.at(), mato::deadline::in(most_unheard).at()) : until.at());
        if (mode == start::if_needed)
            result.client_ = mato::basic_client<policies>::connect_or_start(paths.daemon, until, launch, why);
        else
            result.client_ = mato::basic_client<policies>::connect(mato::owned_path(paths.daemon.socket), soon, why);
        if (!why && result.greet(until, meanwhile, why)) {
            if (const std::string news = lost.found(static_cast<pid_t>(result.welcome_.pid)); !news.empty())
                std::fprintf(stderr, "mato: %s\n", news.c_str());
            return result;
        }
        const bool is_absent = why.code == mato::cond::not_running || why.code == mato::errc::not_ready;
        const auto holder = is_absent ? lost.look() : std::nullopt;
        if (why.code == mato::cond::not_running && !holder)
            throw no_daemon{{1, "no daemon is running (" + paths.daemon.socket + ")"}};
        const bool is_full = why.code == mato::errc::timed_out;
        if ((holder || is_full || ended_before_greeting(why.code)) && !until.passed()) {
            auto span = pause.next(mato::clock::now());
            if (!span) span = (pause = mato::exponential_backoff()).next(mato::clock::now()); // the deadline decides
            pause_for(std::min(span.value_or(mato::milliseconds(1)), mato::milliseconds(until.poll_timeout())), wait);
            continue;
        }
        if (holder) throw command_failure{mato::exit_code::already_running, lost.not_found(*holder)};
        if (ended_before_greeting(why.code))
            throw command_failure{mato::exit_code::already_running,
                                  "the daemon (" + paths.daemon.socket +
                                      ") is still stopping; try again, or end it with 'mato stop --now'"};
        if (why.code == mato::errc::timed_out)
            throw command_failure{mato::exit_code::not_answering, "the daemon does not answer (" + why.message() +
                                                                      "); try again, or end it with 'mato stop --now'"};
        throw command_failure{mato::exit_code_for(why.code), why.message()};
    }
}

/// Sends the hello; true after the welcome. @throws command_failure when refused.
bool remote::greet(mato::deadline until, const std::function<void()>& meanwhile, mato::failure& why) {
    hello greeting;
    greeting.pid = static_cast<std::uint32_t>(mato::sys::getpid());
    greeting.program = "mato " MATO_VERSION_STRING;
    greeting.features = comes_back;
    char tty[256];
    if (::ttyname_r(0, tty, sizeof tty) == 0) greeting.tty = tty;
    mato::failure sending; // a daemon that refused has closed its side; its message can still be read
    client_.send(encode<message::hello>(++last_id_, greeting), until, sending);
    if (meanwhile) meanwhile();
    const auto payload = receive(until, why);
    if (why) return false;
    const auto frame = payload ? parse_header(*payload) : std::nullopt;
    if (frame)
        if (const auto text = read_as<message::refused>(*frame)) throw command_failure{text->exit_code, text->text};
    const auto answer = frame ? read_as<message::welcome>(*frame) : std::nullopt;
    if (!answer)
        throw command_failure{mato::exit_code::version_mismatch, "the program that serves the socket is not a mato daemon"};
    welcome_ = *answer;
    const auto more = client_.next(why); // a stopping daemon sends it together with the welcome
    if (more && parse_header(*more).value_or(header{}).type == message::stopping)
        why = {mato::errc::stopping, "greet", {}, "the daemon is stopping"};
    return !why;
}

std::optional<std::string_view> remote::receive(mato::deadline until, mato::failure& why) {
    while (wait_) {
        if (auto payload = client_.next(why); payload || why) return payload;
        if (client_.fill(why)) continue;
        if (why) return std::nullopt;
        mato::failure unsent; // the next read reports that the daemon is gone
        client_.flush(unsent);
        if (until.passed()) {
            why = {mato::errc::timed_out, "wait for the daemon", {}, "no answer in time"};
            return std::nullopt;
        }
        if (!wait_(client_.native_handle(), until)) throw wait_ended{{1, "the wait for the daemon was given up"}};
    }
    return client_.receive(until, why);
}

std::optional<header> remote::next(mato::deadline until) {
    mato::failure why;
    const auto payload = receive(until, why);
    if (why.code == mato::errc::timed_out) return std::nullopt;
    gone_ = static_cast<bool>(why);
    if (why) throw daemon_gone{{1, "lost the connection to the daemon (" + why.message() + ")"}};
    const auto frame = parse_header(*payload);
    if (!frame)
        throw command_failure{mato::exit_code::version_mismatch,
                              "the daemon sent a message without a header; it may be of another version"};
    stopping_ = stopping_ || frame->type == message::stopping;
    opened_ = opened_ || frame->type == message::tab_opened || frame->type == message::attached;
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
