// SPDX-License-Identifier: MIT
#include "cli.hpp"

#include "command_table.hpp"
#include "help.hpp"
#include "option_values.hpp"
#include "protocol/likely_name.hpp"

#include <cxxopts.hpp>

#include <algorithm>
#include <iterator>
#include <limits>
#include <span>
#include <string_view>

namespace mux {
namespace {

using options_known = std::vector<const option*>;

struct given_option {
    const option* which;
    std::string value; // of an option without a value: "true"
};
struct given {
    std::vector<given_option> options;
    std::vector<std::string> operands;
};

constexpr option help_of_command{
    .letter = "h", .word = "help", .text = "explain the command", .take = set_command<command::help>};

/// cxxopts names an option by its word, or else by its letter.
std::string_view key_of(const option& each) noexcept { return each.word.empty() ? each.letter : each.word; }

void add_options(options_known& to, std::span<const option> options) {
    for (const option& each : options)
        if (std::none_of(to.begin(), to.end(), [&](const option* other) { return key_of(*other) == key_of(each); }))
            to.push_back(&each);
}

given split(std::vector<std::string> arguments, const options_known& known) {
    arguments.insert(arguments.begin(), "mato");
    cxxopts::Options options("mato");
    auto add = options.add_options();
    for (const option* each : known) {
        const bool has_both = !each->letter.empty() && !each->word.empty();
        const std::string names = std::string(each->letter) + (has_both ? "," : "") + std::string(each->word);
        if (each->value.empty())
            add(names, "");
        else
            add(names, "",
                each->value_is_optional ? cxxopts::value<std::string>()->implicit_value("") : cxxopts::value<std::string>());
    }
    std::vector<const char*> argv;
    for (const std::string& each : arguments) argv.push_back(each.c_str());
    const auto parsed = options.parse(static_cast<int>(argv.size()), argv.data());
    given result{{}, parsed.unmatched()};
    for (const auto& each : parsed.arguments()) // not as<vector>: that splits values at commas
        for (const option* one : known)
            if (each.key() == key_of(*one)) result.options.push_back({one, each.value()});
    return result;
}

void take(const given_option& each, invocation& result) {
    if (each.which->value.empty() && each.value != "true") usage_error(each.which->spelling() + " takes no value");
    each.which->take(result, *each.which, each.value);
}

/// The option of this argument has its value in the next argument. Letters may stand together: -dt TASK.
bool takes_next(std::string_view argument, std::span<const option> known) {
    if (argument.starts_with("--"))
        return std::any_of(known.begin(), known.end(),
                           [&](const option& o) { return !o.value.empty() && !o.value_is_optional && o.is(argument); });
    for (std::size_t i = 1; i < argument.size(); ++i)
        for (const option& each : known)
            if (!each.value.empty() && each.letter == argument.substr(i, 1)) return i + 1 == argument.size();
    return false;
}

/// How many arguments the options at the beginning and their values are.
std::size_t leading_options(const std::vector<std::string>& arguments, std::span<const option> known) {
    std::size_t count = 0;
    while (count < arguments.size() && arguments[count].starts_with('-') && arguments[count] != "-" && arguments[count] != "--")
        count += takes_next(arguments[count], known) ? 2u : 1u;
    return std::min(count, arguments.size());
}

/// A command that can also be written as an option before the command.
struct command_option {
    option written;
    const command_entry* means;
};

std::vector<command_option> command_options() {
    std::vector<command_option> all;
    for (const command_entry& each : command_table())
        for (const std::string_view alias : each.aliases)
            if (alias.starts_with("--")) all.push_back({option{.word = alias.substr(2), .text = {}, .take = nullptr}, &each});
    return all;
}

/// Parses the options before the command. @returns how many arguments they are
std::size_t parse_global(const std::vector<std::string>& arguments, invocation& result) {
    const std::size_t count = leading_options(arguments, global_options());
    const auto commands = command_options();
    options_known known;
    add_options(known, global_options());
    for (const command_option& each : commands) add_options(known, {&each.written, 1});
    for (const command_option& each : commands) add_options(known, each.means->options);
    const given got = split({arguments.begin(), arguments.begin() + static_cast<std::ptrdiff_t>(count)}, known);

    const command_option* named = nullptr;
    std::vector<given_option> of_command;
    for (const given_option& each : got.options) {
        const auto at =
            std::find_if(commands.begin(), commands.end(), [&](const auto& one) { return &one.written == each.which; });
        if (at != commands.end()) {
            if (named && named != &*at)
                usage_error("use only one of " + named->written.spelling() + " and " + at->written.spelling());
            named = &*at;
        } else if (find_option(global_options(), key_of(*each.which)) == each.which) {
            take(each, result);
        } else {
            of_command.push_back(each);
        }
    }
    if (result.command == command::help) return count;
    if (named && result.command == command::attach_or_new) result.command = named->means->command;
    for (const given_option& each : of_command) {
        const std::string written = each.which->spelling();
        if (!named) usage_error(written + " must come after the command");
        const option* const own = find_option(named->means->options, key_of(*each.which));
        if (!own) usage_error(written + " cannot be used with " + named->written.spelling());
        take({own, each.value}, result);
    }
    if (result.command != command::attach_or_new && count < arguments.size())
        usage_error("unexpected argument '" + arguments[count] + "'");
    return count;
}

/// Checks how many operands and alternatives were given. @throws command_failure with the command's usage
void check_operands(const command_entry& entry, const given& got, const std::vector<std::string>& operands) {
    const std::string usage = "usage: mato " + usage_of(entry);
    const auto least =
        std::count_if(entry.operands.begin(), entry.operands.end(), [](const operand& each) { return each.is_needed(); });
    const bool no_limit = !entry.operands.empty() && entry.operands.back().repeats();
    const std::size_t most = no_limit ? std::numeric_limits<std::size_t>::max() : entry.operands.size();
    if (operands.size() < static_cast<std::size_t>(least) || operands.size() > most) usage_error(usage);
    if (!operands.empty() && operands[0].empty()) // an unset variable of a script must not mean "the last one"
        usage_error("the name is empty; " + usage);

    choice group = choice::none;
    std::size_t chosen = 0;
    for (const option& each : entry.options) {
        if (each.in == choice::none) continue;
        group = each.in;
        chosen += std::any_of(got.options.begin(), got.options.end(), [&](const auto& one) { return one.which == &each; });
    }
    for (std::size_t i = 0; i < entry.operands.size(); ++i)
        if (entry.operands[i].in != choice::none && i < operands.size()) ++chosen;
    if (group == choice::exactly_one && chosen != 1) usage_error("give one of " + alternatives_of(entry, "or") + "; " + usage);
    if (group == choice::at_most_one && chosen > 1)
        usage_error("use only one of " + alternatives_of(entry, "and") + "; " + usage);
}

/// A number after an option whose value is optional is that value if another argument remains for each operand that is needed.
void join_optional_value(std::vector<std::string>& arguments, const command_entry& entry) {
    std::size_t words = 0, at = arguments.size(); // `at`: of the option with such a number after it
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const bool is_option = arguments[i].starts_with('-') && arguments[i] != "-";
        if (!is_option) {
            ++words;
        } else if (takes_next(arguments[i], entry.options)) {
            ++i;
        } else if (i + 1 < arguments.size() && !arguments[i + 1].empty() &&
                   arguments[i + 1].find_first_not_of("0123456789") == std::string::npos &&
                   std::any_of(entry.options.begin(), entry.options.end(),
                               [&](const option& each) { return each.value_is_optional && each.is(arguments[i]); })) {
            at = i;
        }
    }
    const auto needed = static_cast<std::size_t>(
        std::count_if(entry.operands.begin(), entry.operands.end(), [](const operand& each) { return each.is_needed(); }));
    if (at == arguments.size() || words <= needed) return;
    arguments[at] += "=" + arguments[at + 1];
    arguments.erase(arguments.begin() + static_cast<std::ptrdiff_t>(at) + 1);
}

void parse_command(const command_entry& entry, std::vector<std::string> arguments, invocation& result) {
    result.command = entry.command;
    auto own_end = entry.runs_program()
                       ? arguments.begin() + static_cast<std::ptrdiff_t>(leading_options(arguments, entry.options))
                       : std::find(arguments.begin(), arguments.end(), "--");
    std::vector<std::string> rest; // nothing in it is an option
    if (entry.runs_program() && entry.operands.size() > 1 && own_end != arguments.end() && *own_end != "--") {
        const auto after =
            own_end + 1 + static_cast<std::ptrdiff_t>(leading_options({own_end + 1, arguments.end()}, entry.options));
        if (after != arguments.end() && *after == "--") { // an operand before the program, maybe with options after it
            const auto options_after = after - own_end - 1;
            result.operands = {*own_end};
            own_end = arguments.erase(own_end) + options_after;
        }
    }
    if (own_end != arguments.end()) {
        rest.assign(own_end + (*own_end == "--" ? 1 : 0), arguments.end());
        arguments.erase(own_end, arguments.end());
    }
    join_optional_value(arguments, entry);
    options_known known;
    add_options(known, entry.options);
    add_options(known, {&help_of_command, 1});
    const given got = split(std::move(arguments), known);
    if (std::any_of(got.options.begin(), got.options.end(), [](const auto& each) { return each.which == &help_of_command; })) {
        result.command = command::help;
        result.operands = {std::string(entry.name)};
        return;
    }
    for (const given_option& each : got.options) take(each, result);
    auto& words = entry.runs_program() ? result.program : result.operands;
    words = got.operands;
    words.insert(words.end(), std::make_move_iterator(rest.begin()), std::make_move_iterator(rest.end()));
    check_operands(entry, got, result.operands);
    for (std::size_t i = 0; i < std::min(entry.operands.size(), result.operands.size()); ++i)
        if (entry.operands[i].take) entry.operands[i].take(result, result.operands[i]);
}

[[noreturn]] void unknown_command(const std::string& word) {
    std::vector<std::string> names;
    for (const command_entry& each : command_table()) names.emplace_back(each.name);
    const std::string meant = likely_name(word, names);
    usage_error("unknown command '" + word + "'" + (meant.empty() ? "" : "; did you mean '" + meant + "'?"));
}

} // namespace

invocation parse_command_line(const std::vector<std::string>& arguments, run_where where) {
    invocation result;
    try {
        const std::size_t count = parse_global(arguments, result);
        if (count == arguments.size() || result.command == command::help) return result;
        std::vector<std::string> words(arguments.begin() + static_cast<std::ptrdiff_t>(count), arguments.end());
        const command_entry* entry = find_command(words[0]);
        if (auto translated = entry ? std::nullopt : from_tmux(words, where)) {
            words = std::move(*translated);
            entry = find_command(words[0]);
        }
        if (!entry) unknown_command(words[0]);
        parse_command(*entry, {words.begin() + 1, words.end()}, result);
    } catch (const cxxopts::exceptions::exception& wrong) {
        usage_error(wrong.what());
    }
    return result;
}

} // namespace mux
