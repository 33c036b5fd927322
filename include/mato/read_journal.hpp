// SPDX-License-Identifier: MIT
/// @file read_journal.hpp: a log of the bytes read from a terminal, in memory that outlives the reader; no byte is lost.
/// Layer: 3 (mechanism; no asio, no descriptor).  Test: test/toolkit/read_journal_test.cpp,
/// test/process/read_journal_process_test.cpp. Threads: distinct objects are independent; one object, one thread.   Blocks:
/// never. Fork: both processes see the memory. Only one of them may read the terminal.
///
/// read(2) writes the bytes to the place returned by `arm`, and `commit` counts them with one store of eight bytes. A reader
/// killed between the two leaves bytes that are not counted and that the terminal no longer has. So `arm` first fills the place
/// with a pattern: the last byte that differs from the pattern is the last byte of the interrupted read. This is exact for
/// text, which does not contain the pattern's bytes (F8 to FF). For random bytes, one read in 256 ends with a byte equal to the
/// pattern, which is then missed.
///
/// The memory (numbers little-endian; detail/kept_memory.hpp has the head):
///
///     64   8  end: all bytes ever read
///     72   8  armed: equals `end` while a read may be in progress, else another number
///     80   8  begin: bytes before the newest checkpoint; byte `begin` is at the content's start
///     128     the log: `capacity` bytes, and 4 095 for a read that begins at the last of them
#pragma once

