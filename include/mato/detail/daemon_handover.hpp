// SPDX-License-Identifier: MIT
/// @file daemon_handover.hpp: a daemon's side of its handover policy: nothing, or a keeper and its workers.
/// Layer: 4 (composition).  Test: test/toolkit/handover_policy_test.cpp, test/process/survive_process_test.cpp.
/// Threads: the daemon's thread alone.   Blocks: as kept.hpp.
///
/// Nothing of the keeper is included here: all of it is reached through the policy, so only its users pay for it.
#pragma once

#include "../endpoint.hpp"
#include "../error.hpp"
#include "../handover.hpp"
#include "../sys.hpp"
#include "asio_descriptor.hpp"
#include "asio_loop.hpp"

#include <functional>
#include <string>
#include <utility>

namespace mato {
inline namespace MATO_ABI {
namespace detail {

/// What a daemon asks of its handover policy, in the process that serves. The primary template: nothing survives.
/// A bool and no constraint: clang 14 does not find the members of a constrained specialisation.
template <class Handover, bool Outlives = survives<Handover>> class daemon_handover {
public:
    static constexpr bool outlives = false;
    using worker = no_worker;

    daemon_handover(asio::io_context&, worker&) {}
    [[nodiscard]] const generation& number() const noexcept { return first_; }
    [[nodiscard]] pid_t pid() const noexcept { return sys::getpid(); } ///< of the process that stands for the daemon
    [[nodiscard]] std::string describe() const { return {}; }          ///< for the log, after the pid
    [[nodiscard]] bool has_listener() const noexcept { return false; }
    [[nodiscard]] bool must_stop() const noexcept { return false; }
    [[nodiscard]] bool counts_stop(bool) noexcept { return true; }
    template <class Server> void adopt(Server&, typename Server::endpoint_type, typename Server::peer_type, error_out) {}
    template <class Server> void published(const Server&, int, error_out) {}
    void await_listener(error_out) {}
    template <class OnEvent> void serving(OnEvent) {}
    void gives_up(const failure&) {}
    void await_go(error_out) {}
    void stopping() {}
    void stopped() {}

private:
    generation first_;
};

template <class Handover> class daemon_handover<Handover, true> {
public:
    static constexpr bool outlives = true;
    using worker = typename Handover::worker;
    using event = typename worker::event;

    daemon_handover(asio::io_context& context, worker& side) : side_(side), context_(context), wait_(context) {}
    daemon_handover(const daemon_handover&) = delete;
    daemon_handover& operator=(const daemon_handover&) = delete;
    ~daemon_handover() {
        side_.on_event = {};
        if (wait_.is_open()) wait_.release(); // the descriptor is the worker's side's
    }

    [[nodiscard]] worker& side() noexcept { return side_; }
    [[nodiscard]] const generation& number() const noexcept { return side_.number(); }
    [[nodiscard]] pid_t pid() const noexcept { return side_.keeper() != 0 ? side_.keeper() : sys::getpid(); }
    [[nodiscard]] std::string describe() const;
    [[nodiscard]] bool has_listener() const noexcept { return side_.has_listener(); }
    [[nodiscard]] bool must_stop() const noexcept { return side_.must_stop(); }
    /// Of a stop request that is sent to all processes of the daemon, the keeper's copy and this process's count as one.
    [[nodiscard]] bool counts_stop(bool is_passed_on) noexcept {
        const int most = direct_stops_ > passed_stops_ ? direct_stops_ : passed_stops_;
        return ++(is_passed_on ? passed_stops_ : direct_stops_) > most;
    }

    /// Goes on with the listener that an earlier worker published.
    template <class Server>
    void adopt(Server& server, typename Server::endpoint_type where, typename Server::peer_type peer, error_out out) {
        auto listener = side_.take_listener();
        server.adopt(std::move(where), std::move(peer), std::move(listener.socket),
                     published_name{listener.device, listener.inode}, out);
    }
    /// Gives the keeper the listener that `server` has now.
    template <class Server> void published(const Server& server, int backlog, error_out out) {
        if (side_.keeper() == 0) return; // it is gone, or was not asked for
        const published_name name = server.listener().endpoint().published();
        side_.listen_on(server.listener().native_handle(), name.device, name.inode, backlog, out);
        was_given_ = !out.failed();
    }
    void await_listener(error_out out) {
        if (std::exchange(was_given_, false)) side_.await_listener(out);
    }
    /// A program that could not take over ends here, without an effect on what the old worker has published.
    void gives_up(const failure& why) {
        if (!side_.is_program()) return;
        side_.report(why);
        ::_exit(1);
    }
    /// Waits until the worker that this one replaces is dead. @errors not_ready: this one does not replace it.
    void await_go(error_out out) { side_.await_go(out); }
    /// From here on `on_event` is called in the loop for each event of the keeper's.
    template <class OnEvent> void serving(OnEvent on_event);
    void stopping() { side_.say_stopping(); }
    void stopped() { side_.stopped(); }

private:
    void wait();
    void take_events() {
        while (auto next = side_.next()) {
            if (next->what == event::kind::keeper_lost && wait_.is_open()) wait_.release();
            on_event_(*next);
        }
    }

    worker& side_;
    asio::io_context& context_;
    asio::posix::stream_descriptor wait_;
    std::function<void(const event&)> on_event_;
    int direct_stops_ = 0, passed_stops_ = 0;
    bool was_given_ = false; // the listener; the keeper has not answered yet
};

/// Serves by a keeper, which this process becomes. `serve(worker&, error_out)` runs in each worker, `destroy()` destroys there
/// what the program's setup captured. `events` is the keeper's, see keeper_events. @returns in the keeper alone.
template <class Process, class Serve, class Destroy, class Events>
int keep_serving(Process& process, const sigset_t& signals, Serve serve, Destroy destroy, Events& events, error_out out) {
    process.open(signals, out);
    if (out.failed()) return 1;
    if (auto side = process.run(events)) {
        failure why;
        int code = 1;
        try {
            code = serve(*side, error_out(why));
        } catch (...) {
            why = current_failure("start");
        }
        if (why) side->report(why);
        destroy();
        ::_exit(code); // the keeper's static objects and buffers are not this process's to destroy or flush
    }
    if (process.why()) out.set(process.why());
    return process.code();
}

// ---- implementation ----

template <class H> std::string daemon_handover<H, true>::describe() const {
    const auto& now = number();
    if (side_.keeper() == 0) return {};
    std::string text = ", worker " + std::to_string(sys::getpid());
    if (now.number == 1) return text;
    text += ", generation " + std::to_string(now.number);
    if (now.last_signal != 0) text += "; the one before died of signal " + std::to_string(now.last_signal);
    return text + "; " + std::to_string(now.gap.count()) + " ms without service";
}

template <class H> template <class OnEvent> void daemon_handover<H, true>::serving(OnEvent on_event) {
    on_event_ = std::move(on_event);
    side_.on_event = [this] { asio::post(context_, [this] { take_events(); }); };
    side_.say_serving();
    if (side_.keeper() != 0) wait_.assign(side_.native_handle());
    wait();
}

template <class H> void daemon_handover<H, true>::wait() {
    if (!wait_.is_open()) return asio::post(context_, [this] { take_events(); });
    wait_.async_wait(asio::posix::stream_descriptor::wait_read, [this](std::error_code why) {
        if (why) return;
        take_events();
        if (wait_.is_open()) wait();
    });
}

} // namespace detail
} // namespace MATO_ABI
} // namespace mato
