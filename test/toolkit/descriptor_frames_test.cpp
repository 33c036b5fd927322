// SPDX-License-Identifier: MIT
/// @file descriptor_frames_test.cpp: descriptors from a server to its clients; each arrives with its own frame.
#include <mato/async_client.hpp>
#include <mato/broadcast.hpp>
#include <mato/client.hpp>

#include "support/async_client_world.hpp"
#include "support/bare_server.hpp"
#include "support/descriptor_census.hpp"
#include "support/framed.hpp"

#include <sys/resource.h>
#include <sys/stat.h>

#include <array>
#include <deque>
#include <random>
#include <set>

using namespace std::chrono_literals;
using mato::deadline;
using mato::errc;
using support::run_ready;
using support::run_until;

namespace {

/// Two ends of a pipe: a file that nothing else has open.
struct pipe_pair {
    mato::unique_fd reader, writer;
    pipe_pair() {
        int ends[2];
        REQUIRE(mato::sys::pipe(ends) == 0);
        reader = mato::unique_fd(ends[0]), writer = mato::unique_fd(ends[1]);
    }
    [[nodiscard]] int number() const { return writer.get(); }
};

ino_t file_of(int descriptor) {
    struct ::stat found {};
    REQUIRE(::fstat(descriptor, &found) == 0);
    return found.st_ino;
}

/// No process has the writing end open.
bool is_closed_everywhere(const pipe_pair& what) {
    char byte = 0;
    return ::fcntl(what.reader.get(), F_SETFL, O_NONBLOCK) == 0 && ::read(what.reader.get(), &byte, 1) == 0;
}

/// A blocking client, and the connection of its server.
struct served_client {
    support::temp_directory directory;
    asio::io_context context;
    support::bare_server server{directory / "s"};
    mato::failure why, ended;
    mato::client client = mato::client::connect(mato::owned_path(directory / "s"), deadline::in(20s), why);
    std::shared_ptr<mato::connection> session = std::make_shared<mato::connection>(context, server.accept());

    explicit served_client(std::size_t accepts) {
        REQUIRE_FALSE(why);
        client.accept_descriptors(accepts);
        session->start({{}, [this](const mato::failure& end) { ended = end; }, {}});
    }
    served_client(const served_client&) = delete;
    ~served_client() { session->forget_callbacks(); }
    /// The next frame of the client, while the server's loop runs.
    std::optional<std::string> next() {
        std::optional<std::string> frame;
        const bool came = run_until(context, [&] {
            if (const auto found = client.next(why)) return static_cast<void>(frame.emplace(*found)), true;
            return static_cast<bool>(why) || (!client.fill(why) && static_cast<bool>(why));
        });
        CHECK(came);
        return frame;
    }
    std::vector<ino_t> taken() {
        std::vector<ino_t> files;
        while (const auto each = client.take_descriptor()) files.push_back(file_of(each.get()));
        return files;
    }
};

} // namespace

