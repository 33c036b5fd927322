// SPDX-License-Identifier: MIT
/// @file handover_policy_test.cpp: the models of the handover policy, and what a daemon without a keeper says.
#include <mato/handover.hpp>

#include <mato/daemon.hpp>
#include <mato/keeper.hpp>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/launched_daemon.hpp"

namespace {

struct surviving : mato::default_policies {
    using handover = mato::keeper;
};
struct only_process_locks { // fcntl(2) F_SETLK: a copy of the descriptor does not share the lock
    static int try_lock(int) noexcept { return 0; }
    static int probe(int) noexcept { return 0; }
    static void unlock(int) noexcept {}
};

} // namespace

static_assert(mato::handover_policy<mato::no_handover> && mato::handover_policy<mato::keeper>);
static_assert(!mato::handover_policy<int>);
static_assert(!mato::no_handover::outlives && mato::keeper::outlives);
static_assert(std::is_same_v<mato::default_policies::handover, mato::no_handover>);
static_assert(mato::lock_mechanism<only_process_locks> && !mato::shared_lock_mechanism<only_process_locks>);
static_assert(mato::shared_lock_mechanism<mato::flock_lock> && mato::shared_lock_mechanism<mato::null_lock>);
static_assert(mato::adoptable_endpoint<mato::owned_path> && mato::adoptable_endpoint<mato::activated>);

TEST_CASE("without a keeper there is one generation, and one process", "[handover]") {
    const support::temp_directory directory;
    const auto options = support::options_in(directory.path());
    CHECK(support::in_child([&] {
              mato::failure why;
              const pid_t self = ::getpid();
              const auto setup = [&](mato::daemon& daemon) {
                  const auto& number = daemon.generation();
                  const bool holds = number.number == 1 && number.reason == mato::generation::why::first &&
                                     number.last_signal == 0 && number.gap.count() == 0 && ::getpid() == self;
                  if (!holds) throw 1;
                  ::raise(SIGTERM);
              };
              return mato::daemon::serve(options, setup, why) + (why ? 1 : 0);
          }) == 0);
}

TEST_CASE("a keeper that is switched off: there is one process, and nothing is kept", "[handover]") {
    const support::temp_directory directory;
    auto options = support::options_in(directory.path());
    CHECK(options.survive);
    options.survive = false;
    CHECK(support::in_child([&] {
              mato::failure why;
              const pid_t self = ::getpid();
              const auto setup = [&](mato::basic_daemon<surviving>& daemon) {
                  mato::failure refused;
                  daemon.kept().keep("zero", 0, refused);
                  const bool holds = daemon.generation().number == 1 && daemon.kept().keeper() == 0 && ::getpid() == self &&
                                     refused.code == mato::errc::not_running && daemon.kept().take_all().empty();
                  if (!holds) throw 1;
                  ::raise(SIGUSR1); // publishes the socket again
                  ::raise(SIGTERM);
              };
              return mato::basic_daemon<surviving>::serve(options, setup, why) + (why ? 1 : 0);
          }) == 0);
    const std::string log = support::read_file(options.paths.log);
    CHECK(support::contains(log, "SIGUSR1: socket published again"));
    CHECK_FALSE(support::contains(log, "worker"));
    CHECK_FALSE(support::contains(log, "keeper"));
}

TEST_CASE("limits of restarts have the documented defaults", "[handover]") {
    const mato::daemon_options options;
    CHECK(options.restarts.deaths == 8);
    CHECK(options.restarts.within == std::chrono::minutes(1));
    CHECK(options.restarts.longest == std::chrono::seconds(5));
}
