// SPDX-License-Identifier: MIT
/// @file main.cpp: the command `mato`.
#include "client/cli.hpp"
#include "client/command/commands.hpp"
#include "client/launch.hpp"
#include "protocol/process_title.hpp"

#include <mato/detach.hpp>
#include <mato/keeper.hpp>
#include <mato/policies.hpp>
#include <mato/printable.hpp>
#include <mato/sys.hpp>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <vector>

namespace {

/// Names of tabs, files and options are part of a message: none of their bytes reaches the terminal as a control.
void complain(const std::string& text) { std::fprintf(stderr, "mato: %s\n", mato::printable(text, "\n").c_str()); }

/// As the program of an upgrade.
int take_over(const std::vector<std::string>& words, const mato::worker_environment& from) {
    mato::failure why;
    const auto how = mux::worker_arguments::decode(words, why);
    if (!why) return mux::serve_next(how, from, why);
    mato::refuse_to_take_over(from, why);
    return mato::exit_code_for(why.code);
}

} // namespace

int main(int argc, char** argv) {
    mux::remember_arguments(argc, argv);
    try {
        struct sigaction ignore {};
        ignore.sa_handler = SIG_IGN; // under a limit on file sizes a write fails with a reason instead
        mato::sys::signal_action(SIGXFSZ, &ignore, nullptr);
        mato::sys::signal_action(SIGPIPE, &ignore,
                                 nullptr); // whose reader is gone says so by EPIPE: the terminal is given back
        mato::failure why;
        mato::reserve_standard_descriptors(why); // before anything is opened
        if (why) throw mux::command_failure{mato::exit_code::unavailable, why.message()};
        const auto keeper = mato::take_worker_environment(why);
        if (why) throw mux::command_failure{mato::exit_code::usage, why.message()};
        if (keeper) return take_over({argv, argv + argc}, keeper);
        return mux::run_command(mux::parse_command_line(
            {argv + 1, argv + argc}, std::getenv("MATO") ? mux::run_where::inside : mux::run_where::outside));
    } catch (const mux::command_failure& failure) {
        if (!failure.text.empty()) complain(failure.text);
        return failure.exit_code;
    } catch (const std::exception& unexpected) {
        complain(unexpected.what());
        return mato::exit_code::unavailable;
    }
}
