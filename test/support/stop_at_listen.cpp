// SPDX-License-Identifier: MIT
// For LD_PRELOAD: a process stops itself just before listen(2), and continues at SIGCONT.
#include <csignal>

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

extern "C" int listen(int socket, int backlog) noexcept {
    std::raise(SIGSTOP);
    return static_cast<int>(::syscall(SYS_listen, socket, backlog));
}
