// SPDX-License-Identifier: MIT
/// @file main.cpp: the command `mato`.
#include "cli.hpp"
#include "command/commands.hpp"

#include <mato/detach.hpp>
#include <mato/policies.hpp>
#include <mato/sys.hpp>

#include <cstdio>
#include <exception>

int main(int argc, char** argv) {
    try {
        struct sigaction ignore {};
        ignore.sa_handler = SIG_IGN; // under a limit on file sizes a write fails with a reason instead
        mato::sys::signal_action(SIGXFSZ, &ignore, nullptr);
        mato::failure why;
        mato::reserve_standard_descriptors(why); // before anything is opened
        if (why) throw mux::command_failure{mato::exit_code::unavailable, why.message()};
        return mux::run_command(mux::parse_command_line({argv + 1, argv + argc}));
    } catch (const mux::command_failure& failure) {
        if (!failure.text.empty()) std::fprintf(stderr, "mato: %s\n", failure.text.c_str());
        return failure.exit_code;
    } catch (const std::exception& unexpected) {
        std::fprintf(stderr, "mato: %s\n", unexpected.what());
        return mato::exit_code::unavailable;
    }
}
