// SPDX-License-Identifier: MIT
#include <mato/connection.hpp>
#include <mato/descriptors.hpp>

#include "support/catch.hpp"
#include "support/descriptor_census.hpp"
#include "support/io_loop.hpp"

#include <sys/resource.h>
#include <sys/socket.h>

#include <array>
#include <string>
#include <tuple>
#include <vector>

namespace {

struct socket_pair {
    mato::unique_fd left, right;
    socket_pair() { std::tie(left, right) = support::socket_pair(); }
};

struct pipe_pair {
    mato::unique_fd reader, writer;
    pipe_pair() {
        int ends[2];
        REQUIRE(mato::sys::pipe(ends) == 0);
        reader = mato::unique_fd(ends[0]), writer = mato::unique_fd(ends[1]);
    }
};

} // namespace

TEST_CASE("a passed descriptor is the same open file, close-on-exec, in the order sent", "[descriptors]") {
    socket_pair both;
    pipe_pair first, second;
    mato::failure why;
    const std::array<int, 2> sent{first.writer.get(), second.writer.get()};
    REQUIRE(mato::send_descriptors(both.left.get(), "xy", sent, why) == 2);
    std::array<char, 8> room;
    std::vector<mato::unique_fd> came;
    REQUIRE(mato::receive_descriptors(both.right.get(), room, came, why) == 2);
    REQUIRE_FALSE(why);
    REQUIRE(came.size() == 2);
    for (const auto& each : came) CHECK((::fcntl(each.get(), F_GETFD) & FD_CLOEXEC) != 0);
    REQUIRE(::write(came[1].get(), "2", 1) == 1);
    REQUIRE(::write(came[0].get(), "1", 1) == 1);
    char got = 0;
    CHECK((::read(first.reader.get(), &got, 1) == 1 && got == '1'));
    CHECK((::read(second.reader.get(), &got, 1) == 1 && got == '2'));
}

TEST_CASE("nothing to read is no error; end-of-file is one, and so are too many descriptors, of which none stays open",
          "[descriptors]") {
    socket_pair both;
    std::array<char, 8> room;
    std::vector<mato::unique_fd> came;
    mato::failure why;
    CHECK(mato::receive_descriptors(both.right.get(), room, came, why) == 0);
    CHECK_FALSE(why);
    {
        pipe_pair many;
        const auto before = support::open_descriptors();
        // More than one message may contain here, sent by a peer that does not respect the limit.
        constexpr std::size_t count = mato::max_passed_descriptors + 4;
        alignas(cmsghdr) char control[CMSG_SPACE(count * sizeof(int))] = {};
        char byte = 'x';
        iovec data{&byte, 1};
        msghdr message{};
        message.msg_iov = &data, message.msg_iovlen = 1;
        message.msg_control = control, message.msg_controllen = sizeof control;
        cmsghdr* const header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET, header->cmsg_type = SCM_RIGHTS, header->cmsg_len = CMSG_LEN(count * sizeof(int));
        for (std::size_t i = 0; i < count; ++i) {
            const int fd = many.writer.get();
            std::memcpy(CMSG_DATA(header) + i * sizeof fd, &fd, sizeof fd);
        }
        REQUIRE(::sendmsg(both.left.get(), &message, 0) == 1);
        CHECK(mato::receive_descriptors(both.right.get(), room, came, why) == 0);
        CHECK(why.code == mato::errc::malformed);
        CHECK(came.empty());
        CHECK(support::open_descriptors() == before);
    }
    why = {};
    both.left.reset();
    CHECK(mato::receive_descriptors(both.right.get(), room, came, why) == 0);
    CHECK(why.code == mato::errc::closed);
}

TEST_CASE("if the process has no room for a message's descriptors, none of them is kept and its bytes arrive",
          "[descriptors]") {
    socket_pair both;
    pipe_pair passed;
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    std::array<char, 8> room;
    std::vector<mato::unique_fd> came;
    const std::array<int, 2> two{passed.writer.get(), passed.writer.get()};
    for (const int spare : {0, 1, 2}) {
        INFO(spare << " free");
        mato::failure why;
        REQUIRE(mato::send_descriptors(both.left.get(), "bytes", two, why) == 5);
        std::vector<mato::unique_fd> fill; // so that `spare` is the only free number below the limit
        for (int n = 0; n < spare; ++n) fill.emplace_back(::dup(passed.reader.get()));
        const mato::unique_fd top(::dup(passed.reader.get()));
        const rlimit tight{static_cast<rlim_t>(top.get() + 1), before.rlim_max};
        fill.clear();
        REQUIRE(::setrlimit(RLIMIT_NOFILE, &tight) == 0);
        const auto got = mato::receive_descriptors(both.right.get(), room, came, why);
        REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
        CHECK(got == 5);
        CHECK_FALSE(why);
        CHECK(came.size() == (spare == 2 ? 2u : 0u));
        came.clear();
    }
}

TEST_CASE("a connection keeps descriptors only on request, and at most the requested number", "[descriptors][connection]") {
    asio::io_context context;
    socket_pair both;
    pipe_pair passed;
    mato::failure why;
    std::string frames;
    mato::length_prefixed<>::append(frames, "take it", why);
    const std::array<int, 1> one{passed.writer.get()};

    std::vector<std::string> got;
    mato::failure ended;
    const auto receiver = std::make_shared<mato::connection>(context, std::move(both.right));
    SECTION("asked") {
        receiver->accept_descriptors(2);
        mato::unique_fd taken;
        receiver->start({[&](std::string_view payload) {
                             got.emplace_back(payload);
                             taken = receiver->take_descriptor();
                         },
                         [&](const mato::failure& end) { ended = end; },
                         {}});
        REQUIRE(mato::send_descriptors(both.left.get(), frames, one, why) == frames.size());
        REQUIRE(support::run_until(context, [&] { return !got.empty(); }));
        REQUIRE(taken);
        CHECK_FALSE(receiver->take_descriptor());
        // A descriptor that is not taken in its frame is closed after it, however many follow.
        for (std::size_t n = 2; n < 8; ++n) {
            pipe_pair left;
            const std::array<int, 2> two{left.writer.get(), left.writer.get()};
            REQUIRE(mato::send_descriptors(both.left.get(), frames, two, why) == frames.size());
            REQUIRE(support::run_until(context, [&] { return got.size() == n; }));
            taken.reset();
            left.writer.reset();
            char byte = 0;
            CHECK(::read(left.reader.get(), &byte, 1) == 0); // no writer is left
        }
        CHECK_FALSE(ended);
        // The third untaken descriptor exceeds the limit.
        for (int i = 0; i < 3; ++i) REQUIRE(mato::send_descriptors(both.left.get(), frames.substr(0, 1), one, why) == 1);
        REQUIRE(support::run_until(context, [&] { return static_cast<bool>(ended); }));
        CHECK(ended.code == mato::errc::malformed);
    }
    SECTION("not asked: the kernel closes it") {
        receiver->start({[&](std::string_view payload) { got.emplace_back(payload); }, {}, {}});
        REQUIRE(mato::send_descriptors(both.left.get(), frames, one, why) == frames.size());
        REQUIRE(support::run_until(context, [&] { return !got.empty(); }));
        CHECK_FALSE(receiver->take_descriptor());
        passed.writer.reset();
        char byte;
        CHECK(::read(passed.reader.get(), &byte, 1) == 0); // no writer is left
        receiver->abort({});
    }
}
