// SPDX-License-Identifier: MIT
/// @file system_log_test.cpp: what journald and a syslog daemon receive.
#include <mato/system_log.hpp>

#include <mato/policies.hpp>

#include "support/catch.hpp"
#include "support/fake_manager.hpp"

#include <clocale>
#include <ctime>
#include <optional>
#include <string_view>

using mato::log_level;

namespace {

/// What `write` writes to stderr.
template <class Write> std::string standard_error(Write write) {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    const int kept = ::dup(2);
    ::dup2(ends[1], 2);
    write();
    ::dup2(kept, 2);
    ::close(kept), ::close(ends[1]);
    std::string text;
    char buffer[8192];
    for (ssize_t got; (got = ::read(ends[0], buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<std::size_t>(got));
    ::close(ends[0]);
    return text;
}

/// As in "Feb  9 07:05:00", RFC 3164.
bool is_syslog_time(std::string_view text) {
    static constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec", most = "... 39 29:59:69";
    if (text.size() != most.size() || months.find(text.substr(0, 3)) % 3 != 0) return false;
    for (std::size_t i = 3; i < most.size(); ++i) {
        const bool is_digit = most[i] >= '0' && most[i] <= '9';
        const bool is_right = is_digit ? text[i] >= '0' && text[i] <= most[i] : text[i] == most[i];
        if (!is_right && !(i == 4 && text[i] == ' ')) return false; // a day below 10
    }
    return true;
}

} // namespace

TEST_CASE("lines for the journal have a priority and no time", "[system_log]") {
    const std::string text = standard_error([] {
        mato::basic_logger<mato::journal_log> log({}, log_level::debug);
        log.error("one");
        log.warning("two\nforged <0>line");
        log.info("");
        log.debug("four");
        log.info(std::string(5000, 'x'));
    });
    CHECK(text == "<3>one\n<4>two\\x0aforged <0>line\n<6>\n<7>four\n<6>" + std::string(4096, 'x') + "…\n");
}

TEST_CASE("lines below the level are not written to the journal", "[system_log]") {
    CHECK(standard_error([] {
              mato::basic_logger<mato::journal_log> log({}, log_level::warning);
              log.info("dropped");
              log.warning("kept");
          }) == "<4>kept\n");
}

TEST_CASE("a syslog line has priority, time, tag and pid, in any locale", "[system_log]") {
    const support::temp_directory directory;
    const support::fake_manager daemon((directory / "log").native());
    std::setlocale(LC_ALL, GENERATE("C", "de_DE.UTF-8"));
    for (const auto& [level, priority] :
         {std::pair{log_level::error, 3}, {log_level::warning, 4}, {log_level::info, 6}, {log_level::debug, 7}})
        for (const auto facility : {mato::syslog_facility::daemon, mato::syslog_facility::local7}) {
            mato::basic_logger<mato::syslog_log> log(mato::syslog_log("backupd", facility, directory / "log"),
                                                     log_level::debug);
            log.write(level, "it\nworks");
            const std::string got = daemon.next();
            INFO(got);
            const std::string head = "<" + std::to_string(static_cast<int>(facility) * 8 + priority) + ">";
            const std::string tail = " backupd[" + std::to_string(::getpid()) + "]: it\\x0aworks";
            REQUIRE(got.size() > head.size() + tail.size());
            CHECK(got.starts_with(head));
            CHECK(got.ends_with(tail));
            CHECK(is_syslog_time(got.substr(head.size(), got.size() - head.size() - tail.size())));
            CHECK(log.sink().lost_lines() == 0);
        }
    std::setlocale(LC_ALL, "C");
}

TEST_CASE("a syslog daemon that is absent, slow or restarted never blocks the writer", "[system_log]") {
    const support::temp_directory directory;
    mato::syslog_log log("x", mato::syslog_facility::user, directory / "log");
    log.write(log_level::info, "there is no daemon");
    CHECK(log.lost_lines() == 1);
    std::optional<support::fake_manager> daemon(std::in_place, (directory / "log").native());
    log.write(log_level::info, "first");
    CHECK(log.lost_lines() == 1);
    CHECK(daemon->next().ends_with("first"));
    for (int i = 0; i < 5000; ++i) log.write(log_level::info, "a line that is not read"); // more than a queue of datagrams
    CHECK(log.lost_lines() > 1);
    daemon.reset();
    std::filesystem::remove(directory / "log");
    daemon.emplace((directory / "log").native());
    const auto before = log.lost_lines();
    log.write(log_level::info, "after the restart");
    CHECK(log.lost_lines() == before);
    CHECK(daemon->next().ends_with("after the restart"));
    mato::syslog_log nowhere("x", mato::syslog_facility::user, std::string(500, 'p'));
    nowhere.write(log_level::info, "the path is too long");
    CHECK(nowhere.lost_lines() == 1);
}

TEST_CASE("the samples of system logs", "[samples]") {
    struct in_the_journal : mato::default_policies {
        using log = mato::journal_log;
    };
    struct to_syslog : mato::syslog_log {
        to_syslog() : syslog_log("backupd", mato::syslog_facility::local3) {}
    };
    struct with_syslog : mato::default_policies {
        using log = to_syslog;
    };
    STATIC_REQUIRE(mato::log_sink<in_the_journal::log>);
    STATIC_REQUIRE(mato::log_sink<with_syslog::log>);
}
