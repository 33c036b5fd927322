// SPDX-License-Identifier: MIT
/// @file completion_test.cpp: a completion handler of any size is called once, or destroyed, and its memory is freed before.
#include <mato/async_client.hpp>

#include "support/catch.hpp"
#include "support/io_loop.hpp"

#include <array>
#include <memory>
#include <optional>
#include <string>

using mato::detail::completes_with;
using mato::detail::completion;

namespace {

/// What happened to the handlers of a test.
struct record {
    int calls = 0, alive = 0, allocated = 0;
    std::string answer;
    std::error_code why;
};

/// Counts its living copies. `Extra` bytes decide whether it is stored in place.
template <std::size_t Extra, bool MovesWithoutThrowing = true> struct counted {
    explicit counted(record& what) : all(&what) { ++all->alive; }
    counted(counted&& other) noexcept(MovesWithoutThrowing) : all(other.all) { ++all->alive; }
    counted(const counted&) = delete;
    ~counted() { --all->alive; }
    void operator()(const std::error_code& why, std::string answer) {
        ++all->calls;
        all->why = why;
        all->answer = std::move(answer);
    }
    record* all;
    std::array<char, Extra> extra{};
};

/// An allocator that counts what it has handed out.
template <class T> struct counting_allocator {
    using value_type = T;
    explicit counting_allocator(record& what) : all(&what) {}
    template <class U> counting_allocator(const counting_allocator<U>& other) : all(other.all) {} // NOLINT
    T* allocate(std::size_t count) {
        ++all->allocated;
        return std::allocator<T>().allocate(count);
    }
    void deallocate(T* what, std::size_t count) {
        --all->allocated;
        std::allocator<T>().deallocate(what, count);
    }
    template <class U> bool operator==(const counting_allocator<U>& other) const { return all == other.all; }
    record* all;
};

/// A large handler with an allocator of its own.
struct with_allocator : counted<200> {
    using counted<200>::counted;
    using allocator_type = counting_allocator<char>;
    [[nodiscard]] allocator_type get_allocator() const { return allocator_type(*all); }
};

template <class Handler> completion made(asio::io_context& loop, record& all) {
    return completion::of<completes_with::code_and_answer>(loop, Handler(all));
}

template <class Handler> void check_handler() {
    asio::io_context loop;
    record all;
    {
        completion one = made<Handler>(loop, all);
        completion other = std::move(one);
        CHECK((other && !one && all.alive == 1));
        one = std::move(other);
        std::move(one).run("answer");
        CHECK((!one && all.alive == 0 && all.calls == 1 && !all.why && all.answer == "answer"));

        std::vector<completion> many; // grows: each is moved several times
        for (int i = 0; i < 20; ++i) many.push_back(made<Handler>(loop, all));
        CHECK(all.alive == 20);
        for (auto& each : many) std::move(each).run("again");
        CHECK((all.alive == 0 && all.calls == 21));

        one = made<Handler>(loop, all);
        one = made<Handler>(loop, all); // the first one is destroyed without a call
        CHECK((all.alive == 1 && all.calls == 21));
        std::move(one).post(loop, std::make_error_code(std::errc::timed_out));
        CHECK(all.calls == 21); // not inside the call
        support::run_ready(loop);
        CHECK((all.calls == 22 && all.alive == 0 && all.why == std::errc::timed_out && all.answer.empty()));
        one = made<Handler>(loop, all);
    }
    CHECK((all.alive == 0 && all.calls == 22 && all.allocated == 0));
}

} // namespace

TEST_CASE("a completion handler is called once or destroyed, whether it is stored in place or not", "[completion]") {
    check_handler<counted<1>>();
    check_handler<counted<40>>();
    check_handler<counted<41>>();
    check_handler<counted<500>>();
    check_handler<counted<1, false>>();
    check_handler<with_allocator>();
}

TEST_CASE("a large completion handler uses its associated allocator, and is freed before it is called", "[completion]") {
    asio::io_context loop;
    record all;
    completion one = made<with_allocator>(loop, all);
    CHECK(all.allocated == 1);
    completion moved = std::move(one);
    CHECK(all.allocated == 1);
    std::move(moved).run("answer");
    CHECK((all.allocated == 0 && all.calls == 1));
}

TEST_CASE("a completion handler may complete, destroy or replace others, also the object it was in", "[completion]") {
    asio::io_context loop;
    std::optional<completion> place;
    std::string seen;
    place.emplace(completion::of<completes_with::code_and_answer>(loop, [&](std::error_code, const std::string& first) {
        seen += first;
        place.emplace(completion::of<completes_with::code_and_answer>(
            loop, [&seen](std::error_code, const std::string& second) { seen += second; }));
        std::move(*place).run(" second");
        place.reset();
        seen += first; // its captures are still there
    }));
    std::move(*place).run("first");
    CHECK(seen == "first secondfirst");
}

TEST_CASE("an exception from a completion handler passes through, and nothing is left", "[completion]") {
    asio::io_context loop;
    const auto witness = std::make_shared<int>(0);
    completion one = completion::of<completes_with::code_and_answer>(
        loop, [witness, extra = std::array<char, 100>{}](std::error_code, const std::string&) {
            static_cast<void>(extra);
            throw std::runtime_error("no");
        });
    CHECK_THROWS_AS(std::move(one).run("answer"), std::runtime_error);
    CHECK(witness.use_count() == 1);
}