TEST_CASE("each frame comes with its own descriptors, whatever its size and however many frames are sent at once",
          "[descriptor_frames]") {
    for (unsigned seed = 1; seed <= 12; ++seed) {
        INFO("seed " << seed);
        std::mt19937 random(seed);
        const auto before = support::open_descriptors().size();
        {
            served_client all(mato::max_passed_descriptors);
            struct expected {
                std::string payload;
                std::vector<ino_t> files;
            };
            std::deque<expected> due;
            const auto take_one = [&] {
                CHECK(all.next() == due.front().payload);
                CHECK(all.taken() == due.front().files);
                due.pop_front();
            };
            for (int n = 0; n < 120; ++n) {
                const std::size_t sizes[] = {0, 1, random() % 300, 33'000 + random() % 9'000, 250'000};
                expected next{std::string(sizes[random() % (seed % 3 == 0 ? 5 : 3)], static_cast<char>('a' + n % 26)), {}};
                std::vector<pipe_pair> files(random() % 3 == 0 ? random() % (mato::max_passed_descriptors + 1) : 0);
                std::vector<int> numbers;
                for (const pipe_pair& each : files) {
                    numbers.push_back(each.number());
                    next.files.push_back(file_of(each.number()));
                }
                mato::failure refused;
                for (;;) {
                    all.session->send_with(next.payload, numbers, refused);
                    if (refused.code != errc::busy) break;
                    REQUIRE_FALSE(due.empty());
                    take_one();
                    refused = {};
                }
                REQUIRE_FALSE(refused);
                due.push_back(std::move(next));
                while (due.size() > random() % 20 || all.session->queued_bytes() > 500'000) take_one();
            }
            while (!due.empty()) take_one();
            CHECK((!all.ended && !all.why));
        }
        CHECK(support::open_descriptors().size() == before);
    }
}

TEST_CASE("descriptors belong to the frame that begins with them, wherever its bytes are split", "[descriptor_frames]") {
    for (std::size_t split = 1; split < 12; ++split) {
        INFO("split after " << split);
        served_client all(8);
        const pipe_pair first, second;
        const std::string frame = support::framed("with one"), other = support::framed("another");
        mato::failure why;
        const int of_first = first.number(), of_second = second.number();
        const auto put = [&](std::string_view bytes, std::span<const int> passed = {}) {
            const int socket = all.session->native_handle();
            REQUIRE(mato::send_descriptors(socket, bytes, passed, why) == bytes.size());
        };
        put(other);
        put(std::string_view(frame).substr(0, split), {&of_first, 1});
        put(frame.substr(split) + other + other);
        put(frame, {&of_second, 1});
        put(other);
        CHECK(all.next() == "another");
        CHECK(all.taken().empty());
        CHECK(all.next() == "with one");
        CHECK(all.taken() == std::vector{file_of(of_first)});
        for (int i = 0; i < 2; ++i) {
            CHECK(all.next() == "another");
            CHECK(all.taken().empty());
        }
        CHECK(all.next() == "with one");
        CHECK(all.taken() == std::vector{file_of(of_second)});
        CHECK(all.next() == "another");
        CHECK(all.taken().empty());
    }
}

TEST_CASE("a descriptor that its frame does not take is closed, and the sender keeps none either", "[descriptor_frames]") {
    served_client all(8);
    pipe_pair left;
    const std::array<int, 2> two{left.number(), left.number()};
    all.session->send_with("take none", two, all.why);
    all.session->send("next", all.why);
    left.writer.reset(); // the queue has its own copies
    CHECK(all.next() == "take none");
    CHECK_FALSE(is_closed_everywhere(left));
    CHECK(all.next() == "next");
    CHECK(is_closed_everywhere(left));

    all.session->send_with("not open", two, all.why);
    CHECK(all.why.code == std::errc::bad_file_descriptor);
    CHECK(all.session->queued_bytes() == 0);
    all.why = {};
    pipe_pair queued; // what was not sent is closed with the connection
    const std::array<int, 1> one{queued.number()};
    all.session->send_with("never sent", one, all.why);
    REQUIRE_FALSE(all.why);
    queued.writer.reset();
    all.session->abort({errc::stopping, "stop", {}, {}});
    CHECK(is_closed_everywhere(queued));
    all.session->send_with("after the end", one, all.why); // no effect
    CHECK_FALSE(all.why);
}

TEST_CASE("a client that does not ask gets frames without descriptors, and none stays open", "[descriptor_frames]") {
    served_client all(0);
    pipe_pair passed;
    const std::array<int, 1> one{passed.number()};
    all.session->send_with("with one", one, all.why);
    passed.writer.reset();
    CHECK(all.next() == "with one");
    CHECK_FALSE(all.client.take_descriptor());
    CHECK(is_closed_everywhere(passed));
}

TEST_CASE("more descriptors than a frame may pass, or than a client accepts, are refused", "[descriptor_frames]") {
    served_client all(2);
    pipe_pair passed;
    const std::vector<int> nine(9, passed.number()), three(3, passed.number());
    all.session->send_with("nine", nine, all.why);
    CHECK(all.why.code.value() == E2BIG);
    CHECK(all.session->queued_bytes() == 0);
    all.why = {};
    all.session->send_with(std::string(mato::length_prefixed<>::max_frame_bytes + 1, 'x'), three, all.why);
    CHECK(all.why.code == errc::frame_too_large);
    CHECK(all.session->queued_bytes() == 0);
    all.why = {};
    all.session->send_with("three", three, all.why);
    REQUIRE_FALSE(all.why);
    passed.writer.reset();
    CHECK_FALSE(all.next());
    CHECK(all.why.code == errc::malformed);
    all.client = {};
    CHECK(is_closed_everywhere(passed));
}

TEST_CASE("descriptors that a client does not receive are limited; when it reads again, more are passed",
          "[descriptor_frames]") {
    served_client all(8);
    const pipe_pair passed;
    const std::vector<int> eight(8, passed.number());
    for (int round = 0; round < 3; ++round) {
        std::size_t sent = 0;
        mato::failure refused;
        while (!refused && sent <= 2 * mato::connection::most_unread_descriptors) {
            all.session->send_with("eight", eight, refused);
            if (!refused) sent += 8;
            run_ready(all.context);
        }
        CHECK(refused.code == errc::busy);
        CHECK(sent == mato::connection::most_unread_descriptors);
        all.session->send("without", all.why); // is not limited
        for (std::size_t n = 0; n < sent; n += 8) {
            CHECK(all.next() == "eight");
            CHECK(all.taken().size() == 8);
        }
        CHECK(all.next() == "without");
    }
    CHECK_FALSE(all.ended);
}

TEST_CASE("without a free descriptor number nothing is queued by the sender, and a frame comes without its descriptors",
          "[descriptor_frames]") {
    served_client all(8);
    pipe_pair passed;
    const std::vector<int> two(2, passed.number());
    const auto before = support::open_descriptors();
    rlimit usual{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &usual) == 0);
    const auto with_free = [&](int count, auto call) {
        std::vector<mato::unique_fd> fill;
        for (int n = 0; n < count; ++n) fill.emplace_back(::dup(passed.reader.get()));
        const mato::unique_fd top(::dup(passed.reader.get()));
        const rlimit tight{static_cast<rlim_t>(top.get() + 1), usual.rlim_max};
        fill.clear();
        REQUIRE(::setrlimit(RLIMIT_NOFILE, &tight) == 0);
        call();
        REQUIRE(::setrlimit(RLIMIT_NOFILE, &usual) == 0);
    };
    for (const int free : {0, 1}) {
        INFO(free << " free");
        with_free(free, [&] { all.session->send_with("refused", two, all.why); });
        CHECK(all.why.code == std::errc::too_many_files_open);
        CHECK(all.session->queued_bytes() == 0);
        all.why = {};
        CHECK(support::open_descriptors() == before);

        all.session->send_with("sent", two, all.why);
        run_ready(all.context);
        bool came = false;
        with_free(free, [&] { came = all.client.fill(all.why); });
        CHECK((came && !all.why));
        CHECK(all.next() == "sent");
        CHECK(all.taken().empty());
        CHECK(support::open_descriptors() == before);
    }
    all.session->send_with("again", two, all.why);
    CHECK(all.next() == "again");
    CHECK(all.taken().size() == 2);
}

TEST_CASE("frames of a stream and frames with descriptors keep their order", "[descriptor_frames]") {
    served_client all(8);
    mato::broadcast hub(all.context);
    hub.subscribe(all.session);
    const pipe_pair passed;
    const std::vector<int> one(1, passed.number());
    std::vector<std::string> expected;
    for (int n = 0; n < 20; ++n) {
        hub.publish("published " + std::to_string(n));
        all.session->send_with("passed " + std::to_string(n), one, all.why);
        if (n % 4 == 3) all.session->send("sent", all.why);
        if (n % 7 == 6) run_ready(all.context);
        REQUIRE_FALSE(all.why);
        for (const char* kind : {"published ", "passed "}) expected.push_back(kind + std::to_string(n));
        if (n % 4 == 3) expected.emplace_back("sent");
    }
    for (const std::string& each : expected) {
        INFO(each);
        CHECK(all.next() == each);
        CHECK(all.taken().size() == (each.starts_with("passed") ? 1u : 0u));
    }
}

TEST_CASE("a server's session gets the descriptors of each frame with that frame", "[descriptor_frames]") {
    served_client all(0);
    std::vector<std::pair<std::string, std::vector<ino_t>>> got;
    const auto session = all.session;
    session->accept_descriptors(8);
    session->forget_callbacks();
    session->abort({});
    all.client = mato::client::connect(mato::owned_path(all.directory / "s"), deadline::in(20s), all.why);
    const auto receiver = std::make_shared<mato::connection>(all.context, all.server.accept());
    receiver->accept_descriptors(8);
    receiver->start({[&](std::string_view payload) {
                         auto& [text, files] = got.emplace_back(payload, std::vector<ino_t>{});
                         while (const auto each = receiver->take_descriptor()) files.push_back(file_of(each.get()));
                     },
                     {},
                     {}});
    const pipe_pair first, second;
    const std::array<int, 2> both{first.number(), second.number()};
    const std::array<int, 1> one{second.number()};
    all.client.queue("none", all.why);
    all.client.send_with("both", both, deadline::in(20s), all.why);
    all.client.send_with("one", one, deadline::in(20s), all.why);
    all.client.queue("none", all.why);
    REQUIRE_FALSE(all.why);
    REQUIRE(run_until(all.context, [&] { return got.size() == 4; }));
    using files = std::vector<ino_t>;
    CHECK(got[0] == std::pair(std::string("none"), files{}));
    CHECK(got[1] == std::pair(std::string("both"), files{file_of(both[0]), file_of(both[1])}));
    CHECK(got[2] == std::pair(std::string("one"), files{file_of(both[1])}));
    CHECK(got[3] == std::pair(std::string("none"), files{}));
    receiver->forget_callbacks();
}

TEST_CASE("an async client takes descriptors in the handler of their frame", "[descriptor_frames]") {
    support::async_client_world all({.descriptors = 8});
    all.connect();
    const pipe_pair one, two;
    pipe_pair left;
    const auto pass = [&](std::uint64_t number, std::string_view text, int descriptor,
                          mato::answer_part part = mato::answer_part::last) {
        mato::failure why;
        all.server.last->send_with(mato::numbered::answer(number, text, part), {&descriptor, 1}, why);
        CHECK_FALSE(why);
    };
    std::vector<std::string> events;
    const auto note = [&](const std::string& what) {
        const auto file = all.client->take_descriptor();
        events.push_back(what + (file ? file_of(file.get()) == file_of(one.number()) ? " one" : " other" : " none"));
        CHECK_FALSE(all.client->take_descriptor());
    };
    all.client->on.on_frame = [&](std::string_view text) { note(std::string(text)); };
    all.client->async_stream(
        "keep", deadline::in(20s), [&](std::string_view text) { note(std::string(text)); },
        [&](std::error_code why, const std::string& text) { note(why ? why.message() : text); });
    bool is_over = false;
    all.client->async_request("keep too", [&](std::error_code why, const std::string&) { is_over = !why; });
    REQUIRE(all.until([&] { return all.server.kept.size() == 2; }));
    const auto number = all.server.kept[0].number;
    pass(number, "part", one.number(), mato::answer_part::more_follow);
    pass(0, "event", two.number());
    all.server.last->send(mato::numbered::answer(0, "plain"));
    pass(number, "end", one.number());
    pass(all.server.kept[1].number, "not taken", left.number());
    left.writer.reset();
    REQUIRE(all.until([&] { return is_over; }));
    CHECK(events == std::vector<std::string>{"part one", "event other", "plain none", "end one"});
    run_ready(all.context);
    CHECK(is_closed_everywhere(left));
    CHECK_FALSE(all.client->take_descriptor()); // outside a handler there is none
}

TEST_CASE("an async client that is passed too many descriptors fails its requests and closes them", "[descriptor_frames]") {
    support::async_client_world all({.descriptors = 1});
    all.connect();
    support::outcome got;
    all.client->async_request("keep", got.handler());
    REQUIRE(all.until([&] { return all.server.kept.size() == 1; }));
    pipe_pair passed;
    const std::vector<int> two(2, passed.number());
    mato::failure why;
    all.server.last->send_with(mato::numbered::answer(all.server.kept[0].number, "x"), two, why);
    REQUIRE_FALSE(why);
    passed.writer.reset();
    REQUIRE(all.until([&] { return got.calls > 0; }));
    CHECK(got.why == errc::malformed);
    CHECK(is_closed_everywhere(passed));
}

TEST_CASE("an async client passes descriptors to the server, or says why it cannot", "[descriptor_frames]") {
    support::async_client_world all;
    const pipe_pair passed;
    const std::array<int, 1> one{passed.number()};
    mato::failure why;
    all.client->send_with("too early", one, why);
    CHECK(why.code == errc::closed);
    why = {};
    all.connect();
    REQUIRE(all.until([&] { return all.server.last != nullptr; }));
    all.server.last->accept_descriptors(1);
    std::optional<ino_t> came;
    all.server.all.on.on_frame = [&](const mato::server::session_ptr& from, std::string_view) {
        if (const auto file = from->take_descriptor()) came = file_of(file.get());
    };
    all.client->send_with("here", one, why);
    REQUIRE_FALSE(why);
    REQUIRE(all.until([&] { return came.has_value(); }));
    CHECK(came == file_of(passed.number()));
}
