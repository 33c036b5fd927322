// SPDX-License-Identifier: MIT
/// @file kept_memory.hpp: the header of memory that outlives its writer, and how its words are stored.
/// Layer: 1 (vocabulary).  Test: test/toolkit/read_journal_test.cpp, test/toolkit/two_slots_test.cpp.
/// Threads: one thread of one process writes.   Blocks: never.
///
/// Every number is little-endian. The first 64 bytes are the head. Words that change while the memory is in use follow it in a
/// separate cache line:
///
///     0   8  magic, eight letters
///     8   2  major version: a reader refuses a newer one
///     10  2  minor version: a reader ignores it, and the fields it adds
///     12  4  offset of the content from the start of the memory
///     16  8  size of the content, as the part defines it
///
/// A process is killed between two instructions, and all its earlier stores are in memory. So stores survive in program order
/// if the compiler does not reorder them: `store_word` is a compiler barrier in both directions.
#pragma once

#include "../error.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace mato {
inline namespace MATO_ABI {

/// A hook between two stores that does nothing. A test uses its own type to see the memory as a kill at that point leaves it.
struct no_steps {
    template <class Store> static constexpr void after(Store) noexcept {}
};

namespace detail {

template <class Number> Number little_endian(Number value) noexcept {
    if constexpr (std::endian::native == std::endian::little || sizeof(Number) == 1)
        return value;
    else if constexpr (sizeof(Number) == 2)
        return static_cast<Number>(__builtin_bswap16(value));
    else if constexpr (sizeof(Number) == 4)
        return static_cast<Number>(__builtin_bswap32(value));
    else
        return static_cast<Number>(__builtin_bswap64(value));
}
template <class Number> [[nodiscard]] Number load_number(const char* at) noexcept {
    Number value;
    std::memcpy(&value, at, sizeof value);
    return little_endian(value);
}
template <class Number> void store_number(char* at, Number value) noexcept {
    value = little_endian(value);
    std::memcpy(at, &value, sizeof value);
}

/// One store of eight bytes: after a kill the old or the new value is there. No store is moved across it. @pre `at` is aligned
inline void store_word(char* at, std::uint64_t value) noexcept {
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    __atomic_store_n(reinterpret_cast<std::uint64_t*>(at), little_endian(value), __ATOMIC_RELEASE);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
}
[[nodiscard]] inline std::uint64_t load_word(const char* at) noexcept {
    return little_endian(__atomic_load_n(reinterpret_cast<const std::uint64_t*>(at), __ATOMIC_ACQUIRE));
}

inline constexpr std::size_t kept_words = 64;    // offset of the first word
inline constexpr std::size_t kept_content = 128; // least offset of the content: head, then one cache line of words

/// Describes one kind of kept memory, for its head and for messages.
struct kept_kind {
    std::string_view magic; // eight letters
    const char* name;       // "read journal"
    std::uint16_t major;
    std::uint16_t minor;
};

/// Whether the memory is aligned for words. @errors invalid_argument
inline bool is_aligned(std::span<const char> memory, std::string_view step, error_out out) {
    if (reinterpret_cast<std::uintptr_t>(memory.data()) % alignof(std::uint64_t) == 0) return true;
    out.set(std::make_error_code(std::errc::invalid_argument), step, {}, "the memory does not begin at a multiple of 8 bytes");
    return false;
}

/// Writes the magic last: memory without it is refused as incomplete. @pre the words and the content are written
inline void write_kept_head(char* at, const kept_kind& kind, std::uint64_t content_size) noexcept {
    store_number(at + 8, kind.major);
    store_number(at + 10, kind.minor);
    store_number(at + 12, static_cast<std::uint32_t>(kept_content));
    store_number(at + 16, content_size);
    std::uint64_t magic = 0;
    std::memcpy(&magic, kind.magic.data(), sizeof magic);
    store_word(at, little_endian(magic));
}

/// The offset of the content, within the memory's size; 0 with an error for memory of another kind or a newer version.
/// @errors invalid_argument · malformed · version_mismatch
inline std::size_t check_kept_head(std::span<const char> memory, const kept_kind& kind, error_out out) {
    const std::string step = std::string("adopt ") + kind.name;
    const auto refuse = [&](std::error_code code, std::string why) {
        return out.fail<std::size_t>(code, step, {}, std::move(why));
    };
    if (!is_aligned(memory, step, out)) return 0;
    if (memory.size() < kept_content)
        return refuse(errc::malformed, std::to_string(memory.size()) + " bytes are too few for it");
    if (std::memcmp(memory.data(), kind.magic.data(), 8) != 0)
        return refuse(errc::malformed, "the memory does not begin with the magic number of this format");
    const auto major = load_number<std::uint16_t>(memory.data() + 8);
    if (major > kind.major)
        return refuse(errc::version_mismatch, "it has format version " + std::to_string(major) + ", this program reads up to " +
                                                  std::to_string(kind.major));
    const std::size_t begin = load_number<std::uint32_t>(memory.data() + 12);
    if (major == 0 || begin < kept_content || begin > memory.size() || begin % alignof(std::uint64_t) != 0)
        return refuse(errc::malformed, "its head is damaged");
    return begin;
}

} // namespace detail
} // namespace MATO_ABI
} // namespace mato
