// SPDX-License-Identifier: MIT
/// @file following.hpp: hands on a tab's lines as they end, until its program has ended.
/// Threads: one.   Blocks: never.   Test: test/mato/run_process_test.cpp.
///
/// A line has ended when the cursor is below it; what a program changes in it later is not handed on again. The last line is
/// handed on when the program has ended.
#pragma once

#include "exchange.hpp"
#include "protocol/text_mark.hpp"
#include "text_origin.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

namespace mux {

class following final : public exchange {
public:
    /// What was handed on. It is kept by the caller, for the exchange with the daemon's next process.
    struct progress {
        std::optional<text_origin> begin{}; ///< of the text; nothing: with `next`
        text_mark next;                     ///< the first byte that was not handed on
        std::uint64_t lost = 0;             ///< lines that were evicted from the history before they were read
        bool is_removed = false;            ///< the tab was closed before all of its text was read
    };
    /// `lines`: is called with whole lines, each with its newline.
    following(target which, progress& done, mato::deadline until, std::function<void(std::string_view)> lines)
        : which_(std::move(which)), done_(done), until_(until), lines_(std::move(lines)) {}
    /// Its exit code is the program's.
    void begin(remote& daemon) override { look(daemon); }
    void wake(remote& daemon) override;
    [[nodiscard]] bool waits_for_program() const noexcept override { return true; }

private:
    enum class phase : std::uint8_t { looking, watching, resting, ending };

    void on_answer(remote& daemon, const header& answer) override;
    void look(remote& daemon);
    void hand_on(const text_read& part);
    void go_on(remote& daemon, const text_read& part);

    target which_;
    progress& done_;
    mato::deadline until_;
    std::function<void(std::string_view)> lines_;
    phase phase_ = phase::looking;
};

} // namespace mux
