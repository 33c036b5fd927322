// SPDX-License-Identifier: MIT
/// @file styled_loop.hpp: the loop of styled_text, compiled for each kind of processor. Internal to styled_text.
/// Layer: vt core.  Test: test/mato/vt/sequence_scan_test.cpp.
/// Threads: pure functions.   Blocks: never.
///
/// Everything here has internal linkage: code compiled for one processor must not be called on another.
#pragma once

#include "sgr_scan.hpp"
#include "styled_text.hpp"

namespace mux::vt {

namespace {

constexpr int window_bytes = 64;

/// Bit i belongs to byte i of a window.
struct styled_masks {
    std::uint64_t plain = 0;
    std::uint64_t digits = 0;
    std::uint64_t numbers = 0; ///< digits and semicolons
};

/// The end of one word or sequence is where the search for the next begins. With a load and a comparison in between, that
/// dependency chain would dominate, so a window is examined once, and its masks are used from then on.
/// @tparam Scan `look(p)`: the masks of a window · `widen(p, to)`: plain_step bytes as units
template <class Scan> class styled_writer {
public:
    explicit styled_writer(const row_end& to) noexcept : used_(to.used), pen_(words::of(to.pen)), last_(words::of(to.last)) {}

    const char* write(const char* p, const char* end, row_end& to) noexcept {
        constexpr int read_ahead = static_cast<int>(plain_step); // more than a sequence's lookahead
        while (goes_on_ && end - p >= window + read_ahead) p += write_window(p, to);
        to.used = used_;
        to.count = count_;
        to.after_sequence = is_restyled_;
        to.pen = static_cast<style>(pen_);
        to.last = static_cast<style>(last_);
        return p;
    }

private:
    using words = style_words;
    static constexpr int window = window_bytes, introducer = 2;

    int write_window(const char* p, row_end& to) noexcept {
        const styled_masks m = Scan::look(p);
        const int at = *p == '\x1b' ? take_sequence(p, ~m.numbers >> introducer, ~m.digits >> introducer) : 0;
        const std::uint64_t stops = ~m.plain >> at;
        const int n = stops != 0 ? lowest_bit(stops) : window - at;
        const int taken = at + (n > 0 ? write_text(p + at, n, to) : 0);
        if (taken == 0) goes_on_ = false;
        return taken;
    }

    int write_text(const char* p, int n, row_end& to) noexcept {
        if (is_restyled_) {
            if (pen_ != last_) {
                goes_on_ = count_ < row_end::most_runs;
                if (!goes_on_) return 0;
                to.runs[static_cast<std::size_t>(count_++)] = {static_cast<std::uint32_t>(used_), static_cast<style>(pen_)};
                last_ = pen_;
            }
            is_restyled_ = false;
        }
        const int room = to.limit - used_;
        if (n >= room) {
            n = room;
            goes_on_ = false;
        }
        constexpr int step = static_cast<int>(plain_step);
        for (int done = 0; done < n; done += step) Scan::widen(p + done, to.units + used_ + done);
        used_ += n;
        return n;
    }

    // @param others, ends: the bytes after the introducer that do not belong to a number; that are not digits
    int take_sequence(const char* p, std::uint64_t others, std::uint64_t ends) noexcept {
        if (p[1] != '[' || others == 0) return 0;
        const int final = lowest_bit(others);
        if (p[introducer + final] != 'm' || final >= detail::sequence_shape::block) return 0;
        const detail::sequence_shape shape{static_cast<std::uint32_t>(ends), final};
        if (detail::scan_common_sgr(p + introducer, shape, pen_) == nullptr) {
            auto any = static_cast<style>(pen_);
            if (scan_sgr(p + introducer, shape, any) == nullptr) return 0;
            pen_ = words::of(any);
        }
        is_restyled_ = true;
        return introducer + final + 1;
    }

    int used_;
    words pen_, last_;
    int count_ = 0;
    bool is_restyled_ = true, goes_on_ = true;
};

} // namespace

} // namespace mux::vt
