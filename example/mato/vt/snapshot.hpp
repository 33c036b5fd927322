// SPDX-License-Identifier: MIT
/// @file snapshot.hpp: an emulator as bytes, and back. Internal: terminal.hpp has the functions for it.
/// Layer: vt core.  Test: test/mato/vt/terminal_test.cpp, checkpoint_test.cpp.
/// Threads: pure functions.   Blocks: never.
///
/// A snapshot has all: "mVTs" · version · length of the body · its 64-bit FNV-1a hash · body. Numbers are LEB128 but for the
/// hash. A reader accepts its own version and older ones; it refuses a newer one, which it would not understand.
///
/// A checkpoint has all but closed lines, links and images. Those lie in blocks of a store that outlives the process, and the
/// checkpoint says in which: version · body. It has no hash: who publishes it sees to that it is whole.
#pragma once

#include "block_store.hpp"
#include "terminal.hpp"

#include <span>
#include <string>
#include <string_view>

namespace mux::vt {

class byte_reader;
class byte_writer;
class kept_objects;

/// Raised with every change of the body's layout.
inline constexpr unsigned snapshot_version = 4;

struct snapshot_access {
    /// The body of a snapshot, with `revision` in place of the emulator's own.
    static void write_body(byte_writer& out, const emulator& e, const parser& p, std::uint64_t revision);
    [[nodiscard]] static std::string save(const emulator& e, const parser& p);
    /// Into a new emulator. After an error it is not to be used.
    [[nodiscard]] static snapshot_error restore(std::string_view bytes, emulator& e, parser& p);

    /// Writes records for what has none in `kept`, then the checkpoint. @returns false when the store has no room
    [[nodiscard]] static bool write_checkpoint(byte_writer& out, const emulator& e, const parser& p, kept_objects& kept);
    /// Into a new emulator and new objects. After an error they are not to be used.
    [[nodiscard]] static snapshot_error restore_checkpoint(std::string_view bytes, block_store& store, emulator& e, parser& p,
                                                           kept_objects& kept);

private:
    static void put(byte_writer& out, const emulator& e, const parser& p, std::uint64_t revision, const kept_objects* kept);
    static bool take(byte_reader& in, std::uint64_t version, emulator& e, parser& p, kept_objects* kept,
                     std::span<block_head* const> left);
    static void put_pictures(byte_writer& out, const emulator& e, const kept_objects* kept);
    static void take_pictures(byte_reader& in, emulator& e, kept_objects* kept);
};

} // namespace mux::vt
