// SPDX-License-Identifier: MIT
/// @file correlation.hpp: which request a frame from the server answers.
/// Layer: 2 (policy).  Test: test/toolkit/correlation_test.cpp.
/// Pure: no descriptor.   Threads: safe.   Blocks: never.
///
/// A client that has several requests in flight must match answers with requests. Both sides use the same policy; the server
/// calls `answer` to make its frames.
#pragma once

#include "error.hpp"

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace mato {
inline namespace MATO_ABI {

/// Whether more frames of the same answer follow. An answer of several frames is a stream.
enum class answer_part : unsigned char {
    last,        ///< the answer is complete
    more_follow, ///< this request gets further frames
};

/// A frame of the server, taken apart by a correlation policy. `body` is a view into the frame.
///
/// @threads a value.
/// @blocks never.
struct correlated_frame {
    std::uint64_t number = 0; ///< of the request that it answers; 0: it answers none
    answer_part part = answer_part::last;
    std::string_view body{};
};

/// `request` returns the payload of a request; it may build it in `room`, which it clears. Numbers are from 1 to
/// 2^63 - 1, and no number is used again soon. `read` takes a frame of the server apart. With `keeps_order`, answers come in
/// the order of the requests, and `read` need not know numbers.
template <class C>
concept correlation_policy = requires(std::string& room, std::uint64_t number, std::string_view bytes, error_out why) {
    { C::keeps_order } -> std::convertible_to<bool>;
    { C::request(room, number, bytes) } -> std::same_as<std::string_view>;
    { C::read(bytes, why) } -> std::same_as<correlated_frame>;
};

/// The server answers each request with one frame, in the order of the requests. The frames are the program's payloads.
///
/// The default correlation policy. It suits line protocols. The client keeps the place of a request that it gave up, until the
/// answer comes; so a server that never answers one request blocks the later ones. A frame that comes while no request is in
/// flight answers none.
///
/// @threads safe.
/// @blocks never.
struct in_order {
    static constexpr bool keeps_order = true;
    [[nodiscard]] static std::string_view request(std::string&, std::uint64_t, std::string_view payload) { return payload; }
    [[nodiscard]] static correlated_frame read(std::string_view frame, error_out) { return {0, answer_part::last, frame}; }
};

/// Each frame begins with the number of its request: eight bytes, little-endian. So answers come in any order, may consist of
/// several frames, and the server may send frames that answer no request.
///
/// The highest bit is set in a frame of an answer that is not its last one. 0 answers no request. The server returns the number
/// as it came: see `answer`.
///
/// @threads safe.
/// @blocks never.
///
/// @code
/// server.on.on_frame = [](const mato::server::session_ptr& session, std::string_view frame) {
///     session->established();
///     std::error_code malformed;
///     const auto asked = mato::numbered::read(frame, malformed);
///     session->send(mato::numbered::answer(asked.number, "the first part", mato::answer_part::more_follow));
///     session->send(mato::numbered::answer(asked.number, asked.body));
///     session->send(mato::numbered::answer(0, "an event for every client"));
/// };
/// @endcode
struct numbered {
    static constexpr bool keeps_order = false;
    static constexpr std::size_t head_bytes = 8;

    [[nodiscard]] static std::string_view request(std::string& room, std::uint64_t number, std::string_view payload) {
        put(room, number, payload);
        return room;
    }
    /// What precedes the payload in a request; in an answer with a number that `read` returned, too.
    struct head_of_frame {
        char bytes[head_bytes];
        operator std::string_view() const noexcept { return {bytes, head_bytes}; } // NOLINT(google-explicit-constructor)
    };
    [[nodiscard]] static head_of_frame head(std::uint64_t number) noexcept {
        number = little_endian(number);
        head_of_frame made;
        std::memcpy(made.bytes, &number, head_bytes);
        return made;
    }
    /// @errors malformed: the frame is shorter than a number.
    [[nodiscard]] static correlated_frame read(std::string_view frame, error_out out) {
        if (frame.size() < head_bytes) [[unlikely]] {
            out.set(errc::malformed, "read answer", {}, "the frame is shorter than its number");
            return {};
        }
        std::uint64_t head = 0;
        std::memcpy(&head, frame.data(), head_bytes);
        head = little_endian(head);
        return {head & ~more_bit, head & more_bit ? answer_part::more_follow : answer_part::last, frame.substr(head_bytes)};
    }
    /// For the server: the payload of a frame that answers request `number`; 0: of a frame that answers none.
    [[nodiscard]] static std::string answer(std::uint64_t number, std::string_view body, answer_part part = answer_part::last) {
        std::string frame;
        put(frame, part == answer_part::more_follow ? number | more_bit : number, body);
        return frame;
    }

private:
    static constexpr std::uint64_t more_bit = std::uint64_t{1} << 63;

    static constexpr std::uint64_t little_endian(std::uint64_t native) noexcept {
        if constexpr (std::endian::native == std::endian::little)
            return native;
        else
            return __builtin_bswap64(native);
    }
    static void put(std::string& to, std::uint64_t head, std::string_view body) {
        head = little_endian(head);
        to.clear();
        to.append(reinterpret_cast<const char*>(&head), head_bytes).append(body);
    }
};

static_assert(correlation_policy<in_order> && correlation_policy<numbered>);

} // namespace MATO_ABI
} // namespace mato
