// SPDX-License-Identifier: MIT
/// @file service_test.cpp: a manager's variables as a value: for which process, malformed ones, and removal for children.
#include <mato/service.hpp>

#include "support/catch.hpp"
#include "support/child_process.hpp"

#include <map>

using mato::service_environment;
using variables = std::map<std::string, std::string>;

namespace {

service_environment parse(const variables& given, mato::failure& why, pid_t self = 42) {
    return mato::parse_service_environment(
        [&](const char* name) {
            const auto found = given.find(name);
            return found == given.end() ? std::nullopt : std::optional(found->second);
        },
        self, why);
}
service_environment parse(const variables& given) {
    mato::failure why;
    auto result = parse(given, why);
    INFO(why.message());
    CHECK_FALSE(why);
    return result;
}

} // namespace

// ---- the contract ----

TEST_CASE("without a manager the value is empty, without an error", "[service]") {
    const auto none = parse({});
    CHECK_FALSE(none);
    CHECK(none.notify_socket.empty());
    CHECK(none.watchdog.count() == 0);
    CHECK(none.sockets.empty());
}

TEST_CASE("the notify socket is passed on unchanged", "[service]") {
    CHECK(parse({{"NOTIFY_SOCKET", "@/org/x"}}).notify_socket == "@/org/x");
    CHECK(parse({{"NOTIFY_SOCKET", "/run/x"}}));
}

TEST_CASE("the watchdog counts if it is for this process, or names no process", "[service]") {
    CHECK(parse({{"WATCHDOG_USEC", "3000000"}, {"WATCHDOG_PID", "42"}}).watchdog == std::chrono::seconds(3));
    CHECK(parse({{"WATCHDOG_USEC", "1"}}).watchdog == std::chrono::microseconds(1));
    CHECK(parse({{"WATCHDOG_USEC", "3000000"}, {"WATCHDOG_PID", "43"}}).watchdog.count() == 0);
    CHECK(parse({{"WATCHDOG_PID", "42"}}).watchdog.count() == 0);
}

TEST_CASE("sockets are numbered from three and have their names", "[service]") {
    const auto two = parse({{"LISTEN_PID", "42"}, {"LISTEN_FDS", "2"}, {"LISTEN_FDNAMES", "control:data"}});
    REQUIRE(two.sockets.size() == 2);
    CHECK(two.sockets[0].fd == 3);
    CHECK(two.sockets[0].name == "control");
    CHECK(two.sockets[1].fd == 4);
    CHECK(two.sockets[1].name == "data");
    CHECK(parse({{"LISTEN_PID", "42"}, {"LISTEN_FDS", "1"}}).sockets[0].name == "unknown");
    CHECK(parse({{"LISTEN_PID", "42"}, {"LISTEN_FDS", "1"}, {"LISTEN_FDNAMES", ""}}).sockets[0].name.empty());
    CHECK(parse({{"LISTEN_PID", "42"}, {"LISTEN_FDS", "0"}}).sockets.empty());
    CHECK(parse({{"LISTEN_PID", "42"}, {"LISTEN_FDS", "0"}, {"LISTEN_FDNAMES", ""}}).sockets.empty());
}

TEST_CASE("sockets meant for another process are not ours", "[service]") {
    CHECK(parse({{"LISTEN_PID", "43"}, {"LISTEN_FDS", "1"}}).sockets.empty());
    CHECK(parse({{"LISTEN_FDS", "1"}}).sockets.empty());
    CHECK(parse({{"LISTEN_PID", "42"}}).sockets.empty());
}

// ---- the refusals ----

TEST_CASE("a value that is not a number in its range is malformed, with its name", "[service]") {
    const char* const wrong[] = {"", "-1", "x", "1x", " 1", "+1", "99999999999999999999999"};
    for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "WATCHDOG_PID", "WATCHDOG_USEC"})
        for (const char* value : wrong) {
            mato::failure why;
            variables given{{"LISTEN_PID", "42"}, {"LISTEN_FDS", "1"}};
            given[name] = value;
            INFO(name << "='" << value << "'");
            CHECK_FALSE(parse(given, why));
            CHECK(why.code == mato::errc::malformed);
            CHECK(why.path == name);
        }
    for (const variables& given : {variables{{"LISTEN_PID", "0"}}, variables{{"WATCHDOG_USEC", "0"}},
                                   variables{{"LISTEN_PID", "42"}, {"LISTEN_FDS", "1025"}}}) {
        mato::failure why;
        CHECK_FALSE(parse(given, why));
        CHECK(why.code == mato::errc::malformed);
    }
}

TEST_CASE("there must be as many names as sockets", "[service]") {
    for (const char* names : {"a", "a:b:c", ""}) {
        mato::failure why;
        CHECK_FALSE(parse({{"LISTEN_PID", "42"}, {"LISTEN_FDS", "2"}, {"LISTEN_FDNAMES", names}}, why));
        CHECK(why.code == mato::errc::malformed);
        CHECK(why.path == "LISTEN_FDNAMES");
    }
}

// ---- the process's own environment ----

TEST_CASE("taking the environment removes it for children, and makes the sockets close-on-exec", "[service]") {
    CHECK(support::in_child([] {
              if (::dup2(0, 3) == -1 || ::dup2(0, 4) == -1) return 1;
              ::setenv("NOTIFY_SOCKET", "/run/n", 1);
              ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
              ::setenv("LISTEN_FDS", "2", 1);
              ::setenv("LISTEN_FDNAMES", "a:b", 1);
              ::setenv("WATCHDOG_USEC", "10", 1);
              ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
              mato::failure why;
              const auto taken = mato::take_service_environment(why);
              if (why || taken.sockets.size() != 2 || taken.watchdog.count() != 10 || taken.notify_socket != "/run/n") return 2;
              for (const char* name :
                   {"NOTIFY_SOCKET", "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "WATCHDOG_USEC", "WATCHDOG_PID"})
                  if (::getenv(name)) return 3;
              for (const int fd : {3, 4})
                  if ((::fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0) return 4;
              return mato::take_service_environment(why) ? 5 : 0;
          }) == 0);
}

TEST_CASE("a descriptor that is not open is an error, and the variables are removed anyway", "[service]") {
    CHECK(support::in_child([] {
              ::close(3);
              ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
              ::setenv("LISTEN_FDS", "1", 1);
              mato::failure why;
              if (mato::take_service_environment(why) || why.code.value() != EBADF || why.path != "LISTEN_FDS") return 1;
              return ::getenv("LISTEN_FDS") ? 2 : 0;
          }) == 0);
}

TEST_CASE("the longest watchdog is accepted, and no calculation with it overflows", "[service]") {
    for (const char* const text : {"9223372036854775807", "9223372036854775808", "18446744073709551614"}) {
        const auto longest = parse({{"WATCHDOG_USEC", text}}).watchdog;
        CHECK(longest == std::chrono::microseconds::max());
    }
    mato::failure why;
    CHECK_FALSE(parse({{"WATCHDOG_USEC", "18446744073709551615"}}, why)); // sd_watchdog_enabled(3) refuses it too
    CHECK(why.code == mato::errc::malformed);
}

TEST_CASE("a passed socket is found by its name, if exactly one has it", "[service]") {
    mato::service_environment environment;
    environment.sockets = {{3, "control"}, {4, "data"}, {5, "twice"}, {6, "twice"}};
    CHECK(environment.socket("control") == 3);
    CHECK(environment.socket("data") == 4);
    CHECK(environment.socket("twice") == -1);
    CHECK(environment.socket("") == -1);
    CHECK(environment.socket("none") == -1);
}
