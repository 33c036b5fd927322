// SPDX-License-Identifier: MIT
/// @file framing_test.cpp: the same bytes give the same frames, no matter how they are split.
#include <mato/framing.hpp>

#include "support/catch.hpp"
#include "support/replaced_new.hpp"

#include <cstdlib>
#include <new>
#include <random>
#include <string>
#include <vector>

using namespace mato::literals;

namespace {

std::size_t largest_allocation = 0; // of a single allocation, since it was last set to 0
const bool sees_allocations =
    (support::before_allocation = [](std::size_t size) { largest_allocation = std::max(largest_allocation, size); }) != nullptr;

using frames = std::vector<std::string>;
using u8 = mato::length_prefixed<std::uint8_t, 255>;
using u16 = mato::length_prefixed<std::uint16_t, 1000>;
using u32 = mato::length_prefixed<std::uint32_t, 1000>;
using text = mato::line<100>;

/// Every frame of `stream`, which arrives in pieces of the sizes returned by `piece`.
template <class Framing, class Piece> frames decode(std::string_view stream, Piece piece, std::error_code& why) {
    mato::frame_decoder<Framing> decoder;
    frames result;
    why.clear();
    while (!stream.empty() && !why) {
        const std::size_t size = std::min<std::size_t>(stream.size(), piece());
        const auto room = decoder.prepare(size);
        REQUIRE(room.size() >= size);
        stream.copy(room.data(), size);
        decoder.commit(size);
        stream.remove_prefix(size);
        while (const auto frame = decoder.next(why)) result.emplace_back(*frame);
    }
    return result;
}

template <class Framing> frames decode_whole(std::string_view stream, std::error_code& why) {
    return decode<Framing>(
        stream, [&] { return stream.size(); }, why);
}

/// Random payloads that the framing can carry, with its smallest and largest among them.
template <class Framing> frames payloads(std::mt19937& random) {
    frames result{"", "x", std::string(Framing::max_frame_bytes, 'm'), ""};
    std::uniform_int_distribution<int> byte(0, 255);
    for (int i = 0; i < 12; ++i) {
        std::string payload(random() % (Framing::max_frame_bytes + 1), '\0');
        for (char& c : payload) {
            c = static_cast<char>(byte(random));
            if (std::is_same_v<Framing, text> && c == '\n') c = ' ';
        }
        result.push_back(std::move(payload));
    }
    return result;
}

template <class Framing> std::string encode(const frames& all) {
    std::string stream;
    for (const auto& payload : all) {
        std::error_code why;
        Framing::append(stream, payload, why);
        REQUIRE_FALSE(why);
    }
    return stream;
}

} // namespace

TEMPLATE_TEST_CASE("appended frames are decoded, no matter how the stream is split", "[framing]", u8, u16, u32, text) {
    std::mt19937 random(1);
    for (int round = 0; round < 10; ++round) {
        const frames sent = payloads<TestType>(random);
        const std::string stream = encode<TestType>(sent);
        std::error_code why;
        REQUIRE(decode_whole<TestType>(stream, why) == sent);
        REQUIRE_FALSE(why);
        REQUIRE(decode<TestType>(
                    stream, [] { return 1; }, why) == sent);
        for (int split = 0; split < 10; ++split) {
            const std::size_t most = 1 + random() % 700;
            REQUIRE(decode<TestType>(
                        stream, [&] { return 1 + random() % most; }, why) == sent);
            REQUIRE_FALSE(why);
        }
    }
}

TEMPLATE_TEST_CASE("a stream split at any byte gives the same frames", "[framing]", u8, u16, u32, text) {
    const frames sent{"", "one", std::string(TestType::max_frame_bytes, 'm'), "", "end"};
    const std::string stream = encode<TestType>(sent);
    for (std::size_t cut = 1; cut < stream.size(); ++cut) {
        std::error_code why;
        bool first = true;
        const auto got = decode<TestType>(
            stream, [&] { return std::exchange(first, false) ? cut : stream.size(); }, why);
        REQUIRE(got == sent);
        REQUIRE_FALSE(why);
    }
}

