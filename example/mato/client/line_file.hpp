// SPDX-License-Identifier: MIT
/// @file line_file.hpp: a file of whole lines on a disk or pipe of any speed.
/// Threads: one.   Blocks: `write` only in a regular file's write(2).   Test: test/mato/record_process_test.cpp.
#pragma once

#include <mato/error.hpp>
#include <mato/unique_fd.hpp>

#include <cstdint>
#include <string>

namespace mux {

class line_file {
public:
    enum class existing { refuse, replace };

    /// "-" is standard output. Opens pipes and devices; regular files only if they are new, unless `replace`.
    /// @blocks until a named pipe has a reader. @errors file_exists · any of open(2)
    [[nodiscard]] static line_file open(const std::string& path, existing what, mato::error_out out);

    std::string& lines() noexcept { return lines_; } ///< to be written: append whole lines
    [[nodiscard]] bool is_empty() const noexcept { return lines_.empty(); }
    [[nodiscard]] bool is_full() const noexcept { return lines_.size() >= enough_; }

    /// Writes what the file accepts without waiting.
    /// @errors any of write(2); a regular file that was opened here is then cut after its last whole line.
    void write(mato::error_out out);
    /// Discards what is not written; the file ends as after an error.
    void give_up();
    [[nodiscard]] int native_handle() const noexcept { return fd_; }
    [[nodiscard]] bool ends_in_half() const noexcept { return cut_ > 0; } ///< a pipe accepted only a part of the last line
    [[nodiscard]] const std::string& path() const noexcept { return path_; }

private:
    static constexpr std::size_t enough_ = 256u
                                           << 10; // bytes: enough for several writes, so that neither side waits for the other

    std::string path_;
    mato::unique_fd owned_;
    int fd_ = -1;
    bool is_regular_ = false;
    std::string lines_;
    std::uint64_t cut_ = 0; // bytes written of a line whose end is not written yet
};

} // namespace mux