#include "detail/kept_memory.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace mato {
inline namespace MATO_ABI {

/// The stores of `arm`, `commit` and `checkpoint`, in order. A test's `Steps` gets them.
enum class journal_store : std::uint8_t {
    pattern,   ///< `arm`: the pattern was written to the place of the next read
    armed,     ///< `arm`: a read may be in progress
    end,       ///< `commit`
    disarmed,  ///< `checkpoint`: the old pattern does not count as a read
    forgotten, ///< `checkpoint`: the log begins here
};

/// The log of the bytes read from one terminal since the newest checkpoint. The memory belongs to the caller and must outlive
/// the object.
///
/// ```cpp
/// alignas(8) static char memory[mato::read_journal<>::memory_for(32768)]; // use a memory_file to outlive the process
/// mato::failure why;
/// auto journal = mato::read_journal<>::create(memory, why);
/// if (char* const to = journal.arm()) { // nullptr when full: save the log's effect elsewhere, then checkpoint()
///     const ssize_t got = ::read(0, to, journal.most_read);
///     if (got > 0) journal.commit(static_cast<std::size_t>(got));
/// }
/// auto next = mato::read_journal<>::adopt(memory, why); // what the next process does
/// next.recover();
/// std::printf("%zu bytes to process again\n", next.since_checkpoint().size());
/// ```
///
/// With two_slots for the checkpoints the order is: `slots.publish(state, journal.end(), out)`, then `journal.checkpoint()`.
/// After a crash: `recover()`, `resume_after(slots.position(), out)`, then apply `since_checkpoint()` to `slots.newest()`.
template <class Steps = no_steps> class read_journal {
public:
    /// Largest read in bytes: a Linux terminal returns at most this many (n_tty has 4 096 and reserves one).
    static constexpr std::size_t most_read = 4095;
    /// Bytes of memory needed for a log of `capacity` bytes.
    [[nodiscard]] static constexpr std::size_t memory_for(std::size_t capacity) noexcept {
        return detail::kept_content + capacity + most_read;
    }

    /// Empty: has no memory and is always full.
    read_journal() noexcept = default;
    read_journal(read_journal&& other) noexcept : own_(std::exchange(other.own_, {})) {}
    read_journal& operator=(read_journal&& other) noexcept {
        own_ = std::exchange(other.own_, {});
        return *this;
    }

    /// Creates an empty log that uses all of the memory. Former contents are lost.
    /// @errors invalid_argument: not aligned to 8 bytes, or too small for a log of one byte.
    [[nodiscard]] static read_journal create(std::span<char> memory, error_out out);
    [[nodiscard]] static read_journal create(std::span<char> memory) {
        return or_throw([&](error_out out) { return create(memory, out); });
    }
    /// Adopts the memory of another process, without changing it. Call `recover` next. The other process must have ended or
    /// stopped reading, so that only one process reads the terminal.
    /// @errors malformed: not a journal, or damaged · version_mismatch: a newer format · invalid_argument: not aligned.
    [[nodiscard]] static read_journal adopt(std::span<char> memory, error_out out);
    [[nodiscard]] static read_journal adopt(std::span<char> memory) {
        return or_throw([&](error_out out) { return adopt(memory, out); });
    }

    /// The place for the next read, of `most_read` bytes. A read that fails or returns 0 needs no `commit`.
    /// @returns nullptr if the log is full, or if it was adopted during a read and `recover` was not called yet.
    [[nodiscard]] char* arm() noexcept;
    /// Counts the bytes of a read. @pre n <= most_read, and the read used the place from `arm`
    void commit(std::size_t n) noexcept;
    /// Bytes that were read but not counted by `commit`, because the reader was killed between the two.
    [[nodiscard]] std::size_t in_flight() const noexcept;
    /// Counts the bytes in flight. @returns their number
    std::size_t recover() noexcept;

    /// All bytes read since the newest checkpoint. Valid until the next `checkpoint`.
    [[nodiscard]] std::string_view since_checkpoint() const noexcept { return {own_.log, used()}; }
    /// Empties the log. Call it after the effect of the log was saved elsewhere. @pre `recover` was called, if adopted
    void checkpoint() noexcept;
    /// Aligns the log with a saved state that includes all bytes up to `position`. The state may have been saved just before
    /// the crash, without the matching `checkpoint`. @errors malformed: `position` is neither the begin nor the end of the log.
    bool resume_after(std::uint64_t position, error_out out);

    [[nodiscard]] std::uint64_t begin() const noexcept { return own_.begin; } ///< bytes before the newest checkpoint
    [[nodiscard]] std::uint64_t end() const noexcept { return own_.end; }     ///< all bytes ever read
    [[nodiscard]] std::size_t used() const noexcept { return static_cast<std::size_t>(own_.end - own_.begin); }
    [[nodiscard]] std::size_t capacity() const noexcept { return own_.capacity; } ///< `used()` at which it is full
    [[nodiscard]] bool full() const noexcept { return used() >= own_.capacity; }

private:
    static constexpr detail::kept_kind kind{"matoread", "read journal", 1, 0};
    static constexpr std::size_t end_word = detail::kept_words, armed_word = end_word + 8, begin_word = end_word + 16;
    static constexpr std::uint64_t disarmed = ~std::uint64_t{0};
    static constexpr std::uint64_t furthest = std::uint64_t{1} << 63; // no terminal reaches 8 EiB

    // Copies owned by this process: later writes of others into the memory cannot change where this one reads or writes.
    struct state {
        char* memory = nullptr;
        char* log = nullptr;
        std::size_t capacity = 0;
        std::uint64_t begin = 0;
        std::uint64_t end = 0;
        std::uint64_t filled = 0; // end of the pattern written by this process, or below `end`
        bool must_recover = false;
    };
    state own_;
};

// ---- implementation ----

namespace detail {

/// 4 096 bytes of F8 to FF, stored twice so that any 4 096 in a row can be copied with one call. They are part of the format.
struct fill_pattern {
    static constexpr std::size_t period = 4096;
    char bytes[2 * period]{};
    constexpr fill_pattern() noexcept {
        std::uint32_t x = 0x9E3779B9U;
        for (std::size_t i = 0; i < period; ++i) {
            x ^= x << 13, x ^= x >> 17, x ^= x << 5; // Marsaglia's xorshift
            bytes[i] = bytes[i + period] = static_cast<char>(0xF8U | (x >> 11 & 7U));
        }
    }
    /// The pattern from this position of the stream on.
    [[nodiscard]] const char* from(std::uint64_t position) const noexcept { return bytes + position % period; }
};
inline constexpr fill_pattern read_pattern;

} // namespace detail

template <class Steps> read_journal<Steps> read_journal<Steps>::create(std::span<char> memory, error_out out) {
    static constexpr std::string_view step = "create read journal";
    read_journal made;
    if (!detail::is_aligned(memory, step, out)) return made;
    if (memory.size() < memory_for(1)) {
        out.set(std::make_error_code(std::errc::invalid_argument), step, {},
                std::to_string(memory.size()) + " bytes are too few; at least " + std::to_string(memory_for(1)) +
                    " are needed");
        return made;
    }
    char* const at = memory.data();
    const std::size_t capacity = memory.size() - memory_for(0);
    detail::store_word(at, 0); // a crash from here on leaves memory that is not taken for a journal
    detail::store_word(at + end_word, 0);
    detail::store_word(at + armed_word, disarmed);
    detail::store_word(at + begin_word, 0);
    detail::write_kept_head(at, kind, capacity);
    made.own_ = {at, at + detail::kept_content, capacity, 0, 0, 0, false};
    return made;
}

template <class Steps> read_journal<Steps> read_journal<Steps>::adopt(std::span<char> memory, error_out out) {
    read_journal made;
    const std::size_t content = detail::check_kept_head(memory, kind, out);
    if (content == 0) return made;
    char* const at = memory.data();
    const auto refuse = [&](const char* why) { out.set(errc::malformed, "adopt read journal", {}, why); };
    const auto capacity = detail::load_number<std::uint64_t>(at + 16);
    const std::size_t room = memory.size() - content;
    if (capacity == 0 || room < most_read || capacity > room - most_read)
        return refuse("its log does not fit into the memory"), read_journal();
    const std::uint64_t begin = detail::load_word(at + begin_word), end = detail::load_word(at + end_word);
    const std::uint64_t armed = detail::load_word(at + armed_word);
    if (begin > end || end > furthest || end - begin >= capacity + most_read)
        return refuse("its byte counts are damaged"), read_journal();
    if (armed != disarmed && (armed < begin || armed > end || (armed == end && end - begin >= capacity)))
        return refuse("it records a read in progress at an impossible position"), read_journal();
    made.own_ = {at, at + content, static_cast<std::size_t>(capacity), begin, end, 0, false};
    made.own_.must_recover = made.in_flight() > 0;
    return made;
}

template <class Steps> char* read_journal<Steps>::arm() noexcept {
    if (full() || own_.must_recover) return nullptr;
    char* const to = own_.log + used();
    const std::uint64_t until = own_.end + most_read;
    if (own_.filled < own_.end) own_.filled = own_.end;
    if (own_.filled < until) { // only as much as the last read overwrote
        std::memcpy(own_.log + (own_.filled - own_.begin), detail::read_pattern.from(own_.filled),
                    static_cast<std::size_t>(until - own_.filled));
        own_.filled = until;
        Steps::after(journal_store::pattern);
    }
    detail::store_word(own_.memory + armed_word, own_.end);
    Steps::after(journal_store::armed);
    return to;
}

template <class Steps> void read_journal<Steps>::commit(std::size_t n) noexcept {
    own_.end += n;
    detail::store_word(own_.memory + end_word, own_.end); // from here on `armed` is not equal to `end`
    Steps::after(journal_store::end);
}

template <class Steps> std::size_t read_journal<Steps>::in_flight() const noexcept {
    if (own_.memory == nullptr || detail::load_word(own_.memory + armed_word) != own_.end || full()) return 0;
    const char* const from = own_.log + used();
    const char* const untouched = detail::read_pattern.from(own_.end);
    std::size_t n = most_read;
    while (n > 0 && from[n - 1] == untouched[n - 1]) --n;
    return n;
}

template <class Steps> std::size_t read_journal<Steps>::recover() noexcept {
    const std::size_t found = in_flight();
    if (found > 0) commit(found);
    own_.must_recover = false;
    return found;
}

template <class Steps> void read_journal<Steps>::checkpoint() noexcept {
    if (own_.memory == nullptr) return;
    // In this order: after the second store, the place of the pattern contains other bytes.
    detail::store_word(own_.memory + armed_word, disarmed);
    Steps::after(journal_store::disarmed);
    detail::store_word(own_.memory + begin_word, own_.end);
    Steps::after(journal_store::forgotten);
    own_.begin = own_.end;
    own_.filled = 0;
}

template <class Steps> bool read_journal<Steps>::resume_after(std::uint64_t position, error_out out) {
    if (position == own_.begin) return true;
    if (position != own_.end) {
        return out.fail<bool>(errc::malformed, "resume read journal", {},
                              "the saved state includes " + std::to_string(position) + " bytes, but the log has bytes " +
                                  std::to_string(own_.begin) + " to " + std::to_string(own_.end));
    }
    checkpoint();
    return true;
}

} // namespace MATO_ABI
} // namespace mato
