// SPDX-License-Identifier: MIT
/// @file tab_counter_test.cpp: a tab's number is never used twice, whatever happens.
#include "daemon/tab_counter.hpp"

#include "support/catch.hpp"
#include "support/temp_directory.hpp"

#include <csignal>
#include <sys/resource.h>

using mux::tab_counter;
using support::temp_directory;

TEST_CASE("the last number is read again", "[tab_counter]") {
    temp_directory directory;
    const std::string path = directory / "daemon.tabs";
    mato::failure why;
    {
        tab_counter counter(path);
        CHECK(counter.last() == 0);
        counter.advance_to(9, why);
        CHECK(counter.last() == 9);
        counter.advance_to(10, why);
        CHECK_FALSE(why);
    }
    CHECK(tab_counter(path).last() == 10);
    CHECK(support::read_file(path) == "10\n");
    CHECK(support::mode_of(path) == 0600);
}

TEST_CASE("the file is next to the socket", "[tab_counter]") {
    CHECK(tab_counter::path_beside("/run/a.b/daemon.sock") == "/run/a.b/daemon.tabs");
}

TEST_CASE("anything that is not a number counts as none, and is overwritten", "[tab_counter]") {
    temp_directory directory;
    const std::string path = directory / "daemon.tabs";
    for (const std::string_view text : {"", "x", "-3\n", "\n"}) {
        support::write_file(path, text);
        CHECK(tab_counter(path).last() == 0);
    }
    support::write_file(path, "41\nand more");
    CHECK(tab_counter(path).last() == 41);
}

TEST_CASE("a link and a directory are refused, with the step and the path", "[tab_counter]") {
    temp_directory directory;
    const std::string path = directory / "daemon.tabs";
    support::write_file(directory / "other", "5\n");
    std::filesystem::create_symlink(directory / "other", path);
    const auto refusal = [](const std::string& at) -> mato::failure {
        try {
            const tab_counter counter(at);
        } catch (const mato::error& error) {
            return error.why();
        }
        return {};
    };
    CHECK(refusal(path).code == std::errc::too_many_symbolic_link_levels);
    CHECK(refusal(path).step == "open tab counter");
    CHECK(refusal(path).path == path);
    CHECK(refusal(directory.path()).code == std::errc::is_a_directory);
}

TEST_CASE("a number that cannot be written does not become the last one", "[tab_counter]") {
    temp_directory directory;
    tab_counter counter(directory / "daemon.tabs");
    mato::failure why;
    counter.advance_to(1, why);
    struct rlimit before {
    }, none{};
    ::getrlimit(RLIMIT_FSIZE, &before);
    none.rlim_max = before.rlim_max;
    ::signal(SIGXFSZ, SIG_IGN);
    ::setrlimit(RLIMIT_FSIZE, &none);
    counter.advance_to(2, why);
    ::setrlimit(RLIMIT_FSIZE, &before);
    CHECK(why.code == std::errc::file_too_large);
    CHECK(counter.last() == 1);
}

TEST_CASE("after the largest number there is no other, so that no tab gets 0", "[tab_counter]") {
    const support::temp_directory directory;
    const auto path = (directory / "tabs").native();
    for (const auto& [text, last] : {std::pair{"18446744073709551615\n", mux::tab_id{0}},
                                     {"18446744073709551614", mux::tab_id{0}},
                                     {"99999999999999999999999", mux::tab_id{0}},
                                     {"9007199254740993", mux::tab_id{0}},
                                     {"9007199254740992", tab_counter::most},
                                     {"-5", mux::tab_id{0}}}) {
        INFO(text);
        support::write_file(path, text);
        CHECK(tab_counter(path).last() == last);
    }
}
