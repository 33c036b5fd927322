// SPDX-License-Identifier: MIT
/// @file hop.hpp: the smallest possible multiplexer: one process that copies between two ptys.
#pragma once

#include <cstdio>
#include <poll.h>
#include <pty.h>
#include <termios.h>
#include <unistd.h>
#include <vector>

namespace bench {

/// Runs `program` in its own pty until either side ends. @returns the exit code
inline int hop(char** program) {
    const auto put = [](int to, const char* bytes, ssize_t size) {
        for (ssize_t took = 0; size > 0; bytes += took, size -= took)
            if ((took = ::write(to, bytes, static_cast<std::size_t>(size))) <= 0) return false;
        return true;
    };
    termios before{};
    winsize window{24, 80, 0, 0};
    int inner = -1;
    ::tcgetattr(0, &before);
    termios raw = before;
    ::cfmakeraw(&raw);
    ::tcsetattr(0, TCSANOW, &raw);
    if (::forkpty(&inner, nullptr, nullptr, &window) == 0) {
        ::execvp(program[0], program);
        ::_exit(127);
    }
    std::vector<char> buffer(65536);
    pollfd ready[] = {{0, POLLIN, 0}, {inner, POLLIN, 0}};
    const auto copy = [&](const pollfd& from, int to) {
        if (from.revents == 0) return true;
        const ssize_t got = ::read(from.fd, buffer.data(), buffer.size());
        return got > 0 && put(to, buffer.data(), got);
    };
    while (::poll(ready, 2, -1) > 0 && copy(ready[0], inner) && copy(ready[1], 1)) {
    }
    ::tcsetattr(0, TCSANOW, &before);
    return 0;
}

} // namespace bench
