// SPDX-License-Identifier: MIT
/// @file fault_pid_file_test.cpp: every call of the pid file fails once; readers never see an incomplete file.
#include "support/fault.hpp"

#include <mato/pid_file.hpp>

TEST_CASE("creating survives every fault, and leaves the old file or the new one", "[pid_file][fault]") {
    const int failed = fault::sweep([](const std::filesystem::path& directory) {
        support::write_file(directory / "pid", "1\n");
        mato::failure why;
        {
            auto file = mato::pid_file::create(directory / "pid", why);
            const auto text = support::read_file(directory / "pid");
            CHECK(text == (why ? "1\n" : std::to_string(::getpid()) + "\n"));
            CHECK_FALSE(std::filesystem::exists(directory / "pid.new"));
            const fault::paused while_removing;
            static_cast<void>(mato::pid_file(std::move(file)));
        }
        if (why) std::filesystem::remove(directory / "pid"); // of the former daemon
        return why;
    });
    CHECK(failed > 10);
}

TEST_CASE("removing survives every fault; the file may stay", "[pid_file][fault]") {
    fault::sweep(
        [](const std::filesystem::path& directory) {
            mato::failure why;
            auto file = [&] {
                const fault::paused while_preparing;
                return mato::pid_file::create(directory / "pid", why);
            }();
            file.remove();
            return why;
        },
        {.may_remain = {"pid"}});
}

TEST_CASE("reading survives every fault, and never invents a pid", "[pid_file][fault]") {
    const support::temp_directory elsewhere;
    support::write_file(elsewhere / "pid", "4711\n");
    const int failed = fault::sweep([&](const std::filesystem::path&) {
        mato::failure why;
        const pid_t pid = mato::pid_file::read(elsewhere / "pid", why);
        CHECK(pid == (why ? 0 : 4711));
        return why;
    });
    CHECK(failed > 5);
}
