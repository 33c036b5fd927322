// SPDX-License-Identifier: MIT
/// @file read_journal.hpp: what was read from a terminal, in memory that outlives the reader, not a byte lost.
/// Layer: 3 (mechanism; no asio, no descriptor).  Test: test/toolkit/read_journal_test.cpp,
/// test/process/read_journal_process_test.cpp. Threads: distinct objects are independent; one object, one thread.   Blocks:
/// never. Fork: both processes see the memory. Only one of them may read the terminal.
///
/// read(2) puts the bytes where `arm` says, and `commit` counts them with one store of eight bytes. A reader that is killed
/// between the two leaves bytes that nothing counts, and that the terminal has no more. So `arm` first fills the place with a
/// pattern: the last byte that differs from it ends what the killed read took. That is exact for text, which has no byte of the
/// pattern (F8 to FF). Of a read that was cut it misses a last byte that equals the pattern at its place: of random bytes one
/// in 256 does.
///
/// The memory (numbers little-endian; detail/kept_memory.hpp has the head):
///
///     64   8  end: bytes that were ever read
///     72   8  armed: equals `end` while a read may be under way, else another number
///     80   8  begin: bytes before the newest checkpoint; byte `begin` lies at the content's start
///     128     the log: `capacity` bytes, and 4 095 for a read that begins at its last
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

/// The stores of `arm`, `commit` and `checkpoint`, in order.
enum class journal_store : std::uint8_t {
    pattern,   ///< `arm`: the place of the next read holds it
    armed,     ///< `arm`: a read may be under way
    end,       ///< `commit`
    disarmed,  ///< `checkpoint`: the old pattern is not taken for a read
    forgotten, ///< `checkpoint`: the log begins here
};

/// The log of one terminal's reads since its newest checkpoint. The memory belongs to the caller and outlives the object.
///
/// ```cpp
/// alignas(8) static char memory[mato::read_journal<>::memory_for(32768)]; // to outlive the process, a memory_file's bytes
/// mato::failure why;
/// auto journal = mato::read_journal<>::create(memory, why);
/// if (char* const to = journal.arm()) { // nullptr when it is full: first keep the log's effect elsewhere, then checkpoint()
///     const ssize_t got = ::read(0, to, journal.most_read);
///     if (got > 0) journal.commit(static_cast<std::size_t>(got));
/// }
/// auto next = mato::read_journal<>::adopt(memory, why); // as the next process does
/// next.recover();
/// std::printf("%zu bytes to be read again\n", next.since_checkpoint().size());
/// ```
///
/// With two_slots for the checkpoints the order is: `slots.publish(state, journal.end(), out)`, then `journal.checkpoint()`;
/// and after a death: `recover()`, `resume_after(slots.position(), out)`, then `since_checkpoint()` on top of `slots.newest()`.
template <class Steps = no_steps> class read_journal {
public:
    /// Bytes of one read at most: a Linux terminal gives no more at once (n_tty keeps 4 096, one of them for itself).
    static constexpr std::size_t most_read = 4095;
    /// Bytes of memory that a log of `capacity` bytes needs.
    [[nodiscard]] static constexpr std::size_t memory_for(std::size_t capacity) noexcept {
        return detail::kept_content + capacity + most_read;
    }

    /// Without memory: always full.
    read_journal() noexcept = default;
    read_journal(read_journal&& other) noexcept : own_(std::exchange(other.own_, {})) {}
    read_journal& operator=(read_journal&& other) noexcept {
        own_ = std::exchange(other.own_, {});
        return *this;
    }

    /// An empty log of all the memory. What it held is gone.
    /// @errors invalid_argument: not aligned to 8 bytes, or too small for a log of one byte.
    [[nodiscard]] static read_journal create(std::span<char> memory, error_out out);
    [[nodiscard]] static read_journal create(std::span<char> memory) {
        return or_throw([&](error_out out) { return create(memory, out); });
    }
    /// Takes over what another process left; changes nothing in it. `recover` comes next. That process must be dead or must
    /// have stopped to read, else two read one terminal.
    /// @errors malformed: it is something else, or damaged · version_mismatch: a newer format · invalid_argument: not aligned.
    [[nodiscard]] static read_journal adopt(std::span<char> memory, error_out out);
    [[nodiscard]] static read_journal adopt(std::span<char> memory) {
        return or_throw([&](error_out out) { return adopt(memory, out); });
    }

    /// Where the next read may put `most_read` bytes. A read that fails, or takes nothing, needs no `commit`.
    /// @returns nullptr when the log is full, or was adopted with a read under way and `recover` was not called.
    [[nodiscard]] char* arm() noexcept;
    /// Counts what a read put there. @pre n <= most_read, and `arm` gave the place
    void commit(std::size_t n) noexcept;
    /// Bytes that a read took and no `commit` counted: after the death of the reader, those it did not live to count.
    [[nodiscard]] std::size_t in_flight() const noexcept;
    /// Counts those. @returns how many they were
    std::size_t recover() noexcept;

    /// All that was read since the newest checkpoint. It dies at the `checkpoint` after that.
    [[nodiscard]] std::string_view since_checkpoint() const noexcept { return {own_.log, used()}; }
    /// The effect of the whole log is kept elsewhere: the log is empty from here. @pre `recover` was called, if adopted
    void checkpoint() noexcept;
    /// Joins the log and a state that holds all up to `position`, which may have been kept right before the death, without the
    /// `checkpoint` that belongs to it. @errors malformed: the state is of another place than this log begins or ends at.
    bool resume_after(std::uint64_t position, error_out out);

    [[nodiscard]] std::uint64_t begin() const noexcept { return own_.begin; } ///< bytes before the newest checkpoint
    [[nodiscard]] std::uint64_t end() const noexcept { return own_.end; }     ///< bytes that were ever read
    [[nodiscard]] std::size_t used() const noexcept { return static_cast<std::size_t>(own_.end - own_.begin); }
    [[nodiscard]] std::size_t capacity() const noexcept { return own_.capacity; } ///< `used()` from which no read may begin
    [[nodiscard]] bool full() const noexcept { return used() >= own_.capacity; }

private:
    static constexpr detail::kept_kind kind{"matoread", "read journal", 1, 0};
    static constexpr std::size_t end_word = detail::kept_words, armed_word = end_word + 8, begin_word = end_word + 16;
    static constexpr std::uint64_t disarmed = ~std::uint64_t{0};
    static constexpr std::uint64_t furthest = std::uint64_t{1} << 63; // no terminal gets to 8 EiB

    // This process's own copies: what others write into the memory later never decides where this one reads or writes.
    struct state {
        char* memory = nullptr;
        char* log = nullptr;
        std::size_t capacity = 0;
        std::uint64_t begin = 0;
        std::uint64_t end = 0;
        std::uint64_t filled = 0; // behind the last byte of the pattern that this process wrote, or below `end`
        bool must_recover = false;
    };
    state own_;
};

