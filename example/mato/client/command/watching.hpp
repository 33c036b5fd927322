// SPDX-License-Identifier: MIT
/// @file watching.hpp: waits for a text of a tab, or for silence; reads a tab's text.
/// Threads: one.   Blocks: never.   Test: test/mato/wait_process_test.cpp, test/mato/read_process_test.cpp.
#pragma once

#include "client/cli.hpp"
#include "common.hpp"
#include "exchange.hpp"
#include "protocol/text_pattern.hpp"
#include "text_origin.hpp"
#include "text_parts.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace mux {

/// @throws command_failure, exit code 65: `since` is a mark of another tab than `which`, as far as its number says so.
[[nodiscard]] text_origin origin_since(const text_mark& since, const target& which);

/// The origin that `read` names: --since, --last or --all; else the screen.
[[nodiscard]] text_origin origin_of(const invocation& what, const target& which);

/// Waits until a tab's text matches, or the tab has been silent for a time. All of the text from the origin on counts, also
/// what has scrolled away, but a match that ends in the echo of a line typed by `send` does not. The search pauses after each
/// step, so that it does not delay `until` and the other commands of `control`.
class watching final : public exchange {
public:
    struct condition {
        std::optional<std::string> pattern;
        text_origin from;
        std::chrono::milliseconds idle{0}; ///< without a pattern
    };
    /// What was found.
    struct match {
        text_mark end; ///< after its last byte: a mark from which to search for the next one
        std::string line;
    };
    /// @throws command_failure, exit code 64: the pattern is not a regular expression.
    watching(target which, const condition& what, mato::deadline until);
    void begin(remote& daemon) override { look(daemon); }
    void wake(remote& daemon) override;
    [[nodiscard]] bool waits_for_program() const noexcept override { return true; }

private:
    enum class phase : std::uint8_t { looking, searching, watching, resting };

    void on_answer(remote& daemon, const header& answer) override;
    void on_refused(const refusal& why) override;
    void look(remote& daemon);
    void request_from(remote& daemon, text_begin from, std::uint64_t line, std::uint64_t column);
    void judge(remote& daemon);
    void search(remote& daemon);
    void succeed();
    void wait_for_change(remote& daemon);
    void rest(std::chrono::milliseconds span);
    void time_out();

    target which_;
    std::optional<text_pattern> pattern_;
    text_origin from_;
    std::chrono::milliseconds idle_;
    mato::deadline until_;
    phase phase_ = phase::looking;
    text_parts seen_;
    std::optional<text_search> search_;
    bool has_searched_ = false; ///< at least once
};

/// A tab's lines from the origin on.
class reading final : public exchange {
public:
    reading(target which, text_origin from) : which_(std::move(which)), from_(from) {}
    void begin(remote& daemon) override;
    [[nodiscard]] bool is_answered_at_length() const noexcept override { return true; }
    [[nodiscard]] const text_parts& seen() const noexcept { return seen_; }

private:
    void on_answer(remote& daemon, const header& answer) override;

    target which_;
    text_origin from_;
    text_parts seen_;
};

/// The output of a command that the tab's shell has run.
class reading_output final : public exchange {
public:
    reading_output(target which, std::uint32_t back) : request_{std::move(which), back} {}
    void begin(remote& daemon) override { ask<message::find_output>(daemon, request_, soon()); }
    [[nodiscard]] bool is_answered_at_length() const noexcept override { return true; }

private:
    void on_answer(remote& daemon, const header& answer) override;
    void read_on(remote& daemon, std::uint64_t line, std::uint64_t column);
    void give();

    output_request request_;
    std::optional<output_found> found_;
    text_parts seen_;
};

[[nodiscard]] exchange::result timed_out(const target& which);
/// What `read --json` and `wait --text --json` print, on one line.
[[nodiscard]] json::verbatim as_json(const text_parts& text);
[[nodiscard]] json::verbatim as_json(const watching::match& found);

} // namespace mux
