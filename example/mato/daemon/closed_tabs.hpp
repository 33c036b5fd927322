// SPDX-License-Identifier: MIT
/// @file closed_tabs.hpp: what brings a closed tab back: what it showed, and how its program was started.
/// Threads: one object, one thread.   Blocks: never.   Test: test/mato/closed_tabs_test.cpp.
///
/// It is kept for the time `undo_close`. The oldest are forgotten when there are too many, or when they are too large. With a
/// keeper it is in a memory file that the next process reads:
///
///     0    8 "mato:cls" · 4 version · 4 zero · 8 bytes of the body
///     64   body: when it was closed, and whether by a key · task, name · how it was opened (tab_record.hpp) · what it showed
#pragma once

#include "protocol/protocol.hpp"
#include "tab/tab_options.hpp"

#include <mato/clock.hpp>
#include <mato/error.hpp>
#include <mato/memory_file.hpp>

#include <cstddef>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace mux {

/// The bytes of a memory file that is mapped without a descriptor, for reading.
class mapped_bytes {
public:
    mapped_bytes() noexcept = default;
    /// Empty if they cannot be mapped again.
    explicit mapped_bytes(const mato::memory_file& of) noexcept;
    mapped_bytes(mapped_bytes&& other) noexcept
        : at_(std::exchange(other.at_, nullptr)), size_(std::exchange(other.size_, 0)) {}
    mapped_bytes& operator=(mapped_bytes&& other) noexcept {
        std::swap(at_, other.at_), std::swap(size_, other.size_);
        return *this;
    }
    ~mapped_bytes();
    [[nodiscard]] std::string_view bytes() const noexcept { return {static_cast<const char*>(at_), size_}; }

private:
    void* at_ = nullptr;
    std::size_t size_ = 0;
};

struct closed_tab {
    tab_name name;
    tab_options options;          ///< those it was opened with; its last size; the directory that its program is started in
    std::string shown{};          ///< vt::terminal::save, or the output of a tab without an emulator; empty: it is not known
    mato::clock::time_point at{}; ///< when it was closed
    bool by_key = false;          ///< a person has closed it with a key
    mato::memory_file file{};     ///< has all of this, instead of `shown`; empty: there is none, or its descriptor is closed
    mapped_bytes mapped{};        ///< the same then

    /// What it showed, from the file if there is one.
    [[nodiscard]] std::string_view text() const;
    /// Moves what it showed into a memory file. @errors memory_file::create's: it stays where it is
    void write(mato::error_out out);
    /// The keeper has one: those of fifty closed tabs would be missing for new ones. The text stays.
    void close_descriptor() noexcept;
    /// @errors malformed, version_mismatch
    [[nodiscard]] static closed_tab read(mato::memory_file file, mato::error_out out);
};

class closed_tabs {
public:
    static constexpr std::size_t most = 50;              ///< tabs
    static constexpr std::size_t most_bytes = 16u << 20; ///< of all that they showed: 16 tabs with a full usual history
    static constexpr std::size_t most_shown = 8u << 20;  ///< bytes of what one showed; of a larger one nothing is kept

    /// Called with the number of each tab that is forgotten. It must not change this object.
    std::function<void(tab_id)> on_forgotten{};

    /// @returns where it is; null: it was too large together with the others
    closed_tab* remember(closed_tab gone);
    /// Finds a tab by number, "TASK/NAME" or "NAME", not by prefix; of several, and for an empty target, the one closed last.
    /// "." is `current`. @returns null if it is not remembered
    [[nodiscard]] const closed_tab* find(std::string_view target, tab_id current) const;
    /// The oldest first.
    [[nodiscard]] const std::deque<closed_tab>& all() const noexcept { return tabs_; }
    void forget(tab_id id);
    /// Forgets those that were closed before.
    void forget_before(mato::clock::time_point when);
    /// When the oldest was closed; nothing: there is none.
    [[nodiscard]] std::optional<mato::clock::time_point> oldest() const;

    /// Whether a person has closed the newest of them with a key.
    [[nodiscard]] bool is_newest_by_key() const noexcept { return !tabs_.empty() && tabs_.back().by_key; }

    [[nodiscard]] std::size_t count() const noexcept { return tabs_.size(); }
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; } ///< of all that they showed

private:
    void drop_oldest();

    std::deque<closed_tab> tabs_; // the oldest first
    std::size_t bytes_ = 0;
};

} // namespace mux
