// SPDX-License-Identifier: MIT
/// @file program_paste.hpp: whether what a program was sent ends within a bracketed paste, and whose paste it is.
/// Pure.  Test: test/mato/program_paste_test.cpp, survive_paste_process_test.cpp.
///
/// A program that got the begin mark of a paste takes everything for text until the end mark. The end mark can be lost: with
/// the client that pastes, with input that is dropped, or with the daemon's process. So both facts are also in the tab's memory
/// file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace mux {

class program_paste {
public:
    static constexpr std::string_view begin_mark = "\x1b[200~", end_mark = "\x1b[201~";

    /// The program's terminal has taken these bytes, after all those before.
    void passed(std::string_view bytes) noexcept {
        while (!bytes.empty()) {
            if (matched_ == 0) {
                const auto at = bytes.find(begin_mark.front());
                if (at == std::string_view::npos) return;
                bytes.remove_prefix(at);
            }
            step(bytes.front());
            bytes.remove_prefix(1);
        }
    }
    [[nodiscard]] bool is_open() const noexcept { return is_open_; }
    [[nodiscard]] bool is_open_after(std::string_view queued) const noexcept {
        program_paste later = *this;
        later.passed(queued);
        return later.is_open_;
    }

    /// The terminal of that client is within a paste from here on. Several clients may paste; the last one counts.
    void begins(std::uint32_t client) noexcept { client_ = client, is_away_ = false; }
    void ends(std::uint32_t client) noexcept {
        if (client_ == client) client_ = 0, is_away_ = false;
    }
    [[nodiscard]] std::uint32_t client() const noexcept { return client_; } ///< 0: none is within a paste
    /// The paste began under a process before this one, and its client has not come back yet.
    [[nodiscard]] bool is_away() const noexcept { return is_away_; }

    /// For the next process; 0: nothing to be said.
    [[nodiscard]] std::uint64_t word() const noexcept { return client_ | (is_open_ ? open_bit : 0); }
    [[nodiscard]] static program_paste of(std::uint64_t word) noexcept {
        program_paste found;
        found.client_ = static_cast<std::uint32_t>(word);
        found.is_away_ = found.client_ != 0;
        found.is_open_ = (word & open_bit) != 0;
        return found;
    }

private:
    static constexpr std::uint64_t open_bit = std::uint64_t{1} << 32;
    static constexpr std::size_t which = 4; ///< of a mark's bytes: the one in which the two differ

    void step(char c) noexcept {
        const bool goes_on = matched_ == which ? c == begin_mark[which] || c == end_mark[which] : c == begin_mark[matched_];
        if (!goes_on) return void(matched_ = c == begin_mark.front() ? 1 : 0);
        if (matched_ == which) is_begin_ = c == begin_mark[which];
        if (++matched_ < begin_mark.size()) return;
        matched_ = 0;
        is_open_ = is_begin_;
    }

    std::size_t matched_ = 0; // bytes of a mark
    bool is_begin_ = false, is_open_ = false, is_away_ = false;
    std::uint32_t client_ = 0;
};

} // namespace mux
