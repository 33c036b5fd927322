// SPDX-License-Identifier: MIT
/// @file fan_out_test.cpp: each overflow policy with one subscriber; the property test combines all of them.
#include <mato/fan_out.hpp>

#include "support/catch.hpp"

#include <string>
#include <vector>

using namespace std::chrono_literals;
using mato::errc;

namespace {

template <class Overflow> struct world {
    struct peer;
    using hub = mato::fan_out<peer, Overflow, mato::line<>>;
    static inline mato::clock::time_point now{};

    /// Accepts as many bytes as allowed, like a kernel.
    struct peer {
        mato::outbox out{};
        std::size_t room = std::size_t(-1);
        bool is_stalled = false;
        std::string text{};
        std::optional<mato::failure> end{};

        mato::outbox& box() { return out; }
        void flush() {
            if (is_stalled) return;
            mato::gathered_write bytes;
            out.gather(bytes);
            const std::size_t taken = std::min(room, bytes.bytes);
            std::size_t left = taken;
            for (std::size_t i = 0; i < bytes.count && left > 0; ++i) {
                const std::size_t size = std::min(left, bytes.buffers[i].iov_len);
                text.append(static_cast<const char*>(bytes.buffers[i].iov_base), size);
                left -= size;
            }
            room -= taken;
            out.wrote(bytes, taken);
            is_stalled = taken < bytes.bytes;
            if (is_stalled && out.stream()) out.stream()->on_stalled();
        }
        void fall_behind(mato::failure why, std::optional<std::string> last_payload) {
            end = std::move(why);
            out.drop_waiting();
            if (last_payload) out.push([&](std::string& to) { to += *last_payload + '\n'; });
        }
        void cut_off(mato::failure why) {
            end = std::move(why);
            out.abandon();
        }
    };

    hub all{8192, [] { return now; }};
    std::vector<std::unique_ptr<peer>> peers;

    world() {
        all.on.gap = [](const mato::frame_gap& lost) { return "lost " + std::to_string(lost.count()); };
        all.on.snapshot = [](std::uint64_t newest) { return "all to " + std::to_string(newest); };
        all.on.last_words = [](const mato::failure& why) { return why.code.message(); };
    }
    peer& join(Overflow policy = {}, mato::join_at where = {}) {
        peers.push_back(std::make_unique<peer>());
        mato::failure why;
        mato::feed* const place = all.join(*peers.back(), policy, where, why);
        REQUIRE_FALSE(why);
        peers.back()->out.follow(std::shared_ptr<mato::feed>(std::shared_ptr<void>(), place));
        return *peers.back();
    }
    void publish(const std::string& text) {
        mato::failure why;
        all.publish(text, why);
        REQUIRE_FALSE(why);
        while (all.flush()) {
        }
    }
    void resume(peer& who) {
        who.room = std::size_t(-1);
        if (who.is_stalled && who.out.stream()) who.out.stream()->on_writable();
        who.is_stalled = false;
        do who.flush();
        while (who.out.queued() > 0);
        while (all.flush()) {
        }
    }
};

} // namespace

TEST_CASE("drop_oldest keeps the newest bytes and reports to each subscriber its own gap", "[fan_out]") {
    world<mato::drop_oldest> w;
    auto& quick = w.join();
    auto& slow = w.join({.bytes = 6});
    slow.room = 1;
    for (const char* text : {"a", "b", "c", "d", "e", "f"}) w.publish(text);
    CHECK(quick.text == "a\nb\nc\nd\ne\nf\n");
    CHECK(slow.text == "a");
    w.resume(slow); // the partially sent frame, the gap, and as much as fits
    CHECK(slow.text == "a\nlost 2\nd\ne\nf\n");
    slow.room = 0;
    for (const char* text : {"g", "h", "i", "j", "k"}) w.publish(text);
    w.resume(slow);
    CHECK(slow.text == "a\nlost 2\nd\ne\nf\nlost 2\ni\nj\nk\n");
    CHECK(w.all.status(*slow.out.stream()).dropped == 4);
    CHECK(w.all.status(*slow.out.stream()).gaps == 2);
    CHECK(w.all.status(*quick.out.stream()).gaps == 0);
}

