// SPDX-License-Identifier: MIT
/// @file read_journal_process_test.cpp: a reader of a flooding terminal is killed repeatedly, and no byte is lost.
///
/// MATO_TEST_ROUNDS sets the number of kills, default 100.
#include <mato/memory_file.hpp>
#include <mato/read_journal.hpp>
#include <mato/two_slots.hpp>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/deadline.hpp"
#include "support/descriptor_census.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <random>
#include <sched.h>
#include <string>
#include <termios.h>
#include <vector>

using mato::unique_fd;

namespace {

constexpr std::size_t log_bytes = 32 << 10, slot_bytes = 64;

/// Byte `at` of the program's output: an endless stream without a period and without bytes F8 to FF.
char stream_byte(std::uint64_t at) {
    std::uint64_t x = at * 0x9E3779B97F4A7C15U;
    x ^= x >> 29, x *= 0xBF58476D1CE4E5B9U, x ^= x >> 32;
    return static_cast<char>(x % 0xF8);
}

/// A terminal that passes every byte unchanged, and a program that writes endlessly.
class flood {
public:
    flood() {
        master_.reset(::open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC));
        int locked = 0;
        REQUIRE(::ioctl(master_.get(), TIOCSPTLCK, &locked) == 0);
        unique_fd slave(::ioctl(master_.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
        termios plain{};
        REQUIRE(::tcgetattr(slave.get(), &plain) == 0);
        ::cfmakeraw(&plain);
        REQUIRE(::tcsetattr(slave.get(), TCSANOW, &plain) == 0);
        writer_.emplace([&] {
            std::array<char, 16384> bytes;
            for (std::uint64_t at = 0;;) {
                for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = stream_byte(at + i);
                for (std::size_t done = 0; done < bytes.size();) {
                    const ssize_t n = ::write(slave.get(), bytes.data() + done, bytes.size() - done);
                    if (n <= 0) return 1;
                    done += static_cast<std::size_t>(n);
                }
                at += bytes.size();
            }
        });
    }
    [[nodiscard]] int master() const { return master_.get(); }

private:
    unique_fd master_;
    std::optional<support::child_process> writer_; // killed by its destructor
};

/// A consumer's state: the number of bytes, and a sum of them.
struct consumer {
    std::uint64_t count = 0;
    std::uint32_t sum = 0;
    void feed(std::string_view bytes) {
        count += bytes.size();
        sum = mato::detail::crc32c(bytes, sum);
    }
    [[nodiscard]] std::string save() const { return {reinterpret_cast<const char*>(this), sizeof *this}; }
    void restore(std::string_view state) {
        if (state.size() == sizeof *this) state.copy(reinterpret_cast<char*>(this), sizeof *this);
    }
};

/// The parts combined as in a terminal's reader; `Steps` is called after each store.
template <class Steps> struct kept_reader {
    mato::two_slots<Steps> slots;
    mato::read_journal<Steps> journal;
    consumer state;
    std::size_t found = 0; // bytes of a read in progress
    mato::failure why;

    static constexpr std::size_t slots_size = mato::two_slots<>::memory_for(slot_bytes);
    static constexpr std::size_t size = slots_size + mato::read_journal<>::memory_for(log_bytes);

    static void create(std::span<char> memory) {
        mato::failure why;
        static_cast<void>(mato::two_slots<>::create(memory.first(slots_size), why));
        static_cast<void>(mato::read_journal<>::create(memory.subspan(slots_size), why));
    }
    explicit kept_reader(std::span<char> memory) {
        slots = mato::two_slots<Steps>::adopt(memory.first(slots_size), why);
        if (!why) journal = mato::read_journal<Steps>::adopt(memory.subspan(slots_size), why);
        found = journal.recover();
        if (!why) static_cast<void>(journal.resume_after(slots.position(), why));
        state.restore(slots.newest());
        state.feed(journal.since_checkpoint());
    }
    int read_for_ever(int terminal) {
        for (;;) {
            if (journal.full()) {
                if (!slots.publish(state.save(), journal.end(), why)) return 3;
                journal.checkpoint();
            }
            char* const to = journal.arm();
            if (!to) return 4;
            const ssize_t n = ::read(terminal, to, journal.most_read);
            if (n <= 0) return 5;
            Steps::after(n);
            journal.commit(static_cast<std::size_t>(n));
            state.feed({to, static_cast<std::size_t>(n)});
        }
    }
};

/// The number of committed bytes, read from another process than the reader.
std::uint64_t progress(std::span<const char> memory) {
    return mato::detail::load_word(memory.data() + kept_reader<mato::no_steps>::slots_size + 64);
}

/// The sum of the stream's first bytes, continued at each call.
class expected_stream {
public:
    std::uint32_t sum_of_first(std::uint64_t count) {
        std::string part;
        while (so_far_.count < count) {
            part.clear();
            for (std::uint64_t at = so_far_.count; at < std::min(count, so_far_.count + 65536); ++at) part += stream_byte(at);
            so_far_.feed(part);
        }
        return so_far_.sum;
    }
    static bool is_at(std::uint64_t from, std::string_view bytes) {
        for (std::size_t i = 0; i < bytes.size(); ++i)
            if (bytes[i] != stream_byte(from + i)) return false;
        return true;
    }

private:
    consumer so_far_;
};

/// The same without the pattern: only a count of bytes, the obvious first design. It keeps each reader's first read.
struct count_alone {
    std::uint64_t end;
    std::size_t first_size;
    char first[4095], rest[4095];
    int read_for_ever(int terminal) {
        for (char* to = first;; to = rest) {
            const ssize_t n = ::read(terminal, to, sizeof rest);
            if (n <= 0) return 5;
            if (to == first) first_size = static_cast<std::size_t>(n);
            __atomic_store_n(&end, end + static_cast<std::uint64_t>(n), __ATOMIC_RELEASE);
        }
    }
};

int rounds() {
    const char* const asked = std::getenv("MATO_TEST_ROUNDS");
    return asked ? std::max(1, std::atoi(asked)) : 100;
}

/// Kills itself after a given store or read.
struct counted_death {
    static inline int left = 0;
    template <class Store> static void after(Store) noexcept {
        if (--left == 0) ::kill(::getpid(), SIGKILL);
    }
};

/// Lets the reader run until it has counted that much more, then kills it at any point.
template <class Progress> bool kill_after(support::child_process& reader, Progress now, std::uint64_t more) {
    const support::deadline limit(support::patience);
    const std::uint64_t until = now() + more;
    while (now() < until) {
        if (limit.passed()) return false;
        ::sched_yield();
    }
    reader.signal(SIGKILL);
    return reader.wait() == -SIGKILL;
}

} // namespace

TEST_CASE("a reader of a flood is killed at random, and all its bytes are found", "[read_journal][process]") {
    const auto descriptors = support::open_descriptors();
    {
        using reader = kept_reader<mato::no_steps>;
        const auto file = mato::memory_file::create("flood", reader::size);
        reader::create(file.bytes());
        const flood terminal;
        std::minstd_rand random(1);
        expected_stream expected;
        int in_flight = 0;
        std::uint64_t would_be_lost = 0, last = 0;
        for (int round = 0; round < rounds(); ++round) {
            support::child_process process([&] { return reader(file.bytes()).read_for_ever(terminal.master()); });
            REQUIRE(kill_after(
                process, [&] { return progress(file.bytes()); }, 1 + random() % 200'000));
            const auto left = file.bytes(); // found by the next process, which must recover
            std::vector<char> copy(left.begin(), left.end());
            const reader found(copy);
            INFO("round " << round << ": " << found.why.message());
            REQUIRE_FALSE(found.why);
            in_flight += found.found > 0;
            would_be_lost += found.found;
            REQUIRE(found.state.count == found.journal.end());
            REQUIRE(found.state.count >= last);
            last = found.state.count;
            REQUIRE(expected_stream::is_at(found.journal.begin(), found.journal.since_checkpoint()));
            REQUIRE(found.state.sum == expected.sum_of_first(found.state.count));
        }
        CHECK(in_flight >= rounds() / 50); // most kills hit a read
        CHECK(last > static_cast<std::uint64_t>(rounds()) * 1000);
        std::printf("%d kills, %d in a read, which had taken %llu bytes; %llu bytes compared\n", rounds(), in_flight,
                    would_be_lost + 0ULL, last + 0ULL);
    }
    CHECK(support::open_descriptors() == descriptors);
}

TEST_CASE("a reader that dies after each store in turn loses nothing", "[read_journal][process]") {
    using reader = kept_reader<counted_death>;
    const auto file = mato::memory_file::create("flood", reader::size);
    reader::create(file.bytes());
    const flood terminal;
    expected_stream expected;
    for (int store = 1; store <= 60; ++store) { // several checkpoints, at every store of each
        support::child_process process([&] {
            counted_death::left = store;
            return reader(file.bytes()).read_for_ever(terminal.master());
        });
        REQUIRE(process.wait() == -SIGKILL);
        counted_death::left = 0;
        const auto left = file.bytes();
        std::vector<char> copy(left.begin(), left.end());
        const reader found(copy);
        INFO("store " << store << ": " << found.why.message());
        REQUIRE_FALSE(found.why);
        REQUIRE(expected_stream::is_at(found.journal.begin(), found.journal.since_checkpoint()));
        REQUIRE(found.state.sum == expected.sum_of_first(found.state.count));
    }
}

TEST_CASE("a count of bytes without the pattern loses output, and this test detects it", "[read_journal][process]") {
    const auto file = mato::memory_file::create("alone", sizeof(count_alone));
    auto* const alone = reinterpret_cast<count_alone*>(file.bytes().data());
    const auto counted = [&] { return __atomic_load_n(&alone->end, __ATOMIC_ACQUIRE); };
    const flood terminal;
    std::minstd_rand random(1);
    bool lost = false;
    int kills = 0;
    for (; kills < 2000 && !lost; ++kills) {
        const std::uint64_t from = counted();
        support::child_process process([&] { return alone->read_for_ever(terminal.master()); });
        REQUIRE(kill_after(process, counted, 1 + random() % 50'000));
        lost = !expected_stream::is_at(from, {alone->first, alone->first_size});
    }
    CHECK(lost);
    std::printf("lost output at kill %d\n", kills - 1);
}
