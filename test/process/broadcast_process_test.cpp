// SPDX-License-Identifier: MIT
/// @file broadcast_process_test.cpp: a broadcast to real processes, one of them stopped, and to a thousand sockets.
#include <mato/broadcast.hpp>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/descriptor_census.hpp"
#include "support/io_loop.hpp"
#include "support/process_facts.hpp"

#include <atomic>
#include <cstring>
#include <new>
#include <sys/mman.h>
#include <sys/resource.h>
#include <vector>

using namespace std::chrono_literals;
using namespace mato::literals;
using support::run_ready;
using support::run_until;

namespace {

std::string numbered(char what, std::uint64_t first, std::uint64_t last = 0, std::size_t size = 17) {
    std::string payload(std::max<std::size_t>(size, 17), what);
    std::memcpy(payload.data() + 1, &first, 8);
    std::memcpy(payload.data() + 9, &last, 8);
    for (std::size_t i = 17; i < payload.size(); ++i) payload[i] = static_cast<char>(first * 31 + i);
    return payload;
}

/// The progress of a reading process, in memory shared with its parent.
struct seen {
    std::atomic<std::uint64_t> next{1}, frames{0}, lost{0}, gaps{0}, resyncs{0};
    std::atomic<int> last_words{0};
};

/// A reader in a separate process: checks number and content of every frame, and that each gap lists exactly the missing
/// frames.
class reader {
public:
    explicit reader(asio::io_context& context) {
        void* const shared = ::mmap(nullptr, sizeof(seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (shared == MAP_FAILED) throw std::runtime_error("mmap");
        saw_ = new (shared) seen;
        auto ends = support::socket_pair();
        const int far = ends.second.get();
        process_.emplace([far, saw = saw_] {
            ::dup2(far, 3);
            mato::sys::close_from(4); // the sockets of the others, so that their end-of-file is seen
            ::fcntl(3, F_SETFL, 0);
            return read_all(3, *saw);
        });
        near_ = std::make_shared<mato::connection>(context, std::move(ends.first));
        near_->start({{}, [this](const mato::failure& why) { end = why; }, {}});
    }
    reader(const reader&) = delete;
    ~reader() {
        near_->forget_callbacks();
        process_.reset();
        ::munmap(saw_, sizeof(seen));
    }

    [[nodiscard]] const std::shared_ptr<mato::connection>& near() const noexcept { return near_; }
    [[nodiscard]] const seen& saw() const noexcept { return *saw_; }
    [[nodiscard]] support::child_process& process() noexcept { return *process_; }
    /// Returns when the process has actually stopped.
    void stop() {
        process_->signal(SIGSTOP);
        int status = 0;
        ::waitpid(process_->pid(), &status, WUNTRACED);
        REQUIRE(WIFSTOPPED(status));
    }

    mato::failure end;

private:
    static int read_all(int fd, seen& saw) {
        mato::frame_decoder<mato::length_prefixed<>> decoder;
        for (;;) {
            const auto room = decoder.prepare(65536);
            const ssize_t got = ::read(fd, room.data(), room.size());
            if (got == 0) return decoder.buffered() == 0 ? 0 : 2; // the last frame was complete
            if (got < 0) return 3;
            decoder.commit(static_cast<std::size_t>(got));
            mato::failure why;
            while (const auto payload = decoder.next(why))
                if (const int wrong = judge(*payload, saw)) return wrong;
            if (why) return 4;
        }
    }
    static int judge(std::string_view payload, seen& saw) {
        std::uint64_t first = 0, last = 0;
        if (payload.size() < 17) return 5;
        std::memcpy(&first, payload.data() + 1, 8);
        std::memcpy(&last, payload.data() + 9, 8);
        switch (payload[0]) {
        case 'F':
            if (first != saw.next || payload != numbered('F', first, 0, payload.size())) return 6;
            saw.next = first + 1;
            ++saw.frames;
            return 0;
        case 'G':
            if (first != saw.next || last < first) return 7;
            saw.next = last + 1;
            saw.lost += last - first + 1;
            ++saw.gaps;
            return 0;
        case 'S':
            if (first + 1 < saw.next) return 8;
            saw.next = first + 1;
            ++saw.resyncs;
            return 0;
        case 'W': return saw.last_words = 1, 0;
        default: return 9;
        }
    }

    seen* saw_ = nullptr;
    std::optional<support::child_process> process_;
    std::shared_ptr<mato::connection> near_;
};

template <class Hub> void tell_all(Hub& hub) {
    hub.on.gap = [](const mato::frame_gap& lost) { return numbered('G', lost.first, lost.last); };
    hub.on.snapshot = [](std::uint64_t newest) { return numbered('S', newest); };
    hub.on.last_words = [](const mato::failure&) { return numbered('W', 0); };
}

/// Resident bytes of this process. Under a sanitizer most of them are the sanitizer's.
std::size_t resident() {
    const std::string pages = support::proc_file(::getpid(), "statm");
    return std::stoul(pages.substr(pages.find(' '))) * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

/// Publishes no further ahead of the given readers than they may lag, so that they lose nothing.
template <class Hub> void publish(asio::io_context& context, Hub& hub, std::uint64_t frames,
                                  const std::vector<std::unique_ptr<reader>>& all, std::size_t from) {
    for (std::uint64_t i = 0; i < frames; ++i) {
        const std::uint64_t number = hub.publish(numbered('F', hub.status().published + 1, 0, 1000));
        if (number % 64 != 0) continue;
        REQUIRE(run_until(context, [&] {
            for (std::size_t each = from; each < all.size(); ++each)
                if (all[each]->near()->queued_bytes() > 64_KiB) return false;
            return true;
        }));
    }
}

} // namespace

TEST_CASE("one stopped reader of 32 does not affect the others, and gets the exact gap", "[broadcast]") {
    asio::io_context context;
    std::vector<std::unique_ptr<reader>> all;
    for (int i = 0; i < 32; ++i) all.push_back(std::make_unique<reader>(context));
    mato::basic_broadcast<mato::connection, mato::any_overflow> hub(context, 512_KiB);
    tell_all(hub);
    hub.subscribe(all[0]->near(), mato::drop_oldest{});
    for (std::size_t i = 1; i < all.size(); ++i) hub.subscribe(all[i]->near(), mato::drop_oldest{});
    all[0]->stop();
    publish(context, hub, 3000, all, 1);
    const auto total = hub.status().published;
    for (std::size_t i = 1; i < all.size(); ++i) REQUIRE(run_until(context, [&] { return all[i]->saw().next == total + 1; }));
    CHECK(hub.status().stalled == 1);
    CHECK(hub.status().slowest_lag > 2000);
    all[0]->process().signal(SIGCONT);
    REQUIRE(run_until(context, [&] { return all[0]->saw().next == total + 1; }));
    std::uint64_t lost = 0, gaps = 0, frames = 0;
    for (const auto& each : all) {
        const auto its = hub.status(each->near().get()).value();
        CHECK(its.delivered == each->saw().frames);
        CHECK(its.dropped == each->saw().lost);
        CHECK(its.gaps == each->saw().gaps);
        lost += each->saw().lost;
        gaps += each->saw().gaps;
        frames += each->saw().frames;
    }
    CHECK(all[0]->saw().lost > 1000);
    CHECK(lost == all[0]->saw().lost);
    CHECK(hub.status().dropped == lost);
    CHECK(hub.status().gaps == gaps);
    CHECK(hub.status().delivered == frames);
    for (const auto& each : all) each->near()->close({mato::errc::stopping, "end", {}, {}});
    REQUIRE(run_until(context, [&] {
        return std::all_of(all.begin(), all.end(), [](const auto& each) { return static_cast<bool>(each->end); });
    }));
    for (const auto& each : all) CHECK(each->process().wait() == 0);
}

TEST_CASE("a stopped reader that is resynchronised gets a snapshot and newer frames, not the missed ones", "[broadcast]") {
    asio::io_context context;
    std::vector<std::unique_ptr<reader>> all;
    for (int i = 0; i < 2; ++i) all.push_back(std::make_unique<reader>(context));
    mato::basic_broadcast<mato::connection, mato::resync> hub(context, 512_KiB);
    tell_all(hub);
    hub.subscribe(all[0]->near(), {}, mato::join_at::snapshot());
    hub.subscribe(all[1]->near(), {}, mato::join_at::snapshot());
    REQUIRE(run_until(context, [&] { return all[0]->saw().resyncs == 1 && all[1]->saw().resyncs == 1; }));
    all[0]->stop();
    publish(context, hub, 2000, all, 1);
    all[0]->process().signal(SIGCONT);
    REQUIRE(run_until(context, [&] { return all[0]->saw().next == 2001 && all[1]->saw().next == 2001; }));
    CHECK(all[0]->saw().resyncs == 2);
    CHECK(all[0]->saw().frames < 1000);
    CHECK(all[1]->saw().resyncs == 1);
    CHECK(all[1]->saw().frames == 2000);
    hub.publish(numbered('F', 2001));
    REQUIRE(run_until(context, [&] { return all[0]->saw().next == 2002 && all[1]->saw().next == 2002; }));
    for (const auto& each : all) each->near()->abort({mato::errc::stopping, "end", {}, {}});
    for (const auto& each : all) CHECK(each->process().wait() == 0);
}

TEST_CASE("a stopped reader is closed within the linger, and gets the reason when it reads again", "[broadcast]") {
    asio::io_context context;
    std::vector<std::unique_ptr<reader>> all;
    for (int i = 0; i < 2; ++i) all.push_back(std::make_unique<reader>(context));
    mato::broadcast hub(context, 2_MiB);
    tell_all(hub);
    mato::disconnect limits;
    limits.hard = limits.soft = 256_KiB;
    for (const auto& each : all) hub.subscribe(each->near(), limits);
    all[0]->stop();
    publish(context, hub, 1000, all, 1);
    CHECK(hub.size() == 1);
    CHECK(hub.status().disconnected == 1);
    REQUIRE(run_until(
        context, [&] { return static_cast<bool>(all[0]->end); }, mato::connection::default_linger + 20s));
    CHECK(all[0]->end.code == mato::errc::slow_consumer);
    CHECK(all[0]->saw().last_words == 0); // it is still stopped
    all[0]->process().signal(SIGCONT);
    CHECK(all[0]->process().wait() == 0); // every frame was complete
    CHECK(all[0]->saw().last_words == 1);
    CHECK(all[0]->saw().frames > 50);
    CHECK(all[0]->saw().frames < 1000);
    REQUIRE(run_until(context, [&] { return all[1]->saw().next == 1001; }));
    all[1]->near()->abort({mato::errc::stopping, "end", {}, {}});
    CHECK(all[1]->process().wait() == 0);
}

TEST_CASE("a thousand idle and a hundred stalled subscribers need only the ring and a position each", "[broadcast]") {
    constexpr std::size_t idle = 1000, stalled = 100, ring = 256_KiB;
    rlimit files{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &files) == 0);
    files.rlim_cur = std::min<rlim_t>(files.rlim_max, 4096);
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &files) == 0);
    asio::io_context context;
    std::vector<support::far_end> far;
    std::vector<std::shared_ptr<mato::connection>> near;
    for (std::size_t i = 0; i < idle + stalled; ++i) {
        auto ends = support::socket_pair();
        far.emplace_back(std::move(ends.second));
        near.push_back(std::make_shared<mato::connection>(context, std::move(ends.first)));
        near.back()->start({});
        support::shrink_buffers(near.back()->native_handle());
    }
    run_ready(context);
    const std::size_t before = resident();
    mato::basic_broadcast<mato::connection, mato::drop_oldest> quiet(context, 64_KiB), busy(context, ring);
    tell_all(quiet);
    tell_all(busy);
    for (std::size_t i = 0; i < idle; ++i) quiet.subscribe(near[i]);
    for (std::size_t i = idle; i < near.size(); ++i) busy.subscribe(near[i]);
    std::size_t most = 0;
    for (std::uint64_t i = 1; i <= 4000; ++i) {
        busy.publish(numbered('F', i, 0, 1000 + i % 7));
        if (i % 100 == 0) run_ready(context);
        if (i % 1000 == 0) most = std::max(most, resident());
    }
    const std::size_t bound = (ring + (idle + stalled) * 512) * 11 / 10;
    INFO("grew by " << most - before << " bytes, the bound is " << bound);
    if (!support::sanitized) CHECK(most <= before + bound);
    CHECK(quiet.size() == idle);
    CHECK(busy.status().stalled == stalled);
    // Accounted memory: frames are only in the ring and the copies, and a static_assert limits a subscriber to 512 bytes.
    const auto held = [](const auto& of) { return of.status().ring_bytes + of.status().partial_bytes + of.size() * 512; };
    CHECK(held(busy) + held(quiet) <= bound);
    CHECK(busy.status().partial_bytes <= ring / 10);
}

