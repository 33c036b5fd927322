// SPDX-License-Identifier: MIT
#include "command_table.hpp"

#include "command_table/daemon.hpp"
#include "command_table/tabs.hpp"
#include "command_table/text.hpp"
#include "command_table/watching.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace mux {
namespace {

using namespace table_parts;

// ---- the options before the command ----

constexpr std::array before_command{
    option{.letter = "S",
           .word = "socket",
           .value = "PATH",
           .kind = file,
           .text = "the daemon's socket; lock, pid file and log are in the same directory",
           .take = set_path<&path_options::socket>},
    option{.letter = "L",
           .word = "label",
           .value = "NAME",
           .kind = name,
           .text = "use another daemon, whose files are in a directory of that name",
           .take = set_path<&path_options::label>},
    option{.letter = "f",
           .word = "config",
           .value = "FILE",
           .kind = file,
           .text = "the configuration for a daemon that this command starts",
           .take = set_path<&path_options::config>},
    option{.letter = "N", .word = "no-start", .text = "never start a daemon", .take = set_flag<&invocation::no_start>},
    option{.letter = "q", .word = "quiet", .text = "print errors only", .take = set_flag<&invocation::quiet>},
    option{.letter = "h", .word = "help", .text = "print this text", .take = set_command<command::help>},
    option{.letter = "V", .word = "version", .text = "print the version", .take = set_command<command::version>},
};

constexpr std::array common{
    exit_meaning{0, "done"},
    exit_meaning{1, "failed: no such tab, task or client; the connection to the daemon was lost"},
    exit_meaning{3, "client and daemon have different protocol versions"},
    exit_meaning{64, "bad usage"},
    exit_meaning{69, "no daemon is running, or it could not be started"},
    exit_meaning{75, "the daemon was still stopping, or not serving its socket, when the time to wait was over"},
    exit_meaning{77, "not permitted: wrong owner, unsafe directory, refused peer"},
    exit_meaning{78, "bad configuration"},
};

template <std::size_t... Sizes> constexpr auto joined(const std::array<command_entry, Sizes>&... groups) {
    std::array<command_entry, (Sizes + ...)> all{};
    auto to = all.begin();
    ((to = std::copy(groups.begin(), groups.end(), to)), ...);
    return all;
}
constexpr auto table = joined(tab_commands, text_commands, watching_commands, daemon_commands);

} // namespace

std::span<const command_entry> command_table() noexcept { return table; }
std::span<const option> global_options() noexcept { return before_command; }
std::span<const exit_meaning> common_exits() noexcept { return common; }

bool command_entry::is(std::string_view word) const noexcept {
    return word == name || std::find(aliases.begin(), aliases.end(), word) != aliases.end();
}

const command_entry* find_command(std::string_view word) noexcept {
    const auto at = std::find_if(table.begin(), table.end(), [word](const command_entry& each) { return each.is(word); });
    return at == table.end() ? nullptr : &*at;
}

const option* find_option(std::span<const option> options, std::string_view written) noexcept {
    const auto at = std::find_if(options.begin(), options.end(), [written](const option& each) {
        return written == (each.word.empty() ? each.letter : each.word);
    });
    return at == options.end() ? nullptr : &*at;
}

} // namespace mux
