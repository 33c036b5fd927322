// SPDX-License-Identifier: MIT
/// @file memory_file.hpp: memory that outlives the process while another process holds its descriptor.
/// Layer: 3 (mechanism; no asio).  Test: test/toolkit/memory_file_test.cpp; the faults: test/fault/fault_memory_file_test.cpp.
/// Threads: distinct objects are independent; one object, one thread.   Blocks: never.
/// Fork: the child has the mapping and the descriptor too. Both see each other's writes; each object releases its own copy.
/// Exec: mapping and descriptor are closed. The memory stays while another process holds a descriptor (descriptors.hpp passes
/// it). Source: memfd_create(2), fcntl(2) "File Sealing", madvise(2) MADV_DONTDUMP.
#pragma once

#include "error.hpp"
#include "sys.hpp"
#include "sys_memory.hpp"
#include "sys_process.hpp"
#include "unique_fd.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace mato {
inline namespace MATO_ABI {

/// A file in memory, mapped for reading and writing. Its size is sealed, so that no other holder can truncate it. Its contents
/// are not: the adopting program must check them. A page uses memory after its first write. Core dumps do not include it.
///
/// ```cpp
/// mato::failure why;
/// auto counter = mato::memory_file::create("counter", 4096, why);
/// if (why) return; // limits or an old system refuse it: continue without
/// counter.bytes()[0] = 'x';
/// auto next = mato::memory_file::adopt(std::move(counter).release(), why); // what the next process does
/// if (!why) std::printf("%c\n", next.bytes()[0]);
/// ```
class memory_file {
public:
    /// Largest file in bytes: bounds an adopted file, and fits the address space of every process.
    static constexpr std::size_t most_bytes = std::size_t{1} << 30;
    /// Longest name in bytes, memfd_create(2).
    static constexpr std::size_t most_name = 249;

    /// Empty: `bytes()` is empty.
    memory_file() noexcept = default;
    memory_file(memory_file&& other) noexcept
        : fd_(std::move(other.fd_)), at_(std::exchange(other.at_, nullptr)), size_(std::exchange(other.size_, 0)) {}
    memory_file& operator=(memory_file&& other) noexcept {
        memory_file taken(std::move(other));
        std::swap(fd_, taken.fd_), std::swap(at_, taken.at_), std::swap(size_, taken.size_);
        return *this;
    }
    ~memory_file() { unmap(); }

    /// Creates a file filled with zeroes. `name` is shown in proc(5) and need not be unique.
    /// @errors invalid_argument: 0 bytes, more than `most_bytes`, or an invalid name · EFBIG: over the file size limit ·
    /// ENOMEM: no address space · EMFILE, ENFILE · ENOSYS: not on this system · any other of memfd_create(2) and mmap(2).
    [[nodiscard]] static memory_file create(std::string_view name, std::size_t bytes, error_out out);
    [[nodiscard]] static memory_file create(std::string_view name, std::size_t bytes) {
        return or_throw([&](failure& why) { return create(name, bytes, why); });
    }
    /// Adopts a file that another process created and passed or left. The descriptor becomes close-on-exec; a refused one is
    /// closed.
    /// @errors malformed: not a memory file, not sealed as by `create`, sealed against writing, opened read-only, empty, or
    /// over `most_bytes` · EBADF · as `create`.
    [[nodiscard]] static memory_file adopt(unique_fd fd, error_out out);
    [[nodiscard]] static memory_file adopt(unique_fd fd) {
        return or_throw([&](failure& why) { return adopt(std::move(fd), why); });
    }
    /// As `adopt`, but what this process writes is not written to the file. For a reader that must change nothing, such as a
    /// program that may still be refused.
    [[nodiscard]] static memory_file adopt_copy(unique_fd fd, error_out out);

    /// All bytes, page-aligned. Valid until the object is destroyed or assigned.
    [[nodiscard]] std::span<char> bytes() const noexcept { return {at_, size_}; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] int native_handle() const noexcept { return fd_.get(); } ///< to pass to another process; -1 when empty
    [[nodiscard]] explicit operator bool() const noexcept { return at_ != nullptr; }

    /// Unmaps the file and returns the descriptor.
    [[nodiscard]] unique_fd release() && noexcept {
        unmap();
        return std::move(fd_);
    }

private:
    [[nodiscard]] static memory_file adopt(unique_fd fd, int sharing, error_out out);
    void map(std::size_t size, int sharing, std::string_view called, error_out out);
    void unmap() noexcept {
        if (at_ != nullptr) sys::munmap(std::exchange(at_, nullptr), std::exchange(size_, 0));
    }

    unique_fd fd_;
    char* at_ = nullptr;
    std::size_t size_ = 0;
};

// ---- implementation ----

#if MATO_HAS_MEMFD
namespace detail {
inline constexpr int size_seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
inline constexpr int write_seals = F_SEAL_WRITE | 0x10; // and F_SEAL_FUTURE_WRITE, which older headers lack
inline constexpr long shared_memory_magic = 0x01021994; // TMPFS_MAGIC, statfs(2); huge pages have a different one
} // namespace detail

inline memory_file memory_file::create(std::string_view name, std::size_t bytes, error_out out) {
    static constexpr std::string_view step = "create memory file";
    const auto refuse = [&](std::string why) {
        return out.fail<memory_file>(std::make_error_code(std::errc::invalid_argument), step, name.substr(0, name.find('\0')),
                                     std::move(why));
    };
    if (name.find('\0') != std::string_view::npos) return refuse("the name contains a NUL");
    if (name.size() > most_name)
        return refuse("the name has " + std::to_string(name.size()) + " bytes, the limit is " + std::to_string(most_name));
    if (bytes == 0 || bytes > most_bytes)
        return refuse(std::to_string(bytes) + " bytes were requested; 1 to " + std::to_string(most_bytes) + " are allowed");
    memory_file made;
    made.fd_.reset(sys::memfd_create(std::string(name).c_str()));
    if (!made.fd_) return out.fail<memory_file>(last_error(), step, name);
    // Above the limit ftruncate(2) sends SIGXFSZ, which kills a process that does not handle it.
    struct ::rlimit limit {};
    const bool fits = sys::getrlimit(RLIMIT_FSIZE, &limit) == -1 || limit.rlim_cur == RLIM_INFINITY || bytes <= limit.rlim_cur;
    if (!fits) errno = EFBIG;
    if (!fits || sys::ftruncate(made.fd_.get(), static_cast<off_t>(bytes)) == -1) {
        const auto code = last_error();
        return out.fail<memory_file>(
            code, "size memory file", name,
            code.value() == EFBIG ? std::to_string(bytes) + " bytes exceed this process's file size limit; raise it (ulimit -f)"
                                  : std::string());
    }
    if (sys::fcntl(made.fd_.get(), F_ADD_SEALS, detail::size_seals) == -1)
        return out.fail<memory_file>(last_error(), "seal memory file", name);
    made.map(bytes, MAP_SHARED, name, out);
    return made.at_ ? std::move(made) : memory_file();
}

inline memory_file memory_file::adopt(unique_fd fd, error_out out) { return adopt(std::move(fd), MAP_SHARED, out); }
inline memory_file memory_file::adopt_copy(unique_fd fd, error_out out) { return adopt(std::move(fd), MAP_PRIVATE, out); }

inline memory_file memory_file::adopt(unique_fd fd, int sharing, error_out out) {
    static constexpr std::string_view step = "adopt memory file";
    const std::string called = "descriptor " + std::to_string(fd.get());
    const auto refuse = [&](std::string why) { return out.fail<memory_file>(errc::malformed, step, called, std::move(why)); };
    const auto failed = [&] { return out.fail<memory_file>(last_error(), step, called); };
    struct ::stat about {};
    if (sys::fstat(fd.get(), &about) == -1) return failed();
    const int seals = sys::fcntl(fd.get(), F_GET_SEALS, 0); // EINVAL: a file that cannot be sealed
    if (seals == -1 && errno != EINVAL) return failed();
    struct ::statfs system {};
    if (sys::fstatfs(fd.get(), &system) == -1) return failed();
    if (seals == -1 || !S_ISREG(about.st_mode) || system.f_type != detail::shared_memory_magic)
        return refuse("it is not a memory file");
    if ((seals & detail::size_seals) != detail::size_seals) return refuse("its size is not sealed");
    if ((seals & detail::write_seals) != 0) return refuse("it is sealed against writing");
    const int mode = sys::fcntl(fd.get(), F_GETFL, 0);
    if (mode == -1) return failed();
    if ((mode & O_ACCMODE) != O_RDWR) return refuse("it is not open for reading and writing");
    if (about.st_size <= 0 || static_cast<unsigned long long>(about.st_size) > most_bytes)
        return refuse("it has " + std::to_string(about.st_size) + " bytes; 1 to " + std::to_string(most_bytes) +
                      " are accepted");
    if (sys::fcntl(fd.get(), F_SETFD, FD_CLOEXEC) == -1) return failed();
    memory_file made;
    made.fd_ = std::move(fd);
    made.map(static_cast<std::size_t>(about.st_size), sharing, called, out);
    return made.at_ ? std::move(made) : memory_file();
}

inline void memory_file::map(std::size_t size, int sharing, std::string_view called, error_out out) {
    void* const at = sys::mmap(nullptr, size, PROT_READ | PROT_WRITE, sharing | MAP_NORESERVE, fd_.get(), 0);
    if (at == MAP_FAILED) { // NOLINT(performance-no-int-to-ptr)
        const auto code = last_error();
        out.set(code, "map memory file", called,
                code.value() == ENOMEM ? "no address space for " + std::to_string(size) + " bytes; raise the limit (ulimit -v)"
                                       : std::string());
        return;
    }
    at_ = static_cast<char*>(at);
    size_ = size;
    sys::madvise(at_, size_, MADV_DONTDUMP); // if it fails, core dumps are larger
}
#else
namespace detail {
inline memory_file no_memory_files(std::string_view step, std::string_view called, error_out out) {
    return out.fail<memory_file>({ENOSYS, std::system_category()}, step, called, "this system has no memfd_create(2)");
}
} // namespace detail

inline memory_file memory_file::create(std::string_view name, std::size_t, error_out out) {
    return detail::no_memory_files("create memory file", name.substr(0, name.find('\0')), out);
}
inline memory_file memory_file::adopt(unique_fd fd, error_out out) {
    return detail::no_memory_files("adopt memory file", "descriptor " + std::to_string(fd.get()), out);
}
inline memory_file memory_file::adopt_copy(unique_fd fd, error_out out) { return adopt(std::move(fd), out); }
#endif

} // namespace MATO_ABI
} // namespace mato
