// SPDX-License-Identifier: MIT
/// @file guardian_note.hpp: the byte that tells a client's guardian which cursor style the user's terminal had.
/// Pure.  Test: test/mato/given_back_process_test.cpp.
#pragma once

namespace mux {

/// Written to the guardian's pipe before the terminal's cursor gets another style. `own_style`: the style to restore, 0 to 6 as
/// in DECSCUSR.
[[nodiscard]] constexpr char guardian_note_of(int own_style) noexcept { return static_cast<char>('0' + own_style); }

} // namespace mux
