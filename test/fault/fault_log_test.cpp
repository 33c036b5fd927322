// SPDX-License-Identifier: MIT
/// @file fault_log_test.cpp: a log that cannot write counts lines, one that cannot rotate stays bounded, and both recover.
#include "support/fault.hpp"

#include <mato/log.hpp>

namespace {
const std::vector<std::string> log_names{"log", "log.1", "log.2", "log.3"};
constexpr mato::file_log_options small{.max_bytes = 30, .keep = 3};
} // namespace

TEST_CASE("opening, writing and rotating survive every fault, and every line is written or counted", "[log][fault]") {
    const int failed = fault::sweep(
        [](const std::filesystem::path& directory) {
            mato::failure why;
            auto log = mato::file_log::open(directory / "log", small, why);
            if (why) return why;
            for (int i = 0; i < 8; ++i) log.write("ten bytes\n"); // fills three files
            const fault::paused from_here;
            CHECK(log.lost_lines() <= 1);
            for (const auto& name : log_names) {
                struct ::stat found {};
                if (::lstat((directory / name).c_str(), &found) == 0)
                    CHECK(found.st_size <= 60); // twice the limit while it cannot open a file
            }
            for (int i = 0; i < 4; ++i) log.write("recovered\n");
            CHECK(support::contains(support::read_file(directory / "log"), "recovered\n"));
            return why;
        },
        {.may_remain = log_names});
    CHECK(failed > 4);
}

TEST_CASE("on a full disk lost lines are counted", "[log][fault]") {
    fault::start();
    const support::temp_directory directory;
    mato::failure why;
    auto log = mato::file_log::open(directory / "log", {}, why);
    fault::fail_all("write", ENOSPC);
    for (int i = 0; i < 5; ++i) log.write("lost\n");
    fault::start();
    CHECK(log.lost_lines() == 5);
    log.write("kept\n");
    CHECK(log.lost_lines() == 5);
    CHECK(support::read_file(directory / "log") == "kept\n");
}

TEST_CASE("a rotation without a free descriptor loses no line, and is repeated later", "[log][fault]") {
    fault::start();
    const support::temp_directory directory;
    mato::failure why;
    auto log = mato::file_log::open(directory / "log", small, why);
    for (int i = 0; i < 3; ++i) log.write("before...\n");
    fault::fail_all("open", EMFILE);
    log.write("meanwhile\n"); // rotates, cannot open: continues with the moved file
    fault::start();
    CHECK(log.lost_lines() == 0);
    CHECK(support::read_file(directory / "log.1") == "before...\nbefore...\nbefore...\nmeanwhile\n");
    for (int i = 0; i < 3; ++i) log.write("after....\n");
    CHECK(support::read_file(directory / "log") == "after....\n");
    CHECK(support::contains(support::read_file(directory / "log.1"), "meanwhile\n"));
    CHECK(log.lost_lines() == 0);
}

TEST_CASE("a log that can never be opened again stays bounded and keeps its older files", "[log][fault]") {
    fault::start();
    const support::temp_directory directory;
    mato::failure why;
    auto log = mato::file_log::open(directory / "log", small, why);
    for (int i = 0; i < 6; ++i) log.write("older....\n");
    fault::fail_all("open", EACCES);
    for (int i = 0; i < 100; ++i) log.write("ten bytes\n");
    fault::start();
    for (const auto& name : directory.names()) CHECK(std::filesystem::file_size(directory / name) <= 60);
    CHECK(support::contains(support::read_file(directory / "log.2"), "older....\n"));
    log.write("ten bytes\n");
    log.write("ten bytes\n");
    log.write("ten bytes\n");
    CHECK(std::filesystem::exists(directory / "log"));
}

TEST_CASE("a log that cannot be moved is truncated, so that the limit holds", "[log][fault]") {
    fault::start();
    const support::temp_directory directory;
    mato::failure why;
    auto log = mato::file_log::open(directory / "log", small, why);
    fault::fail_all("rename", EACCES);
    for (int i = 0; i < 10; ++i) log.write("ten bytes\n");
    fault::start();
    CHECK(directory.names() == std::vector<std::string>{"log"});
    CHECK(std::filesystem::file_size(directory / "log") <= 30);
    CHECK(log.lost_lines() == 0);
}

TEST_CASE("reopening without a free descriptor keeps the old file", "[log][fault]") {
    fault::start();
    const support::temp_directory directory;
    mato::failure why;
    auto log = mato::file_log::open(directory / "log", {}, why);
    fault::fail_all("open", EMFILE);
    log.reopen();
    log.write("still\n");
    fault::start();
    CHECK(support::read_file(directory / "log") == "still\n");
}
