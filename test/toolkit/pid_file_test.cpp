// SPDX-License-Identifier: MIT
/// @file pid_file_test.cpp: a complete, private pid file, removed only by its writer.
#include <mato/pid_file.hpp>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/descriptor_census.hpp"
#include "support/temp_directory.hpp"

#include <atomic>
#include <sys/resource.h>
#include <thread>

using mato::pid_file;
using support::write_file;

namespace {
std::string own_pid_line() { return std::to_string(::getpid()) + "\n"; }

mato::failure read_refusal(const std::filesystem::path& path) {
    mato::failure why;
    CHECK(pid_file::read(path, why) == 0);
    CHECK(why.path == path);
    return why;
}
} // namespace

// ---- the contract ----

TEST_CASE("a pid file contains the pid and a newline, readable only by its owner", "[pid_file]") {
    const support::temp_directory directory;
    for (const mode_t mask : {mode_t{0}, mode_t{077}, mode_t{0277}, mode_t{0777}}) {
        const support::umask_scope masked(mask);
        const auto file = pid_file::create(directory / "pid");
        CHECK(support::read_file(directory / "pid") == own_pid_line());
        CHECK(support::mode_of(directory / "pid") == 0600);
        CHECK(directory.names() == std::vector<std::string>{"pid"});
        mato::failure why;
        CHECK(pid_file::read(directory / "pid", why) == ::getpid());
        CHECK_FALSE(why);
    }
    CHECK(directory.names().empty());
}

TEST_CASE("readers see the old file or the complete new one", "[pid_file]") {
    const support::temp_directory directory;
    const auto kept = pid_file::create(directory / "pid");
    std::atomic<bool> over = false;
    std::atomic<int> reads = 0, broken = 0;
    std::thread reader([&] {
        while (!over) {
            std::error_code why;
            broken += pid_file::read(directory / "pid", why) != ::getpid();
            ++reads;
        }
    });
    auto current = pid_file::create(directory / "pid");
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    for (int i = 0; (i < 500 || reads < 500) && std::chrono::steady_clock::now() < until; ++i)
        current = pid_file::create(directory / "pid"); // the former object finds another inode, and removes nothing
    over = true;
    reader.join();
    CHECK(reads >= 500);
    CHECK(broken == 0);
}

TEST_CASE("a leftover temporary name and a stale file are replaced", "[pid_file]") {
    const support::temp_directory directory;
    write_file(directory / "pid.new", "half");
    write_file(directory / "pid", "99999999\n");
    const auto file = pid_file::create(directory / "pid");
    CHECK(support::read_file(directory / "pid") == own_pid_line());
    CHECK(directory.names() == std::vector<std::string>{"pid"});
}

TEST_CASE("a symlink at the path is replaced, not followed", "[pid_file]") {
    const support::temp_directory directory;
    write_file(directory / "victim", "precious");
    std::filesystem::create_symlink(directory / "victim", directory / "pid");
    std::filesystem::create_symlink(directory / "victim", directory / "pid.new");
    const auto file = pid_file::create(directory / "pid");
    CHECK(support::read_file(directory / "victim") == "precious");
    CHECK(std::filesystem::is_regular_file(std::filesystem::symlink_status(directory / "pid")));
}

TEST_CASE("parse accepts a positive number, with or without the newline", "[pid_file]") {
    CHECK(pid_file::parse("1\n") == 1);
    CHECK(pid_file::parse("1") == 1);
    CHECK(pid_file::parse("4194304\n") == 4'194'304);
}

TEST_CASE("remove removes only its own file", "[pid_file]") {
    const support::temp_directory directory;
    auto file = pid_file::create(directory / "pid");
    const auto successor = pid_file::create(directory / "pid");
    file.remove();
    CHECK(support::read_file(directory / "pid") == own_pid_line());
    auto mine = pid_file::create(directory / "pid");
    CHECK(support::in_child([&] {
              mine.remove(); // a copy in a forked child
              return 0;
          }) == 0);
    CHECK(support::read_file(directory / "pid") == own_pid_line());
    mine.remove();
    mine.remove();
    CHECK_FALSE(std::filesystem::exists(directory / "pid"));
}

TEST_CASE("the other registries write nothing", "[pid_file]") {
    const support::temp_directory directory;
    mato::failure why;
    const auto locked = mato::locked_pid_file::create(directory / "pid", why);
    const auto none = mato::no_pid_file::create(directory / "pid", why);
    static_cast<void>(locked), static_cast<void>(none);
    CHECK_FALSE(why);
    CHECK(directory.names().empty());
}