TEST_CASE("a write is split into messages of complete frames, each small enough to be accepted completely or not at all",
          "[fan_out]") {
    mato::fan_out<world<mato::drop_oldest>::peer, mato::drop_oldest, mato::line<>> all(1 << 20);
    all.on.gap = [](const mato::frame_gap&) { return std::nullopt; };
    world<mato::drop_oldest>::peer reader;
    mato::failure why;
    mato::feed* const place = all.join(reader, {.bytes = 1 << 20}, {}, why);
    REQUIRE(place);
    reader.out.follow(std::shared_ptr<mato::feed>(std::shared_ptr<void>(), place));
    const std::size_t size = GENERATE(10'000u, 35'839u, 20u);
    std::string sent;
    for (char letter = 'a'; sent.size() < 300'000; letter = letter == 'z' ? 'a' : static_cast<char>(letter + 1)) {
        sent += std::string(size, letter) + '\n';
        all.publish(std::string(size, letter), why);
        REQUIRE_FALSE(why);
    }
    std::string taken;
    while (reader.out.queued() > 0) {
        mato::gathered_write write;
        reader.out.gather(write);
        REQUIRE(write.messages <= mato::gathered_write::most_messages);
        CHECK((write.messages == mato::gathered_write::most_messages || write.bytes == reader.out.queued()));
        for (std::size_t message = 0, at = 0; message < write.messages; ++message) {
            const std::size_t end = message + 1 < write.messages ? write.ends[message] : write.count;
            std::size_t bytes = 0;
            for (; at < end; ++at) {
                taken.append(static_cast<const char*>(write.buffers[at].iov_base), write.buffers[at].iov_len);
                bytes += write.buffers[at].iov_len;
            }
            CHECK(bytes > 0);
            CHECK(bytes <= mato::gathered_write::message_bytes);
            CHECK(taken.back() == '\n'); // a complete frame
        }
        reader.out.wrote(write, write.bytes);
    }
    CHECK(taken == sent);
}

TEST_CASE("drop_oldest keeps the newest frame, however large", "[fan_out]") {
    world<mato::drop_oldest> w;
    auto& slow = w.join({.bytes = 3});
    slow.room = 0;
    w.publish("first");
    w.publish("second");
    w.resume(slow);
    CHECK(slow.text == "lost 1\nsecond\n");
}

TEST_CASE("drop_newest keeps the oldest bytes and queues nothing new until they are sent", "[fan_out]") {
    world<mato::drop_newest> w;
    auto& slow = w.join({.bytes = 6});
    slow.room = 0;
    for (const char* text : {"a", "b", "c", "d", "e"}) w.publish(text);
    w.resume(slow);
    CHECK(slow.text == "a\nb\nc\nlost 2\n");
    w.publish("f");
    CHECK(slow.text == "a\nb\nc\nlost 2\nf\n");
}

TEST_CASE("a gap is reported when all queued frames are sent, without another publish", "[fan_out]") {
    world<mato::drop_newest> w;
    auto& slow = w.join({.bytes = 300});
    slow.room = 0;
    for (int i = 0; i < 4; ++i) w.publish(std::string(100, 'a'));
    slow.room = 1;
    slow.out.stream()->on_writable();
    slow.is_stalled = false;
    slow.flush(); // from now on nothing new is queued
    for (int i = 0; i < 100; ++i) w.publish(std::string(100, 'b'));
    slow.room = std::size_t(-1);
    slow.out.stream()->on_writable();
    slow.is_stalled = false;
    for (slow.flush(); slow.out.queued() > 0;) slow.flush();
    CHECK(slow.text == std::string(100, 'a') + "\nlost 103\n");
}

