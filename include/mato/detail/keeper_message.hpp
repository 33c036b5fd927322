// SPDX-License-Identifier: MIT
/// @file keeper_message.hpp: the messages between a keeper and its worker, of one size and parsed strictly.
/// Layer: 1 (vocabulary).  Test: test/toolkit/keeper_message_test.cpp, test/fuzz/keeper_message_fuzz.cpp.
/// Threads: values.   Blocks: never.
///
/// 128 bytes, numbers little-endian:
///
///     0   2  word
///     2   2  version: 1
///     4   4  slot
///     8   8  a
///     16  8  b
///     24  64 name, the rest of it zero
///     88  40 zero
#pragma once

#include "kept_memory.hpp"

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace mato {
inline namespace MATO_ABI {
namespace detail {

/// What a message says, and which of its fields have a meaning; all others are zero.
enum class keeper_word : std::uint16_t {
    keep = 1, ///< worker: slot, a: child's pid or 0, b: `keep_flags`, name; one descriptor, unless b says none
    drop,     ///< worker: slot
    listen,   ///< worker: slot: backlog, a: device, b: inode; one descriptor
    serving,  ///< worker: clients are let in
    stopping, ///< worker: no more clients
    stopped,  ///< worker: socket and pid file are removed; the lock may be released
    answer,   ///< keeper: to keep, listen, stopped; slot of the question, a: errno or 0
    child,    ///< keeper: slot, a: wait status
    signal,   ///< keeper: a: the signal that it received
    // an upgrade, in this order; the new program is started by the keeper
    upgrade,     ///< worker: a: milliseconds, b: `upgrade_check` or 0; two descriptors: the program, the commit word
    hello,       ///< new program: it can take over
    freeze,      ///< keeper, to the old worker: bring all into what is kept
    frozen,      ///< old worker: a: errno or 0
    given,       ///< keeper, to the new program: slot, a: child's pid or 0, b: `given_flags`, name; descriptor as in keep
    given_all,   ///< keeper, to the new program: slot: generation, a: since when none serves, b: `worker_facts`
    ready,       ///< new program: setup has succeeded, nothing is consumed yet
    go,          ///< keeper, to the new program: the old worker is dead; serve
    retired,     ///< keeper, to the old worker: the new program takes over
    rolled_back, ///< keeper, to the old worker: a: `rollback`, b: wait status; one descriptor: the new program's report
};
inline constexpr std::uint64_t keep_memory = 1;        ///< flag of keep: the descriptor is a memory file
inline constexpr std::uint64_t keep_no_descriptor = 2; ///< flag of keep: only the child is kept
inline constexpr std::uint64_t given_ended = 4;        ///< flag of given: the child has ended; its wait status is above
inline constexpr unsigned given_status_shift = 16;
inline constexpr std::uint64_t upgrade_check = 1; ///< flag of upgrade: roll it back where it would be committed
inline constexpr std::uint64_t fact_must_stop = 1, fact_upgraded = 2; ///< flags of given_all
inline constexpr unsigned fact_signal_shift = 8, fact_old_worker_shift = 32;

/// Why an upgrade was rolled back.
enum class rollback : std::uint64_t { ended = 1, timed_out, stopping, refused, damaged, checked };

struct keeper_message {
    static constexpr std::size_t bytes = 128;
    static constexpr std::size_t most_name = 63; ///< bytes of a name, without the final NUL
    static constexpr std::uint16_t version = 1;
    static constexpr std::uint32_t most_slots = 65'536; ///< more than a process may have descriptors on most systems

    keeper_word word = keeper_word::keep;
    std::uint32_t slot = 0;
    std::uint64_t a = 0, b = 0;
    std::string_view name{}; ///< of a decoded message: a view of its bytes

    bool operator==(const keeper_message&) const = default;

    /// @pre name fits
    [[nodiscard]] std::array<char, bytes> encode() const noexcept;
    /// Nothing for bytes that `encode` does not make, or that say what their word cannot mean. Pure.
    [[nodiscard]] static std::optional<keeper_message> decode(std::string_view from) noexcept;

private:
    static constexpr std::size_t name_at = 24, name_end = name_at + most_name + 1;
    [[nodiscard]] bool is_meant() const noexcept;
};

// ---- implementation ----

inline std::array<char, keeper_message::bytes> keeper_message::encode() const noexcept {
    std::array<char, bytes> to{};
    store_number(to.data(), static_cast<std::uint16_t>(word));
    store_number(to.data() + 2, version);
    store_number(to.data() + 4, slot);
    store_number(to.data() + 8, a);
    store_number(to.data() + 16, b);
    if (!name.empty()) std::memcpy(to.data() + name_at, name.data(), name.size() < most_name ? name.size() : most_name);
    return to;
}

inline std::optional<keeper_message> keeper_message::decode(std::string_view from) noexcept {
    if (from.size() != bytes || load_number<std::uint16_t>(from.data() + 2) != version) return std::nullopt;
    keeper_message got;
    const auto word = load_number<std::uint16_t>(from.data());
    if (word < static_cast<std::uint16_t>(keeper_word::keep) || word > static_cast<std::uint16_t>(keeper_word::rolled_back))
        return std::nullopt;
    got.word = static_cast<keeper_word>(word);
    got.slot = load_number<std::uint32_t>(from.data() + 4);
    got.a = load_number<std::uint64_t>(from.data() + 8);
    got.b = load_number<std::uint64_t>(from.data() + 16);
    const auto field = from.substr(name_at, name_end - name_at);
    got.name = field.substr(0, field.find('\0'));
    if (got.name.size() > most_name || from.find_first_not_of('\0', name_at + got.name.size()) != std::string_view::npos)
        return std::nullopt;
    return got.is_meant() ? std::optional(got) : std::nullopt;
}

inline bool keeper_message::is_meant() const noexcept {
    constexpr std::uint64_t most_pid = 0x7fffffff, most_errno = 4095, most_status = 0xffff, most_signal = 64;
    const bool is_slot = slot < most_slots;
    switch (word) {
    case keeper_word::keep:
        return is_slot && !name.empty() && a <= most_pid && a != 1 && b <= keep_no_descriptor &&
               (b != keep_no_descriptor || a > 1);
    case keeper_word::drop: return is_slot && a == 0 && b == 0 && name.empty();
    case keeper_word::listen: return slot <= most_pid && name.empty();
    case keeper_word::serving:
    case keeper_word::stopping:
    case keeper_word::stopped:
    case keeper_word::hello:
    case keeper_word::freeze:
    case keeper_word::ready:
    case keeper_word::go:
    case keeper_word::retired: return slot == 0 && a == 0 && b == 0 && name.empty();
    case keeper_word::answer: return a <= most_errno && b == 0 && name.empty();
    case keeper_word::child: return is_slot && a <= most_status && b == 0 && name.empty();
    case keeper_word::upgrade: return slot == 0 && a <= most_pid && b <= upgrade_check && name.empty();
    case keeper_word::frozen: return slot == 0 && a <= most_errno && b == 0 && name.empty();
    case keeper_word::given: {
        constexpr std::uint64_t flags = keep_memory | keep_no_descriptor | given_ended | (most_status << given_status_shift);
        return is_slot && !name.empty() && a <= most_pid && a != 1 && (b & ~flags) == 0;
    }
    case keeper_word::given_all: return slot <= most_pid && name.empty();
    case keeper_word::rolled_back:
        return slot == 0 && a >= 1 && a <= static_cast<std::uint64_t>(rollback::checked) && b <= most_status && name.empty();
    case keeper_word::signal: return slot == 0 && a >= 1 && a <= most_signal && b == 0 && name.empty();
    }
    return false;
}

} // namespace detail
} // namespace MATO_ABI
} // namespace mato
