// SPDX-License-Identifier: MIT
/// @file raw_store.hpp: the newest output of a tab without an emulator, in a memory file that outlives the process.
/// Threads: one object, one thread.   Blocks: never.   Test: test/mato/raw_store_test.cpp, raw_survives_process_test.cpp.
///
/// The terminal's program is read into a journal. When that is full, the other of two journals is emptied and becomes the one
/// that is read into. So the newest `capacity` bytes are always in the two, no byte is copied, and a death at any point loses
/// no byte of them.
///
/// The memory:
///
///     0    8 "mato:raw" · 4 version · 4 bytes of one journal with its head
///     16   8 turns: how often the journals have changed roles; journal turns & 1 is read into
///     24   8 unread: bytes that were typed and that the program has not read · 8 recorded: 1 while clients record the output
///     128  journal 0, journal 1 (read_journal.hpp)
#pragma once

#include "memory_words.hpp"

#include <mato/memory_file.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace mux {

class raw_store {
public:
    static constexpr std::size_t most_read = kept_journal::most_read; ///< bytes of one read
    static constexpr std::size_t most_capacity = 256u << 20;          ///< bytes

    /// Keeps at least the newest `capacity` bytes. @returns null when the memory file is refused.
    /// @errors memory_file::create's · invalid_argument: a capacity of 0, or over `most_capacity`
    [[nodiscard]] static std::unique_ptr<raw_store> create(std::size_t capacity, mato::error_out out);
    /// What a dead process left, with what a read in progress had taken.
    /// @errors memory_file::adopt's · malformed, version_mismatch
    [[nodiscard]] static std::unique_ptr<raw_store> adopt(mato::unique_fd file, mato::error_out out);
    [[nodiscard]] static std::unique_ptr<raw_store> adopt(mato::memory_file file, mato::error_out out);

    /// Where the next read may put `most_read` bytes.
    [[nodiscard]] char* arm() noexcept;
    void commit(std::size_t n) noexcept { newer().commit(n); }
    /// Adds bytes that were not read from the program.
    void append(std::string_view bytes) noexcept;

    [[nodiscard]] std::uint64_t end() const noexcept { return journals_[0].end() + journals_[1].end(); }  ///< all bytes ever
    [[nodiscard]] std::size_t size() const noexcept { return journals_[0].used() + journals_[1].used(); } ///< of those kept
    /// Bytes from `position` on, at most `most`, up to where a journal ends. Empty if `position` is not kept.
    [[nodiscard]] std::string_view from(std::uint64_t position, std::size_t most) const noexcept;
    /// All bytes that are kept.
    [[nodiscard]] std::string all() const;

    /// Bytes that were typed and that the program has not read.
    void input_waits(std::size_t bytes) noexcept;
    /// Clients record the output: the next process hands them what they may not have received.
    void is_recorded(bool now) noexcept;
    [[nodiscard]] std::uint64_t unread_input() const noexcept;
    [[nodiscard]] bool was_recorded() const noexcept;

    [[nodiscard]] int native_handle() const noexcept { return file_.native_handle(); }
    [[nodiscard]] std::size_t memory_bytes() const noexcept { return sizeof *this + size(); }

private:
    explicit raw_store(mato::memory_file file) noexcept : file_(std::move(file)) {}
    [[nodiscard]] kept_journal& newer() noexcept { return journals_[turns_ & 1]; }
    [[nodiscard]] const kept_journal& newer() const noexcept { return journals_[turns_ & 1]; }
    [[nodiscard]] const kept_journal& older() const noexcept { return journals_[1 - (turns_ & 1)]; }

    mato::memory_file file_;
    kept_journal journals_[2];
    std::uint64_t turns_ = 0;
};

} // namespace mux
