// SPDX-License-Identifier: MIT
/// @file callback_test.cpp: replacing a callback while it runs, and exceptions from it.
#include <mato/callback.hpp>

#include "support/catch.hpp"

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

using mato::callback;

namespace {

/// Records its destruction.
struct witness {
    explicit witness(bool& gone) : gone_(gone) {}
    witness(const witness&) = delete;
    ~witness() { gone_ = true; }
    bool& gone_;
};

} // namespace

TEST_CASE("a callback calls its function with arguments and returns the result", "[callback]") {
    int calls = 0;
    callback<std::string(int, std::string)> twice = [&](int count, const std::string& text) {
        ++calls;
        return std::to_string(count) + text;
    };
    CHECK(twice(2, "x") == "2x");
    const auto copy = twice;
    CHECK(copy(3, "y") == "3y");
    CHECK(calls == 2);
    const auto moved = std::move(twice);
    CHECK(moved);
    CHECK_FALSE(twice);
}

TEST_CASE("several functions of one event are called in the order in which they were added", "[callback]") {
    std::string calls;
    callback<void(int, const std::string&, std::string_view)> event;
    event.add({}); // no function: no effect
    CHECK_FALSE(event);
    for (const char name : {'a', 'b', 'c'})
        event.add([&calls, name](int count, const std::string& text, std::string_view view) {
            calls += name + std::to_string(count) + text + std::string(view) + " ";
        });
    event.add(nullptr);
    event(1, "x", "y");
    CHECK(calls == "a1xy b1xy c1xy ");
    const auto copy = event;
    calls.clear();
    event = [&](int, const std::string&, std::string_view) { calls += "alone"; };
    event(2, "", "");
    CHECK(calls == "alone");
    copy(3, "", "");
    CHECK(calls == "alonea3 b3 c3 ");
}

TEST_CASE("functions may be added and cleared while the event runs, and an exception ends the call", "[callback]") {
    std::string calls;
    callback<void()> event = [&] {
        calls += "1";
        event.add([&] { calls += "late"; });
    };
    event.add([&] {
        calls += "2";
        event = {};
    });
    event();
    CHECK(calls == "12"); // what is added takes part in the next call
    CHECK_FALSE(event);
    callback<void()> throws = [&] { throw std::runtime_error("first"); };
    throws.add([&] { calls += "not reached"; });
    CHECK_THROWS_AS(throws(), std::runtime_error);
    CHECK(calls == "12");
}

TEST_CASE("a callback made from an empty function, a null pointer or nothing is empty", "[callback]") {
    CHECK_FALSE(callback<void()>());
    CHECK_FALSE(callback<void()>(nullptr));
    CHECK_FALSE(callback<void()>(std::function<void()>()));
    CHECK_FALSE(callback<void()>(static_cast<void (*)()>(nullptr)));
    CHECK_THROWS_AS(callback<void()>()(), std::bad_function_call);
}

TEST_CASE("a callback that is replaced, cleared or destroyed while it runs lives to its end", "[callback]") {
    const int how = GENERATE(0, 1, 2);
    bool gone = false, gone_inside = true;
    auto owner = std::make_unique<callback<void()>>();
    *owner = [&, held = std::make_shared<witness>(gone)] {
        if (how == 0) *owner = [] {};
        if (how == 1) *owner = {};
        if (how == 2) owner.reset();
        gone_inside = gone;
        CHECK(held);
    };
    (*owner)();
    CHECK_FALSE(gone_inside);
    CHECK(gone);
}

TEST_CASE("a guard reports an exception once, however deep the calls are nested", "[callback]") {
    mato::detail::exception_guard guard;
    std::vector<std::string> told;
    const auto tell = [&](const char* which) { return [&told, which] { told.emplace_back(which); }; };
    guard([&] { guard([] { throw 5; }, tell("inner")); }, tell("outer"));
    CHECK(told == std::vector<std::string>{"inner"});
    guard([&] { throw 5; }, tell("outer"));
    CHECK(told.size() == 2);
}

TEST_CASE("an exception that the report passes on is not reported again, and the next one is", "[callback]") {
    mato::detail::exception_guard guard;
    int told = 0;
    const auto hand_on = [&] {
        ++told;
        throw;
    };
    const auto nested = [&] { guard([&] { guard([] { throw std::runtime_error("x"); }, hand_on); }, [&] { told += 100; }); };
    CHECK_THROWS_AS(nested(), std::runtime_error);
    CHECK(told == 1);
    CHECK_THROWS_AS(nested(), std::runtime_error);
    CHECK(told == 2);
    guard([] { throw 5; }, [&] { ++told; });
    CHECK(told == 3);
}

TEST_CASE("a callback takes functions that cannot be copied, and treats a wrapper without a function as none", "[callback]") {
    callback<int()> moved_in = [owned = std::make_unique<int>(7)] { return *owned; };
    const auto copy = moved_in; // they share the function
    CHECK((moved_in() == 7 && copy() == 7));
    int (*no_pointer)() = nullptr;
    CHECK_FALSE(callback<int()>(no_pointer));
    CHECK_FALSE(callback<int()>(std::function<int()>()));
    CHECK_FALSE(callback<long()>(callback<int()>()));
    CHECK(callback<long()>(moved_in)() == 7);
    CHECK(callback<int()>(std::function<int()>([] { return 8; }))() == 8);
    CHECK_THROWS_AS(callback<int()>()(), std::bad_function_call);
    struct number {
        int value = 3;
        [[nodiscard]] int get() const { return value; }
    };
    const number three;
    CHECK(callback<int(const number&)>(&number::get)(three) == 3);
    CHECK(callback<int(const number&)>(&number::value)(three) == 3);
    callback<void()> ignores_the_result = [] { return 5; };
    ignores_the_result();
}
