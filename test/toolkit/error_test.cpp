// SPDX-License-Identifier: MIT
/// @file error_test.cpp: codes, conditions, and failures with their context.
#include <mato/error.hpp>

#include "support/catch.hpp"

#include <memory>
#include <optional>

TEST_CASE("a failure's message names step, path and reason", "[error]") {
    mato::failure why{{EACCES, std::system_category()}, "bind", "/run/x"};
    CHECK(why.message() == "bind /run/x: Permission denied");
    why.detail = "because";
    CHECK(why.message() == "bind /run/x: because");
    CHECK(mato::failure{mato::errc::busy, {}, {}, {}}.message() == "busy");
}

TEST_CASE("conditions group the codes of different layers", "[error]") {
    const auto os = [](int number) { return std::error_code(number, std::system_category()); };
    CHECK(os(ENOENT) == mato::cond::not_running);
    CHECK(os(ECONNREFUSED) == mato::cond::not_running);
    CHECK(make_error_code(mato::errc::not_running) == mato::cond::not_running);
    CHECK(os(ENOBUFS) == mato::cond::busy);
    CHECK(os(EAGAIN) == mato::cond::transient);
    CHECK(os(EACCES) == mato::cond::not_permitted);
    CHECK(make_error_code(mato::errc::unsafe_directory) == mato::cond::not_permitted);
    CHECK(make_error_code(mato::errc::invalid_config) == mato::cond::bad_input);
    CHECK(os(EACCES) != mato::cond::transient);
    CHECK(std::error_code(EACCES, mato::mato_category()) != mato::cond::not_permitted);
}

TEST_CASE("every code and condition has its own text", "[error]") {
    for (int value = 1; value <= static_cast<int>(mato::errc::stopping); ++value)
        CHECK(mato::mato_category().message(value).find("unknown") == std::string::npos);
    for (int value = 1; value <= static_cast<int>(mato::cond::bad_input); ++value)
        CHECK(mato::cond_category().message(value).find("unknown") == std::string::npos);
    CHECK(mato::mato_category().message(999) == "unknown error 999");
    CHECK(mato::cond_category().message(999) == "unknown condition 999");
}

TEST_CASE("one reporting form serves error_code and failure, and clears both first", "[error]") {
    const auto fails = [](mato::error_out out) { out.set(mato::errc::busy, "ask", "/p", "later"); };
    const auto works = [](mato::error_out) {};
    std::error_code code;
    fails(code);
    CHECK(code == mato::errc::busy);
    works(code);
    CHECK_FALSE(code);
    mato::failure why;
    fails(why);
    CHECK(why.step == "ask");
    CHECK(why.path == "/p");
    CHECK(why.detail == "later");
    works(why);
    CHECK_FALSE(why);
}

TEST_CASE("first_failure keeps the first failure, and each call sees only its own", "[error]") {
    std::string seen;
    const auto ask = [&](const char* step, bool works, mato::error_out out) {
        if (!works) out.set(mato::errc::busy, step, "/p", "later");
        seen += out.failed() ? '-' : '+';
    };
    mato::first_failure any;
    ask("a", true, any);
    CHECK_FALSE(any);
    CHECK_FALSE(any.why());
    ask("b", false, any);
    CHECK(any.message() == "b /p: later");
    ask("c", true, any);
    ask("d", false, any);
    ask("e", true, any);
    CHECK(any);
    CHECK(any.why().step == "b");
    CHECK(seen == "+-+-+");
    any.clear();
    CHECK_FALSE(any);
    for (const bool works : {false, true, false}) { // a loop that reuses it begins again
        any.clear();
        ask("f", works, any);
        CHECK(static_cast<bool>(any) != works);
    }
    const auto nested = [&](mato::error_out out) {
        ask("g", false, out); // the inner call's failure is the outer one's
        return out.failed();
    };
    CHECK(nested(any));
    const auto retried = [&](mato::error_out out) {
        mato::failure why;
        ask("h", false, why);
        ask("h", true, why);
        if (why) out.set(why);
        return !out.failed();
    };
    CHECK(retried(any));
    CHECK(any.why().step == "f");
}

TEST_CASE("a function reports an error and returns an empty result in one statement", "[error]") {
    const auto number = [](mato::error_out out) {
        return out.fail<std::optional<int>>(mato::errc::busy, "ask", "/p", "later");
    };
    const auto same = [](mato::failure first, mato::error_out out) { return out.fail<std::unique_ptr<int>>(first); };
    mato::failure why;
    CHECK_FALSE(number(why).has_value()); // not an optional that has 0
    CHECK(why.message() == "ask /p: later");
    mato::failure again;
    CHECK(same(why, again) == nullptr);
    CHECK(again.message() == "ask /p: later");
    std::error_code code;
    CHECK_FALSE(number(code).has_value());
    CHECK(code == mato::errc::busy);
}

TEST_CASE("the throwing form carries the complete failure", "[error]") {
    try {
        mato::or_throw([](mato::failure& why) { why = {mato::errc::busy, "ask", "/p", "later"}; });
        FAIL("no error was thrown");
    } catch (const mato::error& thrown) {
        CHECK(thrown.code() == mato::cond::busy);
        CHECK(std::string(thrown.what()) == "ask /p: later");
        CHECK(thrown.why().path == "/p");
    }
    CHECK(mato::or_throw([](mato::failure&) { return 7; }) == 7);
}
