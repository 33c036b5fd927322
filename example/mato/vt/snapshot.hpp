// SPDX-License-Identifier: MIT
/// @file snapshot.hpp: an emulator as bytes, and back. Internal: terminal::save() and restore() are the way in.
/// Layer: vt core.  Test: test/mato/vt/terminal_test.cpp.
/// Threads: pure functions.   Blocks: never.
///
/// Layout: "mVTs" · version · length of the body · its 64-bit FNV-1a hash · body. Numbers are LEB128 but for the hash.
/// A reader takes its own version and older ones; a newer one is refused, since what it means is not known.
#pragma once

#include "terminal.hpp"

#include <string>
#include <string_view>

namespace mux::vt {

class byte_reader;
class byte_writer;

/// Raised with every change of the body's layout.
inline constexpr unsigned snapshot_version = 3;

struct snapshot_access {
    /// What save() wraps, with `revision` for the emulator's own.
    [[nodiscard]] static std::string body(const emulator& e, const parser& p, std::uint64_t revision);
    [[nodiscard]] static std::string save(const emulator& e, const parser& p);
    /// Into a fresh emulator; after an error what is there is not to be used.
    [[nodiscard]] static snapshot_error restore(std::string_view bytes, emulator& e, parser& p);

private:
    static void put_pictures(byte_writer& out, const emulator& e);
    static void take_pictures(byte_reader& in, emulator& e);
};

} // namespace mux::vt