TEMPLATE_TEST_CASE("random bytes give the same frames and the same error, no matter how they are split", "[framing]", u8, u16,
                   u32, text) {
    std::mt19937 random(2);
    for (int round = 0; round < 300; ++round) {
        std::string stream(random() % 2000, '\0');
        for (char& c : stream) c = static_cast<char>(random() % 8 == 0 ? random() : random() % 3);
        std::error_code whole_error, split_error;
        const auto whole = decode_whole<TestType>(stream, whole_error);
        REQUIRE(decode<TestType>(
                    stream, [&] { return 1 + random() % 50; }, split_error) == whole);
        REQUIRE(split_error == whole_error);
    }
}

TEST_CASE("raw bytes arrive complete and in order, in pieces of at most the limit", "[framing]") {
    std::mt19937 random(3);
    std::string stream(200'000, '\0');
    for (char& c : stream) c = static_cast<char>(random());
    for (const std::size_t most : {std::size_t{1000}, mato::raw::max_frame_bytes, stream.size()}) {
        std::error_code why;
        std::string joined;
        for (const auto& piece : decode<mato::raw>(
                 stream, [&] { return most; }, why)) {
            REQUIRE_FALSE(piece.empty());
            REQUIRE(piece.size() <= mato::raw::max_frame_bytes);
            joined += piece;
        }
        CHECK_FALSE(why);
        CHECK(joined == stream);
    }
    std::string out = "a";
    std::error_code why;
    mato::raw::append(out, "bc", why);
    CHECK(out == "abc");
}

TEST_CASE("lengths are little-endian, of the width of their type", "[framing]") {
    std::string wire;
    std::error_code why;
    u8::append(wire, "ab", why);
    u16::append(wire, "ab", why);
    u32::append(wire, "ab", why);
    u32::append(wire, std::string(0x102, 'x'), why);
    const std::string expected = std::string("\x02"
                                             "ab\x02\0ab\x02\0\0\0ab\x02\x01\0\0",
                                             17) +
                                 std::string(0x102, 'x');
    CHECK(wire == expected);
}

TEST_CASE("a line ends at its newline, which is not part of it; a carriage return is", "[framing]") {
    std::error_code why;
    CHECK(decode_whole<text>("one\n\ntwo\r\nrest", why) == frames{"one", "", "two\r"});
    CHECK_FALSE(why);
}

TEMPLATE_TEST_CASE("append refuses a payload above the limit, and appends nothing", "[framing]", u8, u16, u32, text) {
    std::string wire = "before";
    mato::failure why;
    TestType::append(wire, std::string(TestType::max_frame_bytes + 1, 'x'), why);
    CHECK(why.code == mato::errc::frame_too_large);
    CHECK(why.code == mato::cond::bad_input);
    CHECK(wire == "before");
    TestType::append(wire, std::string(TestType::max_frame_bytes, 'x'), why);
    CHECK_FALSE(why);
    CHECK(wire.size() > TestType::max_frame_bytes);
}

TEST_CASE("append refuses a newline inside a line as malformed, and appends nothing", "[framing]") {
    for (const char* bad : {"\n", "a\n", "\na", "a\nb"}) {
        std::string wire;
        std::error_code why;
        text::append(wire, bad, why);
        CHECK(why == mato::errc::malformed);
        CHECK(wire.empty());
    }
}

TEST_CASE("a length above the limit is refused as soon as it is complete, and reported", "[framing]") {
    mato::failure why;
    CHECK(u16::split(std::string_view("\xe8\x03", 2), why) == std::nullopt); // 1000: announced, not received yet
    CHECK_FALSE(why);
    CHECK_FALSE(u16::split("\xe9", why));
    CHECK_FALSE(why);
    CHECK_FALSE(u16::split("\xe9\x03", why));
    CHECK(why.code == mato::errc::frame_too_large);
    CHECK(why.message() == "read frame: a frame has 1001 bytes, the limit is 1000");
}

TEST_CASE("a length of 0xffffffff never allocates memory", "[framing]") {
    largest_allocation = 0;
    mato::frame_decoder<mato::length_prefixed<>> decoder;
    std::string_view("\xff\xff\xff\xff", 4).copy(decoder.prepare(4).data(), 4);
    decoder.commit(4);
    for (int again = 0; again < 3; ++again) {
        std::error_code why;
        CHECK_FALSE(decoder.next(why));
        CHECK(why == mato::errc::frame_too_large);
    }
    CHECK(decoder.buffered() == 4);
    CHECK(decoder.prepare(1).size() < 4_KiB);
    CHECK(largest_allocation < 4_KiB);
}

TEST_CASE("an allowed large length allocates no memory before its bytes arrive", "[framing]") {
    largest_allocation = 0;
    mato::frame_decoder<mato::length_prefixed<std::uint32_t, 0xffffffff>> decoder;
    std::string_view("\xff\xff\xff\xff", 4).copy(decoder.prepare(4).data(), 4);
    decoder.commit(4);
    std::error_code why;
    CHECK_FALSE(decoder.next(why));
    CHECK_FALSE(why);
    CHECK(decoder.prepare(4096).size() < 16_KiB);
    CHECK(largest_allocation < 16_KiB);
}

TEST_CASE("a line at the limit is a frame, one more byte is refused before its newline arrives", "[framing]") {
    std::error_code why;
    const std::string most(100, 'x');
    CHECK(decode_whole<text>(most, why).empty());
    CHECK_FALSE(why);
    CHECK(decode_whole<text>(most + "\n", why) == frames{most});
    CHECK_FALSE(why);
    CHECK(decode_whole<text>(most + "x", why).empty());
    CHECK(why == mato::errc::frame_too_large);
    CHECK(decode_whole<text>(most + "x\n", why).empty());
    CHECK(why == mato::errc::frame_too_large);
}

TEST_CASE("frames before a refused one are delivered", "[framing]") {
    std::error_code why;
    std::string wire;
    u16::append(wire, "good", why);
    wire += "\xff\xff";
    CHECK(decode_whole<u16>(wire, why) == frames{"good"});
    CHECK(why == mato::errc::frame_too_large);
}

TEST_CASE("an empty decoder returns nothing, and an idle connection keeps little memory", "[framing]") {
    mato::frame_decoder<mato::length_prefixed<>> decoder;
    std::error_code why;
    CHECK_FALSE(decoder.next(why));
    CHECK(decoder.buffered() == 0);
    std::string wire;
    mato::length_prefixed<>::append(wire, std::string(1_MiB, 'x'), why);
    wire.copy(decoder.prepare(wire.size()).data(), wire.size());
    decoder.commit(wire.size());
    CHECK(decoder.buffered() == wire.size());
    CHECK(decoder.next(why)->size() == 1_MiB);
    CHECK(decoder.buffered() == 0);
    CHECK_FALSE(decoder.next(why));
    CHECK_FALSE(why);
    CHECK(decoder.prepare(100).size() <= 64_KiB);
}

TEST_CASE("prepare returns at least the requested room, whatever is buffered", "[framing]") {
    mato::frame_decoder<u32> decoder;
    std::error_code why;
    for (std::size_t size = 0; size < 300; ++size) {
        const auto room = decoder.prepare(size);
        REQUIRE(room.size() >= size);
        std::fill(room.begin(), room.begin() + static_cast<std::ptrdiff_t>(size), '\0');
        decoder.commit(size);
        while (decoder.next(why)) {
        }
        REQUIRE_FALSE(why);
        REQUIRE(decoder.buffered() < 4);
    }
}

TEST_CASE("sizes in KiB and MiB", "[framing]") {
    static_assert(1_KiB == 1024 && 1_MiB == 1024 * 1024 && 0_MiB == 0);
    static_assert(mato::length_prefixed<>::max_frame_bytes == 1_MiB);
    static_assert(mato::length_prefixed<>::keeps_boundaries && mato::line<>::keeps_boundaries && !mato::raw::keeps_boundaries);
}

TEST_CASE("a payload in two parts is encoded as the joined one, up to the same limit", "[framing]") {
    using small = mato::length_prefixed<std::uint16_t, 10>;
    for (std::size_t size = 0; size <= 12; ++size)
        for (std::size_t head = 0; head <= size; ++head) {
            const std::string payload(size, 'p');
            std::string joined = "x", parts = "x";
            mato::failure of_joined, of_parts;
            small::append(joined, payload, of_joined);
            small::append(parts, std::string_view(payload).substr(0, head), std::string_view(payload).substr(head), of_parts);
            CHECK(parts == joined);
            CHECK((of_parts.code == of_joined.code && of_parts.message() == of_joined.message()));
        }
}
