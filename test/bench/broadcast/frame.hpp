// SPDX-License-Identifier: MIT
/// @file frame.hpp: the broadcast frames: every byte follows from the sequence number, so that receivers can check it.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <string_view>

namespace bench {

/// The head of a frame.
struct frame_head {
    std::uint64_t sequence; ///< from 1; with `snapshot_mark`: of the first frame that the snapshot does not include
    std::uint64_t due;      ///< when it was due to be published, ns of the steady clock
};
inline constexpr std::uint64_t snapshot_mark = std::uint64_t{1} << 63;

/// Eight bodies, used in turn: few enough to stay in the cache, so that only the broadcast is measured.
class frame_maker {
public:
    explicit frame_maker(std::size_t bytes) {
        std::mt19937_64 random(7);
        for (std::string& body : bodies_)
            for (body.resize(bytes); char& each : body) each = static_cast<char>(random());
    }
    /// Valid until the eighth call after this one.
    [[nodiscard]] std::string_view make(std::uint64_t sequence, std::uint64_t due = 0) {
        std::string& body = bodies_[sequence % bodies_.size()];
        const frame_head head{sequence, due};
        std::memcpy(body.data(), &head, sizeof head);
        return body;
    }
    /// Whether `payload`, after its head, is the result of `make` for that number.
    [[nodiscard]] bool is_right(std::uint64_t sequence, std::string_view payload) const {
        const std::string& body = bodies_[sequence % bodies_.size()];
        return payload.size() == body.size() &&
               std::memcmp(payload.data() + sizeof(frame_head), body.data() + sizeof(frame_head),
                           body.size() - sizeof(frame_head)) == 0;
    }

private:
    std::array<std::string, 8> bodies_;
};

} // namespace bench
