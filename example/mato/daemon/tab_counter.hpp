// SPDX-License-Identifier: MIT
/// @file tab_counter.hpp: the number of the last tab, in a file that outlives the daemon.
/// Threads: one object, one thread.   Blocks: for the write of a small file.   Test: test/mato/tab_counter_test.cpp.
///
/// A number is written before its tab exists, so that no number is used twice, however the daemon ends.
#pragma once

#include "workspace.hpp"

#include <mato/error.hpp>
#include <mato/unique_fd.hpp>

#include <string>

namespace mux {

class tab_counter {
public:
    /// Larger numbers in the file are invalid: a tab per microsecond would take centuries. JSON readers keep 53 bits too.
    static constexpr tab_id most = tab_id{1} << 53;

    /// Opens or creates the file, which holds the last number in decimal. Anything else, or a number above `most`, counts as 0.
    /// @throws mato::error of open(2), also for a symbolic link, and of read(2).
    explicit tab_counter(std::string path);
    /// Next to that socket: its name with `.tabs`.
    [[nodiscard]] static std::string path_beside(const std::string& socket);

    [[nodiscard]] tab_id last() const noexcept { return last_; }
    /// @errors of write(2): the number must not be used then.
    void advance_to(tab_id id, mato::error_out out);

private:
    std::string path_;
    mato::unique_fd file_;
    tab_id last_ = 0;
};

} // namespace mux