TEST_CASE("ten thousand joins and leaves leak no subscriber", "[broadcast]") {
    const auto before = support::open_descriptors();
    {
        asio::io_context context;
        mato::basic_broadcast<mato::connection, mato::drop_oldest> hub(context, 64_KiB);
        tell_all(hub);
        std::vector<std::pair<support::far_end, std::shared_ptr<mato::connection>>> present;
        std::size_t in_memory = 0;
        for (int i = 0; i < 10'000; ++i) {
            if (i == 2'000) in_memory = resident(); // by now all reusable memory is allocated
            auto ends = support::socket_pair();
            present.emplace_back(support::far_end(std::move(ends.second)),
                                 std::make_shared<mato::connection>(context, std::move(ends.first)));
            auto& [far, near] = present.back();
            near->start({});
            hub.subscribe(near, {}, mato::join_at::last(3));
            hub.publish(numbered('F', static_cast<std::uint64_t>(i) + 1));
            run_ready(context);
            if (present.size() < 20) continue;
            auto& [leaving_far, leaving] = present[static_cast<std::size_t>(i) % 20];
            switch (i % 4) {
            case 0: leaving_far.close(); break;
            case 1: hub.unsubscribe(leaving.get()); break;
            case 2: leaving->abort({mato::errc::stopping, "leave", {}, {}}); break;
            default: leaving->close({mato::errc::stopping, "leave", {}, {}});
            }
            run_ready(context);
            present.erase(present.begin() + i % 20);
        }
        CHECK(hub.size() <= 20);
        CHECK(hub.status().ring_bytes <= 64_KiB);
        const std::size_t grown = resident() - std::min(in_memory, resident());
        INFO("grew by " << grown << " bytes");
        if (!support::sanitized) CHECK(grown <= 256_KiB); // a leak of 32 bytes for each of 8 000 would show
        for (auto& [far, near] : present) near->abort({mato::errc::stopping, "leave", {}, {}});
        present.clear();
        run_ready(context);
        CHECK(hub.size() == 0);
        CHECK(hub.status().subscribers == 0);
        CHECK(hub.status().stalled == 0);
        CHECK(hub.status().partial_bytes == 0);
        CHECK(hub.status().published == 10'000);
    }
    CHECK(support::open_descriptors() == before);
}
