// SPDX-License-Identifier: MIT
/// @file fault.hpp: a seam for sys.hpp that counts calls and can make one of them fail.
///
/// Include it first: it defines MATO_SYSTEM, which must come before any mato header. A sweep runs a scenario once to learn
/// its calls, then again for every call and every error of that call. The counters are in shared memory, so a
/// scenario may fork.
#pragma once

#include <cerrno>
#include <cstring>
#include <string_view>
#include <sys/mman.h>
#include <sys/resource.h>
#include <type_traits>
#include <unistd.h>

namespace fault {

inline constexpr int most_calls = 4096; // of one scenario; further ones are not recorded

struct recording {
    int count = 0;                 // calls since `start`
    const char* names[most_calls]; // string literals: the same address in every forked child
    int failing = 0;               // the call, from 1, that fails; 0: none
    const char* failing_name;      // or calls of this name
    int failing_nth = 0;           // which of them, from 1; 0: all
    int named = 0;                 // calls of that name so far
    int error = 0;                 // its errno
    int struck = 0;                // failures delivered
    int paused = 0;                // not 0: calls neither count nor fail
};

inline recording& calls() noexcept {
    static recording* const shared =
        static_cast<recording*>(::mmap(nullptr, sizeof(recording), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    return *shared;
}

inline void start(int failing = 0, int error = 0) noexcept {
    calls().count = calls().struck = 0;
    calls().failing = failing;
    calls().failing_name = nullptr;
    calls().failing_nth = calls().named = 0;
    calls().error = error;
}
/// Makes the n-th call of that name fail, from 1; in a scenario of several processes the order between names is not fixed.
inline void fail_nth(const char* name, int nth, int error) noexcept {
    start(0, error);
    calls().failing_name = name;
    calls().failing_nth = nth;
}
/// Makes every call of that name fail until `start`.
inline void fail_all(const char* name, int error) noexcept { fail_nth(name, 0, error); }

/// Calls in this scope neither count nor fail: for preparing, checking or cleaning up.
class paused {
public:
    paused() noexcept { ++calls().paused; }
    paused(const paused&) = delete;
    paused& operator=(const paused&) = delete;
    ~paused() { --calls().paused; }
};

/// The expansion of MATO_SYSTEM(name): called like the function itself.
template <class Real> class point {
public:
    point(const char* name, Real real) noexcept : name_(name), real_(real) {}

    template <class... Args> auto operator()(Args... args) const noexcept -> std::invoke_result_t<Real, Args...> {
        recording& all = calls();
        if (all.paused > 0) return real_(args...);
        const int number = __atomic_add_fetch(&all.count, 1, __ATOMIC_SEQ_CST);
        if (number <= most_calls) all.names[number - 1] = name_;
        const std::string_view name = name_;
        bool fails = number == all.failing;
        if (all.failing_name && name == all.failing_name) {
            const int nth = __atomic_add_fetch(&all.named, 1, __ATOMIC_SEQ_CST);
            fails = all.failing_nth == 0 || nth == all.failing_nth;
        }
        if (!fails) return real_(args...);
        ++all.struck;
        using result = std::invoke_result_t<Real, Args...>;
        if (name == "umask") return real_(args...); // cannot fail
        if (name == "close") real_(args...);        // the descriptor is closed also after an error
        errno = all.error;
        if constexpr (std::is_pointer_v<result>)
            return static_cast<result>(name == "mmap" ? MAP_FAILED : nullptr);
        else
            return static_cast<result>(name == "pthread_sigmask" ? all.error : -1); // it returns the error
    }

private:
    const char* name_;
    Real real_;
};

} // namespace fault

#define vfork fork // a vfork must not return from the function that called it, and a point is one
#define MATO_SYSTEM(name) ::fault::point(#name, [](auto... a) noexcept { return ::name(a...); })

#include <mato/error.hpp>

#include "support/catch.hpp"
#include "support/descriptor_census.hpp"
#include "support/temp_directory.hpp"

#include <string>
#include <vector>

namespace fault {

/// The errors that a call can report and that need different handling.
inline std::vector<int> plausible(std::string_view name) {
    if (name == "open") return {EACCES, EMFILE, ENFILE, ENOSPC, ELOOP, EINTR, EROFS};
    if (name == "read" || name == "pread") return {EIO, EINTR, EISDIR};
    if (name == "write" || name == "pwrite") return {ENOSPC, EIO, EINTR, EDQUOT, EPIPE};
    if (name == "ftruncate" || name == "fsync") return {EIO, EINTR, EINVAL};
    if (name == "close") return {EINTR, EIO};
    if (name == "flock") return {ENOLCK, EOPNOTSUPP, EINTR, EWOULDBLOCK};
    if (name == "fcntl") return {EINVAL, ENOLCK, EINTR, EAGAIN};
    if (name == "fstat" || name == "lstat") return {EACCES, EIO, ENOMEM, ENOENT};
    if (name == "mkdir" || name == "rename" || name == "unlink") return {EACCES, ENOSPC, EROFS, EIO};
    if (name == "chmod" || name == "fchmod" || name == "lchown") return {EPERM, EROFS, EINVAL};
    if (name == "socket" || name == "signalfd" || name == "pipe2") return {EMFILE, ENFILE, ENOMEM};
    if (name == "bind") return {EADDRINUSE, EACCES, ENOSPC, EROFS};
    if (name == "listen") return {EADDRINUSE, EOPNOTSUPP};
    if (name == "connect") return {ECONNREFUSED, EAGAIN, EINTR, EACCES, EPROTOTYPE};
    if (name == "accept4") return {EMFILE, ENFILE, ENOBUFS, ENOMEM, ECONNABORTED, EINTR, EAGAIN};
    if (name == "getsockopt" || name == "setsockopt") return {ENOPROTOOPT, ENOBUFS};
    if (name == "getsockname") return {ENOTSOCK, ENOBUFS};
    if (name == "sendto") return {ENOENT, ECONNREFUSED, EAGAIN, EINTR, EMSGSIZE};
    if (name == "poll") return {EINTR, ENOMEM};
    if (name == "fork" || name == "vfork") return {EAGAIN, ENOMEM};
    if (name == "setsid" || name == "kill" || name == "setpgid") return {EPERM};
    if (name == "execve") return {ENOENT, EACCES, E2BIG, ENOEXEC};
    if (name == "setrlimit") return {EPERM, EINVAL};
    if (name == "waitpid") return {ECHILD, EINTR};
    if (name == "syscall") return {EMFILE, ENOSYS, ESRCH};
    if (name == "dup2" || name == "ioctl" || name == "send" || name == "recv") return {EINTR, EIO};
    if (name == "chdir") return {EACCES, EIO};
    if (name == "memfd_create") return {EMFILE, ENFILE, ENOMEM, ENOSYS, EPERM, EACCES, EINVAL};
    if (name == "mmap") return {ENOMEM, EACCES, EPERM, ENFILE};
    if (name == "munmap" || name == "madvise") return {ENOMEM, EINVAL};
    if (name == "getrlimit" || name == "fstatfs") return {EPERM, ENOSYS};
    return {}; // sigaction, pthread_sigmask, umask: cannot fail with our arguments
}

struct sweep_options {
    bool names_path = true;                ///< every failure has a path
    std::vector<std::string> may_remain{}; ///< names in the directory
};

/// Runs `scenario(directory)`, which returns the reported failure, with every call failing in turn with every plausible error.
/// Each time: a failure has a step, and a path if required; no descriptor stays open; and only `may_remain` stays in the
/// directory, from which the scenario must remove the result of a success. @returns the number of runs with a reported failure.
template <class Scenario> int sweep(Scenario scenario, const sweep_options& options = {}) {
    struct result {
        mato::failure why;
        std::vector<std::string> remains;
    };
    const auto run = [&](int failing, int error) -> result {
        const support::temp_directory directory;
        start(failing, error);
        mato::failure why = scenario(directory.path());
        calls().failing = 0;
        std::vector<std::string> remains;
        for (const auto& name : directory.names())
            if (std::find(options.may_remain.begin(), options.may_remain.end(), name) == options.may_remain.end())
                remains.push_back(name);
        return {std::move(why), std::move(remains)};
    };
    const auto before = support::open_descriptors();
    const result plain = run(0, 0);
    INFO("without a fault: " << plain.why.message());
    CHECK_FALSE(plain.why);
    CHECK(plain.remains.empty());
    const std::vector<const char*> names(calls().names, calls().names + std::min(calls().count, most_calls));
    CHECK_FALSE(names.empty());
    int failed = 0;
    for (std::size_t index = 0; index < names.size(); ++index)
        for (const int error : plausible(names[index])) {
            const result got = run(static_cast<int>(index) + 1, error);
            INFO("call " << index + 1 << ", " << names[index] << ", fails with " << std::strerror(error) << ": "
                         << (got.why ? got.why.message() : "success"));
            CHECK(calls().struck == 1);
            if (got.why) {
                ++failed;
                CHECK_FALSE(got.why.step.empty());
                if (options.names_path) CHECK_FALSE(got.why.path.empty());
            }
            CHECK(got.remains == std::vector<std::string>());
            CHECK(support::open_descriptors() == before);
        }
    start();
    return failed;
}

} // namespace fault
