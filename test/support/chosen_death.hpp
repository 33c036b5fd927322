// SPDX-License-Identifier: MIT
/// @file chosen_death.hpp: memory that a test shares with a daemon: it says at which of its calls a process of the daemon is
/// killed. The program must be built with death_seam.hpp, and have the file's path in MATO_TEST_DEATH.
#pragma once

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace support {

/// Zeroes: nothing is counted. The counts are of all victims together, in the order of their calls.
struct chosen_death {
    static constexpr const char* variable = "MATO_TEST_DEATH";
    enum moment : int { before, after };

    std::atomic<int> parent; ///< the victims are the children of this process
    std::atomic<int> self;   ///< or this process is the victim
    std::atomic<int> at;     ///< the call, from 1; 0: none
    std::atomic<int> when;   ///< a `moment`
    std::atomic<int> again;  ///< so many calls after the death the next victim dies, once; 0: none does
    std::atomic<int> count;  ///< calls so far
    std::atomic<int> deaths; ///< so far
    char only[24];           ///< calls of this name are counted; empty: all. Not changed while victims run
    char name[24];           ///< of the call at which one died last

    /// Null in a process that has not got the variable.
    static chosen_death* of_this_process() noexcept {
        static chosen_death* const shared = [] {
            const char* const path = std::getenv(variable);
            return path ? map(path, O_RDWR | O_CLOEXEC) : nullptr;
        }();
        return shared;
    }
    /// Null after an error.
    static chosen_death* map(const char* path, int flags) noexcept {
        const int fd = ::open(path, flags, 0600);
        if (fd == -1) return nullptr;
        void* memory = MAP_FAILED;
        if (::ftruncate(fd, sizeof(chosen_death)) == 0)
            memory = ::mmap(nullptr, sizeof(chosen_death), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        ::close(fd);
        return memory == MAP_FAILED ? nullptr : static_cast<chosen_death*>(memory);
    }

    [[nodiscard]] bool is_victim() const noexcept {
        const int of = parent, own = self;
        return (of != 0 && ::getppid() == of) || (own != 0 && ::getpid() == own);
    }
    /// @returns the number of this call; 0: it does not count
    int counted(const char* call) noexcept {
        if (!is_victim() || (only[0] != '\0' && std::strcmp(only, call) != 0)) return 0;
        return ++count;
    }
    void die_if_chosen(int number, moment now, const char* call) noexcept {
        if (number == 0 || number != at || when != now || !is_victim()) return;
        at = again.exchange(0) + number;
        if (at == number) at = 0;
        std::strncpy(name, call, sizeof name - 1);
        ++deaths;
        ::kill(::getpid(), SIGKILL);
    }
};

} // namespace support