TEST_CASE("resync replaces queued frames by a snapshot of the current state", "[fan_out]") {
    world<mato::resync> w;
    auto& slow = w.join({.bytes = 3});
    slow.room = 3;
    for (const char* text : {"a", "b", "c", "d"}) w.publish(text);
    w.resume(slow);
    w.publish("e");
    CHECK(slow.text == "a\nb\nall to 4\ne\n");
    CHECK(w.all.status().resyncs == 1);
    CHECK(w.all.status().superseded == 2);
}

TEST_CASE("a partially sent snapshot is completed before the next one", "[fan_out]") {
    world<mato::resync> w;
    auto& slow = w.join({.bytes = 3});
    slow.room = 0;
    for (int i = 0; i < 100; ++i) {
        w.publish("frame " + std::to_string(i));
        slow.room = 2; // less than a snapshot
        if (slow.is_stalled) slow.out.stream()->on_writable();
        slow.is_stalled = false;
        slow.flush();
        REQUIRE(slow.out.own() <= 12);
    }
    w.resume(slow);
    CHECK(slow.text.find("all to 100\n") == slow.text.size() - 11);
    CHECK(w.all.status(*slow.out.stream()).resyncs < 30);

    slow.room = 0;
    w.publish("over the limit");
    slow.room = 2;
    slow.out.stream()->on_writable();
    slow.is_stalled = false;
    slow.flush();                                                   // sends a part of a snapshot
    for (int i = 0; i < 100; ++i) w.publish(std::string(100, 'x')); // and the ring drops the replaced frames
    slow.room = std::size_t(-1);
    slow.out.stream()->on_writable();
    slow.is_stalled = false;
    while (slow.out.queued() > 0) slow.flush(); // without another publish: queued() shows that there is more to send
    CHECK(slow.text.find("all to 101\nall to 201\n") == slow.text.size() - 22);
}

TEST_CASE("one snapshot is shared by all that need it at the same frame", "[fan_out]") {
    world<mato::resync> w;
    int made = 0;
    w.all.on.snapshot = [&](std::uint64_t newest) { return ++made, "all to " + std::to_string(newest); };
    w.publish("a");
    for (int i = 0; i < 5; ++i) w.join({}, mato::join_at::snapshot());
    w.publish("b");
    CHECK(made == 1);
    for (const auto& each : w.peers) CHECK(each->text == "all to 2\n");
}

TEST_CASE("conflate sends the newest frame of each key, and all frames without a key", "[fan_out]") {
    world<mato::conflate> w;
    auto& slow = w.join();
    slow.room = 0;
    mato::failure why;
    w.publish("plain");
    for (int i = 0; i < 3; ++i)
        for (std::uint64_t key = 1; key <= 2; ++key)
            w.all.publish_keyed(key, "key " + std::to_string(key) + " = " + std::to_string(i), why);
    w.resume(slow);
    CHECK(slow.text == "plain\nkey 1 = 2\nkey 2 = 2\n");
    CHECK(w.all.status().superseded == 4);
    CHECK(w.all.status().gaps == 0);
}

TEST_CASE("block_producer pauses while every subscriber is full, and only then", "[fan_out]") {
    world<mato::any_overflow> w;
    auto& one = w.join(mato::block_producer{.bytes = 4});
    auto& other = w.join(mato::drop_oldest{.bytes = 4});
    one.room = other.room = 0;
    w.publish("a");
    CHECK(w.all.has_room());
    w.publish("b");
    CHECK_FALSE(w.all.has_room());
    mato::failure why;
    CHECK(w.all.publish("c", why) == 0);
    CHECK(why.code == errc::busy);
    w.resume(other); // a single slow subscriber never stops the producer
    CHECK(w.all.has_room());
    w.publish("c");
    CHECK(other.text == "a\nb\nc\n");
    w.resume(one);
    CHECK(one.text == "a\nb\nc\n");
}

