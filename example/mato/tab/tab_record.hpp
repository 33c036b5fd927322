// SPDX-License-Identifier: MIT
/// @file tab_record.hpp: how a tab was opened and whether its program has ended, in memory that outlives the process.
/// Threads: one object, one thread.   Blocks: never.   Test: test/mato/tab_record_test.cpp.
///
/// The memory:
///
///     0    8 "mato:rec" · 4 version · 4 bytes of the body
///     16   8 end: 1 and the exit code; 0: the program runs · 8 closing: 1 once the tab was told to close
///     32   8 quarantined: 1 or 2 while the output is not interpreted: tab_options.hpp
///     40   8 past: 1 while the tab shows what an earlier daemon has saved, and has had no program
///     64   body: the options, the task and the name that the tab was opened with
#pragma once

#include "tab.hpp"

#include <mato/memory_file.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace mux {

class tab_record {
public:
    /// What a tab was opened with.
    struct birth {
        tab_options options;
        std::string task, name; ///< at that time
    };
    /// Bytes of the body: an environment and a command line of any size that execve(2) takes.
    static constexpr std::size_t most_body = 8u << 20;

    [[nodiscard]] static std::string encode(const birth& opened);
    /// What `encode` has made. @returns nothing: it is damaged
    [[nodiscard]] static std::optional<birth> decode(std::string_view body);

    tab_record() noexcept = default;
    /// @errors memory_file::create's
    [[nodiscard]] static tab_record create(const birth& opened, mato::error_out out);
    /// What an earlier process left. @errors memory_file::adopt's · malformed, version_mismatch
    [[nodiscard]] static tab_record adopt(mato::unique_fd file, birth& opened, mato::error_out out);
    [[nodiscard]] static tab_record adopt(mato::memory_file file, birth& opened, mato::error_out out);

    /// The program has ended. It is said before its status is reaped, so that no death of this process loses the status.
    void ended(int exit_code) noexcept;
    /// The program was started again.
    void runs() noexcept;
    void closes() noexcept;
    void set_past() noexcept;
    void set_quarantine(quarantine cause) noexcept;
    [[nodiscard]] quarantine cause() const noexcept;
    [[nodiscard]] std::optional<int> exit_code() const noexcept; ///< empty: it runs
    [[nodiscard]] bool is_closing() const noexcept;
    [[nodiscard]] bool is_past() const noexcept;

    [[nodiscard]] int native_handle() const noexcept { return file_.native_handle(); }

private:
    explicit tab_record(mato::memory_file file) noexcept : file_(std::move(file)) {}
    void store(std::size_t at, std::uint64_t value) noexcept;
    [[nodiscard]] std::uint64_t load(std::size_t at) const noexcept;

    mato::memory_file file_;
};

} // namespace mux
