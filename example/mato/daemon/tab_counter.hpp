// SPDX-License-Identifier: MIT
/// @file tab_counter.hpp: the last tab's number, in a file that outlives the daemon.
/// Threads: one object, one thread.   Blocks: as long as a small file's write.   Test: test/mato/tab_counter_test.cpp.
///
/// A number is written before its tab is there, so that none is given twice, whatever ends the daemon.
#pragma once

#include "workspace.hpp"

#include <mato/error.hpp>
#include <mato/unique_fd.hpp>

#include <string>

namespace mux {

class tab_counter {
public:
    /// Larger numbers in the file are no tab's: a tab a microsecond takes centuries. Readers of JSON keep 53 bits, too.
    static constexpr tab_id most = tab_id{1} << 53;

    /// Opens the file, made when missing; the last number in decimal. What is no number, or above `most`, counts as 0.
    /// @throws mato::error of open(2), a symbolic link's too, and of read(2).
    explicit tab_counter(std::string path);
    /// Beside that socket: its name with `.tabs`.
    [[nodiscard]] static std::string path_beside(const std::string& socket);

    [[nodiscard]] tab_id last() const noexcept { return last_; }
    /// @errors of write(2): then the number must not be used.
    void advance_to(tab_id id, mato::error_out out);

private:
    std::string path_;
    mato::unique_fd file_;
    tab_id last_ = 0;
};

} // namespace mux
