// SPDX-License-Identifier: MIT
/// @file readiness_test.cpp: the starter gets the daemon's result in every case.
#include <mato/readiness.hpp>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/descriptor_census.hpp"

#include <mato/signals.hpp>

#include <cstdlib>
#include <limits>
#include <random>

using namespace std::chrono_literals;
using mato::readiness_pipe;

namespace {

/// The starter's result when the daemon calls `deed(pipe)` and exits with its result.
template <class Deed> mato::failure learnt(Deed deed, mato::milliseconds limit = 10s) {
    mato::failure why;
    auto pipe = readiness_pipe::open(why);
    REQUIRE_FALSE(why);
    support::child_process daemon([&] {
        mato::reset_signals(); // removes the test framework's handlers
        pipe.become_daemon();
        return deed(pipe);
    });
    pipe.become_starter();
    pipe.wait(mato::deadline::in(limit), why);
    return why;
}

std::error_code os(int number) { return {number, std::system_category()}; }

/// A category that the starter does not have, with numbers that are no errno.
struct foreign_category final : std::error_category {
    [[nodiscard]] const char* name() const noexcept override { return "foreign"; }
    [[nodiscard]] std::string message(int value) const override { return "foreign " + std::to_string(value); }
} const foreign;

std::optional<mato::failure> round_trip(const mato::failure& why) {
    return readiness_pipe::decode(readiness_pipe::encode(why));
}

} // namespace

TEST_CASE("a ready daemon lets its starter continue, although it keeps running", "[readiness]") {
    support::gate end;
    mato::failure why;
    auto pipe = readiness_pipe::open(why);
    support::child_process daemon([&] {
        pipe.become_daemon();
        pipe.ready();
        return end.pass() ? 0 : 1;
    });
    pipe.become_starter();
    pipe.wait(mato::deadline::in(10s), why);
    CHECK_FALSE(why);
    end.open();
    CHECK(daemon.wait() == 0);
}

TEST_CASE("a failure arrives with code, step, path and detail", "[readiness]") {
    const auto why = learnt([](readiness_pipe& pipe) {
        pipe.fail({mato::errc::already_running, "lock", "/run/x/lock", "held by 42"});
        return 1;
    });
    CHECK(why.code == mato::errc::already_running);
    CHECK(why.step == "lock");
    CHECK(why.path == "/run/x/lock");
    CHECK(why.detail == "held by 42");
}

