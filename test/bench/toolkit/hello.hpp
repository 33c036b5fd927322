// SPDX-License-Identifier: MIT
/// @file hello.hpp: connecting and saying hello, each side compared with code written by hand.
#pragma once

#include "common.hpp"

#include <mato/client.hpp>

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>
#include <utility>
#include <vector>

namespace bench {

using namespace std::chrono_literals;

inline constexpr std::string_view greeting = "hello";
inline constexpr char framed_greeting[] = "\5\0\0\0hello"; // as sent by length_prefixed<>
inline constexpr std::size_t framed_bytes = sizeof framed_greeting - 1;

/// A server in a separate process, as long as the program runs.
class server_process {
public:
    template <class F> explicit server_process(F serve) : pid_(need(::fork(), "fork")) {
        if (pid_ != 0) return;
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        serve();
        std::_Exit(1);
    }
    server_process(const server_process&) = delete;
    ~server_process() {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }

private:
    pid_t pid_;
};

/// A minimal correct epoll loop for any number of clients: checks credentials, closes clients whose hello is late
/// (all have the same time, so the timer waits for the oldest, and is off when none is waited for), reads complete frames,
/// replies.
class bare_loop {
public:
    explicit bare_loop(int listening)
        : listening_(listening), loop_(need(::epoll_create1(EPOLL_CLOEXEC), "epoll")),
          timer_(need(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), "timer")), clients_(1024) {
        watch(listening_), watch(timer_);
    }
    [[noreturn]] void run() {
        for (;;) {
            epoll_event ready[128];
            const int count = ::epoll_wait(loop_, ready, 128, -1);
            for (int i = 0; i < count; ++i)
                if (const int fd = ready[i].data.fd; fd == listening_)
                    accept_all();
                else if (fd == timer_)
                    end_late_ones();
                else
                    serve(fd);
        }
    }

private:
    struct client {
        mato::clock::time_point hello_until{};
        bool is_awaited = false, is_open = false;
        std::size_t size = 0;
        char bytes[256];
    };
    static constexpr std::chrono::seconds patience{5};

    void watch(int fd) {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.fd = fd;
        need(::epoll_ctl(loop_, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
    }
    void wake_in(std::chrono::nanoseconds span) { // 0: not at all
        itimerspec when{};
        when.it_value.tv_sec = span.count() / 1'000'000'000;
        when.it_value.tv_nsec = span.count() % 1'000'000'000;
        need(::timerfd_settime(timer_, 0, &when, nullptr), "timer");
    }
    void accept_all() {
        for (int fd; (fd = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)) != -1;) {
            ucred peer{};
            socklen_t size = sizeof peer;
            if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == -1 || peer.uid != ::geteuid() ||
                static_cast<std::size_t>(fd) >= clients_.size()) {
                ::close(fd);
                continue;
            }
            watch(fd);
            client& fresh = clients_[static_cast<std::size_t>(fd)];
            fresh.hello_until = mato::clock::now() + patience;
            fresh.is_awaited = fresh.is_open = true;
            fresh.size = 0;
            if (++awaited_ == 1) wake_in(patience);
        }
    }
    void await_no_more(client& its) {
        if (std::exchange(its.is_awaited, false) && --awaited_ == 0) wake_in({});
    }
    void end(int fd) {
        client& its = clients_[static_cast<std::size_t>(fd)];
        await_no_more(its);
        its.is_open = false;
        ::close(fd);
    }
    void serve(int fd) {
        client& its = clients_[static_cast<std::size_t>(fd)];
        const ssize_t got = ::recv(fd, its.bytes + its.size, sizeof its.bytes - its.size, 0);
        if (got == -1 && errno == EAGAIN) return;
        if (got <= 0) return end(fd);
        its.size += static_cast<std::size_t>(got);
        for (std::uint32_t size = 0; its.size >= sizeof size;) {
            std::memcpy(&size, its.bytes, sizeof size);
            const std::size_t whole = sizeof size + size;
            if (whole > sizeof its.bytes) return end(fd);
            if (its.size < whole) return;
            await_no_more(its);
            if (::send(fd, its.bytes, whole, MSG_NOSIGNAL) != static_cast<ssize_t>(whole)) return end(fd);
            its.size -= whole;
            std::memmove(its.bytes, its.bytes + whole, its.size);
        }
    }
    void end_late_ones() {
        std::uint64_t times = 0;
        need(static_cast<int>(::read(timer_, &times, sizeof times)), "timer");
        const auto now = mato::clock::now();
        auto next = mato::clock::time_point::max();
        for (std::size_t fd = 0; fd < clients_.size(); ++fd) {
            const client& its = clients_[fd];
            if (!its.is_open || !its.is_awaited) continue;
            if (its.hello_until <= now)
                end(static_cast<int>(fd));
            else
                next = std::min(next, its.hello_until);
        }
        if (awaited_ > 0) wake_in(next - now);
    }

    int listening_, loop_, timer_;
    std::vector<client> clients_; // by descriptor
    int awaited_ = 0;
};
inline const std::string& bare_server() {
    static const std::string path = (scratch() / "bare.sock").native();
    static const int listening = [] {
        const int fd = need(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket");
        const auto address = address_of(path);
        need(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), "bind");
        need(::listen(fd, 128), "listen");
        return fd;
    }();
    static const server_process server([] { bare_loop(listening).run(); });
    return path;
}

inline const std::string& toolkit_server() {
    static const auto options = options_in(scratch() / "serving");
    static const server_process server([] {
        mato::failure why;
        mato::daemon::serve(options, echo, why);
    });
    const std::string& path = options.paths.socket;
    while (!std::filesystem::exists(path)) mato::sys::sleep_ms(1);
    return path;
}

inline void hello_from_bare(State& state, const std::string& path) {
    const auto address = address_of(path);
    for (auto _ : state) {
        const int fd = need(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket");
        need(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), "connect");
        ucred peer{};
        socklen_t size = sizeof peer;
        need(::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size), "getsockopt");
        if (peer.uid != ::geteuid()) give_up("peer");
        need(static_cast<int>(::send(fd, framed_greeting, framed_bytes, MSG_NOSIGNAL)), "send");
        char buffer[64];
        ssize_t got = ::recv(fd, buffer, sizeof buffer, 0);
        while (got == -1 && errno == EAGAIN) {
            pollfd readable{fd, POLLIN, 0};
            ::poll(&readable, 1, 10'000);
            got = ::recv(fd, buffer, sizeof buffer, 0);
        }
        if (got != static_cast<ssize_t>(framed_bytes)) give_up("recv");
        ::close(fd);
    }
}
inline void hello_from_toolkit(State& state, const std::string& path) {
    const mato::owned_path where(path);
    for (auto _ : state) {
        mato::failure why;
        const auto until = mato::deadline::in(10s);
        auto client = mato::client::connect(where, until, why);
        if (!why) client.send(greeting, until, why);
        if (why || client.receive(until, why) != greeting) give_up("hello");
    }
}
inline void client_toolkit(State& state) { hello_from_toolkit(state, bare_server()); }
inline void client_bare(State& state) { hello_from_bare(state, bare_server()); }
inline void server_toolkit(State& state) { hello_from_bare(state, toolkit_server()); }
inline void server_bare(State& state) { hello_from_bare(state, bare_server()); }

} // namespace bench
