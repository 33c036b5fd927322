// SPDX-License-Identifier: MIT
/// @file handed_over.hpp: what the program of an upgrade gets in addition to what the keeper always holds.
/// Pure.  Blocks: never.   Test: test/mato/handed_over_test.cpp.
///
/// The old worker writes it when it is frozen, into a memory file that the keeper holds as `handover`. The memory:
///
///     0    8 "mato:hnd" · 4 version · 4 zero · 8 bytes of the body
///     64   body
#pragma once

#include "protocol/ids.hpp"

#include <mato/memory_file.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace mux {

struct handed_over {
    static constexpr const char* name = "handover";
    /// Bytes of the body: the unread input and the raw output of all tabs.
    static constexpr std::size_t most_body = mato::memory_file::most_bytes / 2;

    struct tab_part {
        tab_id id = 0;
        std::string typed;            ///< by viewers, and not read by the program
        std::string output;           ///< of a tab without an emulator: what it can still show
        std::uint64_t idle_since = 0; ///< microseconds of the steady clock
    };

    /// The newest output of a tab that clients record.
    struct recorded_part {
        tab_id id = 0;
        std::uint64_t offset = 0; ///< of its first byte in all output
        std::string output;
    };

    std::string version;                ///< of the old program
    std::vector<std::string> variables; ///< for new tabs, "NAME=value"
    std::vector<tab_part> tabs;
    std::vector<recorded_part> recorded; ///< older programs neither write nor read it

    /// @errors memory_file::create's · file_too_large
    [[nodiscard]] mato::memory_file write(mato::error_out out) const;
    /// @errors malformed, version_mismatch
    [[nodiscard]] static handed_over read(const mato::memory_file& file, mato::error_out out);
    /// The part of that tab; null: there is none.
    [[nodiscard]] const tab_part* find(tab_id id) const noexcept;
    [[nodiscard]] const recorded_part* find_recorded(tab_id id) const noexcept;
};

} // namespace mux
