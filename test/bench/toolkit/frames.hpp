// SPDX-License-Identifier: MIT
/// @file frames.hpp: encoding and decoding frames, compared with memcpy.
#pragma once

#include "common.hpp"

#include <cstring>
#include <string>

namespace bench {

inline constexpr std::size_t frame_bytes = 1024, frames_a_round = 32;

inline void encode_toolkit(State& state) {
    const std::string payload(frame_bytes, 'x');
    std::string out;
    for (auto _ : state) {
        out.clear();
        std::error_code why;
        for (std::size_t i = 0; i < frames_a_round; ++i) mato::length_prefixed<>::append(out, payload, why);
        benchmark::DoNotOptimize(out.data());
    }
}
inline void encode_bare(State& state) {
    const std::string payload(frame_bytes, 'x');
    std::string out(frames_a_round * (frame_bytes + 4), '\0');
    for (auto _ : state) {
        char* to = out.data();
        for (std::size_t i = 0; i < frames_a_round; ++i, to += frame_bytes + 4) {
            const auto size = static_cast<std::uint32_t>(payload.size());
            std::memcpy(to, &size, 4);
            std::memcpy(to + 4, payload.data(), payload.size());
        }
        benchmark::DoNotOptimize(out.data());
    }
}
inline std::string encoded() {
    std::string out;
    std::error_code why;
    for (std::size_t i = 0; i < frames_a_round; ++i) mato::length_prefixed<>::append(out, std::string(frame_bytes, 'x'), why);
    return out;
}
inline void decode_toolkit(State& state) {
    const std::string bytes = encoded();
    mato::frame_decoder<mato::length_prefixed<>> decoder;
    for (auto _ : state) {
        std::memcpy(decoder.prepare(bytes.size()).data(), bytes.data(), bytes.size());
        decoder.commit(bytes.size());
        std::error_code why;
        while (const auto frame = decoder.next(why)) benchmark::DoNotOptimize(frame->data());
    }
}
inline void decode_bare(State& state) {
    const std::string bytes = encoded();
    std::string buffer(bytes.size(), '\0');
    for (auto _ : state) {
        std::memcpy(buffer.data(), bytes.data(), bytes.size());
        for (std::size_t at = 0; at + 4 <= buffer.size();) {
            std::uint32_t size = 0;
            std::memcpy(&size, buffer.data() + at, 4);
            const char* payload = buffer.data() + at + 4;
            benchmark::DoNotOptimize(payload);
            at += 4 + size;
        }
    }
}

} // namespace bench
