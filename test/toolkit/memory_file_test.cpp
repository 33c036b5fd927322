// SPDX-License-Identifier: MIT
/// @file memory_file_test.cpp: memory of a fixed size that outlives its creator; other files are refused.
#include <mato/memory_file.hpp>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/descriptor_census.hpp"
#include "support/process_facts.hpp"

#include <mato/descriptors.hpp>

#include <algorithm>
#include <cstring>
#include <sstream>
#include <sys/mman.h>
#include <sys/resource.h>
#include <type_traits>
#include <vector>

using mato::memory_file;
using mato::unique_fd;

#if MATO_HAS_MEMFD

namespace {

constexpr int as_created = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

std::string own_maps() { return support::proc_file(::getpid(), "maps"); }
int seals_of(int fd) { return ::fcntl(fd, F_GET_SEALS); }

/// A memory file as another program could create it.
unique_fd foreign(off_t size, int seals, unsigned flags = MFD_ALLOW_SEALING) {
    unique_fd fd(::memfd_create("foreign", flags));
    REQUIRE(fd);
    REQUIRE(::ftruncate(fd.get(), size) == 0);
    if (seals != 0) REQUIRE(::fcntl(fd.get(), F_ADD_SEALS, seals) == 0);
    return fd;
}

mato::failure refusal(unique_fd fd) {
    const std::string called = "descriptor " + std::to_string(fd.get());
    const int number = fd.get();
    mato::failure why;
    const auto adopted = memory_file::adopt(std::move(fd), why);
    CHECK_FALSE(adopted);
    CHECK(adopted.bytes().empty());
    CHECK(why.path == called);
    if (number >= 0) CHECK(::fcntl(number, F_GETFD) == -1); // closed
    CHECK_FALSE(support::contains(own_maps(), "memfd:foreign"));
    return why;
}

mato::failure create_refusal(std::string_view name, std::size_t size) {
    const auto before = support::open_descriptors();
    mato::failure why;
    const auto made = memory_file::create(name, size, why);
    CHECK_FALSE(made);
    CHECK(made.native_handle() == -1);
    CHECK(support::open_descriptors() == before);
    return why;
}

/// In a child: the error of creating under a limit.
template <class Resource, class Judge> int under_limit(Resource resource, rlim_t limit, std::size_t size, Judge judge) {
    return support::in_child([&] {
        const rlimit bound{limit, limit};
        if (::setrlimit(resource, &bound) == -1) return 1;
        mato::failure why;
        const auto made = memory_file::create("limited", size, why);
        return judge(made, why) ? 0 : 2;
    });
}

} // namespace

// ---- the contract ----

TEST_CASE("a copy reads the file, and what is written to it stays in the process", "[memory_file]") {
    mato::failure why;
    auto file = memory_file::create("shared", 8192, why);
    REQUIRE(file);
    file.bytes()[0] = 'a', file.bytes()[5000] = 'b';
    auto copy = memory_file::adopt_copy(unique_fd(::fcntl(file.native_handle(), F_DUPFD_CLOEXEC, 3)), why);
    REQUIRE(copy);
    CHECK(copy.bytes()[0] == 'a');
    copy.bytes()[0] = 'x', copy.bytes()[5000] = 'y';
    CHECK(file.bytes()[0] == 'a');
    CHECK(file.bytes()[5000] == 'b');
    CHECK(copy.bytes()[5000] == 'y');
    static_cast<void>(memory_file::adopt_copy(unique_fd(::open("/dev/null", O_RDWR | O_CLOEXEC)), why));
    CHECK(why.code == mato::errc::malformed);
}

TEST_CASE("a memory file has zeroes and the requested size, and written data stays with its descriptor", "[memory_file]") {
    for (const std::size_t size : {std::size_t{1}, std::size_t{4096}, std::size_t{4097}, std::size_t{1} << 20}) {
        auto made = memory_file::create("mato:test", size);
        REQUIRE(made);
        REQUIRE(made.size() == size);
        const auto bytes = made.bytes();
        CHECK(std::all_of(bytes.begin(), bytes.end(), [](char each) { return each == 0; }));
        bytes.front() = 'a', bytes.back() = 'z';
        auto next = memory_file::adopt(std::move(made).release());
        CHECK_FALSE(made);
        REQUIRE(next.size() == size);
        CHECK(next.bytes().back() == 'z');
        if (size > 1) CHECK(next.bytes().front() == 'a');
    }
}