TEST_CASE("disconnect closes above the hard limit immediately, above the soft limit after the grace, never after a drain",
          "[fan_out]") {
    world<mato::disconnect> w;
    mato::disconnect limits;
    limits.hard = 10;
    limits.soft = 4;
    limits.grace = 100ms;
    auto& hard = w.join(limits);
    hard.room = 0;
    for (int i = 0; i < 5; ++i) w.publish("x");
    CHECK_FALSE(hard.end); // on the limit
    w.publish("x");
    REQUIRE(hard.end);
    CHECK(hard.end->code == errc::slow_consumer);
    w.resume(hard);
    CHECK(hard.text == "slow consumer\n");

    auto& soft = w.join(limits);
    for (int burst = 0; burst < 2; ++burst) { // two bursts with a drain between them do not add up
        soft.room = 0;
        for (int i = 0; i < 3; ++i) w.publish("y");
        world<mato::disconnect>::now += 99ms;
        w.publish("y");
        CHECK_FALSE(soft.end);
        w.resume(soft);
        world<mato::disconnect>::now += 60s;
    }
    soft.room = 0;
    for (int i = 0; i < 3; ++i) w.publish("y");
    world<mato::disconnect>::now += 100ms;
    w.publish("y");
    REQUIRE(soft.end);
    CHECK(w.all.status().disconnected == 2);
    CHECK(w.all.size() == 0);
}

TEST_CASE("replies keep their order among frames and count towards the same limit", "[fan_out]") {
    world<mato::drop_oldest> w;
    auto& one = w.join({.bytes = 20});
    one.room = 0;
    w.publish("before");
    one.out.push([](std::string& to) { to += "reply\n"; });
    w.publish("after");
    w.resume(one);
    CHECK(one.text == "before\nreply\nafter\n");
    one.room = 0;
    w.publish("x");
    for (int i = 0; i < 4 && !one.end; ++i) one.out.push([](std::string& to) { to += "reply\n"; });
    REQUIRE(one.end); // replies are not dropped
    CHECK(one.end->code == errc::slow_consumer);
}

TEST_CASE("joining: at the next frame, at some of the last frames, after a number, with a snapshot", "[fan_out]") {
    world<mato::drop_oldest> w;
    for (int i = 1; i <= 9; ++i) w.publish(std::to_string(i));
    auto &next = w.join(), &last = w.join({}, mato::join_at::last(3)), &all = w.join({}, mato::join_at::last(100));
    auto &after = w.join({}, mato::join_at::after(7)), &future = w.join({}, mato::join_at::after(70));
    auto& snapshot = w.join({}, mato::join_at::snapshot());
    w.publish("10");
    CHECK(next.text == "10\n");
    CHECK(last.text == "7\n8\n9\n10\n");
    CHECK(all.text == "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n");
    CHECK(after.text == "8\n9\n10\n");
    CHECK(future.text == "10\n");
    CHECK(snapshot.text == "all to 10\n");
    for (int i = 0; i < 400; ++i) w.publish(std::string(100, 'x'));
    auto& late = w.join({}, mato::join_at::after(9));
    w.publish("z");
    CHECK(late.text.rfind("lost ", 0) == 0);
}

TEST_CASE("a policy that needs a handler is refused without it", "[fan_out]") {
    world<mato::any_overflow> w;
    w.all.on = {};
    world<mato::any_overflow>::peer one;
    mato::failure why;
    for (const mato::any_overflow policy :
         {mato::any_overflow(mato::resync{}), mato::any_overflow(mato::drop_oldest{}), mato::any_overflow(mato::conflate{})}) {
        CHECK(w.all.join(one, policy, {}, why) == nullptr);
        CHECK(why.code == std::errc::invalid_argument);
    }
    CHECK(w.all.join(one, mato::disconnect{}, mato::join_at::snapshot(), why) == nullptr);
    CHECK(why.code == std::errc::invalid_argument);
    CHECK(w.all.size() == 0);
}

