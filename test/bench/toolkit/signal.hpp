// SPDX-License-Identifier: MIT
/// @file signal.hpp: from kill(2) to the code that handles the signal.
#pragma once

#include "common.hpp"

#include <csignal>
#include <poll.h>
#include <sys/signalfd.h>

namespace bench {

inline void signal_toolkit(State& state) {
    mato::failure why;
    auto source = mato::signalfd_source::open(mato::make_signal_set({SIGUSR1}), why);
    for (auto _ : state) {
        ::kill(::getpid(), SIGUSR1);
        pollfd readable{source.native_handle(), POLLIN, 0};
        mato::sys::poll(&readable, 1, -1);
        if (source.try_next() != SIGUSR1) give_up("signal");
    }
}
inline void signal_bare(State& state) {
    sigset_t set, before;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    ::pthread_sigmask(SIG_SETMASK, &set, &before);
    const int fd = need(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), "signalfd");
    for (auto _ : state) {
        ::kill(::getpid(), SIGUSR1);
        pollfd readable{fd, POLLIN, 0};
        ::poll(&readable, 1, -1);
        signalfd_siginfo info;
        if (::read(fd, &info, sizeof info) != sizeof info || info.ssi_signo != SIGUSR1) give_up("signal");
    }
    ::close(fd);
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

} // namespace bench
