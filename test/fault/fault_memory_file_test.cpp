// SPDX-License-Identifier: MIT
/// @file fault_memory_file_test.cpp: every call of a memory file fails once; nothing stays open or mapped.
#include "support/fault.hpp"

#include <mato/memory_file.hpp>

#include "support/process_facts.hpp"

TEST_CASE("creating survives every fault, and reports step and file", "[memory_file][fault]") {
    const int failed = fault::sweep([](const std::filesystem::path&) {
        mato::failure why;
        {
            const auto made = mato::memory_file::create("faulty", 4096, why);
            CHECK(static_cast<bool>(made) != static_cast<bool>(why));
            const fault::paused while_looking;
            CHECK(made.bytes().size() == (why ? 0 : 4096));
            if (why) CHECK_FALSE(support::contains(support::proc_file(::getpid(), "maps"), "memfd:faulty"));
            if (why) CHECK(why.path == "faulty");
            if (made) made.bytes()[4095] = 'x';
        }
        return why;
    });
    CHECK(failed > 12);
}

TEST_CASE("adopting survives every fault, and closes what it refuses", "[memory_file][fault]") {
    const int failed = fault::sweep([](const std::filesystem::path&) {
        mato::failure why;
        auto fd = [] {
            const fault::paused while_preparing;
            auto made = mato::memory_file::create("faulty", 4096);
            made.bytes()[0] = 'x';
            return std::move(made).release();
        }();
        const auto adopted = mato::memory_file::adopt(std::move(fd), why);
        CHECK(static_cast<bool>(adopted) != static_cast<bool>(why));
        const fault::paused while_looking;
        if (adopted) CHECK(adopted.bytes()[0] == 'x');
        return why;
    });
    CHECK(failed > 8);
}

TEST_CASE("on a kernel without the executable flag of memory files the call is repeated without it", "[memory_file][fault]") {
    fault::fail_nth("memfd_create", 1, EINVAL);
    mato::failure why;
    CHECK(mato::memory_file::create("older", 4096, why));
    CHECK_FALSE(why);
    for (const int error : {ENOSYS, EPERM}) { // an old kernel, and a sandbox
        fault::fail_all("memfd_create", error);
        CHECK_FALSE(mato::memory_file::create("none", 4096, why));
        CHECK(why.code.value() == error);
        CHECK(why.step == "create memory file");
    }
    fault::fail_all("madvise", EINVAL); // only makes core dumps larger
    CHECK(mato::memory_file::create("dumped", 4096, why));
    fault::fail_all("getrlimit", EPERM); // ftruncate decides
    CHECK(mato::memory_file::create("unlimited", 4096, why));
    fault::start();
}
