// SPDX-License-Identifier: MIT
/// @file tab_emulator.hpp: the emulator of a tab and the store of its state, made from the tab's options.
/// Blocks: never.   Test: test/mato/tab_survives_process_test.cpp.
#pragma once

#include "raw_emulator.hpp"
#include "tab_options.hpp"
#include "tab_store.hpp"
#include "vt/terminal.hpp"

#include <mato/error.hpp>
#include <mato/unique_fd.hpp>

#include <memory>
#include <variant>

namespace mux {

using tab_emulator = std::variant<vt::terminal, raw_emulator>;

/// Of a tab without viewers: the next viewer may show any of them.
inline constexpr vt::picture_protocols all_pictures{true, true, true, false};

[[nodiscard]] vt::history_limits history_limits_of(const tab_options& options);
[[nodiscard]] vt::terminal_options terminal_options_of(const tab_options& options, const vt::history_limits& history);
/// @param ring where a tab without an emulator keeps its output; null: on the heap
[[nodiscard]] tab_emulator make_emulator(const tab_options& options, const vt::history_limits& history, raw_store* ring);

/// Null if the options do not ask for a store, and after an error, which `why` then has.
[[nodiscard]] std::unique_ptr<tab_store> make_store(const tab_options& options, vt::history_limits& history,
                                                    mato::failure& why);
[[nodiscard]] std::unique_ptr<raw_store> make_ring(const tab_options& options, mato::failure& why);
/// The store in the memory file of an earlier process. Null without a file, and after an error, which `why` then has.
[[nodiscard]] std::unique_ptr<tab_store> adopt_store(mato::unique_fd file, const tab_options& options,
                                                     vt::history_limits& history, mato::failure& why);

/// The error of `adopt_store`: there was no file.
[[nodiscard]] bool had_no_store(const mato::failure& why) noexcept;

/// Restores a terminal from a copy of that file, and discards it. @errors as tab_store::adopt and tab_store::restore.
void try_restore(mato::memory_file copy, const tab_options& options, mato::error_out out);

} // namespace mux
