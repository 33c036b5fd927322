// SPDX-License-Identifier: MIT
/// @file daemon_stop_test.cpp: graceful and forced stops, their order, and what clients still get.
#include <mato/broadcast.hpp>
#include <mato/daemon.hpp>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/launched_daemon.hpp"
#include "support/served_daemon.hpp"
#include "support/temp_directory.hpp"

using namespace std::chrono_literals;
using mato::errc;
using support::ask;
using support::connect_to;
using support::contains;
using support::echo;
using support::options_in;
using support::served;
using support::temp_directory;
using names = std::vector<std::string>;

namespace {

struct short_grace : mato::graceful_then_force {
    short_grace() : graceful_then_force(50ms) {}
};
struct hasty_policies : mato::default_policies {
    using shutdown = short_grace;
};

} // namespace

// ---- the contract ----

TEST_CASE("frames sent while stopping still arrive", "[daemon]") {
    const temp_directory directory;
    const auto options = options_in(directory.path());
    served process(options, [](mato::daemon& self) {
        echo(self);
        self.on.on_stop = [&self] {
            CHECK(self.is_stopping());
            for (const auto& each : self.server().sessions()) each->send(std::string(500'000, 'x'));
            self.stopped();
            self.stopped(); // calling it once is enough
        };
    });
    mato::failure why;
    auto client = connect_to(options, why);
    REQUIRE(ask(client, "hello") == "hello");
    process.signal(SIGTERM);
    const auto last = client.receive(mato::deadline::in(10s), why);
    REQUIRE(last);
    CHECK(last->size() == 500'000);
    CHECK_FALSE(client.receive(mato::deadline::in(10s), why));
    CHECK(process.wait() == mato::exit_code::ok);
}

TEST_CASE("a daemon can stop itself", "[daemon]") {
    const temp_directory directory;
    const auto options = options_in(directory.path());
    served process(options, [](mato::daemon& self) {
        self.server().on.on_frame = [&self](const auto&, std::string_view payload) {
            if (payload == "stop") self.request_stop();
            if (payload == "stopped") self.stopped();
        };
    });
    mato::failure why;
    auto client = connect_to(options, why);
    client.send(GENERATE("stop", "stopped"), mato::deadline::in(10s), why);
    CHECK(process.wait() == mato::exit_code::ok);
    CHECK(directory.names() == names{"daemon.log"});
}

TEST_CASE("a second TERM forces a graceful stop that does not end", "[daemon]") {
    const temp_directory directory;
    const auto options = options_in(directory.path());
    const support::mailbox<int> told;
    served process(options, [&](mato::daemon& self) {
        self.on.on_stop = [&] { told.put(1); };
        self.on.on_force = [&] { told.put(2); };
    });
    process.signal(SIGTERM);
    CHECK(told.take() == 1);
    CHECK_FALSE(std::filesystem::exists(options.paths.socket)); // no new clients during the stop
    CHECK(std::filesystem::exists(options.paths.lock));         // and no second daemon
    process.signal(SIGTERM);
    CHECK(told.take() == 2);
    CHECK(process.wait() == mato::exit_code::forced);
    CHECK_FALSE(told.take(0ms));
    CHECK(directory.names() == names{"daemon.log"});
}

TEST_CASE("the end of the grace period forces the stop too", "[daemon]") {
    const temp_directory directory;
    const auto options = options_in(directory.path());
    const bool set_later = GENERATE(false, true);
    const support::mailbox<int> told;
    const auto never_ends = [&](auto& self) {
        self.on.on_stop = [&] { told.put(1); };
        self.on.on_force = [&] { told.put(2); };
        using shutdown = typename std::remove_reference_t<decltype(self)>::policies::shutdown;
        if constexpr (std::is_constructible_v<shutdown, mato::milliseconds>)
            self.set_shutdown(shutdown(mato::milliseconds(50)));
    };
    const auto ends = [&](auto& process) {
        process.signal(SIGTERM);
        CHECK(told.take() == 1);
        CHECK(told.take() == 2);
        CHECK(process.wait() == mato::exit_code::forced);
    };
    if (set_later) {
        served<> process(options, never_ends);
        ends(process);
    } else {
        served<mato::basic_daemon<hasty_policies>> process(options, never_ends);
        ends(process);
    }
    CHECK(directory.names() == names{"daemon.log"});
}

TEST_CASE("a stop is logged with the sender of its signal", "[daemon]") {
    const temp_directory directory;
    const auto options = options_in(directory.path());
    served process(options, echo);
    CHECK(ask(options, "a") == "a");
    const int number = GENERATE(SIGTERM, SIGINT);
    process.signal(number);
    CHECK(process.wait() == mato::exit_code::ok);
    CHECK(contains(support::read_file(options.paths.log), std::string(number == SIGTERM ? "SIGTERM" : "SIGINT") +
                                                              ": stopping; sent by pid " + std::to_string(::getpid()) +
                                                              ", uid " + std::to_string(::getuid())));
}

TEST_CASE("a stop ends every session, then destroys kept objects in reverse order, then the context", "[daemon]") {
    struct part {
        const support::mailbox<int>& told;
        int name;
        asio::steady_timer timer;
        part(mato::daemon& host, const support::mailbox<int>& box, int number)
            : told(box), name(number), timer(host.context()) {
            timer.expires_after(1h);
            timer.async_wait([](std::error_code) {});
        }
        ~part() { told.put(name); }
    };
    const temp_directory directory;
    const support::mailbox<int> told;
    const auto options = options_in(directory.path());
    served process(options, [&](mato::daemon& self) {
        echo(self);
        for (int n = 1; n <= 3; ++n) self.keep(std::make_shared<part>(self, told, n));
        self.server().on.on_closed = [&](const auto& gone, const mato::failure& why) {
            told.put(why.code == errc::stopping ? 10 + static_cast<int>(gone->id()) : -1);
        };
    });
    mato::failure why;
    auto client = connect_to(options, why), silent = connect_to(options, why);
    REQUIRE(ask(client, "x") == "x");
    process.signal(SIGTERM);
    CHECK(process.wait() == mato::exit_code::ok);
    std::vector<int> order;
    while (const auto each = told.take(0ms)) order.push_back(*each);
    CHECK(order == std::vector<int>{11, 12, 3, 2, 1});
}

TEST_CASE("an endless grace period waits for running work, and the second request still forces the stop", "[daemon]") {
    const temp_directory directory;
    const auto options = options_in(directory.path());
    const support::mailbox<int> told;
    const bool ends = GENERATE(true, false);
    served process(options, [&](mato::daemon& self) {
        self.set_shutdown(mato::graceful_then_force(mato::never));
        auto left = std::make_shared<asio::steady_timer>(self.context());
        self.on.on_stop = [&self, &told, left, ends] {
            left->expires_after(30ms);
            left->async_wait([&self, &told, ends](std::error_code) {
                told.put(1);
                if (ends) self.stopped();
            });
        };
        self.on.on_force = [&told] { told.put(2); };
    });
    process.signal(SIGTERM);
    CHECK(told.take() == 1);
    if (ends) {
        CHECK(process.wait() == mato::exit_code::ok);
    } else {
        process.signal(SIGTERM);
        CHECK(told.take() == 2);
        CHECK(process.wait() == mato::exit_code::forced);
    }
}

TEST_CASE("a subscriber that is too slow for the end of the stream gets a notice of what it loses", "[daemon]") {
    const temp_directory directory;
    const auto options = options_in(directory.path());
    const auto kind = GENERATE(mato::overflow_kind::drop_oldest, mato::overflow_kind::drop_newest,
                               mato::overflow_kind::conflate, mato::overflow_kind::resync, mato::overflow_kind::disconnect);
    const bool by_force = GENERATE(false, true);
    using hub = mato::basic_broadcast<mato::daemon::session, mato::any_overflow>;
    constexpr int frames = 3000; // of 1000 bytes: far beyond the kernel's buffers
    served process(options, [&](mato::daemon& self) {
        const auto all = std::make_shared<hub>(self.context(), std::size_t{8} << 20);
        self.keep(all);
        all->on.gap = [](const mato::frame_gap& lost) { return "lost " + std::to_string(lost.count()); };
        all->on.snapshot = [](std::uint64_t number) { return "snapshot " + std::to_string(number); };
        all->on.last_words = [](const mato::failure& why) { return "end " + why.detail; };
        constexpr std::size_t bytes = std::size_t{4} << 20;
        self.server().on.on_frame = [&self, kind, by_force, all = all.get()](const auto& from, std::string_view) {
            from->established();
            mato::disconnect patient;
            patient.hard = patient.soft = bytes;
            switch (kind) {
            case mato::overflow_kind::drop_oldest: all->subscribe(from, mato::drop_oldest{std::size_t{1} << 20}); break;
            case mato::overflow_kind::drop_newest: all->subscribe(from, mato::drop_newest{std::size_t{1} << 20}); break;
            case mato::overflow_kind::conflate: all->subscribe(from, mato::conflate{bytes}); break;
            case mato::overflow_kind::resync: all->subscribe(from, mato::resync{bytes}); break;
            default: all->subscribe(from, patient);
            }
            for (int n = 0; n < frames; ++n) all->publish(std::string(1000, 'x'));
            asio::post(self.context(), [&self, by_force] {
                self.request_stop();
                if (by_force) self.request_stop();
            });
        };
    });
    mato::failure why;
    auto client = connect_to(options, why);
    client.send("go", mato::deadline::in(10s), why);
    CHECK(process.wait() == (by_force ? mato::exit_code::forced : mato::exit_code::ok)); // nothing was read before
    std::uint64_t got = 0, lost = 0;
    std::string last;
    while (const auto frame = client.receive(mato::deadline::in(10s), why)) {
        last = *frame;
        if (frame->size() == 1000) ++got;
        if (frame->starts_with("lost ")) lost += std::stoull(std::string(frame->substr(5)));
    }
    CHECK(why.code == errc::closed);
    CHECK(got < frames);
    INFO(last);
    if (kind == mato::overflow_kind::resync) {
        CHECK(last == "snapshot " + std::to_string(frames));
    } else if (kind == mato::overflow_kind::disconnect) {
        CHECK(last == "end slow consumer: the peer did not read the rest of the stream in time");
    } else {
        CHECK(last.starts_with("lost "));
        CHECK(got + lost == frames);
    }
}

TEST_CASE("a subscriber of two streams that is too slow for their end gets a notice of each", "[daemon]") {
    const temp_directory directory;
    const auto options = options_in(directory.path());
    using hub = mato::basic_broadcast<mato::daemon::session, mato::any_overflow>;
    constexpr int frames = 2000; // of 1000 bytes and of each stream
    served process(options, [&](mato::daemon& self) {
        const auto rain = std::make_shared<hub>(self.context(), std::size_t{8} << 20);
        const auto sun = std::make_shared<hub>(self.context(), std::size_t{8} << 20);
        self.keep(rain);
        self.keep(sun);
        rain->on.gap = [](const mato::frame_gap& lost) { return "rain " + std::to_string(lost.count()); };
        sun->on.gap = [](const mato::frame_gap& lost) { return "sun " + std::to_string(lost.count()); };
        self.server().on.on_frame = [&self, rain = rain.get(), sun = sun.get()](const auto& from, std::string_view) {
            from->established();
            rain->subscribe(from, mato::drop_oldest{std::size_t{4} << 20});
            sun->subscribe(from, mato::drop_oldest{std::size_t{4} << 20}, {},
                           [](std::string_view payload) { return payload[1] == 'y'; }); // every second one
            for (int n = 0; n < frames; ++n) {
                rain->publish('r' + std::string(999, 'x'));
                sun->publish('s' + std::string(999, n % 2 == 0 ? 'x' : 'y'));
            }
            asio::post(self.context(), [&self] { self.request_stop(); });
        };
    });
    mato::failure why;
    auto client = connect_to(options, why);
    client.send("go", mato::deadline::in(10s), why);
    CHECK(process.wait() == mato::exit_code::ok); // nothing was read before
    std::size_t rains = 0, suns = 0, lost_rains = 0, lost_suns = 0;
    while (const auto frame = client.receive(mato::deadline::in(10s), why)) {
        if (frame->size() == 1000) ++(frame->front() == 'r' ? rains : suns);
        if (frame->starts_with("rain ")) lost_rains += std::stoul(std::string(frame->substr(5)));
        if (frame->starts_with("sun ")) lost_suns += std::stoul(std::string(frame->substr(4)));
    }
    CHECK(why.code == errc::closed);
    CHECK(rains + lost_rains == frames);
    CHECK(suns + lost_suns == frames / 2);
    CHECK((lost_rains > 0 && lost_suns > 0 && rains > 0 && suns > 0));
}

// ---- the edges ----

TEST_CASE("a stop requested during a stop, and a signal after the end began, have no effect", "[daemon]") {
    const temp_directory directory;
    const auto options = options_in(directory.path());
    served process(options, [](mato::daemon& self) {
        self.on.on_stop = [&self] {
            self.stopped();
            ::kill(::getpid(), SIGUSR1); // the socket is not created again
            ::kill(::getpid(), SIGHUP);
        };
    });
    process.signal(SIGTERM);
    CHECK(process.wait() == mato::exit_code::ok);
    CHECK(directory.names() == names{"daemon.log"});
}
