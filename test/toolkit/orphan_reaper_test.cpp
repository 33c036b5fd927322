// SPDX-License-Identifier: MIT
/// @file orphan_reaper_test.cpp: adopted processes do not stay zombies, and own children stay the program's.
#include <mato/orphan_reaper.hpp>

#include <mato/child.hpp>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/io_loop.hpp"

using namespace std::chrono_literals;
using support::run_until;

#if MATO_HAS_SUBREAPER
namespace {

/// In a child that is a subreaper, so that the test's own process adopts nothing.
template <class Body> int as_subreaper(Body body) {
    return support::in_child([&] {
        if (mato::sys::set_subreaper(mato::sys::orphans::to_this_process) == -1) return 100;
        return body();
    });
}

/// Starts a process that ends at once and leaves `count` orphans, which end soon.
bool leave_orphans(int count) {
    mato::failure why;
    const auto started = mato::spawn(
        {.program = "/bin/sh",
         .arguments = {"-c", "i=0; while [ $i -lt " + std::to_string(count) + " ]; do sleep 0.01 & i=$((i+1)); done"}},
        why);
    return !why && ::waitpid(started.pid, nullptr, 0) == started.pid;
}

bool has_children() { return mato::sys::ended_child() != -1; }

} // namespace

TEST_CASE("adopted processes are reaped after the patience, and none stays a zombie", "[orphan_reaper]") {
    CHECK(as_subreaper([] {
              asio::io_context context;
              mato::orphan_reaper reaper(context, 20ms);
              if (!leave_orphans(50)) return 1;
              if (!run_until(context, [&] {
                      reaper.child_changed(); // as for a SIGCHLD of each
                      return !has_children();
                  }))
                  return 2;
              return reaper.reaped() > 0 && reaper.reaped() <= 50 ? 0 : 3; // the shell has waited for some of them
          }) == 0);
}

TEST_CASE("an own child that is waited for within the patience is not reaped", "[orphan_reaper]") {
    CHECK(as_subreaper([] {
              asio::io_context context;
              mato::orphan_reaper reaper(context, 5s);
              const pid_t own = ::fork();
              if (own == 0) ::_exit(42);
              mato::child other(context, {.program = "/bin/sh", .arguments = {"-c", "exit 7"}});
              int told = 0, status = 0;
              other.on.on_ended = [&](const mato::child_status& how, auto) { told = how.exit_code; };
              mato::failure why;
              other.start(why);
              reaper.child_changed();
              if (!run_until(context, [&] { return told == 7; })) return 1;
              reaper.child_changed();
              if (::waitpid(own, &status, 0) != own || WEXITSTATUS(status) != 42) return 2;
              return reaper.reaped() == 0 ? 0 : 3;
          }) == 0);
}

TEST_CASE("a reaper without zombies leaves the loop idle, and may be destroyed while it waits", "[orphan_reaper]") {
    CHECK(as_subreaper([] {
              asio::io_context context;
              auto reaper = std::make_unique<mato::orphan_reaper>(context, 1ms);
              reaper->child_changed();
              reaper->child_changed();
              if (context.run() != 1) return 1; // one look
              context.restart();
              reaper->child_changed();
              reaper.reset();
              context.run();
              return 0;
          }) == 0);
}

TEST_CASE("the sample of the reaper", "[samples]") {
    asio::io_context context;
    mato::orphan_reaper reaper(context);
    reaper.child_changed(); // at each SIGCHLD
    CHECK(reaper.reaped() == 0);
}
#endif
