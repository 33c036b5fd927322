// SPDX-License-Identifier: MIT
/// @file daemon_own_loop_test.cpp: a daemon on the loop of a program, with the program's own work.
#include <mato/daemon.hpp>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/descriptor_census.hpp"
#include "support/temp_directory.hpp"

#include <mato/client.hpp>

#include <csignal>

using namespace std::chrono_literals;

namespace {

mato::daemon_options options_in(const std::filesystem::path& directory) {
    mato::daemon_options options;
    options.paths = mato::daemon_paths::in(directory.native());
    return options;
}

/// Answers each frame, in the process itself: the client is a connection on the same loop.
struct asker {
    std::shared_ptr<mato::connection> connection;
    std::string answer;

    void ask(asio::io_context& context, const mato::daemon_options& options, std::function<void()> then) {
        mato::failure why;
        auto socket = mato::owned_path(options.paths.socket).connect(why);
        REQUIRE_FALSE(why);
        connection = std::make_shared<mato::connection>(context, std::move(socket));
        connection->start({[this, then](std::string_view frame) {
                               answer = frame;
                               then();
                           },
                           {},
                           {},
                           {}});
        connection->send("hello");
    }
};

void echo(mato::daemon& self) {
    self.server().on.on_frame = [](const mato::daemon::session_ptr& session, std::string_view frame) {
        session->established();
        session->send(frame);
    };
}

} // namespace

TEST_CASE("a daemon on the program's loop serves, stops, and leaves the loop to the program", "[daemon]") {
    CHECK(support::in_child([] { // the daemon's signals are the whole process's
              const support::temp_directory directory;
              const auto options = options_in(directory.path());
              const auto before = support::open_descriptors();
              {
                  asio::io_context context;
                  int ticks = 0;
                  asio::steady_timer timer(context);
                  const std::function<void(std::error_code)> tick = [&](std::error_code cancelled) {
                      if (cancelled) return;
                      ++ticks;
                      timer.expires_after(1ms);
                      timer.async_wait(tick);
                  };
                  tick({});
                  for (int round = 1; round <= 3; ++round) { // one after the other on the same loop
                      asker client;
                      mato::failure why;
                      const int code = mato::daemon::serve_on(
                          context, options,
                          [&](mato::daemon& self) {
                              if (&self.context() != &context) throw std::runtime_error("another loop");
                              echo(self);
                              asio::post(context, [&] {
                                  client.ask(context, options, [&self, round] {
                                      if (round == 1) return self.request_stop();
                                      ::kill(::getpid(), round == 2 ? SIGTERM : SIGINT);
                                  });
                              });
                          },
                          why);
                      if (why || code != mato::exit_code::ok || client.answer != "hello") return round;
                      if (std::filesystem::exists(directory / "daemon.sock") ||
                          std::filesystem::exists(directory / "daemon.lock"))
                          return 10 + round;
                      client.connection.reset();
                      const int seen = ticks; // the program's own work has run meanwhile, and continues
                      context.restart();
                      const auto until = std::chrono::steady_clock::now() + 20s;
                      while (ticks < seen + 3 && std::chrono::steady_clock::now() < until) context.run_one_for(5ms);
                      if (seen == 0 || ticks < seen + 3) return 20 + round;
                  }
              }
              return support::open_descriptors() == before ? 0 : 30;
          }) == 0);
}

TEST_CASE("a start on the program's loop that fails reports the error, and the loop is usable", "[daemon]") {
    const support::temp_directory directory;
    const auto options = options_in(directory.path());
    asio::io_context context;
    mato::failure why;
    const int code = mato::daemon::serve_on(
        context, options,
        [](mato::daemon&) {
            throw mato::error({mato::errc::busy, "open the disk", {}, {}});
        },
        why);
    CHECK((code == mato::exit_code::unavailable && why.code == mato::errc::busy && why.step == "open the disk"));
    bool ran = false;
    asio::post(context, [&] { ran = true; });
    context.run();
    CHECK(ran);
}

TEST_CASE("sessions and timers of a daemon on the program's loop are not used after its end", "[daemon]") {
    CHECK(support::in_child([] {
              const support::temp_directory directory;
              auto options = options_in(directory.path());
              options.limits.handshake = 1ms;
              asio::io_context context;
              mato::daemon::session_ptr kept;
              mato::failure why;
              asker client;
              const int code = mato::daemon::serve_on(
                  context, options,
                  [&](mato::daemon& self) {
                      self.set_shutdown(mato::graceful_then_force(1ms)); // its timer may be due when the daemon has ended
                      self.server().on.on_opened = [&](const mato::daemon::session_ptr& session) {
                          kept = session;
                          asio::post(context, [&self] { self.request_stop(); });
                      };
                      asio::post(context, [&] { client.ask(context, options, [] {}); });
                  },
                  why);
              if (why || !kept) return 1;
              context.restart();
              context.run_for(50ms);
              kept->send("nothing happens");
              const bool is_closed = !kept->is_open();
              client.connection->abort({});
              context.restart();
              context.run_for(10ms);
              return code <= mato::exit_code::forced && is_closed ? 0 : 2;
          }) == 0);
}
