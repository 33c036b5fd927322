// SPDX-License-Identifier: MIT
/// @file unique_fd_test.cpp: one owner of a descriptor, and scope_exit.
#include <mato/unique_fd.hpp>

#include <mato/scope_exit.hpp>

#include "support/catch.hpp"
#include "support/descriptor_census.hpp"

#include <type_traits>

using mato::unique_fd;

namespace {
unique_fd null() { return unique_fd(mato::sys::open("/dev/null", O_RDWR)); }
bool is_open(int fd) { return ::fcntl(fd, F_GETFD) != -1; }
} // namespace

TEST_CASE("a descriptor is closed with its owner", "[unique_fd]") {
    const auto before = support::open_descriptors();
    int number = -1;
    {
        const auto fd = null();
        number = fd.get();
        CHECK(static_cast<bool>(fd));
        CHECK(is_open(number));
    }
    CHECK_FALSE(is_open(number));
    CHECK(support::open_descriptors() == before);
}

TEST_CASE("moving transfers the descriptor", "[unique_fd]") {
    auto one = null();
    const int number = one.get();
    unique_fd two(std::move(one));
    CHECK_FALSE(one);
    CHECK(two.get() == number);
    auto three = null();
    const int closed = three.get();
    three = std::move(two);
    CHECK(three.get() == number);
    CHECK_FALSE(is_open(closed));
    auto& same = three;
    three = std::move(same);
    CHECK(three.get() == number);
    CHECK(is_open(number));
}

TEST_CASE("release returns the descriptor, reset closes it", "[unique_fd]") {
    auto fd = null();
    const int number = fd.release();
    CHECK_FALSE(fd);
    CHECK(is_open(number));
    fd.reset(number);
    fd.reset(number); // its own number: stays open
    CHECK(is_open(number));
    fd.reset();
    CHECK_FALSE(is_open(number));
    fd.reset();
}

TEST_CASE("an empty object is false, and descriptor 0 is true", "[unique_fd]") {
    CHECK(unique_fd().get() == -1);
    CHECK_FALSE(unique_fd());
    CHECK_FALSE(unique_fd(-1));
    unique_fd zero(0);
    CHECK(static_cast<bool>(zero));
    CHECK(zero.release() == 0);
}

TEST_CASE("a descriptor has one owner", "[unique_fd]") {
    STATIC_REQUIRE(!std::is_copy_constructible_v<unique_fd>);
    STATIC_REQUIRE(!std::is_copy_assignable_v<unique_fd>);
    STATIC_REQUIRE(std::is_nothrow_move_constructible_v<unique_fd>);
    STATIC_REQUIRE(std::is_nothrow_move_assignable_v<unique_fd>);
    STATIC_REQUIRE(!std::is_convertible_v<int, unique_fd>);
}

TEST_CASE("scope_exit runs its function, unless dismissed", "[scope_exit]") {
    int undone = 0;
    {
        const mato::scope_exit undo([&] { ++undone; });
        CHECK(undone == 0);
    }
    CHECK(undone == 1);
    {
        mato::scope_exit undo([&] { ++undone; });
        undo.dismiss();
    }
    CHECK(undone == 1);
    try {
        const mato::scope_exit undo([&] { ++undone; });
        throw 1;
    } catch (int) {
        CHECK(undone == 2);
    }
    using kind = mato::scope_exit<void (*)()>;
    static_assert(!std::is_copy_constructible_v<kind> && !std::is_move_constructible_v<kind>);
}