TEST_CASE("its size is sealed, its descriptor close-on-exec, its name shown, its pages left out of core dumps",
          "[memory_file]") {
    const auto made = memory_file::create("mato:test", 8192);
    CHECK((seals_of(made.native_handle()) & as_created) == as_created);
    CHECK((::fcntl(made.native_handle(), F_GETFD) & FD_CLOEXEC) != 0);
    for (const off_t size : {0, 4096, 8191, 8193, 1 << 20}) {
        CHECK(::ftruncate(made.native_handle(), size) == -1);
        CHECK(errno == EPERM);
    }
    CHECK(::fcntl(made.native_handle(), F_ADD_SEALS, F_SEAL_WRITE) == -1);
    CHECK(support::contains(own_maps(), "/memfd:mato:test"));
    std::istringstream maps(support::proc_file(::getpid(), "smaps"));
    bool here = false, left_out = false;
    for (std::string line; std::getline(maps, line);) {
        if (support::contains(line, "memfd:mato:test")) here = true;
        if (here && line.starts_with("VmFlags:")) {
            left_out = support::contains(line, " dd");
            break;
        }
    }
    CHECK(left_out);
}

TEST_CASE("pages that are not written use no memory", "[memory_file]") {
    const auto made = memory_file::create("sparse", memory_file::most_bytes);
    struct ::stat about {};
    REQUIRE(::fstat(made.native_handle(), &about) == 0);
    CHECK(about.st_blocks == 0);
    made.bytes()[memory_file::most_bytes / 2] = 'x';
    REQUIRE(::fstat(made.native_handle(), &about) == 0);
    CHECK(about.st_blocks * 512 <= 2 << 20); // one page, possibly a huge one
    CHECK(about.st_blocks > 0);
}

TEST_CASE("data written by a killed process stays complete", "[memory_file]") {
    auto made = memory_file::create("shared", 100);
    const support::mailbox<int> wrote;
    support::child_process child([&] {
        std::memcpy(made.bytes().data(), "by the child", 12);
        wrote.put(1);
        return ::pause();
    });
    REQUIRE(wrote.take());
    child.signal(SIGKILL);
    CHECK(child.wait() == -SIGKILL);
    CHECK(std::string_view(made.bytes().data(), 12) == "by the child");
    CHECK(support::in_child([&] { // the child's object releases only its own copy
              memory_file own(std::move(made));
              return own.bytes()[0] == 'b' ? 0 : 1;
          }) == 0);
    CHECK(made.bytes()[0] == 'b');
    CHECK(memory_file::adopt(std::move(made).release()).bytes()[0] == 'b');
}

TEST_CASE("a memory file passed over a socket is the same memory", "[memory_file]") {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    const unique_fd here(ends[0]), there(ends[1]);
    const auto made = memory_file::create("sent", 4096);
    mato::failure why;
    REQUIRE(mato::send_descriptors(here.get(), "x", std::vector{made.native_handle()}, why) == 1);
    char byte = 0;
    std::vector<unique_fd> came;
    REQUIRE(mato::receive_descriptors(there.get(), {&byte, 1}, came, why) == 1);
    REQUIRE(came.size() == 1);
    const auto taken = memory_file::adopt(std::move(came[0]), why);
    REQUIRE_FALSE(why);
    made.bytes()[4095] = 'x';
    CHECK(taken.bytes()[4095] == 'x');
}

TEST_CASE("an adopted descriptor becomes close-on-exec", "[memory_file]") {
    auto fd = foreign(4096, as_created);
    REQUIRE(::fcntl(fd.get(), F_SETFD, 0) == 0);
    const auto adopted = memory_file::adopt(std::move(fd));
    CHECK((::fcntl(adopted.native_handle(), F_GETFD) & FD_CLOEXEC) != 0);
    CHECK(adopted.size() == 4096);
}

