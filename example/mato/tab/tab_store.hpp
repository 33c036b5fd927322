// SPDX-License-Identifier: MIT
/// @file tab_store.hpp: a tab's output and terminal in a memory file, so that they outlive the process that reads them.
/// Threads: one object, one thread.   Blocks: never.   Test: test/mato/tab_store_test.cpp, tab_store_process_test.cpp.
///
/// The terminal's program is read into a journal. Every 32 KiB of output the terminal is checkpointed into one of two slots,
/// and the journal begins again. The lines of history lie in blocks of the same file. So after the process's death at any
/// point another one restores the checkpoint, feeds what the journal has, and has the same terminal.
///
/// The memory, each part at a multiple of 64 bytes:
///
///     0    8 "mato:tab" · 4 version · 4 where the slots begin · 4 the journal · 4 the blocks
///     24   8 unread: bytes that were typed and that the program has not read · 8 recorded: 1 while clients record the output
///     40   8 paste: program_paste::word
///     64   8 effects: the output up to here has had its answers and events
///     72   marks (feed_marks.hpp)
///     128  slots (two_slots.hpp), journal (read_journal.hpp), blocks (vt/block_region.hpp)
#pragma once

#include "feed_marks.hpp"
#include "memory_words.hpp"
#include "vt/block_region.hpp"
#include "vt/terminal.hpp"

#include <mato/memory_file.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace mux {

class tab_store {
public:
    /// Bytes of output after which a checkpoint is worth its time: a replay of so many takes less than a millisecond.
    static constexpr std::size_t usual_output = 32u << 10;
    /// Bytes of output that the journal takes at most, for a terminal whose checkpoint is large.
    static constexpr std::size_t most_output = 1u << 20;
    /// Bytes of one checkpoint: screens of any size, and the strings that are not complete.
    static constexpr std::size_t most_checkpoint = 32u << 20;
    /// Bytes of one read.
    static constexpr std::size_t most_read = kept_journal::most_read;

    /// @param history its `bytes` become what the file has room for, its `store` this one
    /// @returns null when the memory file is refused. @errors memory_file::create's
    [[nodiscard]] static std::unique_ptr<tab_store> create(vt::history_limits& history, mato::error_out out);
    /// What a dead process left. `restore` comes next. @errors memory_file::adopt's · malformed, version_mismatch
    [[nodiscard]] static std::unique_ptr<tab_store> adopt(mato::unique_fd file, vt::history_limits& history,
                                                          mato::error_out out);
    [[nodiscard]] static std::unique_ptr<tab_store> adopt(mato::memory_file file, vt::history_limits& history,
                                                          mato::error_out out);

    /// Where the next read may put `most_read` bytes. @returns nullptr: `checkpoint` comes first
    [[nodiscard]] char* arm() noexcept { return journal_.arm(); }
    void commit(std::size_t n) noexcept { journal_.commit(n); }
    /// The output but for the last `unread` bytes has had its effects. It is said before they are carried out: a death in
    /// between loses them, and none is repeated.
    void effects_until(std::size_t unread) noexcept;

    /// The same output is interpreted next. If that kills this process, the next one leaves it out.
    void feeds_from(std::size_t unread) noexcept { marks_.feeds_from(journal_.end() - unread); }
    /// Bytes that were typed and that the program has not read.
    void input_waits(std::size_t bytes) noexcept;
    void pastes(std::uint64_t word) noexcept; ///< program_paste::word
    /// Clients record the output: the next process hands them what they may not have received.
    void is_recorded(bool now) noexcept;
    /// The output that `restore` has interpreted again, if it was recorded. Once.
    [[nodiscard]] std::string take_replayed() { return std::exchange(replayed_, {}); }
    /// What the process that died had said last; `was_interpreting` is known after `restore`.
    struct last_words {
        bool was_interpreting = false;
        std::uint64_t unread_input = 0;
        bool was_recorded = false;
        std::uint64_t paste = 0; ///< program_paste::word
    };
    [[nodiscard]] const last_words& found() const noexcept { return found_; }

    /// True when so much was read, or so many blocks wait for a checkpoint, that the next one is due.
    [[nodiscard]] bool is_due(const vt::terminal& screen) const noexcept {
        const std::size_t used = journal_.used();
        return used >= due_ || (used >= again_ && screen.blocks_kept_aside() > most_aside);
    }
    /// No read is possible before a checkpoint.
    [[nodiscard]] bool is_full() const noexcept { return journal_.full(); }
    /// Makes the terminal's state the one to be restored. Needed also after each input that is no output: a new size, known
    /// pictures. @pre all that was committed was fed. @returns false when there is no room for it; the one before stays
    bool checkpoint(vt::terminal& screen, mato::error_out out);

    /// Makes a new terminal the one that was left. Output that has had its effects has none again; answers and events of the
    /// rest wait in the terminal. `signal`: that ended the process before; output that has killed it is left out.
    /// @pre the terminal has the limits that `adopt` has set. @errors owner_dead: see `is_quarantined` · malformed,
    /// version_mismatch
    bool restore(vt::terminal& screen, vt::moment now, int signal, mato::error_out out);
    [[nodiscard]] std::size_t left_out() const noexcept { return left_out_; } ///< bytes, by `restore`
    /// The error of `restore`: the output has killed too many processes.
    static bool is_quarantined(const mato::failure& why) noexcept { return why.code == std::errc::owner_dead; }

    /// What is in the file is not complete from here on: `adopt` refuses it.
    void abandon() noexcept;

    [[nodiscard]] std::uint64_t output_bytes() const noexcept { return journal_.end(); } ///< ever read
    [[nodiscard]] int native_handle() const noexcept { return file_.native_handle(); }
    /// But for the blocks, which the terminal counts.
    [[nodiscard]] std::size_t memory_bytes() const noexcept { return sizeof *this + slots_.newest().size() + journal_.used(); }

private:
    static constexpr std::size_t most_aside = 64;            // blocks: one mebibyte
    static constexpr std::size_t beside_history = 96u << 20; // bytes of blocks for links, images, and those that wait

    explicit tab_store(mato::memory_file file) noexcept;
    void replay(vt::terminal& screen, vt::moment now, std::uint64_t effects);
    void replay_in_pieces(vt::terminal& screen, vt::moment now, std::uint64_t effects);

    mato::memory_file file_;
    feed_marks marks_;
    std::size_t left_out_ = 0;
    std::string replayed_;
    kept_slots slots_;
    kept_journal journal_;
    std::unique_ptr<vt::block_region> blocks_;
    last_words found_;
    std::size_t due_ = usual_output;   // bytes in the journal
    std::size_t again_ = 0;            // the same, after a checkpoint that was refused
    static inline std::string buffer_; // one daemon, one thread
};

} // namespace mux
