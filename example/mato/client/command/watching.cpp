// SPDX-License-Identifier: MIT
#include "watching.hpp"

#include "exchanges.hpp"

#include <mato/printable.hpp>

#include <algorithm>
#include <utility>

namespace mux {
namespace {

/// Looks again after each change of the tab, but not more often than this: a flood is not searched at every read.
constexpr std::chrono::milliseconds look_again{20};

/// The lines of a text, on one line; the last one may go on.
json::verbatim array_of_lines(const std::string& text) {
    std::string all;
    for (std::size_t from = 0; from < text.size();) {
        const std::size_t end = std::min(text.find('\n', from), text.size());
        all.append(all.empty() ? "" : ", ").append(json::quote(std::string_view(text).substr(from, end - from)));
        from = end + 1;
    }
    return {"[" + all + "]"};
}

} // namespace

text_origin origin_since(const text_mark& since, const target& which) {
    if (since.tab != 0 && !which.name.empty() && which.name.find_first_not_of("0123456789") == std::string::npos &&
        which.name != std::to_string(since.tab))
        throw command_failure{cannot_be_answered, "mark " + since.text() + " is a place in tab " + std::to_string(since.tab) +
                                                      ", not in tab " + which.name};
    return {text_begin::mark, since.line, since.column};
}

text_origin origin_of(const invocation& what, const target& which) {
    if (what.mark) return origin_since(*what.mark, which);
    if (what.last) return {text_begin::last, *what.last, 0};
    return {what.all ? text_begin::oldest : text_begin::screen, 0, 0};
}

exchange::result timed_out(const target& which) {
    return {not_in_time, "tab " + which.name + ": timed out before the condition was met", {}};
}

json::verbatim as_json(const text_parts& text) {
    return json::object()
        .add("tab", text.last().tab)
        .add("from", text.begin().text())
        .add("mark", text.end().text())
        .add("running", text.last().running)
        .add("lines", array_of_lines(text.text()))
        .done();
}

json::verbatim as_json(const watching::match& found) {
    return json::object()
        .add("tab", found.end.tab)
        .add("line", found.end.line + 1)
        .add("mark", found.end.text())
        .add("text", found.line)
        .done();
}

// ---- wait --text, wait --idle ----

watching::watching(target which, const condition& what, mato::deadline until)
    : which_(std::move(which)), from_(what.from), idle_(what.idle), until_(until) {
    if (!what.pattern) return;
    std::string problem;
    pattern_ = text_pattern::compile(*what.pattern, problem);
    if (!pattern_)
        throw command_failure{mato::exit_code::usage, "--text '" + *what.pattern + "' is not a valid pattern: " + problem};
}

void watching::look(remote& daemon) {
    phase_ = phase::looking;
    search_.reset(); // it refers to the text
    seen_ = {};
    if (pattern_)
        request_from(daemon, from_.from, from_.line, from_.column);
    else
        request_from(daemon, text_begin::cursor, 0, 0); // whether it is idle, and little text
}

void watching::request_from(remote& daemon, text_begin from, std::uint64_t line, std::uint64_t column) {
    ask<message::read_text>(daemon, read_request{which_, from, line, column}, soon());
}

void watching::on_answer(remote& daemon, const header& answer) {
    if (phase_ == phase::watching) return rest(look_again);
    auto part = read<message::text_read>(answer);
    if (!part) return;
    if (from_.from == text_begin::cursor) from_ = {text_begin::mark, part->cursor_line, part->cursor_column};
    if (seen_.add(std::move(*part)) && pattern_) return request_from(daemon, text_begin::place, seen_.last().next, 0);
    judge(daemon);
}

void watching::on_refused(const refusal& why) {
    if (why.exit_code != cannot_be_answered || !has_searched_ || from_.from != text_begin::mark)
        return exchange::on_refused(why);
    from_ = {text_begin::oldest, 0, 0}; // a flood has evicted the mark's line since the last look
    rest(std::chrono::milliseconds(0));
}

void watching::judge(remote& daemon) {
    const text_read& now = seen_.last();
    if (pattern_) {
        search_.emplace(*pattern_, seen_.text());
        has_searched_ = true;
        // Lines above the screen have been searched once and do not change.
        if (from_.from != text_begin::mark || from_.line < now.screen_line) from_ = {text_begin::place, now.screen_line, 0};
        return search(daemon);
    }
    if (now.idle_ms >= static_cast<std::uint64_t>(idle_.count()))
        return finish({0, {}, json::object().add("tab", now.tab).add("what", "idle").add("idle_ms", now.idle_ms).done()});
    wait_for_change(daemon);
}

void watching::search(remote& daemon) {
    phase_ = phase::searching;
    auto state = search_->step();
    while (state == text_search::state::found && seen_.ends_in_echo(search_->found().end)) {
        search_->go_on(std::max(search_->found().end, search_->found().begin + 1));
        state = search_->step();
    }
    if (state == text_search::state::found) return succeed();
    if (state == text_search::state::absent) return wait_for_change(daemon);
    if (until_.passed()) return time_out();
    wake_at(mato::deadline::in(std::chrono::milliseconds(0)));
}

void watching::succeed() {
    const std::size_t end = search_->found().end;
    const match found{seen_.mark_at(end), seen_.line_at(end)};
    finish({0, {}, as_json(found), found.end.text() + " " + mato::printable(found.line)});
}

void watching::wait_for_change(remote& daemon) {
    const text_read& now = seen_.last();
    if (!now.running) return finish({1, "the program of tab " + which_.name + " has ended"});
    if (until_.passed()) return time_out();
    if (!pattern_) return rest(idle_ - std::chrono::milliseconds(static_cast<long>(now.idle_ms)));
    phase_ = phase::watching;
    ask<message::wait_output>(daemon, wait_output{which_, now.revision}, until_);
}

void watching::rest(std::chrono::milliseconds span) {
    phase_ = phase::resting;
    wake_at(mato::deadline(std::min(mato::deadline::in(span).at(), until_.at())));
}

void watching::wake(remote& daemon) {
    if (phase_ == phase::resting) return look(daemon);
    if (phase_ == phase::searching) return search(daemon);
    if (phase_ == phase::watching) return time_out();
    exchange::wake(daemon);
}

void watching::time_out() { finish(timed_out(which_)); }

// ---- read ----

void reading::begin(remote& daemon) {
    ask<message::read_text>(daemon, read_request{which_, from_.from, from_.line, from_.column}, soon());
}

void reading::on_answer(remote& daemon, const header& answer) {
    auto part = read<message::text_read>(answer);
    if (!part) return;
    if (seen_.add(std::move(*part))) {
        from_ = {text_begin::place, seen_.last().next, 0};
        return begin(daemon);
    }
    finish({0, {}, as_json(seen_)});
}

// ---- read --output ----

void reading_output::read_on(remote& daemon, std::uint64_t line, std::uint64_t column) {
    const target which{std::to_string(found_->tab), 0}; // the same one, although a name may mean another one now
    ask<message::read_text>(daemon, read_request{which, text_begin::place, line, column}, soon());
}

void reading_output::on_answer(remote& daemon, const header& answer) {
    if (!found_) {
        found_ = read<message::output_found>(answer);
        if (found_) read_on(daemon, found_->line, found_->column);
    } else if (auto part = read<message::text_read>(answer)) {
        if (seen_.add(std::move(*part)) && seen_.last().next <= found_->end_line) return read_on(daemon, seen_.last().next, 0);
        give();
    }
}

void reading_output::give() {
    const text_mark begin{found_->line, found_->column, found_->tab}, end{found_->end_line, found_->end_column, found_->tab};
    if (seen_.lost_lines() > 0 || seen_.begin().line > begin.line)
        return finish({1, "lines of the output were evicted from the history while it was read"});
    const std::string text(text_before(seen_.text(), begin, end));
    finish({0,
            {},
            json::object()
                .add("tab", found_->tab)
                .add("from", begin.text())
                .add("mark", end.text())
                .add("exit_code", marked_code(found_->exit_code))
                .add("lines", array_of_lines(text))
                .done(),
            text});
}

} // namespace mux