// ---- the refusals ----

TEST_CASE("text that is not a pid is malformed, so 0 and -1 never reach kill", "[pid_file]") {
    const support::temp_directory directory;
    for (const char* content :
         {"", "\n", "0\n", "-1\n", "-12\n", "+12\n", " 12\n", "12 \n", "12\n\n", "12\n13\n", "12\r\n", "pid", "1e3\n", "0x10\n",
          "2147483648\n", "1234567890123456789012345678901234567890\n", "00000000000000000000000000000012 and more"}) {
        INFO("content: " << content);
        write_file(directory / "pid", content);
        CHECK(pid_file::parse(content) == 0);
        const auto why = read_refusal(directory / "pid");
        CHECK(why.code == mato::errc::malformed);
        CHECK(why.step == "read pid file");
        CHECK(why.detail == "the file does not contain a process id");
    }
    CHECK(pid_file::parse(std::string_view("12\0", 3)) == 0);
}

TEST_CASE("reading reports a missing file, a symlink, a directory and a pipe", "[pid_file]") {
    const support::temp_directory directory;
    CHECK(read_refusal(directory / "pid").code == mato::cond::not_running);
    std::filesystem::create_symlink(directory / "x", directory / "link");
    CHECK(read_refusal(directory / "link").code.value() == ELOOP);
    CHECK(read_refusal(directory / "link").step == "open pid file");
    CHECK(read_refusal(directory.path()).code.value() == EISDIR);
    REQUIRE(::mkfifo((directory / "pipe").c_str(), 0600) == 0);
    CHECK(read_refusal(directory / "pipe").code == mato::errc::malformed); // without waiting for a writer
}

TEST_CASE("a failed creation leaves no file", "[pid_file]") {
    const support::temp_directory directory;
    mato::failure why;
    const auto absent = directory / "absent" / "pid";
    static_cast<void>(pid_file::create(absent, why));
    CHECK(why.code.value() == ENOENT);
    CHECK(why.step == "create pid file");
    CHECK(why.path == absent);
    CHECK_THROWS_AS(pid_file::create(absent), mato::error);
    std::filesystem::create_directory(directory / "pid");
    static_cast<void>(pid_file::create(directory / "pid", why));
    CHECK(why.step == "rename pid file");
    CHECK(why.code.value() == EISDIR);
    CHECK(directory.names() == std::vector<std::string>{"pid"});
}

TEST_CASE("a full disk leaves no file", "[pid_file]") {
    const support::temp_directory directory;
    CHECK(support::in_child([&] {
              const rlimit none{0, 0}; // like a full disk for one process: writes fail with EFBIG
              ::signal(SIGXFSZ, SIG_IGN);
              if (::setrlimit(RLIMIT_FSIZE, &none) == -1) return 1;
              mato::failure why;
              const auto file = pid_file::create(directory / "pid", why);
              return why.code.value() == EFBIG && why.step == "write pid file" ? 0 : 2;
          }) == 0);
    CHECK(directory.names().empty());
}

// ---- the edges ----

TEST_CASE("the largest pid is accepted, the next number is refused", "[pid_file]") {
    CHECK(pid_file::parse("2147483647\n") == 2'147'483'647);
    CHECK(pid_file::parse("2147483648\n") == 0);
    CHECK(pid_file::parse("0000000012\n") == 12); // ten digits
    CHECK(pid_file::parse("00000000012\n") == 0); // eleven
}

// ---- the promises about absence ----

TEST_CASE("a pid file has one owner, and can be moved", "[pid_file]") {
    static_assert(!std::is_copy_constructible_v<pid_file>);
    static_assert(std::is_nothrow_move_constructible_v<pid_file>);
    const support::temp_directory directory;
    const auto before = support::open_descriptors();
    {
        auto first = pid_file::create(directory / "pid");
        pid_file second(std::move(first));
        first.remove(); // owns nothing
        CHECK(directory.names() == std::vector<std::string>{"pid"});
        auto& same = second;
        second = std::move(same);
        CHECK(directory.names() == std::vector<std::string>{"pid"});
        CHECK(support::open_descriptors() == before);
        second = pid_file();
        CHECK(directory.names().empty());
    }
}
