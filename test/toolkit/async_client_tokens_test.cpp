// SPDX-License-Identifier: MIT
/// @file async_client_tokens_test.cpp: an asynchronous client with futures, other executors, other threads and coroutines.
#include <mato/async_client.hpp>

#include "support/async_client_world.hpp"

#include <asio/bind_executor.hpp>
#include <asio/use_future.hpp>
#if defined(ASIO_HAS_CO_AWAIT)
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/use_awaitable.hpp>
#endif

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <future>
#include <optional>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using mato::deadline;
using mato::errc;
using world = support::async_client_world;

TEST_CASE("other threads send requests and wait for futures", "[async_client]") {
    world all;
    const auto work = asio::make_work_guard(all.context);
    constexpr int threads = 4, each = 500;
    std::atomic<int> right{0}, done{0};
    std::vector<std::thread> askers;
    for (int t = 0; t < threads; ++t)
        askers.emplace_back([&, t] {
            std::vector<std::future<std::string>> answers;
            for (int i = 0; i < each; ++i)
                answers.push_back(all.client->post_request(std::to_string(t * each + i), deadline::in(20s), asio::use_future));
            for (int i = 0; i < each; ++i)
                if (answers[static_cast<std::size_t>(i)].get() == std::to_string(t * each + i)) ++right;
            ++done;
        });
    const bool all_done = all.until([&] { return done == threads; });
    if (!all_done) all.client->close(); // breaks the threads' waits
    for (auto& asker : askers) {
        while (!all_done && done < threads) all.context.poll();
        asker.join();
    }
    CHECK(right == threads * each);
}

TEST_CASE("a request posted beyond the limit is busy, also while the loop does not run", "[async_client]") {
    const auto count_threads = [] {
        return std::distance(std::filesystem::directory_iterator("/proc/self/task"), std::filesystem::directory_iterator());
    };
    const auto before = count_threads(); // a sanitizer may have one of its own
    world all({.requests = 10});
    std::vector<std::future<std::string>> answers;
    for (int i = 0; i < 15; ++i) answers.push_back(all.client->post_request("x", deadline::in(20s), asio::use_future));
    int busy = 0, right = 0;
    REQUIRE(all.until([&] {
        return std::ranges::all_of(answers, [](auto& each) { return each.wait_for(0s) == std::future_status::ready; });
    }));
    for (auto& each : answers) {
        try {
            right += each.get() == "x";
        } catch (const std::system_error& failed) {
            busy += failed.code() == errc::busy;
        }
    }
    CHECK((right == 10 && busy == 5));
    CHECK(count_threads() == before); // futures start no threads
}

TEST_CASE("a handler runs on its own executor, whose context keeps running until then", "[async_client]") {
    world all;
    asio::io_context other;
    std::optional<std::thread::id> ran_on;
    std::string answer;
    all.client->async_request("x", asio::bind_executor(other, [&](std::error_code, std::string text) {
                                  ran_on = std::this_thread::get_id();
                                  answer = std::move(text);
                              }));
    std::thread runner([&] { other.run(); }); // returns when the handler has run
    REQUIRE(all.until([&] { return all.client->size() == 0 && !all.server.texts.empty(); }));
    const auto id = runner.get_id();
    runner.join();
    CHECK((ran_on == id && answer == "x"));
}

#if defined(ASIO_HAS_CO_AWAIT)
TEST_CASE("coroutines await answers, and get errors as exceptions", "[async_client]") {
    world all;
    std::string log;
    const auto talk = [&]() -> asio::awaitable<void> {
        co_await all.client->async_connect(asio::use_awaitable);
        log += co_await all.client->async_request("one ", asio::use_awaitable);
        log += co_await all.client->async_request(std::string("two "), deadline::in(20s), asio::use_awaitable);
        try {
            log += co_await all.client->async_request("keep", deadline::in(10ms), asio::use_awaitable);
        } catch (const std::system_error& failed) {
            log += failed.code() == errc::timed_out ? "late" : "wrong";
        }
    };
    int running = 50;
    for (int i = 0; i < 50; ++i)
        asio::co_spawn(all.context, talk(), [&](const std::exception_ptr& e) {
            CHECK_FALSE(e);
            --running;
        });
    REQUIRE(all.until([&] { return running == 0; }));
    CHECK(log.size() == 50 * 12);
    CHECK(log.find("wrong") == std::string::npos);
}
#endif