// ---- implementation ----

namespace detail {

/// 4 096 bytes of F8 to FF, twice, so that any 4 096 in a row can be copied at once. The format fixes them.
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
    /// The bytes from this place of the stream on.
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
                std::to_string(memory.size()) + " bytes are too few, the least are " + std::to_string(memory_for(1)));
        return made;
    }
    char* const at = memory.data();
    const std::size_t capacity = memory.size() - memory_for(0);
    detail::store_word(at, 0); // nothing that a death could leave is taken for a journal
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
        return refuse("its counts of bytes are damaged"), read_journal();
    if (armed != disarmed && (armed < begin || armed > end || (armed == end && end - begin >= capacity)))
        return refuse("it has a read under way where none can be"), read_journal();
    made.own_ = {at, at + content, static_cast<std::size_t>(capacity), begin, end, 0, false};
    made.own_.must_recover = made.in_flight() > 0;
    return made;
}

template <class Steps> char* read_journal<Steps>::arm() noexcept {
    if (full() || own_.must_recover) return nullptr;
    char* const to = own_.log + used();
    const std::uint64_t until = own_.end + most_read;
    if (own_.filled < own_.end) own_.filled = own_.end;
    if (own_.filled < until) { // as much as the last read used
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
    detail::store_word(own_.memory + end_word, own_.end); // `armed` names another place from here
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
    // In this order: from the second store on, other bytes lie where the pattern was.
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
        out.set(errc::malformed, "resume read journal", {},
                "the state holds " + std::to_string(position) + " bytes, the log has those from " + std::to_string(own_.begin) +
                    " to " + std::to_string(own_.end));
        return false;
    }
    checkpoint();
    return true;
}

} // namespace MATO_ABI
} // namespace mato
