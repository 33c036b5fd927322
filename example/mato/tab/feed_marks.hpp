// SPDX-License-Identifier: MIT
/// @file feed_marks.hpp: which output was interpreted when a process died, in memory that outlives it.
/// Pure.  Threads: one object, one thread.   Blocks: never.   Test: test/mato/feed_marks_test.cpp.
///
/// Output that kills the process kills the next one too, when that interprets it again. So the next one interprets it in pieces
/// of 64 bytes and marks each. The piece that kills again is left out. A process that dies for another reason is usually also
/// interpreting some tab: a piece is left out after one more fault (SIGSEGV, SIGABRT, …), or after the same piece twice.
///
/// The memory is seven words of eight bytes, zero at first: feeding · piece · suspect · left out from, to · deaths and when the
/// first was · bytes left out.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mux {

class feed_marks {
public:
    static constexpr std::size_t words = 7;
    static constexpr std::uint64_t piece_bytes = 64;
    static constexpr std::uint64_t most_deaths = 3; ///< by a fault, within `within`
    static constexpr std::uint64_t within = 60;     ///< seconds

    enum class verdict : std::uint8_t {
        innocent,   ///< interpret everything at once
        suspected,  ///< interpret it in pieces
        quarantined ///< do not interpret it
    };

    feed_marks() noexcept = default;
    explicit feed_marks(std::uint64_t* memory) noexcept : memory_(memory) {}

    /// Output from that offset on is interpreted next. Ends when more counts as interpreted, see `judge`.
    void feeds_from(std::uint64_t offset) noexcept { store(feeding, 1 + offset); }

    /// In the next process, before `judge`: whether output of this tab was being interpreted. Parameters as those of `judge`.
    [[nodiscard]] bool was_fed(std::uint64_t interpreted, std::uint64_t end) const noexcept {
        const std::uint64_t fed = load(feeding);
        return load(piece) != 0 || (fed != 0 && fed - 1 >= interpreted && fed - 1 < end);
    }
    /// In the next process. `interpreted`: the end of the output that had its effects; `end`: of all output; `signal`: that
    /// ended the process before, 0: none; `now`: seconds.
    [[nodiscard]] verdict judge(std::uint64_t interpreted, std::uint64_t end, int signal, std::uint64_t now) noexcept;

    /// All output is interpreted again, at once.
    void replays() noexcept { store(piece, whole); }
    /// That piece of it is.
    void replays(std::uint64_t offset) noexcept { store(piece, 1 + offset); }
    [[nodiscard]] bool is_left_out(std::uint64_t offset) const noexcept {
        return load(left_from) != 0 && offset + 1 >= load(left_from) && offset + 1 <= load(left_to);
    }
    /// Without a death.
    void replayed() noexcept { store(piece, 0); }
    /// A checkpoint has all output, but for so many bytes.
    void passed(std::uint64_t left_out) noexcept;
    [[nodiscard]] std::uint64_t bytes_left_out() const noexcept { return load(left_bytes); } ///< ever

private:
    enum word : std::size_t { feeding, piece, suspect, left_from, left_to, deaths, left_bytes };
    static constexpr std::uint64_t whole = ~std::uint64_t{0};

    [[nodiscard]] std::uint64_t count_death(std::uint64_t now) noexcept;
    void leave_out(std::uint64_t mark) noexcept;
    [[nodiscard]] std::uint64_t load(word at) const noexcept { return memory_ ? memory_[at] : 0; }
    void store(word at, std::uint64_t value) noexcept {
        if (memory_) __atomic_store_n(memory_ + at, value, __ATOMIC_RELEASE);
    }

    std::uint64_t* memory_ = nullptr;
};

} // namespace mux
