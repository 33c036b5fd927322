// SPDX-License-Identifier: MIT
/// @file changes.hpp: the steps from an older state of the screen to the newest.
/// Layer: vt core.  Test: test/mato/vt/terminal_test.cpp.
/// Threads: distinct objects are independent; one object, one thread.   Blocks: never.
///
/// A row keeps its generation when it scrolls. So a viewer that repeats the scrolls in order, and then reads the rows changed
/// since, has every row right: the other rows were only moved.
#pragma once

#include <cstdint>
#include <vector>

namespace mux::vt {

/// The rows [top, bottom) moved up by `lines`, or down if negative; the new rows are among the changed ones.
struct scrolled {
    int top = 0;
    int bottom = 0;
    int lines = 0;

    friend bool operator==(const scrolled&, const scrolled&) = default;
};

struct changes {
    bool everything = false; ///< another size, another screen, or too old: read all rows
    std::vector<scrolled> scrolls;
    std::vector<int> rows;
};

class scroll_log {
public:
    /// Scrolls kept. A viewer that missed more reads the whole screen, which costs no more.
    static constexpr std::size_t limit = 32;

    void add(std::uint64_t revision, scrolled s) {
        if (!log_.empty() && log_.back().revision == revision) {
            scrolled& last = log_.back().what;
            if (last.top == s.top && last.bottom == s.bottom && (last.lines < 0) == (s.lines < 0)) {
                const int height = s.bottom - s.top; // beyond its height no row is left to move
                last.lines += s.lines;
                if (last.lines > height) last.lines = height;
                if (last.lines < -height) last.lines = -height;
                return;
            }
        }
        if (log_.size() == limit) {
            forgotten_ = log_.front().revision;
            log_.erase(log_.begin());
        }
        log_.push_back({revision, s});
    }
    void clear(std::uint64_t revision) noexcept {
        forgotten_ = revision;
        log_.clear();
    }
    /// Whether all scrolls after `revision` are kept.
    [[nodiscard]] bool reaches(std::uint64_t revision) const noexcept { return revision >= forgotten_; }
    [[nodiscard]] std::vector<scrolled> since(std::uint64_t revision) const {
        std::vector<scrolled> out;
        for (const entry& e : log_)
            if (e.revision > revision) out.push_back(e.what);
        return out;
    }
    [[nodiscard]] std::size_t memory_bytes() const noexcept { return log_.capacity() * sizeof(entry); }

private:
    struct entry {
        std::uint64_t revision;
        scrolled what;
    };
    std::vector<entry> log_;
    std::uint64_t forgotten_ = 0;
};

} // namespace mux::vt
