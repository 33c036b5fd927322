// SPDX-License-Identifier: MIT
/// @file fault_spawn_program_test.cpp: every call of starting a program fails once, on both sides of the fork; no process is
/// left.
#include "support/fault.hpp"

#include <mato/spawn.hpp>

TEST_CASE("starting a program survives every fault", "[spawn][fault]") {
    const int failed = fault::sweep(
        [](const std::filesystem::path&) {
            mato::spawn_options options;
            options.program = "sh";
            options.arguments = {"-c", "exit 42"};
            options.directory = "/";
            options.descriptors = {{0, 5}, {0, 1}};
            options.limits = {{RLIMIT_CORE, 0, 0}};
            options.signal_at_parents_death = SIGKILL;
            mato::failure why;
            const auto started = mato::spawn(options, why);
            const fault::paused while_looking;
            CHECK((started.pid > 0) == !why);
            int status = 0;
            if (started.pid > 0) {
                CHECK(::waitpid(started.pid, &status, 0) == started.pid);
                CHECK((WEXITSTATUS(status) == 42 || WEXITSTATUS(status) == 127)); // 127: its own calls failed after the exec
            }
            CHECK((::waitpid(-1, nullptr, WNOHANG) == -1 && errno == ECHILD));
            return why;
        },
        {.names_path = false});
    CHECK(failed > 20);
}
