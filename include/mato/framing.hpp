// SPDX-License-Identifier: MIT
/// @file framing.hpp: where one message ends and the next begins.
/// Layer: 2 (policy).  Test: test/toolkit/framing_test.cpp, test/fuzz/framing_fuzz.cpp.
/// Threads: distinct objects are independent.   Blocks: never. Pure: no descriptor.
///
/// The same bytes give the same frames however they are split. Memory follows what has arrived, never what was announced.
#pragma once

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

namespace mato {
inline namespace MATO_ABI {

inline namespace literals {
[[nodiscard]] constexpr std::size_t operator""_KiB(unsigned long long n) { return static_cast<std::size_t>(n) << 10; }
[[nodiscard]] constexpr std::size_t operator""_MiB(unsigned long long n) { return static_cast<std::size_t>(n) << 20; }
} // namespace literals

/// Bytes as they arrive and frames as they leave, in one buffer.
///
/// Use: `prepare` room, read into it, `commit` what came, take frames with `next`. A view from `next` dies at the following
/// `prepare` or `next`. `Split` finds one frame: see `length_prefixed::split`.
template <class Split> class frame_decoder {
public:
    /// Room for at least `size` bytes.
    [[nodiscard]] std::span<char> prepare(std::size_t size = 4096) {
        if (begin_ > 0) { // moved only when more is needed, so a large frame is not copied once per read
            std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
            end_ -= begin_;
            begin_ = 0;
        }
        if (buffer_.size() < end_ + size) buffer_.resize(end_ + size);
        return {buffer_.data() + end_, buffer_.size() - end_};
    }
    void commit(std::size_t size) noexcept { end_ += size; }

    /// The next whole frame's payload.
    /// @errors frame_too_large, malformed: the stream is lost, close it. Every later call says the same.
    [[nodiscard]] std::optional<std::string_view> next(error_out out) {
        const auto found = Split::split({buffer_.data() + begin_, end_ - begin_}, out);
        if (!found) {
            if (begin_ == end_) shrink();
            return std::nullopt;
        }
        begin_ += found->consumed;
        return found->payload;
    }

    [[nodiscard]] std::size_t buffered() const noexcept { return end_ - begin_; } ///< bytes not yet part of a taken frame

private:
    void shrink() { // an idle connection keeps one small buffer, whatever it once received
        begin_ = end_ = 0;
        if (buffer_.capacity() > keep_bytes) std::string().swap(buffer_);
    }
    static constexpr std::size_t keep_bytes = 64_KiB;

    std::string buffer_;
    std::size_t begin_ = 0, end_ = 0;
};

/// One frame found at the start of the buffered bytes.
struct frame_match {
    std::string_view payload;
    std::size_t consumed; ///< bytes of the buffer that the frame took, at least 1
};

/// What a frame is beside its payload: up to eight bytes before it, and text after it.
struct frame_ends {
    std::array<char, 8> head{};
    std::size_t head_size = 0;
    std::string_view tail{};

    [[nodiscard]] std::string_view before() const noexcept { return {head.data(), head_size}; }
};

/// A framing may also have `frame_ends ends(payload, error_out)`: then a payload that is stored once is copied once.
///
/// `max_frame_bytes` bounds a payload; `keeps_boundaries` is false where a frame may be cut anywhere.
template <class F> concept framing_policy = requires(std::string_view bytes, std::string& out, error_out why) {
    { F::max_frame_bytes } -> std::convertible_to<std::size_t>;
    { F::keeps_boundaries } -> std::convertible_to<bool>;
    { F::split(bytes, why) } -> std::same_as<std::optional<frame_match>>;
    { F::append(out, bytes, why) } -> std::same_as<void>;
};

/// The payload's length in bytes, little-endian, then the payload. An empty payload is a frame.
template <std::unsigned_integral Length = std::uint32_t, std::size_t Max = 1_MiB> struct length_prefixed {
    static_assert(Max <= std::numeric_limits<Length>::max(), "mato: this length type cannot express the largest frame");
    static constexpr std::size_t max_frame_bytes = Max;
    static constexpr bool keeps_boundaries = true;

    /// @errors frame_too_large, as soon as the prefix is whole.
    [[nodiscard]] static std::optional<frame_match> split(std::string_view bytes, error_out out) {
        if (bytes.size() < sizeof(Length)) return std::nullopt;
        std::uint64_t size = 0;
        for (std::size_t i = 0; i < sizeof(Length); ++i)
            size |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
        if (size > Max) return out.set(errc::frame_too_large, "read frame", {}, too_large(size)), std::nullopt;
        if (bytes.size() - sizeof(Length) < size) return std::nullopt;
        return frame_match{bytes.substr(sizeof(Length), static_cast<std::size_t>(size)),
                           sizeof(Length) + static_cast<std::size_t>(size)};
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

private:
    static frame_ends head_of(std::uint64_t size) {
        frame_ends its;
        its.head_size = sizeof(Length);
        if constexpr (std::endian::native ==
                      std::endian::little) // in one piece, as it is read: else the reader waits for memory
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
        return "a frame of " + std::to_string(size) + " bytes, the limit is " + std::to_string(Max);
    }
};

/// Text up to a newline, which is not part of the payload.
template <std::size_t Max = 64_KiB> struct line {
    static constexpr std::size_t max_frame_bytes = Max;
    static constexpr bool keeps_boundaries = true;

    /// @errors frame_too_large: `Max` bytes and no newline.
    [[nodiscard]] static std::optional<frame_match> split(std::string_view bytes, error_out out) {
        const auto end = bytes.substr(0, Max + 1).find('\n');
        if (end != std::string_view::npos) return frame_match{bytes.substr(0, end), end + 1};
        if (bytes.size() > Max)
            out.set(errc::frame_too_large, "read line", {}, "a line over " + std::to_string(Max) + " bytes");
        return std::nullopt;
    }
    /// @errors frame_too_large · malformed: a newline inside.
    [[nodiscard]] static frame_ends ends(std::string_view payload, error_out out) {
        if (payload.size() > Max)
            out.set(errc::frame_too_large, "write line");
        else if (payload.find('\n') != std::string_view::npos)
            out.set(errc::malformed, "write line", {}, "a newline inside a line");
        return {{}, 0, "\n"};
    }
    /// @errors as `ends`; then nothing is appended.
    static void append(std::string& to, std::string_view payload, error_out out) {
        const frame_ends its = ends(payload, out);
        if (!out.failed()) to.append(payload).append(its.tail);
    }
};

/// Bytes as they come: a frame is whatever one read brought.
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