TEST_CASE("codes of mato and of the system keep their category and number", "[readiness]") {
    for (int value = 1; value <= static_cast<int>(mato::errc::stopping); ++value) {
        const auto got = round_trip({{value, mato::mato_category()}, "step", "/path", "detail"});
        REQUIRE(got);
        CHECK(got->code == std::error_code(value, mato::mato_category()));
        CHECK(got->message() == "step /path: detail");
    }
    for (const int value : {1, EACCES, EMFILE, 133, 999'999}) {
        const auto got = round_trip({os(value), "bind", "/p", {}});
        REQUIRE(got);
        CHECK(got->code == os(value));
        CHECK(got->detail.empty());
    }
}

TEST_CASE("a code of another category arrives as not_ready with its text, whatever its number", "[readiness]") {
    for (const int value : {1, 2, -2, std::numeric_limits<int>::max(), std::numeric_limits<int>::min()}) {
        const auto got = round_trip({{value, foreign}, "resolve", "/p", {}});
        INFO(value);
        REQUIRE(got);
        CHECK(got->code == mato::errc::not_ready);
        CHECK(got->message() == "resolve /p: foreign " + std::to_string(value));
    }
    CHECK(round_trip({{5, foreign}, "a", "b", "own words"})->detail == "own words");
    CHECK(round_trip({std::make_error_code(std::errc::permission_denied), "a", "b", {}})->message() ==
          "a b: Permission denied");
}

TEST_CASE("empty texts, newlines and bytes above 127 arrive; a text ends at a NUL", "[readiness]") {
    CHECK(round_trip({os(EIO), {}, {}, {}})->message() == os(EIO).message());
    const mato::failure odd{os(EIO), "a\nb", "/\xff\xfe/\xc3\xa9", "\t\x01"};
    const auto got = round_trip(odd);
    REQUIRE(got);
    CHECK(got->step == odd.step);
    CHECK(got->path == odd.path);
    CHECK(got->detail == odd.detail);
    const auto cut = round_trip({os(EIO), std::string("st\0ep", 5), "/p", "d"});
    REQUIRE(cut);
    CHECK(cut->code == os(EIO));
    CHECK(cut->step == "st");
    CHECK(cut->path == "/p");
}

TEST_CASE("only the first report counts: later calls of ready or fail are ignored", "[readiness]") {
    CHECK_FALSE(learnt([](readiness_pipe& pipe) {
        pipe.ready();
        pipe.fail({mato::errc::busy, "late", {}, {}});
        return 0;
    }));
    CHECK(learnt([](readiness_pipe& pipe) {
              pipe.fail({mato::errc::busy, "first", {}, {}});
              pipe.ready();
              return 0;
          }).step == "first");
}

TEST_CASE("a daemon that ends without a report is not ready, however it ends", "[readiness]") {
    CHECK(learnt([](readiness_pipe&) { return ::kill(::getpid(), SIGKILL); }).code == mato::errc::not_ready);
    CHECK(learnt([](readiness_pipe&) -> int { std::abort(); }).code == mato::errc::not_ready);
    CHECK(learnt([](readiness_pipe&) { return 0; }).code == mato::errc::not_ready);
    const auto why = learnt([](readiness_pipe&) { return 3; });
    CHECK(why.code == mato::errc::not_ready);
    CHECK(why.message() == "wait for the daemon: the daemon ended before it was ready; see its log");
}

TEST_CASE("a report truncated by a crash is not_ready, never ready", "[readiness]") {
    for (const std::string_view cut : {"F", "FS", "FS13", "Rx", "RR", "x"}) {
        INFO(cut);
        CHECK(learnt([&](readiness_pipe& pipe) {
                  return ::write(pipe.daemon_fd(), cut.data(), cut.size()) > 0 ? 0 : 1;
              }).code == mato::errc::not_ready);
    }
}

TEST_CASE("a silent daemon is timed_out, at its deadline and not before", "[readiness]") {
    support::gate end;
    for (const auto limit : {0ms, 30ms}) {
        const auto before = mato::clock::now();
        const auto why = learnt([&](readiness_pipe&) { return end.pass() ? 0 : 1; }, limit);
        const auto took = mato::clock::now() - before;
        CHECK(why.code == mato::errc::timed_out);
        CHECK(took >= limit);
    }
    mato::failure why;
    auto silent = readiness_pipe::open(why); // its own write end stays open, so no report arrives
    const auto before = mato::clock::now();
    silent.wait(mato::deadline::in(50ms), why);
    const auto took = mato::clock::now() - before;
    CHECK(why.code == mato::errc::timed_out);
    CHECK(took >= 50ms);
    CHECK(took < 5s);
}

TEST_CASE("an incomplete report without the rest is timed_out", "[readiness]") {
    mato::failure why;
    auto pipe = readiness_pipe::open(why);
    REQUIRE(::write(pipe.daemon_fd(), "FS13", 4) == 4);
    pipe.wait(mato::deadline::in(20ms), why);
    CHECK(why.code == mato::errc::timed_out);
}

TEST_CASE("a report in many small pieces is assembled", "[readiness]") {
    const mato::failure sent{os(EACCES), "open log", "/var/log/x", std::string(900, 'd')};
    const auto why = learnt([&](readiness_pipe& pipe) {
        for (const char c : readiness_pipe::encode(sent))
            if (::write(pipe.daemon_fd(), &c, 1) != 1) return 1;
        return 0;
    });
    CHECK(why.message() == sent.message());
    CHECK(why.code == sent.code);
}

TEST_CASE("waiting on a pipe that was never opened, or twice, is not_ready", "[readiness]") {
    mato::failure why;
    readiness_pipe().wait(mato::deadline::in(10s), why);
    CHECK(why.code == mato::errc::not_ready);
    auto pipe = readiness_pipe::open(why);
    pipe.ready();
    pipe.wait(mato::deadline::in(10s), why);
    CHECK_FALSE(why);
    pipe.wait(mato::deadline::in(10s), why);
    CHECK(why.code == mato::errc::not_ready);
}

TEST_CASE("a report never exceeds its limit; long texts are cut, the code is not", "[readiness]") {
    for (const std::size_t size : {1019u, 1020u, 1021u, 4095u, 4096u, 4097u, 100'000u}) {
        const std::string text(size, 'x');
        const mato::failure sent{os(EACCES), text, text, text};
        REQUIRE(readiness_pipe::encode(sent).size() <= readiness_pipe::max_report);
        const auto got = round_trip(sent);
        REQUIRE(got);
        CHECK(got->code == os(EACCES));
        CHECK(got->step == text.substr(0, got->step.size()));
        CHECK(got->step.size() >= std::min<std::size_t>(size, 1000));
        CHECK(got->detail.size() == got->path.size());
    }
    const auto why = learnt([](readiness_pipe& pipe) {
        pipe.fail({os(EACCES), std::string(5000, 's'), std::string(5000, 'p'), std::string(5000, 'd')});
        return 1;
    });
    CHECK(why.code == os(EACCES));
    CHECK(why.detail.size() > 1000);
}

TEST_CASE("a report over the limit is refused; so is a daemon that floods the pipe", "[readiness]") {
    const std::string head = std::string("FS13") + '\0' + "s" + '\0' + "p" + '\0';
    const auto of_size = [&](std::size_t size) { return head + std::string(size - head.size() - 1, 'd') + '\0'; };
    CHECK(readiness_pipe::decode(of_size(readiness_pipe::max_report)));
    CHECK_FALSE(readiness_pipe::decode(of_size(readiness_pipe::max_report + 1)));
    const auto why = learnt([&](readiness_pipe& pipe) {
        const std::string flood(8192, 'F');
        return ::write(pipe.daemon_fd(), flood.data(), flood.size()) > 0 ? 0 : 1;
    });
    CHECK(why.code == mato::errc::not_ready);
}

TEST_CASE("every truncated report is refused", "[readiness]") {
    const std::string whole = readiness_pipe::encode({os(EACCES), "step", "/path", "detail"});
    REQUIRE(readiness_pipe::decode(whole));
    for (std::size_t size = 0; size < whole.size(); ++size) REQUIRE_FALSE(readiness_pipe::decode(whole.substr(0, size)));
    REQUIRE_FALSE(readiness_pipe::decode(whole + "x"));
    REQUIRE_FALSE(readiness_pipe::decode(whole + whole));
}

TEST_CASE("other bytes are recognised as no report", "[readiness]") {
    const auto report = [](const std::string& head) { return head + '\0' + "s" + '\0' + "p" + '\0' + "d" + '\0'; };
    CHECK(readiness_pipe::decode(report("FS13")));
    for (const char* head : {"R", "FX13", "FS0", "FS-13", "FS+13", "FS 13", "FS1x", "FM99999999999999999999", "fS13", "FS00"}) {
        INFO(head);
        CHECK_FALSE(readiness_pipe::decode(report(head)));
    }
}

TEST_CASE("random bytes never decode to success", "[readiness]") {
    std::mt19937 random(4);
    const std::string whole = readiness_pipe::encode({os(EACCES), "step", "/path", "detail"});
    for (int round = 0; round < 50'000; ++round) {
        std::string bytes = round % 2 ? whole : std::string(random() % 64, '\0');
        if (round % 2)
            bytes[random() % bytes.size()] = static_cast<char>(random());
        else
            for (char& c : bytes) c = random() % 4 ? "FSMO0123"[random() % 8] : static_cast<char>(random() % 3);
        if (const auto got = readiness_pipe::decode(bytes)) REQUIRE(got->code);
    }
}

TEST_CASE("a supervisor gets one newline and end-of-file for ready, only end-of-file for failure", "[readiness]") {
    for (const bool works : {true, false}) {
        int ends[2];
        REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
        const mato::unique_fd reader(ends[0]);
        mato::auto_ready channel{.descriptor = mato::notification_descriptor(mato::unique_fd(ends[1]))};
        if (works)
            channel.ready();
        else
            channel.fail({mato::errc::busy, "x", {}, {}});
        channel.ready(); // later calls are ignored
        char got[8];
        REQUIRE(support::await_readable(reader.get()));
        if (works) {
            REQUIRE(::read(reader.get(), got, sizeof got) == 1);
            CHECK(got[0] == '\n');
        }
        CHECK(::read(reader.get(), got, sizeof got) == 0);
    }
}

TEST_CASE("an exited starter, with SIGPIPE ignored, does not harm the daemon", "[readiness]") {
    for (const bool works : {true, false})
        CHECK(support::in_child([works] {
                  ::signal(SIGPIPE, SIG_IGN);
                  std::error_code why;
                  auto pipe = readiness_pipe::open(why);
                  pipe.become_daemon(); // the last reader is closed
                  if (works)
                      pipe.ready();
                  else
                      pipe.fail({mato::errc::busy, "x", {}, {}});
                  return why ? 1 : 0;
              }) == 0);
}

TEST_CASE("without any channel, ready and fail have no effect", "[readiness]") {
    mato::auto_ready channel;
    channel.ready();
    channel.fail({mato::errc::busy, "x", {}, {}});
    mato::notification_descriptor().ready();
}

TEST_CASE("both ends are close-on-exec, and a finished wait leaks no descriptor", "[readiness]") {
    const auto before = support::open_descriptors();
    {
        std::error_code why;
        auto pipe = readiness_pipe::open(why);
        CHECK((::fcntl(pipe.starter_fd(), F_GETFD) & FD_CLOEXEC) != 0);
        CHECK((::fcntl(pipe.daemon_fd(), F_GETFD) & FD_CLOEXEC) != 0);
        readiness_pipe moved = std::move(pipe);
        moved.ready();
        CHECK(moved.daemon_fd() == -1);
        moved.wait(mato::deadline::in(10s), why);
        CHECK_FALSE(why);
        CHECK(support::open_descriptors() == before);
        const auto dropped = readiness_pipe::open(why);
    }
    CHECK(support::open_descriptors() == before);
    static_assert(!std::is_copy_constructible_v<readiness_pipe>);
}
