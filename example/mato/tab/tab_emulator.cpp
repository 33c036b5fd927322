// SPDX-License-Identifier: MIT
#include "tab_emulator.hpp"

#include <mato/version.hpp>

#include <algorithm>
#include <utility>

namespace mux {

constexpr std::size_t most_image = 4u << 20; // bytes of one image as sent: one may be queued for a stopped viewer's terminal

vt::history_limits history_limits_of(const tab_options& options) {
    vt::history_limits limits;
    limits.lines = options.history_lines;
    // A line of ordinary text is under a hundred bytes; the bound is for programs that write lines of thousands.
    constexpr std::size_t line_bytes = 1600;
    limits.bytes = std::max<std::size_t>(options.history_lines * line_bytes, 64u << 10);
    return limits;
}

std::unique_ptr<tab_store> make_store(const tab_options& options, vt::history_limits& history, mato::failure& why) {
    if (!options.survive || options.emulator != emulator_kind::vt) return nullptr;
    return tab_store::create(history, why);
}

std::unique_ptr<raw_store> make_ring(const tab_options& options, mato::failure& why) {
    if (!options.survive || options.emulator != emulator_kind::raw) return nullptr;
    return raw_store::create(options.replay_bytes, why);
}

constexpr auto no_store = std::errc::no_such_file_or_directory;

bool had_no_store(const mato::failure& why) noexcept { return why.code == no_store; }

std::unique_ptr<tab_store> adopt_store(mato::unique_fd file, const tab_options& options, vt::history_limits& history,
                                       mato::failure& why) {
    if (options.emulator != emulator_kind::vt) return nullptr;
    if (!file && options.survive)
        why = {std::make_error_code(no_store), "restore tab", {}, "the earlier process had no memory file for it"};
    if (!file) return nullptr;
    return tab_store::adopt(std::move(file), history, why);
}

vt::terminal_options terminal_options_of(const tab_options& options, const vt::history_limits& history) {
    vt::terminal_options wanted;
    wanted.size = options.size.cells;
    wanted.limits.history = history;
    wanted.version = MATO_VERSION_STRING;
    wanted.limits.image_bytes = most_image;
    wanted.host.kitty_keyboard = false; // only a terminal that shows the tab can have it
    wanted.host.clipboard = options.clipboard;
    wanted.pictures = all_pictures;
    return wanted;
}

tab_emulator make_emulator(const tab_options& options, const vt::history_limits& history, raw_store* ring) {
    if (ring) return raw_emulator(options.replay_bytes, *ring);
    if (options.emulator == emulator_kind::raw) return raw_emulator(options.replay_bytes);
    return vt::terminal(terminal_options_of(options, history));
}

void try_restore(mato::memory_file copy, const tab_options& options, mato::error_out out) {
    auto history = history_limits_of(options);
    const auto store = tab_store::adopt(std::move(copy), history, out);
    if (!store) return;
    vt::terminal screen(terminal_options_of(options, history));
    static_cast<void>(store->restore(screen, {}, 0, out));
}

} // namespace mux
