// SPDX-License-Identifier: MIT
/// @file framing.hpp: splits a byte stream into messages.
/// Layer: 2 (policy).  Test: test/toolkit/framing_test.cpp, test/fuzz/framing_fuzz.cpp.
/// Threads: distinct objects are independent.   Blocks: never. Pure: no descriptor.
///
/// The same bytes give the same frames, no matter how reads split them. Memory grows with received bytes, not with the
/// announced length.
#pragma once

#include "detail/number_cast.hpp"
#include "error.hpp"

#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace mato {
inline namespace MATO_ABI {

inline namespace literals {
[[nodiscard]] constexpr std::size_t operator""_KiB(unsigned long long n) { return static_cast<std::size_t>(n) << 10; }
[[nodiscard]] constexpr std::size_t operator""_MiB(unsigned long long n) { return static_cast<std::size_t>(n) << 20; }
} // namespace literals

/// Buffers received bytes and returns complete frames.
///
/// Use: `prepare` room, read into it, `commit` the number of bytes read, take frames with `next`. A view from `next` is valid
/// until the following `prepare` or `next`. `Split` finds one frame: see `length_prefixed::split`.
///
/// @threads distinct objects are independent; one object, one thread.
/// @blocks never.
///
/// @code
/// std::string stream;
/// mato::failure why;
/// mato::line<>::append(stream, "first", why);
/// mato::line<>::append(stream, "second", why);
/// mato::frame_decoder<mato::line<>> decoder;
/// const auto room = decoder.prepare(stream.size());
/// stream.copy(room.data(), stream.size()); // usually read(2)
/// decoder.commit(stream.size());
/// int frames = 0;
/// while (const auto frame = decoder.next(why)) std::printf("%d: %s\n", ++frames, std::string(*frame).c_str());
/// @endcode
template <class Split> class frame_decoder {
public:
    /// Room for at least `size` bytes.
    [[nodiscard]] std::span<char> prepare(std::size_t size = 4096) {
        if (begin_ > 0) { // bytes are moved only when room is needed, so a large frame is not copied once per read
            std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
            end_ -= begin_;
            begin_ = 0;
        }
        if (buffer_.size() < end_ + size) buffer_.resize(end_ + size);
        return {buffer_.data() + end_, buffer_.size() - end_};
    }
    void commit(std::size_t size) noexcept { end_ += size; }

    /// The payload of the next complete frame.
    /// @errors frame_too_large, malformed: the stream cannot be continued, close it. Later calls report the same.
    [[nodiscard]] std::optional<std::string_view> next(error_out out) {
        const auto found = Split::split({buffer_.data() + begin_, end_ - begin_}, out);
        if (!found) {
            if (begin_ == end_) shrink();
            return std::nullopt;
        }
        begin_ += found->consumed;
        // Not copied as a whole: g++ would load in one piece what was just stored in two, which stalls for 3 ns.
        return std::optional<std::string_view>(std::in_place, found->payload.data(), found->payload.size());
    }

    [[nodiscard]] std::size_t buffered() const noexcept { return end_ - begin_; } ///< bytes not yet returned as frames

private:
    void shrink() { // an idle connection keeps only a small buffer
        begin_ = end_ = 0;
        if (buffer_.capacity() > keep_bytes) std::string().swap(buffer_);
    }
    static constexpr std::size_t keep_bytes = 64_KiB;

    std::string buffer_;
    std::size_t begin_ = 0, end_ = 0;
};

/// One frame found at the start of the buffered bytes.
///
/// The payload is a view into the buffer.
///
/// @threads a value.
/// @blocks never.
struct frame_match {
    std::string_view payload;
    std::size_t consumed; ///< bytes of the buffer that belong to the frame, at least 1
};

/// The parts of a frame around its payload: up to eight bytes before it, and text after it.
///
/// Returned by the `ends` function of a framing.
///
/// @threads a value.
/// @blocks never.
struct frame_ends {
    std::array<char, 8> head{};
    std::size_t head_size = 0;
    std::string_view tail{};

    [[nodiscard]] std::string_view before() const noexcept { return {head.data(), head_size}; }
};

/// A framing may also have `frame_ends ends(payload, error_out)`; a broadcast then copies the payload only once.
///
/// `max_frame_bytes` is the largest payload; `keeps_boundaries` is false if a frame may be split anywhere.
template <class F> concept framing_policy = requires(std::string_view bytes, std::string& out, error_out why) {
    { F::max_frame_bytes } -> std::convertible_to<std::size_t>;
    { F::keeps_boundaries } -> std::convertible_to<bool>;
    { F::split(bytes, why) } -> std::same_as<std::optional<frame_match>>;
    { F::append(out, bytes, why) } -> std::same_as<void>;
};

/// The payload's length in bytes, little-endian, then the payload. An empty payload is a frame.
/// The default framing. `Length` is the type of the prefix, `Max` the largest payload in bytes.
///
/// @threads safe.
/// @blocks never.
///
/// @code
/// struct short_frames : mato::default_policies {
///     using framing = mato::length_prefixed<std::uint16_t, 4096>; // two bytes of length, at most 4 KiB
/// };
/// @endcode
template <std::unsigned_integral Length = std::uint32_t, std::size_t Max = 1_MiB> struct length_prefixed {
    static_assert(Max <= std::numeric_limits<Length>::max(), "mato: this length type cannot express the largest frame");
    static constexpr std::size_t max_frame_bytes = Max;
    static constexpr bool keeps_boundaries = true;

    /// @errors frame_too_large, as soon as the length prefix is complete.
    [[nodiscard]] static std::optional<frame_match> split(std::string_view bytes, error_out out) {
        if (bytes.size() < sizeof(Length)) return std::nullopt;
        std::uint64_t size = 0;
        for (std::size_t i = 0; i < sizeof(Length); ++i)
            size |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
        if (size > Max) [[unlikely]] { // not out.fail: its result would lie in memory, also without a failure
            out.set(errc::frame_too_large, "read frame", {}, too_large(size));
            return std::nullopt;
        }
        if (bytes.size() - sizeof(Length) < size) return std::nullopt;
        return frame_match{bytes.substr(sizeof(Length), detail::size_cast(size)), sizeof(Length) + detail::size_cast(size)};
    }
    /// @errors frame_too_large.
    [[nodiscard]] static frame_ends ends(std::string_view payload, error_out out) {
        if (payload.size() > Max) [[unlikely]]
            return refused(payload.size(), out);
        return head_of(payload.size());
    }
    /// @errors frame_too_large; then nothing is appended.
    static void append(std::string& to, std::string_view payload, error_out out) {
        const frame_ends its = ends(payload, out);
        if (!out.failed()) to.append(its.before()).append(payload);
    }
    /// As `append`, for a payload in two parts.
    static void append(std::string& to, std::string_view head, std::string_view rest, error_out out) {
        if (rest.size() > Max || head.size() > Max - rest.size()) [[unlikely]]
            return static_cast<void>(refused(std::uint64_t{head.size()} + rest.size(), out));
        const frame_ends its = head_of(head.size() + rest.size());
        char both[sizeof its.head + most_joined]; // NOLINT: valid up to the size that is appended
        if (head.size() > most_joined) return static_cast<void>(to.append(its.before()).append(head).append(rest));
        std::memcpy(both, its.head.data(), sizeof its.head);
        head.copy(both + sizeof(Length), head.size());
        to.append(both, sizeof(Length) + head.size()).append(rest);
    }

private:
    static constexpr std::size_t most_joined = 16; // bytes of a head that are appended together with the length

    static frame_ends head_of(std::uint64_t size) {
        frame_ends its;
        its.head_size = sizeof(Length);
        if constexpr (std::endian::native ==
                      std::endian::little) // one store of the size that is loaded later: avoids a store-forwarding stall
            std::memcpy(its.head.data(), &size, sizeof size);
        else
            for (std::size_t i = 0; i < sizeof(Length); ++i) its.head[i] = static_cast<char>(size >> (8 * i) & 0xff);
        return its;
    }
    static frame_ends refused(std::uint64_t size, error_out out) {
        out.set(errc::frame_too_large, "write frame", {}, too_large(size));
        return {};
    }
    static std::string too_large(std::uint64_t size) {
        return "a frame has " + std::to_string(size) + " bytes, the limit is " + std::to_string(Max);
    }
};

/// Text up to a newline, which is not part of the payload.
///
/// For clients such as socat. `Max` is the longest line in bytes.
///
/// @threads safe.
/// @blocks never.
template <std::size_t Max = 64_KiB> struct line {
    static constexpr std::size_t max_frame_bytes = Max;
    static constexpr bool keeps_boundaries = true;

    /// @errors frame_too_large: `Max` bytes and no newline.
    [[nodiscard]] static std::optional<frame_match> split(std::string_view bytes, error_out out) {
        const auto end = bytes.substr(0, Max + 1).find('\n');
        if (end != std::string_view::npos) return frame_match{bytes.substr(0, end), end + 1};
        if (bytes.size() > Max)
            out.set(errc::frame_too_large, "read line", {}, "a line is longer than " + std::to_string(Max) + " bytes");
        return std::nullopt;
    }
    /// @errors frame_too_large · malformed: a newline inside.
    [[nodiscard]] static frame_ends ends(std::string_view payload, error_out out) {
        if (payload.size() > Max)
            out.set(errc::frame_too_large, "write line", {}, "it is longer than " + std::to_string(Max) + " bytes");
        else if (payload.find('\n') != std::string_view::npos)
            out.set(errc::malformed, "write line", {}, "the text contains a newline; send each line by itself");
        return {{}, 0, "\n"};
    }
    /// @errors as `ends`; then nothing is appended.
    static void append(std::string& to, std::string_view payload, error_out out) {
        const frame_ends its = ends(payload, out);
        if (!out.failed()) to.append(payload).append(its.tail);
    }
};

/// No framing: a frame is the bytes of one read.
///
/// Frames may be split and joined in transit, so a broadcast that drops frames refuses it.
///
/// @threads safe.
/// @blocks never.
struct raw {
    static constexpr std::size_t max_frame_bytes = 64_KiB;
    static constexpr bool keeps_boundaries = false;
    [[nodiscard]] static std::optional<frame_match> split(std::string_view bytes, error_out) {
        if (bytes.empty()) return std::nullopt;
        bytes = bytes.substr(0, max_frame_bytes);
        return frame_match{bytes, bytes.size()};
    }
    [[nodiscard]] static frame_ends ends(std::string_view, error_out) { return {}; }
    static void append(std::string& to, std::string_view payload, error_out) { to += payload; }
};

static_assert(framing_policy<length_prefixed<>> && framing_policy<line<>> && framing_policy<raw>);

} // namespace MATO_ABI
} // namespace mato
