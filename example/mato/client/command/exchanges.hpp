// SPDX-License-Identifier: MIT
/// @file exchanges.hpp: the commands that need several messages: `send`, `capture`, `wait --exit`.
/// Threads: one.   Blocks: never.
#pragma once

#include "exchange.hpp"
#include "protocol/text_mark.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace mux {

/// Text with keys in it by name. Only the daemon knows their bytes.
struct typing {
    std::string bytes;
    std::vector<key_in_text> keys;
};
enum class mark_before : std::uint8_t { no, yes };

/// Types into a tab; gives up when the program has read nothing for some seconds.
class sending final : public exchange {
public:
    /// `marking`: asks for the cursor's place first.
    sending(target which, typing what, mark_before marking = mark_before::no)
        : which_(std::move(which)), what_(std::move(what)), marking_(marking) {}
    void begin(remote& daemon) override;
    void wake(remote& daemon) override;
    [[nodiscard]] bool waits_for_program() const noexcept override { return true; }
    [[nodiscard]] std::string interrupted() const override;
    /// Where the cursor was before the first byte was typed.
    [[nodiscard]] const std::optional<text_mark>& mark() const noexcept { return mark_; }

private:
    void on_answer(remote& daemon, const header& answer) override;
    void on_refused(const refusal& why) override;
    void send_more(remote& daemon);
    [[nodiscard]] send_request next_part();
    [[nodiscard]] bool has_more() const noexcept { return offset_ < what_.bytes.size() || next_key_ < what_.keys.size(); }
    void finish_if_done();

    target which_;
    typing what_;
    mark_before marking_;
    std::optional<text_mark> mark_;
    std::set<std::uint32_t> under_way_; // requests
    std::size_t offset_ = 0, next_key_ = 0, taken_ = 0;
    bool cancelled_ = false, is_cut_ = false;
};

/// A tab's screen and the requested history, of any length.
class capturing final : public exchange {
public:
    explicit capturing(capture_request wanted) : wanted_(std::move(wanted)) {}
    void begin(remote& daemon) override;
    [[nodiscard]] bool is_answered_at_length() const noexcept override { return true; }
    [[nodiscard]] const captured& last() const noexcept { return last_; }
    [[nodiscard]] const std::string& text() const noexcept { return text_; } ///< of all parts

private:
    void on_answer(remote& daemon, const header& answer) override;

    capture_request wanted_;
    captured last_;
    std::string text_;
};

/// Waits until a tab's program has ended; the command gets its exit code.
class awaiting_exit final : public exchange {
public:
    awaiting_exit(target which, mato::deadline until) : which_(std::move(which)), until_(until) {}
    void begin(remote& daemon) override { ask<message::wait_exit>(daemon, which_, until_); }
    void wake(remote&) override;
    [[nodiscard]] bool waits_for_program() const noexcept override { return true; }

private:
    void on_answer(remote& daemon, const header& answer) override;

    target which_;
    mato::deadline until_;
};

/// A code that a shell has marked: null if it did not say one.
[[nodiscard]] json::verbatim marked_code(std::int32_t code);
/// The result of a command that waited for a program's end.
[[nodiscard]] exchange::result program_ended(const exit_status& how);

} // namespace mux
