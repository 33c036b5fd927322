// SPDX-License-Identifier: MIT
/// @file back_pressure_test.cpp: a client that sends as fast as it can costs its server bounded memory, and others no answer.
#include <mato/server.hpp>

#include <mato/lock.hpp>

#include "support/catch.hpp"
#include "support/framed.hpp"
#include "support/io_loop.hpp"
#include "support/stand_ins.hpp"
#include "support/temp_directory.hpp"

#include <deque>

using namespace std::chrono_literals;
using mato::errc;
using support::framed;
using support::run_ready;
using support::run_until;
using support::temp_directory;
using proof = support::held_proof;

namespace {

/// Answers every frame with itself and some bytes: immediately, or when `jobs` are done.
struct world {
    struct job {
        mato::server::session_ptr session;
        mato::frame_ticket ticket;
        std::string frame;
    };
    temp_directory directory;
    asio::io_context context;
    mato::server server;
    std::string padding;
    std::deque<job> jobs;
    bool is_slow = false;
    std::vector<mato::failure> closed;
    std::vector<mato::server::session_ptr> opened;

    explicit world(const mato::server_limits& limits, std::size_t reply_bytes)
        : server(context, limits), padding(reply_bytes, '.') {
        server.on.on_opened = [this](const auto& each) { opened.push_back(each); };
        server.on.on_closed = [this](const auto&, const mato::failure& why) { closed.push_back(why); };
        server.on.on_frame = [this](const mato::server::session_ptr& session, std::string_view frame) {
            session->established();
            if (is_slow) return jobs.push_back({session, session->hold_frame(), std::string(frame)});
            session->send(std::string(frame) + padding);
        };
        mato::failure why;
        server.listen(mato::owned_path(directory / "s.sock"), {}, proof{}, {}, why);
        REQUIRE_FALSE(why);
    }
    support::far_end client() {
        std::error_code why;
        return support::far_end(mato::owned_path(directory / "s.sock").connect(why));
    }
    void answer(job& done) { done.session->send(done.frame + padding); }
};

/// Sends the same frames again and again, as much as the kernel takes.
class flood {
public:
    explicit flood(support::far_end& far) : far_(far) {
        for (int i = 0; i < 1'000; ++i) bytes_ += framed("request");
    }
    void go_on() {
        for (std::size_t put = 1; put > 0;) {
            put = far_.put(std::string_view(bytes_).substr(at_));
            at_ = (at_ + put) % bytes_.size();
            sent += put;
        }
    }
    std::size_t sent = 0;

private:
    support::far_end& far_;
    std::string bytes_;
    std::size_t at_ = 0;
};

} // namespace

TEST_CASE("a client that sends without reading stops at the limit, and others get every answer", "[back_pressure]") {
    const mato::server_limits limits; // the defaults
    world all(limits, 2'000);
    auto greedy = all.client(), other = all.client();
    flood storm(greedy);
    std::size_t most = 0, asked = 0;
    for (int turn = 0; turn < 1'000; ++turn) {
        storm.go_on();
        asked += other.put(framed(std::to_string(turn))) > 0;
        REQUIRE(run_until(all.context, [&] { // within a few turns of the loop: the storm does not delay it
            other.take();
            return other.text.ends_with(framed(std::to_string(turn) + all.padding));
        }));
        for (const auto& each : all.opened) most = std::max(most, each->queued_bytes());
        other.text.clear();
    }
    CHECK(asked == 1'000);
    CHECK(most > limits.read.unread_bytes / 2); // the kernel has taken its part when this is measured
    CHECK(most < limits.read.unread_bytes + 5'000);
    CHECK(storm.sent < 1'500'000); // the rest stays in the client: the kernel's buffer is full
    CHECK(all.closed.empty());
    CHECK(all.opened.at(0)->is_reading_paused());
    CHECK_FALSE(all.opened.at(1)->is_reading_paused());
}

TEST_CASE("a client that reads later gets the answer to every request that it sent", "[back_pressure]") {
    world all({}, 2'000);
    auto far = all.client();
    std::size_t answers = 0, asked = 0;
    const std::string request = framed("request"), answer = framed("request" + all.padding);
    for (int turn = 0; turn < 5'000; ++turn) {
        asked += far.put(request) == request.size();
        if (turn % 50 == 0) run_ready(all.context);
    }
    CHECK(asked > 300);
    CHECK(run_until(all.context, [&] {
        far.take();
        answers = far.text.size() / answer.size();
        return answers == asked;
    }));
    CHECK(far.text.size() == asked * answer.size());
    CHECK(all.closed.empty());
}

TEST_CASE("jobs of a client that are not done stop reading from it alone", "[back_pressure]") {
    mato::server_limits limits;
    limits.read.unanswered_frames = 16;
    world all(limits, 10);
    all.is_slow = true;
    auto greedy = all.client(), other = all.client();
    flood storm(greedy);
    std::size_t most = 0;
    for (int turn = 0; turn < 200; ++turn) {
        storm.go_on();
        other.put(framed("other"));
        run_ready(all.context);
        most = std::max(most, all.jobs.size());
        while (!all.jobs.empty() && turn % 4 == 0) { // a pool that is slower than the clients
            all.answer(all.jobs.front());
            all.jobs.pop_front();
        }
        greedy.take();
    }
    CHECK(most <= 2 * 16);
    CHECK(most >= 16);
    CHECK(run_until(all.context, [&] {
        for (auto& each : all.jobs) all.answer(each);
        all.jobs.clear();
        other.take(), greedy.take();
        std::size_t others = 0;
        for (std::size_t at = other.text.find("other"); at != std::string::npos; at = other.text.find("other", at + 1))
            ++others;
        return others == 200;
    }));
    CHECK(all.closed.empty());
}

TEST_CASE("with unlimited read limits the overflow policy decides, as for any queue", "[back_pressure]") {
    mato::server_limits limits;
    limits.read = {mato::unlimited, mato::never, mato::unlimited, mato::unlimited};
    world all(limits, 10'000);
    auto greedy = all.client();
    flood storm(greedy);
    CHECK(run_until(all.context, [&] {
        storm.go_on();
        return !all.closed.empty();
    }));
    CHECK(all.closed.at(0).code == errc::slow_consumer);
}

TEST_CASE("a session that is paused at its limit ends with the server, and with its loop", "[back_pressure]") {
    const bool with_loop = GENERATE(false, true);
    auto all = std::make_unique<world>(mato::server_limits{}, 10'000);
    auto greedy = all->client();
    flood storm(greedy);
    REQUIRE(run_until(all->context, [&] {
        storm.go_on();
        return !all->opened.empty() && all->opened[0]->is_reading_paused();
    }));
    const auto kept = all->opened[0];
    if (!with_loop) all->server.end({errc::stopping, "test", {}, {}});
    all.reset();
    CHECK_FALSE(kept->is_open());
    kept->resume_reading();
    kept->pause_reading();
}

TEST_CASE("the sample of tickets", "[samples]") {
    temp_directory directory;
    asio::io_context context;
    mato::server server(context);
    struct job {
        mato::server::session_ptr session;
        mato::frame_ticket ticket;
        std::string frame;
    };
    std::vector<job> jobs;
    server.on.on_frame = [&](const mato::server::session_ptr& session, std::string_view frame) {
        session->established();
        jobs.push_back({session, session->hold_frame(), std::string(frame)}); // answered later
    };
    mato::failure why;
    server.listen(mato::owned_path(directory / "s.sock"), {}, proof{}, {}, why);
    support::far_end far(mato::owned_path(directory / "s.sock").connect(why));
    far.put(framed("job"));
    CHECK(run_until(context, [&] { return jobs.size() == 1; }));
    CHECK(jobs[0].ticket);
}
