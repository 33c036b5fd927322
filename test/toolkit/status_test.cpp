// SPDX-License-Identifier: MIT
/// @file status_test.cpp: usage figures and their formatting.
#include <mato/status.hpp>

#include "support/catch.hpp"
#include "support/descriptor_census.hpp"

#include <cstdlib>
#include <sys/mman.h>
#include <vector>

using namespace std::chrono_literals;

namespace {

/// Returns the values set by the test.
struct fake_source {
    mato::process_usage* usage;
    [[nodiscard]] mato::process_usage sample() const { return *usage; }
};
const mato::clock::time_point start{1000s};

} // namespace

TEST_CASE("durations show their two largest units", "[status]") {
    CHECK(mato::format_duration(0s) == "0s");
    CHECK(mato::format_duration(1s) == "1s");
    CHECK(mato::format_duration(59s) == "59s");
    CHECK(mato::format_duration(60s) == "1m 0s");
    CHECK(mato::format_duration(12min + 3s) == "12m 3s");
    CHECK(mato::format_duration(3599s) == "59m 59s");
    CHECK(mato::format_duration(3600s) == "1h 0m");
    CHECK(mato::format_duration(2h + 15min + 59s) == "2h 15m");
    CHECK(mato::format_duration(24h - 1s) == "23h 59m");
    CHECK(mato::format_duration(24h) == "1d 0h");
    CHECK(mato::format_duration(76h + 59min) == "3d 4h");
    CHECK(mato::format_duration(24h * 10'000) == "10000d 0h");
}

TEST_CASE("sizes are in units of 1024", "[status]") {
    constexpr std::uint64_t k = 1024, m = k * k, g = m * k;
    CHECK(mato::format_bytes(0) == "0 B");
    CHECK(mato::format_bytes(1) == "1 B");
    CHECK(mato::format_bytes(512) == "512 B");
    CHECK(mato::format_bytes(k - 1) == "1023 B");
    CHECK(mato::format_bytes(k) == "1 KB");
    CHECK(mato::format_bytes(45 * k) == "45 KB");
    CHECK(mato::format_bytes(m) == "1 MB");
    CHECK(mato::format_bytes(45 * m) == "45 MB");
    CHECK(mato::format_bytes(1023 * m) == "1023 MB");
    CHECK(mato::format_bytes(g) == "1.0 GB");
    CHECK(mato::format_bytes(g + g / 2) == "1.5 GB");
    CHECK(mato::format_bytes(10 * g) == "10 GB");
    CHECK(mato::format_bytes(2048 * g) == "2048 GB");
}

TEST_CASE("times are local, to the second", "[status]") {
    std::tm when{};
    when.tm_year = 126;
    when.tm_mon = 1;
    when.tm_mday = 21;
    when.tm_hour = 16;
    when.tm_isdst = -1;
    CHECK(mato::format_time(std::mktime(&when)) == "2026-02-21 16:00:00");
}

TEST_CASE("the processor share is for the time between two calls", "[status]") {
    mato::process_usage now{.memory_bytes = 7, .cpu_time = 0ms};
    mato::usage_meter<fake_source> meter({&now}, start);
    now.cpu_time = 500ms;
    const auto first = meter.ask(start + 1s);
    CHECK(first.usage.memory_bytes == 7);
    CHECK(first.cpu_percent == Approx(50));
    CHECK(first.uptime == 1s);
    now.cpu_time = 4500ms; // two threads, both busy
    CHECK(meter.ask(start + 3s).cpu_percent == Approx(200));
    CHECK(meter.ask(start + 13s).cpu_percent == Approx(0));
}

TEST_CASE("time spent before the meter was created is not in its first answer", "[status]") {
    mato::process_usage now{.memory_bytes = 1, .cpu_time = 60s};
    mato::usage_meter<fake_source> meter({&now}, start);
    now.cpu_time += 100ms;
    CHECK(meter.ask(start + 1s).cpu_percent == Approx(10));
}

TEST_CASE("two calls within a second return one share, but current memory and uptime", "[status]") {
    mato::process_usage now{.memory_bytes = 1, .cpu_time = 0ms};
    mato::usage_meter<fake_source> meter({&now}, start);
    now.cpu_time = 100ms;
    CHECK(meter.ask(start + 1s).cpu_percent == Approx(10));
    now = {.memory_bytes = 2, .cpu_time = 600ms};
    const auto soon = meter.ask(start + 2s - 1ms);
    CHECK(soon.cpu_percent == Approx(10));
    CHECK(soon.usage.memory_bytes == 2);
    CHECK(soon.usage.cpu_time == 600ms);
    CHECK(meter.ask(start + 2s).cpu_percent == Approx(50));
    CHECK(meter.ask(start + 2s).uptime == 2s);
}

TEST_CASE("a call at the moment of the start does not divide by zero", "[status]") {
    mato::process_usage now{.memory_bytes = 1, .cpu_time = 5ms};
    mato::usage_meter<fake_source> meter({&now}, start);
    CHECK(meter.ask(start).cpu_percent == 0);
    CHECK(meter.ask(start).uptime == 0s);
}

TEST_CASE("a process measures its memory, which grows when it writes pages", "[status]") {
    const mato::self_usage self;
    const auto before = self.sample();
    REQUIRE(before.memory_bytes > 100'000);
    constexpr std::size_t size = 32u << 20;
    std::vector<char> block(size, 'x');
    const auto after = self.sample();
    CHECK(block[size / 2] == 'x');
    CHECK(after.memory_bytes >= before.memory_bytes + size * 9 / 10);
    CHECK(after.memory_bytes < (std::uint64_t{1} << 40));
}

TEST_CASE("reserved memory that is not written does not count", "[status]") {
    constexpr std::size_t size = 256u << 20;
    const auto before = mato::self_usage().sample();
    void* const reserved = ::mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    REQUIRE(reserved != MAP_FAILED);
    CHECK(mato::self_usage().sample().memory_bytes < before.memory_bytes + size / 2);
    ::munmap(reserved, size);
}

TEST_CASE("a process measures its processor time, which grows with work", "[status]") {
    const mato::self_usage self;
    const auto before = self.sample().cpu_time;
    const auto limit = mato::clock::now() + 10s;
    volatile unsigned work = 0;
    while (self.sample().cpu_time < before + 20ms && mato::clock::now() < limit)
        for (unsigned i = 0; i < 100'000; ++i) work = work + i;
    CHECK(self.sample().cpu_time >= before + 20ms);
}

TEST_CASE("measuring leaks no descriptor", "[status]") {
    const auto before = support::open_descriptors();
    mato::usage_meter meter;
    for (int i = 0; i < 100; ++i) static_cast<void>(meter.ask());
    CHECK(support::open_descriptors() == before);
}
