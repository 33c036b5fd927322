// SPDX-License-Identifier: MIT
/// @file lock_holder.hpp: what a lock file says about its holder, and which process that is.
/// Layer: 1 (vocabulary).  Test: test/toolkit/lock_test.cpp.
/// Threads: safe.   Blocks: never.
/// Source: proc(5).
#pragma once

#include "../sys.hpp"
#include "../unique_fd.hpp"

#include <charconv>
#include <string>

namespace mato {
inline namespace MATO_ABI {
namespace detail {

/// Bytes of a lock file: a pid, two numbers of 20 digits, a boot id of 36 characters.
inline constexpr std::size_t most_lock_text = 128;
/// Bytes of its first line: the 10 digits of the largest pid_t, and the newline.
inline constexpr std::size_t most_pid_line = 11;

/// What a lock file says about its holder.
struct holder_text {
    pid_t pid = 0;
    std::string place, start; ///< "NAMESPACE BOOT", ticks; empty: the file has only the pid
    bool operator==(const holder_text&) const = default;
};

inline std::string read_lock_text(int fd) {
    char text[most_lock_text + 1]; // a longer file is not one of our lock files
    const ssize_t got = sys::pread(fd, text, sizeof text, 0);
    return {text, got > 0 ? static_cast<std::size_t>(got) : 0};
}

/// "PID\n" or "PID\nNAMESPACE BOOT START\n"; no pid for anything else.
inline holder_text parse_holder(const std::string& text) {
    holder_text said;
    const char* const end = text.data() + text.size();
    pid_t pid = 0;
    const auto [rest, why] = std::from_chars(text.data(), end, pid);
    if (why != std::errc() || pid <= 0 || rest == end || *rest != '\n') return said;
    const auto first = static_cast<std::size_t>(rest + 1 - text.data());
    if (first > most_pid_line || text.size() > most_lock_text) return said;
    if (first < text.size()) {
        const auto space = text.find(' ', first), last = text.rfind(' ');
        if (space == std::string::npos || last <= space + 1 || last + 2 >= text.size() ||
            text.find('\n', first) != text.size() - 1)
            return said;
        said.place = text.substr(first, last - first);
        said.start = text.substr(last + 1, text.size() - last - 2);
    }
    said.pid = pid;
    return said;
}

#if MATO_HAS_PROC
/// "NAMESPACE BOOT"; empty if proc(5) does not have them. Not cached: a child may be in another namespace. `process`: a pid, or
/// "self".
inline std::string place_of(const std::string& process) {
    const unique_fd space(sys::open(("/proc/" + process + "/ns/pid").c_str(), O_RDONLY));
    struct ::stat number {};
    const unique_fd boot(sys::open("/proc/sys/kernel/random/boot_id", O_RDONLY));
    char text[40];
    const ssize_t got = boot && space && sys::fstat(space.get(), &number) == 0 ? sys::read(boot.get(), text, sizeof text) : -1;
    if (got < 2) return {};
    return std::to_string(number.st_ino) + " " +
           std::string(text, static_cast<std::size_t>(got) - (text[got - 1] == '\n' ? 1 : 0));
}

/// proc(5) stat, field 22: the start time in ticks since boot. `process`: a pid, or "self".
inline std::string start_of(const std::string& process) {
    const unique_fd file(sys::open(("/proc/" + process + "/stat").c_str(), O_RDONLY));
    char text[1024]; // 52 numbers and a name
    const ssize_t got = file ? sys::read(file.get(), text, sizeof text) : -1;
    const std::string fields(text, got > 0 ? static_cast<std::size_t>(got) : 0);
    std::size_t at = fields.rfind(')'); // a name may contain any character except a newline
    for (int field = 2; field < 22 && at != std::string::npos; ++field) at = fields.find(' ', at + 1);
    if (at == std::string::npos) return {};
    return fields.substr(at + 1, fields.find(' ', at + 1) - at - 1);
}
/// proc(5) status, the last number of NSpid: its pid in its own namespace.
inline std::string inner_pid_of(const std::string& process) {
    const unique_fd file(sys::open(("/proc/" + process + "/status").c_str(), O_RDONLY));
    char text[4096];
    const ssize_t got = file ? sys::read(file.get(), text, sizeof text) : -1;
    const std::string lines(text, got > 0 ? static_cast<std::size_t>(got) : 0);
    const std::size_t line = lines.find("\nNSpid:");
    const std::size_t end = line == std::string::npos ? line : lines.find('\n', line + 1);
    if (end == std::string::npos) return {};
    return lines.substr(lines.rfind('\t', end) + 1, end - lines.rfind('\t', end) - 1);
}
#else
inline std::string place_of(const std::string&) { return {}; }
inline std::string inner_pid_of(const std::string&) { return {}; }
inline std::string start_of(const std::string&) { return {}; }
#endif

/// Whether the contents of the file prove which process its pid means; else the reason.
inline bool is_proved(const holder_text& said, std::string& why_not) {
#if MATO_HAS_PROC
    const std::string number = "process " + std::to_string(said.pid);
    if (said.place.empty())
        why_not = "the lock file has only the pid of " + number +
                  ", not its pid namespace, boot and start time; the pid may have been reused";
    else if (const auto here = place_of("self"); here.empty())
        why_not = "/proc does not show the pid namespace of this process, so it is not certain which process " + number + " is";
    else if (said.place != here)
        why_not = "the holder is " + number + " of another pid namespace, boot or machine; send the signal from there";
    else if (said.start != start_of(std::to_string(said.pid)))
        why_not = number + " is not the holder: it started at another time than the lock file says";
#else
    static_cast<void>(said);
#endif
    return why_not.empty();
}

/// Whether a process found by other means is the one in the file: same pid namespace, same pid there, and same start time. The
/// start time alone is not enough, because several processes can start in one tick.
inline bool is_meant(const holder_text& said, pid_t number) {
    if (said.place.empty()) return number == said.pid;
    const auto process = std::to_string(number);
    return said.place == place_of(process) && said.start == start_of(process) &&
           std::to_string(said.pid) == inner_pid_of(process);
}

} // namespace detail
} // namespace MATO_ABI
} // namespace mato
