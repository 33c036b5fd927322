// SPDX-License-Identifier: MIT
#include "option_values.hpp"

#include <mato/config.hpp>
#include <mato/policies.hpp>

#include <charconv>
#include <concepts>
#include <limits>
#include <optional>
#include <string_view>

namespace mux {
namespace {

constexpr unsigned most_cells = 10'000; // of a row or a column that a user may ask for

/// Empty if the text is not a decimal number of that type and nothing else.
template <std::unsigned_integral Number> std::optional<Number> number_in(std::string_view text) {
    Number value = 0;
    const auto [end, why] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (why != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::optional<std::uint16_t> cells_in(std::string_view text) {
    const auto count = number_in<unsigned>(text);
    if (!count || *count < 1 || *count > most_cells) return std::nullopt;
    return static_cast<std::uint16_t>(*count);
}

} // namespace

void usage_error(const std::string& what) { throw command_failure{mato::exit_code::usage, what + "; see 'mato --help'"}; }

std::string value_of(const option& which, const std::string& value) {
    if (value.empty()) usage_error(which.spelling() + " needs a value");
    return value;
}

std::uint16_t cells_of(const option& which, const std::string& value) {
    const auto count = cells_in(value);
    if (!count)
        usage_error(which.spelling() + " takes a number of cells from 1 to " + std::to_string(most_cells) + ", not '" + value +
                    "'");
    return *count;
}

std::chrono::milliseconds duration_of(const option& which, const std::string& value) {
    const auto span = mato::config::parse_duration(value);
    if (!span || *span <= std::chrono::milliseconds(0))
        usage_error(which.spelling() + " takes a time such as 500ms or 2s, not '" + value + "'");
    return *span;
}

void set_task(invocation& to, const option& which, const std::string& value) { to.task = value_of(which, value); }

void set_history(invocation& to, const option& which, const std::string& value) {
    const auto lines = number_in<std::uint32_t>(value);
    if (!lines)
        usage_error(which.spelling() + " takes a number of lines from 0 to " +
                    std::to_string(std::numeric_limits<std::uint32_t>::max()) + ", not '" + value + "'");
    to.history = *lines;
}

void set_since(invocation& to, const option& which, const std::string& value) {
    const auto number = number_in<std::uint64_t>(value);
    if (!number || *number == 0)
        usage_error(which.spelling() + " takes the number of an event, such as 42, not '" + value + "'");
    to.since = *number;
}

void set_last(invocation& to, const option& which, const std::string& value) {
    to.last = number_in<std::uint32_t>(value);
    if (!to.last)
        usage_error(which.spelling() + " takes a number of lines from 0 to " +
                    std::to_string(std::numeric_limits<std::uint32_t>::max()) + ", not '" + value + "'");
}

void set_client(invocation& to, const option& which, const std::string& value) {
    to.client = number_in<std::uint64_t>(value).value_or(0);
    if (to.client == 0)
        usage_error(which.spelling() + " takes a client's number, not '" + value + "'; 'mato clients' lists them");
}

void set_command_instead(invocation& to, const option& which, const std::string& value) {
    to.then.command = value_of(which, value);
}
void set_hang_up(invocation& to, const option&, const std::string&) { to.then.hangs_up = true; }

void set_output(invocation& to, const option& which, const std::string& value) {
    to.output = value.empty() ? 1 : number_in<std::uint32_t>(value);
    if (to.output.value_or(0) == 0)
        usage_error(which.spelling() + " takes the number of a command, 1 for the last one, not '" + value + "'");
}

void set_mark(invocation& to, const option& which, const std::string& value) {
    to.mark = text_mark::parse(value);
    if (!to.mark)
        usage_error(which.spelling() +
                    " takes a mark that 'send --mark', 'wait --text' or 'read --json' has printed, such as 12.0@3, not '" +
                    value + "'");
}

void set_awaited_state(invocation& to, const option& which, const std::string& value) {
    const auto state = parse_said_state(value);
    if (!state) usage_error(which.spelling() + " takes working, blocked, done or clear, not '" + value + "'");
    to.change = tab_change::state;
    to.awaited = *state;
}

void set_pattern(invocation& to, const option&, const std::string& value) { to.pattern = value; }

void add_variable(invocation& to, const option& which, const std::string& value) {
    if (value.find('=') == std::string::npos || value.starts_with('='))
        usage_error(which.spelling() + " takes NAME=VALUE, not '" + value + "'");
    to.environment.push_back(value);
}

void set_size(invocation& to, const std::string& value) {
    if (value == "auto") return;
    const std::size_t x = value.find('x');
    const auto columns = cells_in(std::string_view(value).substr(0, x));
    const auto rows = x == std::string::npos ? std::nullopt : cells_in(std::string_view(value).substr(x + 1));
    if (!columns || !rows) usage_error("'" + value + "' is not a size; give COLSxROWS, such as 80x24, or auto");
    to.columns = *columns;
    to.rows = *rows;
}

void check_command(invocation&, const std::string& value) {
    if (!find_command(value)) usage_error("unknown command '" + value + "'");
}

} // namespace mux
