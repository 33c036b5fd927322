// SPDX-License-Identifier: MIT
/// @file correlation_test.cpp: how frames carry the number of their request.
#include <mato/correlation.hpp>

#include "support/catch.hpp"

using mato::answer_part;
using mato::numbered;

TEST_CASE("a request of in_order is the payload itself, and every frame is a complete answer", "[correlation]") {
    std::string room = "untouched";
    std::error_code why;
    CHECK(mato::in_order::request(room, 7, "what time is it") == "what time is it");
    CHECK(room == "untouched");
    const auto got = mato::in_order::read("noon", why);
    CHECK((!why && got.number == 0 && got.part == answer_part::last && got.body == "noon"));
}

TEST_CASE("a numbered frame has eight bytes of number, little-endian, and then the payload", "[correlation]") {
    std::string room;
    CHECK(numbered::request(room, 0x0102030405060708, "ab") == "\x08\x07\x06\x05\x04\x03\x02\x01"
                                                               "ab");
    for (const std::uint64_t number :
         {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 40, (std::uint64_t{1} << 63) - 1})
        for (const char* body : {"", "x", "a longer body"})
            for (const auto part : {answer_part::last, answer_part::more_follow}) {
                std::error_code why;
                const std::string frame = numbered::answer(number, body, part);
                const auto got = numbered::read(frame, why);
                CHECK((!why && got.number == number && got.body == body && got.part == part));
            }
}

TEST_CASE("a frame that is shorter than its number is malformed", "[correlation]") {
    for (std::size_t size = 0; size < 8; ++size) {
        std::error_code why;
        const auto got = numbered::read(std::string(size, '\x01'), why);
        CHECK((why == mato::errc::malformed && got.number == 0));
    }
}

TEST_CASE("the head of a numbered frame, followed by the payload, is the request or answer", "[correlation]") {
    std::string room;
    for (const std::uint64_t number :
         {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 40, (std::uint64_t{1} << 63) - 1}) {
        const auto head = mato::numbered::head(number);
        const std::string frame = std::string(std::string_view(head)) + "payload";
        CHECK(frame == mato::numbered::request(room, number, "payload"));
        CHECK(frame == mato::numbered::answer(number, "payload"));
    }
}