TEST_CASE("a frame that is too large for the ring is sent to no subscriber", "[fan_out]") {
    world<mato::disconnect> w;
    auto& one = w.join();
    mato::failure why;
    w.all.publish(std::string(w.all.ring().largest(), 'x'), why);
    CHECK(why.code == errc::frame_too_large);
    w.all.publish("two\nlines", why);
    CHECK(why.code == errc::malformed);
    w.publish("x");
    CHECK(one.text == "x\n");
}

TEST_CASE("a partially sent frame that the ring drops is completed from one copy for all subscribers", "[fan_out]") {
    world<mato::drop_oldest> w;
    std::vector<world<mato::drop_oldest>::peer*> slow;
    for (int i = 0; i < 10; ++i) slow.push_back(&w.join());
    for (auto* each : slow) each->room = 1;
    w.publish("begun");
    for (int i = 0; i < 500; ++i) w.publish(std::string(50, 'x'));
    CHECK(w.all.status().partial_bytes == 6);
    for (auto* each : slow) {
        w.resume(*each);
        CHECK(each->text.rfind("begun\nlost ", 0) == 0);
    }
    CHECK(w.all.status().partial_bytes == 0);
}

TEST_CASE("subscribers that are closed inside the same frame share its copy", "[fan_out]") {
    world<mato::disconnect> w;
    mato::disconnect limits;
    limits.hard = limits.soft = 1000;
    std::vector<world<mato::disconnect>::peer*> slow;
    for (int i = 0; i < 10; ++i) slow.push_back(&w.join(limits));
    for (auto* each : slow) each->room = 1;
    const std::string begun(700, 'b');
    w.publish(begun);
    w.publish(std::string(400, 'x'));
    for (auto* each : slow) REQUIRE(each->end);
    CHECK(w.all.status().partial_bytes == 701);
    for (auto* each : slow) {
        w.resume(*each);
        CHECK(each->text == begun + "\nslow consumer\n");
    }
    CHECK(w.all.status().partial_bytes == 0);
}

TEST_CASE("only subscribers inside a frame that is too large to copy are disconnected", "[fan_out]") {
    world<mato::drop_oldest> w;
    const std::size_t most = w.all.ring().capacity() / 10;
    for (const bool fits : {true, false}) {
        auto &slow = w.join(), &quick = w.join();
        slow.room = 1;
        w.publish(std::string(fits ? most - 1 : most, 'b'));
        for (int i = 0; i < 100; ++i) w.publish(std::string(100, 'x'));
        CHECK(slow.end.has_value() == !fits);
        CHECK_FALSE(quick.end);
        CHECK(w.all.partial_bytes() == (fits ? most : 0));
        w.resume(slow);
    }
    CHECK(w.all.status().disconnected == 1);
}

TEST_CASE("a handler may add stalled subscribers while limits of stalled subscribers are enforced", "[fan_out]") {
    world<mato::disconnect> w;
    mato::disconnect limits;
    limits.hard = limits.soft = 10;
    w.all.on.last_words = [&](const mato::failure&) {
        for (int i = 0; i < 20; ++i) {
            auto& late = w.join();
            late.is_stalled = true;
            late.out.stream()->on_stalled();
        }
        return std::nullopt;
    };
    for (int i = 0; i < 3; ++i) w.join(limits).room = 0;
    w.publish("x");
    w.publish(std::string(20, 'x')); // AddressSanitizer detects iterating over a list that has grown
    CHECK(w.all.size() == 60);
    CHECK(w.all.status().disconnected == 3);
}

TEST_CASE("a subscriber costs at most 512 bytes", "[fan_out]") {
    STATIC_REQUIRE(sizeof(world<mato::any_overflow>::hub::subscriber) <= 512);
}
