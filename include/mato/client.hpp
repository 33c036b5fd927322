// SPDX-License-Identifier: MIT
/// @file client.hpp: finds the daemon, starts it when there is none, and talks to it in frames.
/// Layer: 4 (composition), free of asio.  Test: test/toolkit/client_test.cpp, test/mato/start_race_process_test.cpp.
/// Threads: one object, one thread.   Blocks: until the given deadline, except for calls marked "Never blocks".
/// Fork: `connect_or_start` forks if `launch` does; call it before the first thread is started.
#pragma once

#include "clock.hpp"
#include "descriptors.hpp"
#include "detail/number_cast.hpp"
#include "policies.hpp"
#include "unique_fd.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace mato {
inline namespace MATO_ABI {

/// A connection to a daemon for programs without an event loop: each call waits at most until its deadline. `client` has the
/// default policies. With an event loop, wait for `native_handle()` and use `queue`, `flush`, `fill` and `next`.
///
/// @threads distinct objects are independent; one object, one thread.
/// @fork `connect_or_start` forks if `launch` does; call it before the first thread.
/// @blocks until the given deadline, except for calls marked "Never blocks".
///
/// @code
/// auto client = mato::client::connect(mato::owned_path(paths.socket), until, why);
/// if (!why) client.send("ping", until, why);
/// const auto answer = why ? std::nullopt : client.receive(until, why);
/// if (answer) std::printf("%s\n", std::string(*answer).c_str());
/// if (why.code == mato::cond::not_running) std::printf("no daemon runs\n");
/// @endcode
template <class Policies = default_policies> class basic_client {
    static_assert(detail::require_policies<Policies>::ok);

public:
    using framing = typename Policies::framing;
    using endpoint = typename Policies::endpoint;
    using server_policy = typename detail::server_of<Policies>::type;

    basic_client() noexcept = default;

    /// Connects to a running daemon and checks by `policies::server` which user it runs as (by default this user or root),
    /// before anything is sent. Waits while the daemon's backlog is full.
    /// @errors cond::not_running · server_not_trusted · timed_out: it runs but accepts no clients · any of connect(2).
    [[nodiscard]] static basic_client connect(const endpoint& where, deadline until, error_out out) {
        return connect(where, server_policy{}, until, out);
    }
    /// With a policy that has values, for example `uid_set{{account}}` for a daemon of a service account, or group_member.
    template <peer_policy Server>
    [[nodiscard]] static basic_client connect(const endpoint& where, const Server& trusted, deadline until, error_out out);

    /// As `connect`. If no daemon runs, it is started; of several clients that do this at the same time exactly one starts it.
    ///
    /// `launch()` returns an object like start_outcome: true once the daemon serves, else the reason in `why` (already_running
    /// too). It is called under a lock on `paths.directory()`, after a second attempt to connect. Other clients wait for the
    /// lock and then connect.
    /// @errors as `connect` · the daemon's own start error · unsafe_directory · not_ready.
    template <class Launch> [[nodiscard]] static basic_client connect_or_start(const daemon_paths& paths, deadline until,
                                                                               Launch launch, error_out out) {
        return connect_or_start(paths, server_policy{}, until, std::move(launch), out);
    }
    /// With a server policy that has values, as `connect`.
    template <peer_policy Server, class Launch> [[nodiscard]] static basic_client
    connect_or_start(const daemon_paths& paths, const Server& trusted, deadline until, Launch launch, error_out out);

    /// Sends `signal` to the daemon that holds `paths.lock`, and to no other process. If the lock file cannot prove which
    /// process that is (another pid namespace), the process that listens on the socket is taken from the kernel. Never blocks.
    /// @returns the daemon's pid as seen here, else 0. @errors as basic_instance_lock::signal_holder.
    static pid_t signal_daemon(const daemon_paths& paths, int signal, error_out out);

    /// Sends SIGTERM to the daemon that holds `paths.lock`, as `signal_daemon`, and waits until it has released the lock: then
    /// its socket and files are gone, and another one can start.
    /// @returns the pid of the daemon that was stopped, else 0. @errors as `signal_daemon` · timed_out: it still runs.
    static pid_t stop_daemon(const daemon_paths& paths, deadline until, error_out out);

    /// Queues a frame and sends as much of the queue as the kernel accepts. Never blocks.
    /// @errors frame_too_large · any of send(2).
    void queue(std::string_view payload, error_out out);
    /// As `queue`, and passes descriptors: the server receives its own descriptors for the same open files, no later than the
    /// frame. Waits until everything queued before is sent. After an error neither the frame nor the descriptors arrive, except
    /// when a part of the frame was already sent: then its rest is still sent. @errors as `send` · E2BIG: more than
    /// `max_passed_descriptors`.
    void send_with(std::string_view payload, std::span<const int> descriptors, deadline until, error_out out);
    /// Sends what the kernel accepts; never blocks. If the daemon has closed the connection but its last words were not read
    /// yet, for example why it refuses this client, then the first call that notices it reports no error: `receive` returns
    /// them, and then the end. So do the other calls that send.
    void flush(error_out out);
    [[nodiscard]] std::size_t queued_bytes() const noexcept { return out_.size() - out_begin_; }
    /// Reads once. Never blocks. @returns false if there was nothing to read. @errors closed: end of stream.
    bool fill(error_out out);
    /// The next complete frame that was already read. The view is valid until the next `fill` or `next`. Never blocks.
    [[nodiscard]] std::optional<std::string_view> next(error_out out);

    /// Accepts descriptors that the daemon passes, at most `most` with a frame; more are an error of `next` and `receive`
    /// (errc::malformed). Without this call the kernel discards them. If the process has no free descriptor numbers, the frame
    /// comes without its descriptors.
    void accept_descriptors(std::size_t most) noexcept { most_descriptors_ = most; }
    /// The next descriptor that was passed with the last frame that `next` or `receive` returned. Empty: there is none. Those
    /// that are not taken are closed by the following call of `next` or `receive`. Never blocks.
    [[nodiscard]] unique_fd take_descriptor() noexcept { return arrived_.take(); }

    /// Queues a frame and waits until the whole queue is sent. @errors as `queue` · timed_out.
    void send(std::string_view payload, deadline until, error_out out);
    /// Waits for the next frame, and sends queued frames while it waits.
    /// @errors closed · timed_out · frame_too_large, malformed.
    [[nodiscard]] std::optional<std::string_view> receive(deadline until, error_out out);

    [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(socket_); }
    [[nodiscard]] int native_handle() const noexcept { return socket_.get(); }
    [[nodiscard]] const peer_credentials& server() const noexcept { return server_; }

private:
    static constexpr std::size_t first_read_bytes = 4_KiB; // size of a usual answer; doubled while reads fill the buffer
    static constexpr std::size_t most_read_bytes = 64_KiB;

    bool wait(short events, deadline until, error_out out) const;
    /// Reports why there is no connection, for every call on an unconnected client.
    bool is_connected(error_out out) const {
        if (!socket_) out.set(why_not_);
        return static_cast<bool>(socket_);
    }
    static basic_client unconnected(const failure& why, error_out out) {
        out.set(why);
        basic_client result;
        result.why_not_ = why;
        return result;
    }

    failure why_not_{{ENOTCONN, std::system_category()}, "use a client", {}, "the client is not connected; call connect first"};
    unique_fd socket_;
    peer_credentials server_;
    frame_decoder<framing> decoder_;
    detail::basic_arrived_descriptors<> arrived_;
    std::size_t most_descriptors_ = 0;
    std::uint64_t received_ = 0; // bytes
    std::string out_;
    std::size_t out_begin_ = 0;
    std::size_t read_bytes_ = first_read_bytes;
    bool is_end_known_ = false; // sending has failed once
};

using client = basic_client<>;

// ---- implementation ----

template <class P> template <peer_policy Server>
auto basic_client<P>::connect(const endpoint& where, const Server& trusted, deadline until, error_out out) -> basic_client {
    static_assert(endpoint::named || Server::checks,
                  "mato: this endpoint has no file permissions, so the client must check the "
                  "daemon's user (any_peer does not)");
    basic_client result;
    typename P::backoff policy{};
    for (;;) {
        failure why;
        unique_fd socket = where.connect(why);
        if (!why) {
            result.server_ = require_peer(socket.get(), trusted, errc::server_not_trusted, why);
            if (why) return unconnected(why, out);
            result.socket_ = std::move(socket);
            return result;
        }
        auto pause = why.code == cond::busy ? policy.next(clock::now()) : std::nullopt;
        if (why.code == cond::busy && !pause) { // the policy's own total has passed; only the caller's deadline counts here
            policy = typename P::backoff();
            pause = policy.next(clock::now());
        }
        if (!pause || until.passed()) {
            if (why.code == cond::busy)
                why = {errc::timed_out, "connect", where.describe(),
                       "the daemon runs, but its queue of waiting clients is full; try again later"};
            return unconnected(why, out);
        }
        const long wait = detail::number_cast<long>(pause->count()), left = until.poll_timeout();
        sys::sleep_ms(wait < left ? wait : left);
    }
}

template <class P> template <peer_policy Server, class Launch>
auto basic_client<P>::connect_or_start(const daemon_paths& paths, const Server& trusted, deadline until, Launch launch,
                                       error_out out) -> basic_client {
    constexpr milliseconds look_again{50}; // while another client starts the daemon: how late the success may be noticed
    const endpoint where(paths.socket);
    typename P::backoff policy{};
    failure why;
    const auto try_connect = [&] { return connect(where, trusted, until, why); };
    for (;;) {
        basic_client found = try_connect();
        if (!why) return found;
        if (why.code != cond::not_running) return unconnected(why, out);
        detail::make_directory_for<endpoint>(paths.directory(), why);
        if (why) return unconnected(why, out);

        const auto soon = clock::now() + look_again;
        auto starting = instance_lock::acquire_directory( // flock: the one mechanism that works on a directory
            paths.directory(), deadline(until.at() < soon ? until.at() : soon), why);
        if (!why) {
            found = try_connect(); // the previous holder of the lock may have started the daemon
            if (!why) return found;
            if (why.code != cond::not_running) return unconnected(why, out);
            const auto started = launch();
            if (started) {
                found = try_connect();
                if (!why) return found;
                if (why.code != cond::not_running) return unconnected(why, out);
            } else if (started.why.code != errc::already_running) {
                return unconnected(started.why, out);
            } else {
                why = started.why; // the other daemon holds the lock but does not listen yet, or not any more
            }
        } else if (why.code != errc::timed_out) {
            return unconnected(why, out);
        }
        starting = {};
        if (until.passed())
            return unconnected({errc::not_ready, "start the daemon", paths.socket,
                                "it was not ready in time; the last attempt failed: " + why.message()},
                               out);
        if (const auto pause = policy.next(clock::now()))
            sys::sleep_ms(detail::number_cast<long>(pause->count()));
        else
            policy = typename P::backoff();
    }
}

template <class P> pid_t basic_client<P>::signal_daemon(const daemon_paths& paths, int signal, error_out out) {
    const auto who_listens = [&](error_out unknown) {
        found_process found;
        const unique_fd socket = endpoint(paths.socket).connect(unknown);
        if (unknown.failed()) return found;
        found.number = credentials_of(socket.get(), unknown).pid;
        std::error_code
            older; // a kernel without SO_PEERPIDFD: signal_holder opens a pidfd for the pid and compares start times
        found.process = process_of(socket.get(), older);
        return found;
    };
    return basic_instance_lock<typename P::lock>::signal_holder(paths.lock, signal, who_listens, out);
}

template <class P> pid_t basic_client<P>::stop_daemon(const daemon_paths& paths, deadline until, error_out out) {
    constexpr long first_ms = 1, longest_ms = 20; // between two looks at the lock, which has no descriptor to wait for
    const pid_t stopped = signal_daemon(paths, SIGTERM, out);
    if (out.failed()) return 0;
    for (long pause = first_ms;; pause = pause * 2 < longest_ms ? pause * 2 : longest_ms) {
        failure why;
        const pid_t holder = signal_daemon(paths, 0, why);
        if (why.code == cond::not_running || (!why && holder != stopped)) return stopped;
        if (until.passed()) break;
        const long left = until.poll_timeout();
        sys::sleep_ms(pause < left ? pause : left);
    }
    return out.fail<pid_t>(errc::timed_out, "stop the daemon", paths.lock,
                           "pid " + std::to_string(stopped) + " has got SIGTERM but still runs");
}

template <class P> void basic_client<P>::queue(std::string_view payload, error_out out) {
    if (!is_connected(out)) return;
    framing::append(out_, payload, out);
    if (!out.failed()) flush(out);
}

template <class P>
void basic_client<P>::send_with(std::string_view payload, std::span<const int> descriptors, deadline until, error_out out) {
    if (!is_connected(out)) return;
    while (!out.failed() && queued_bytes() > 0 && wait(POLLOUT, until, out)) flush(out);
    if (out.failed()) return;
    std::string frame;
    framing::append(frame, payload, out);
    std::size_t sent = 0;
    while (!out.failed() && sent == 0 && wait(POLLOUT, until, out))
        sent = send_descriptors(socket_.get(), frame, descriptors, out);
    if (sent == 0) return;
    out_ = std::move(frame); // its unsent rest
    out_begin_ = sent;
    if (!out.failed()) flush(out);
}

template <class P> void basic_client<P>::flush(error_out out) {
    if (!is_connected(out)) return;
    while (queued_bytes() > 0) {
        const ssize_t sent = sys::send(socket_.get(), out_.data() + out_begin_, queued_bytes());
        if (sent < 0) {
            if (errno == EAGAIN || errno == EWOULDBLOCK) return;
            const std::error_code why = last_error();
            char byte = 0;
            const bool has_last_words =
                !std::exchange(is_end_known_, true) && sys::recv(socket_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
            if (!has_last_words) return out.set(why, "send");
            break;
        }
        out_begin_ += static_cast<std::size_t>(sent);
    }
    out_.clear();
    out_begin_ = 0;
}

template <class P> bool basic_client<P>::fill(error_out out) {
    if (!is_connected(out)) return false;
    const auto room = decoder_.prepare(read_bytes_);
    std::size_t size = 0;
    if (most_descriptors_ > 0) {
        if (arrived_.size() > most_descriptors_) return false; // `next` returns their frame, or that they are too many
        size = arrived_.receive(socket_.get(), room, received_, out);
    } else {
        const ssize_t got = sys::recv(socket_.get(), room.data(), room.size());
        if (got > 0)
            size = static_cast<std::size_t>(got);
        else if (got == 0)
            out.set(errc::closed, "receive");
        else if (errno != EAGAIN && errno != EWOULDBLOCK)
            out.set(last_error(), "receive");
    }
    decoder_.commit(size);
    received_ += size;
    if (size == room.size()) read_bytes_ = read_bytes_ < most_read_bytes ? 2 * read_bytes_ : most_read_bytes;
    return size > 0 && !out.failed();
}

template <class P> std::optional<std::string_view> basic_client<P>::next(error_out out) {
    arrived_.end_frame();
    auto frame = decoder_.next(out);
    if (most_descriptors_ == 0 || out.failed()) return frame;
    if (frame)
        arrived_.begin_frame(received_ - decoder_.buffered(), most_descriptors_, out);
    else
        arrived_.no_frame(most_descriptors_, out);
    if (out.failed()) frame.reset();
    return frame;
}

template <class P> bool basic_client<P>::wait(short events, deadline until, error_out out) const {
    for (;;) {
        pollfd ready{socket_.get(), events, 0};
        const int polled = sys::poll(&ready, 1, until.poll_timeout());
        if (polled > 0) return true;
        if (polled == -1 && errno != EINTR) return out.fail<bool>(last_error(), "wait");
        if (until.passed()) return out.fail<bool>(errc::timed_out, "wait for the daemon", {}, "no answer in time");
    }
}

template <class P> void basic_client<P>::send(std::string_view payload, deadline until, error_out out) {
    queue(payload, out);
    while (!out.failed() && queued_bytes() > 0 && wait(POLLOUT, until, out)) flush(out);
}

template <class P> std::optional<std::string_view> basic_client<P>::receive(deadline until, error_out out) {
    for (;;) {
        if (auto frame = next(out); frame || out.failed()) return frame;
        if (fill(out)) continue;
        if (out.failed()) return std::nullopt;
        failure unsent; // the request that this answers may be larger than the kernel's buffer
        flush(unsent);
        if (unsent) out_.clear(), out_begin_ = 0; // the next read reports that the server is gone
        if (!wait(static_cast<short>(queued_bytes() > 0 ? POLLIN | POLLOUT : POLLIN), until, out)) return std::nullopt;
    }
}

} // namespace MATO_ABI
} // namespace mato