// ---- the refusals ----

TEST_CASE("a descriptor that is not a memory file is refused and closed", "[memory_file]") {
    const auto before = support::open_descriptors();
    const support::temp_directory directory;
    support::write_file(directory / "file", std::string(4096, 'x'));
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    unique_fd other_end(ends[1]);
    std::vector<unique_fd> strange;
    strange.emplace_back(ends[0]);
    strange.emplace_back(::open((directory / "file").c_str(), O_RDWR | O_CLOEXEC));
    strange.emplace_back(::open(directory.path().c_str(), O_RDONLY | O_CLOEXEC));
    strange.emplace_back(::open("/dev/null", O_RDWR | O_CLOEXEC));
    strange.emplace_back(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (unique_fd huge(::memfd_create("foreign", MFD_ALLOW_SEALING | MFD_HUGETLB)); huge) { // huge pages may not be available
        if (::ftruncate(huge.get(), 2 << 20) == 0 && ::fcntl(huge.get(), F_ADD_SEALS, as_created) == 0)
            strange.push_back(std::move(huge));
    }
    for (unique_fd& each : strange) {
        const auto why = refusal(std::move(each));
        CHECK(why.code == mato::errc::malformed);
        CHECK(why.step == "adopt memory file");
        CHECK((why.detail == "it is not a memory file" ||
               why.detail == "its size is not sealed")); // a plain file, if /tmp is a tmpfs
    }
    strange.clear();
    other_end.reset();
    for (const int closed : {-1, 987'654}) {
        const auto why = refusal(unique_fd(closed));
        CHECK(why.code.value() == EBADF);
        CHECK(why.step == "adopt memory file");
    }
    CHECK_THROWS_AS(memory_file::adopt(unique_fd()), mato::error);
    CHECK(support::open_descriptors() == before);
}

TEST_CASE("a memory file that can be truncated or cannot be written is refused", "[memory_file]") {
    for (const int seals : {0, F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_SHRINK | F_SEAL_GROW, F_SEAL_SHRINK | F_SEAL_SEAL}) {
        const auto why = refusal(foreign(4096, seals));
        CHECK(why.code == mato::errc::malformed);
        CHECK(why.detail == "its size is not sealed");
    }
    CHECK(refusal(foreign(4096, 0, 0)).detail == "its size is not sealed"); // without MFD_ALLOW_SEALING no seal can be added
    constexpr int future_write = 0x10;
    for (const int seal : {F_SEAL_WRITE, future_write}) {
        const auto why = refusal(foreign(4096, as_created | seal));
        CHECK(why.code == mato::errc::malformed);
        CHECK(why.detail == "it is sealed against writing");
    }
    const auto whole = foreign(4096, as_created);
    const unique_fd read_only(::open(("/proc/self/fd/" + std::to_string(whole.get())).c_str(), O_RDONLY | O_CLOEXEC));
    REQUIRE(read_only);
    CHECK(refusal(unique_fd(::dup(read_only.get()))).detail == "it is not open for reading and writing");
}

TEST_CASE("a size below or above the limits is refused", "[memory_file]") {
    constexpr auto most = static_cast<off_t>(memory_file::most_bytes);
    CHECK(refusal(foreign(0, as_created)).detail == "it has 0 bytes; 1 to 1073741824 are accepted");
    CHECK(refusal(foreign(most + 1, as_created)).detail == "it has 1073741825 bytes; 1 to 1073741824 are accepted");
    CHECK(refusal(foreign(most << 8, as_created)).code == mato::errc::malformed);
    CHECK(memory_file::adopt(foreign(most, as_created)).size() == memory_file::most_bytes);
    for (const std::size_t size : {std::size_t{0}, memory_file::most_bytes + 1, ~std::size_t{0}}) {
        const auto why = create_refusal("sized", size);
        CHECK(why.code == std::errc::invalid_argument);
        CHECK(why.message() ==
              "create memory file sized: " + std::to_string(size) + " bytes were requested; 1 to 1073741824 are allowed");
    }
    CHECK_THROWS_AS(memory_file::create("sized", 0), mato::error);
}

TEST_CASE("a name that proc(5) cannot show is refused", "[memory_file]") {
    CHECK(memory_file::create(std::string(memory_file::most_name, 'n'), 1));
    CHECK(memory_file::create("", 1));
    CHECK(create_refusal(std::string(250, 'n'), 1).detail == "the name has 250 bytes, the limit is 249");
    const auto why = create_refusal(std::string_view("half\0name", 9), 1);
    CHECK(why.message() == "create memory file half: the name contains a NUL");
    CHECK(why.code == std::errc::invalid_argument);
}

TEST_CASE("the file size limit is reported, and no signal kills the process", "[memory_file]") {
    CHECK(under_limit(RLIMIT_FSIZE, 65535, 65536, [](const memory_file& made, const mato::failure& why) {
              return !made && why.code.value() == EFBIG && why.step == "size memory file" && why.path == "limited" &&
                     why.detail == "65536 bytes exceed this process's file size limit; raise it (ulimit -f)";
          }) == 0);
    CHECK(under_limit(RLIMIT_FSIZE, 65536, 65536,
                      [](const memory_file& made, const mato::failure& why) { return made && !why; }) == 0);
}

TEST_CASE("the address space limit is reported", "[memory_file]") {
    const auto now = static_cast<rlim_t>(support::memory_kib(::getpid(), "VmSize")) * 1024;
    CHECK(under_limit(RLIMIT_AS, now + (rlim_t{512} << 20), memory_file::most_bytes,
                      [](const memory_file& made, const mato::failure& why) {
                          return !made && why.code.value() == ENOMEM && why.step == "map memory file" &&
                                 why.path == "limited" &&
                                 why.detail == "no address space for 1073741824 bytes; raise the limit (ulimit -v)";
                      }) == 0);
}

TEST_CASE("a full descriptor table is reported", "[memory_file]") {
    CHECK(under_limit(RLIMIT_NOFILE, 3, 4096, [](const memory_file& made, const mato::failure& why) {
              return !made && why.code.value() == EMFILE && why.step == "create memory file" && why.path == "limited";
          }) == 0);
}

// ---- the promises about absence ----

TEST_CASE("a memory file has one owner, can be moved, and leaks neither descriptor nor mapping", "[memory_file]") {
    static_assert(!std::is_copy_constructible_v<memory_file>);
    static_assert(std::is_nothrow_move_constructible_v<memory_file> && std::is_nothrow_move_assignable_v<memory_file>);
    const auto before = support::open_descriptors();
    {
        auto first = memory_file::create("moved", 4096);
        first.bytes()[0] = 'x';
        memory_file second(std::move(first));
        CHECK_FALSE(first);
        CHECK(first.bytes().empty());
        CHECK(first.native_handle() == -1);
        CHECK_FALSE(std::move(first).release());
        auto& same = second;
        second = std::move(same);
        CHECK(second.bytes()[0] == 'x');
        memory_file third = memory_file::create("replaced", 4096);
        third = std::move(second);
        CHECK(third.bytes()[0] == 'x');
        CHECK_FALSE(support::contains(own_maps(), "memfd:replaced"));
        const unique_fd kept = std::move(third).release();
        CHECK(kept);
        CHECK_FALSE(support::contains(own_maps(), "memfd:moved"));
    }
    CHECK(support::open_descriptors() == before);
}

#else

TEST_CASE("a system without memory files reports that", "[memory_file]") {
    mato::failure why;
    CHECK_FALSE(memory_file::create("none", 4096, why));
    CHECK(why.code.value() == ENOSYS);
    CHECK(why.message() == "create memory file none: this system has no memfd_create(2)");
    CHECK_FALSE(memory_file::adopt(unique_fd(::open("/dev/null", O_RDWR | O_CLOEXEC)), why));
    CHECK(why.code.value() == ENOSYS);
    CHECK(support::contains(why.message(), "adopt memory file descriptor "));
    CHECK_THROWS_AS(memory_file::create("none", 4096), mato::error);
}

#endif
