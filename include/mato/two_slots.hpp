// SPDX-License-Identifier: MIT
/// @file two_slots.hpp: the newest complete state of a program, in memory that outlives its writer.
/// Layer: 3 (mechanism; no asio, no descriptor).  Test: test/toolkit/two_slots_test.cpp; fuzz/two_slots_fuzz.cpp.
/// Threads: distinct objects are independent; one object, one thread.   Blocks: never.
/// Fork: both processes see the memory. Only one of them may publish.
///
/// A state is written to the slot that is not published, and then published with one store of eight bytes. If the writer is
/// killed at any point, the next process finds the last published state, complete.
///
/// The memory (numbers little-endian; detail/kept_memory.hpp has the head):
///
///     64   8  published: generation of the newest state, 0 for none; it is in slot generation & 1
///     128     slot 0, slot 1, each {8 generation, 8 size, 8 position, 4 CRC-32C of these three and the body, 36 unused}, body
#pragma once

#include "detail/crc32c.hpp"
#include "detail/kept_memory.hpp"
#include "detail/number_cast.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace mato {
inline namespace MATO_ABI {

/// The stores of `publish`, in order. A test's `Steps` gets them.
enum class slots_store : std::uint8_t {
    head,      ///< the head of the unpublished slot
    body,      ///< the body of the unpublished slot
    published, ///< publishes the slot
};

/// Publishes states and finds the newest one. The memory belongs to the caller and must outlive the object.
///
/// ```cpp
/// alignas(8) static char memory[mato::two_slots<>::memory_for(4096)]; // use a memory_file to outlive the process
/// mato::failure why;
/// auto slots = mato::two_slots<>::create(memory, why);
/// if (!slots.publish("the state to keep", why)) return;
/// auto next = mato::two_slots<>::adopt(memory, why); // what the next process does
/// if (!why) std::printf("%zu bytes, generation %llu\n", next.newest().size(), next.generation() + 0ULL);
/// ```
template <class Steps = no_steps> class two_slots {
public:
    static constexpr std::size_t slot_head_bytes = 64; ///< a cache line, so that the body is aligned
    /// Bytes of memory needed for two states of `capacity` bytes.
    [[nodiscard]] static constexpr std::size_t memory_for(std::size_t capacity) noexcept {
        return detail::kept_content + 2 * (slot_head_bytes + (capacity + 63) / 64 * 64);
    }

    /// Empty: has no memory; `publish` fails, `newest` is empty.
    two_slots() noexcept = default;
    two_slots(two_slots&& other) noexcept : own_(std::exchange(other.own_, {})) {}
    two_slots& operator=(two_slots&& other) noexcept {
        own_ = std::exchange(other.own_, {});
        return *this;
    }

    /// Divides the memory into two slots. Former contents are lost.
    /// @errors invalid_argument: not aligned to 8 bytes, or too small for a body of 64 bytes.
    [[nodiscard]] static two_slots create(std::span<char> memory, error_out out);
    [[nodiscard]] static two_slots create(std::span<char> memory) {
        return or_throw([&](error_out out) { return create(memory, out); });
    }
    /// Adopts the memory of another process, without changing it. No other process may publish at the same time.
    /// @errors malformed: not slots, or damaged · version_mismatch: a newer format · invalid_argument: not aligned.
    [[nodiscard]] static two_slots adopt(std::span<char> memory, error_out out);
    [[nodiscard]] static two_slots adopt(std::span<char> memory) {
        return or_throw([&](error_out out) { return adopt(memory, out); });
    }

    /// Makes `body` the newest state. `position` is stored with it: how much of an input it includes, for example
    /// read_journal::end(). @pre `body` is not in the memory. @returns false after an error; the newest state is then
    /// unchanged.
    /// @errors frame_too_large: more than `capacity()`; the detail has both sizes.
    bool publish(std::string_view body, std::uint64_t position, error_out out);
    bool publish(std::string_view body, error_out out) { return publish(body, 0, out); }

    /// The last published state, empty if there is none. The view is valid until the second `publish` after this call.
    [[nodiscard]] std::string_view newest() const noexcept {
        return own_.generation == 0 ? std::string_view() : std::string_view(slot(own_.generation) + slot_head_bytes, own_.size);
    }
    [[nodiscard]] std::uint64_t position() const noexcept { return own_.position; }     ///< of the newest state
    [[nodiscard]] std::uint64_t generation() const noexcept { return own_.generation; } ///< number of published states; 0: none
    [[nodiscard]] std::size_t capacity() const noexcept { return own_.capacity; }       ///< bytes of one state

private:
    static constexpr detail::kept_kind kind{"matoslot", "slots", 1, 0};
    static constexpr std::uint64_t furthest = std::uint64_t{1} << 63; // no program publishes that often
    static constexpr std::size_t summed_bytes = 24;                   // of a slot's head: generation, size, position

    // Copies owned by this process: later writes of others into the memory cannot change where this one reads.
    struct state {
        char* memory = nullptr;
        std::size_t begin = 0;    // of slot 0
        std::size_t capacity = 0; // of a body
        std::uint64_t generation = 0;
        std::size_t size = 0;
        std::uint64_t position = 0;
    };

    [[nodiscard]] char* slot(std::uint64_t generation) const noexcept {
        return own_.memory + own_.begin + (generation & 1 ? slot_head_bytes + own_.capacity : 0);
    }
    [[nodiscard]] static std::uint32_t sum_of(const char* slot, std::size_t size) noexcept {
        return detail::crc32c({slot + slot_head_bytes, size}, detail::crc32c({slot, summed_bytes}));
    }

    state own_;
};

// ---- implementation ----

template <class Steps> two_slots<Steps> two_slots<Steps>::create(std::span<char> memory, error_out out) {
    static constexpr std::string_view step = "create slots";
    two_slots made;
    if (!detail::is_aligned(memory, step, out)) return made;
    if (memory.size() < memory_for(1)) {
        out.set(std::make_error_code(std::errc::invalid_argument), step, {},
                std::to_string(memory.size()) + " bytes are too few; at least " + std::to_string(memory_for(1)) +
                    " are needed");
        return made;
    }
    const std::size_t capacity = (memory.size() - detail::kept_content) / 2 / 64 * 64 - slot_head_bytes;
    detail::store_word(memory.data(), 0); // a crash from here on leaves memory that is not taken for slots
    detail::store_word(memory.data() + detail::kept_words, 0);
    detail::write_kept_head(memory.data(), kind, capacity);
    made.own_ = {memory.data(), detail::kept_content, capacity, 0, 0, 0};
    return made;
}

template <class Steps> two_slots<Steps> two_slots<Steps>::adopt(std::span<char> memory, error_out out) {
    two_slots made;
    const std::size_t begin = detail::check_kept_head(memory, kind, out);
    if (begin == 0) return made;
    const auto refuse = [&](const char* why) { out.set(errc::malformed, "adopt slots", {}, why); };
    const auto capacity = detail::load_number<std::uint64_t>(memory.data() + 16);
    const std::size_t room = (memory.size() - begin) / 2; // for one slot
    if (capacity == 0 || capacity % 64 != 0 || room < slot_head_bytes || capacity > room - slot_head_bytes)
        return refuse("its slots do not fit into the memory"), two_slots();
    made.own_ = {memory.data(), begin, static_cast<std::size_t>(capacity), 0, 0, 0};
    const std::uint64_t generation = detail::load_word(memory.data() + detail::kept_words);
    if (generation == 0) return made;
    const char* const at = made.slot(generation);
    const auto size = detail::load_number<std::uint64_t>(at + 8);
    if (generation > furthest || detail::load_number<std::uint64_t>(at) != generation || size > capacity)
        return refuse("the head of the newest state is damaged"), two_slots();
    made.own_.generation = generation;
    made.own_.size = static_cast<std::size_t>(size);
    made.own_.position = detail::load_number<std::uint64_t>(at + 16);
    if (detail::load_number<std::uint32_t>(at + summed_bytes) != sum_of(at, made.own_.size))
        return refuse("the newest state is damaged: its checksum differs"), two_slots();
    return made;
}

template <class Steps> bool two_slots<Steps>::publish(std::string_view body, std::uint64_t position, error_out out) {
    if (own_.memory == nullptr || body.size() > own_.capacity) {
        return out.fail<bool>(errc::frame_too_large, "publish", {},
                              "the state has " + std::to_string(body.size()) + " bytes, the capacity of a slot is " +
                                  std::to_string(own_.capacity));
    }
    const std::uint64_t next = own_.generation + 1;
    char* const at = slot(next);
    detail::store_number(at, next);
    detail::store_number(at + 8, detail::number_cast<std::uint64_t>(body.size()));
    detail::store_number(at + 16, position);
    detail::store_number(at + summed_bytes, detail::crc32c(body, detail::crc32c({at, summed_bytes})));
    Steps::after(slots_store::head);
    if (!body.empty()) std::memcpy(at + slot_head_bytes, body.data(), body.size());
    Steps::after(slots_store::body);
    detail::store_word(own_.memory + detail::kept_words, next);
    Steps::after(slots_store::published);
    own_.generation = next;
    own_.size = body.size();
    own_.position = position;
    return true;
}

} // namespace MATO_ABI
} // namespace mato
