// SPDX-License-Identifier: MIT
/// @file start.hpp: start to ready, in the background, compared with code written by hand.
#pragma once

#include "common.hpp"
#include "lock.hpp"

#include <algorithm>
#include <csignal>
#include <poll.h>
#include <string>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace bench {

/// Ends the daemon whose pid is in `path`, and waits for it.
inline void end_daemon(const std::filesystem::path& path) {
    const pid_t pid = std::atoi(support::read_file(path).c_str());
    if (pid <= 1) give_up("pid");
    ::kill(pid, SIGTERM);
    need(::waitpid(pid, nullptr, 0), "waitpid");
}

/// A name and its inode, so that no other file is removed.
struct own_name {
    std::string path;
    struct ::stat made {};
    void remove() const {
        struct ::stat found {};
        if (::lstat(path.c_str(), &found) == 0 && found.st_dev == made.st_dev && found.st_ino == made.st_ino)
            ::unlink(path.c_str());
    }
};

inline void bare_background(int lock, int ready) {
    need(::chdir("/"), "chdir");
    const int null = need(::open("/dev/null", O_RDWR | O_CLOEXEC), "open");
    for (int fd = 0; fd < 3; ++fd) need(::dup2(null, fd), "dup2");
    ::close(null);
    ::umask(077);
    struct ::sigaction action {};
    for (int number = 1; number < NSIG; ++number) { // an exited starter, and a log at its limit, give error codes
        action.sa_handler = number == SIGPIPE || number == SIGXFSZ ? SIG_IGN : SIG_DFL;
        ::sigaction(number, &action, nullptr);
    }
    for (int fd = 3; fd < std::min(lock, ready); ++fd) ::close(fd);
    for (int fd = std::min(lock, ready) + 1; fd < std::max(lock, ready); ++fd) ::close(fd);
    ::syscall(SYS_close_range, static_cast<unsigned>(std::max(lock, ready) + 1), ~0U, 0U);
}

inline int bare_socket(own_name& name) {
    const std::string hidden = name.path + "~";
    const int listening = need(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket");
    ::unlink(hidden.c_str());
    const auto address = address_of(hidden);
    need(::fchmod(listening, 0700), "fchmod");
    need(::bind(listening, reinterpret_cast<const sockaddr*>(&address), sizeof address), "bind");
    need(::chmod(hidden.c_str(), 0700), "chmod");
    need(::listen(listening, 128), "listen");
    need(::lstat(hidden.c_str(), &name.made), "lstat");
    need(::rename(hidden.c_str(), name.path.c_str()), "rename");
    return listening;
}

inline void bare_pid_file(own_name& name) {
    const std::string fresh = name.path + ".new", pid = std::to_string(::getpid()) + "\n";
    ::unlink(fresh.c_str()); // left by a killed daemon
    const int file = need(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600), "pid file");
    need(static_cast<int>(::write(file, pid.data(), pid.size())), "write");
    need(::fstat(file, &name.made), "fstat");
    need(::rename(fresh.c_str(), name.path.c_str()), "rename");
    ::close(file);
}

/// The daemon's half of a start by hand: the guarantees of daemon.hpp, with an event loop's descriptors, but no event loop.
[[noreturn]] inline void be_bare_daemon(int lock, int ready, const std::string& base) {
    bare_background(lock, ready);
    struct ::stat now {};
    need(::fstat(lock, &now), "fstat");
    write_pid(lock, now.st_size);
    sigset_t set;
    sigemptyset(&set);
    for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGUSR1}) sigaddset(&set, number);
    ::pthread_sigmask(SIG_SETMASK, &set, nullptr);
    const int signals = need(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), "signalfd");
    const int log = ::open((base + ".log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    need(::fstat(need(log, "log"), &now), "fstat"); // how much it may grow
    const int loop = need(::epoll_create1(EPOLL_CLOEXEC), "epoll");
    epoll_event event{};
    event.events = EPOLLIN;
    for (const int fd : {::eventfd(0, EFD_CLOEXEC), ::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC), signals})
        need(::epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
    own_name socket{base + ".sock"}, pid{base + ".pid"};
    need(::epoll_ctl(loop, EPOLL_CTL_ADD, bare_socket(socket), &event), "epoll_ctl");
    bare_pid_file(pid);
    need(static_cast<int>(::write(ready, "R", 1)), "ready");
    ::close(ready);
    ::epoll_wait(loop, &event, 1, -1);
    pid.remove();
    socket.remove();
    bare_release(lock, (base + ".lock").c_str());
    ::_exit(0);
}

/// The starter's half. @returns whether the daemon is ready.
inline bool bare_start(const std::string& directory, const std::string& base) {
    for (int fd = 0; fd < 3; ++fd) // otherwise the lock could become the daemon's standard input
        if (::fcntl(fd, F_GETFD) == -1) need(::open("/dev/null", O_RDWR), "open");
    struct ::stat found {};
    if (::lstat(directory.c_str(), &found) == -1 || !S_ISDIR(found.st_mode) || found.st_uid != ::geteuid() ||
        found.st_mode & 077)
        give_up("directory");
    const int lock = bare_lock((base + ".lock").c_str());
    int ends[2];
    need(::pipe2(ends, O_CLOEXEC), "pipe2");
    sigset_t all, before;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    const pid_t middle = need(::fork(), "fork");
    if (middle == 0) {
        ::setsid();
        if (::fork() != 0) ::_exit(0);
        be_bare_daemon(lock, ends[1], base);
    }
    ::waitpid(middle, nullptr, 0);
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    ::close(ends[1]);
    ::close(lock);
    pollfd readable{ends[0], POLLIN, 0}; // the wait for a hanging daemon is bounded
    char word = 0;
    const bool is_ready = ::poll(&readable, 1, 10'000) == 1 && ::read(ends[0], &word, 1) == 1 && word == 'R';
    ::close(ends[0]);
    return is_ready;
}

struct start_times {
    double toolkit, bare; ///< medians, ns
};
/// Alternates the two, and which one is first, so that other load affects both equally.
inline start_times measure_starts(int rounds) {
    const auto options = options_in(scratch() / "started");
    const auto directory = scratch() / "by-hand";
    ::mkdir(directory.c_str(), 0700);
    const std::string base = (directory / "daemon").native();
    const auto timed = [](std::vector<double>& into, const auto& start, const std::string& pid) {
        const auto began = mato::clock::now();
        start();
        into.push_back(std::chrono::duration<double, std::nano>(mato::clock::now() - began).count());
        end_daemon(pid);
    };
    const auto by_toolkit = [&] {
        if (const auto outcome = mato::daemon::launch(options, echo); !outcome) give_up(outcome.why.message().c_str());
    };
    const auto by_hand = [&] {
        if (!bare_start(directory.native(), base)) give_up("not ready");
    };
    std::vector<double> toolkit, bare;
    toolkit.reserve(static_cast<std::size_t>(rounds)), bare.reserve(static_cast<std::size_t>(rounds));
    for (int round = 0; round < rounds; ++round) {
        if (round % 2 == 0) timed(toolkit, by_toolkit, options.paths.pid);
        timed(bare, by_hand, base + ".pid");
        if (round % 2 == 1) timed(toolkit, by_toolkit, options.paths.pid);
    }
    const auto median = [](std::vector<double>& all) {
        std::nth_element(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2), all.end());
        return all[all.size() / 2];
    };
    return {median(toolkit), median(bare)};
}

} // namespace bench
