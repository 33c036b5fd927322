// SPDX-License-Identifier: MIT
/// @file framing_fuzz.cpp: any bytes in any pieces give the same frames, and memory only for received bytes.
///
/// Input: one byte chooses the framing, one gives the number of split bytes, each of those the size of a piece less one
/// (used in turn, for ever); the rest is the stream.
#include <mato/framing.hpp>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

void require(bool fact) {
    if (!fact) std::abort();
}

/// The frames, each followed by a mark, then the error's number.
template <class Framing> std::pair<std::vector<std::string>, int> decode(std::string_view stream, std::string_view splits) {
    mato::frame_decoder<Framing> decoder;
    std::vector<std::string> frames;
    std::error_code why;
    for (std::size_t turn = 0; !stream.empty() && !why; ++turn) {
        const std::size_t wanted =
            splits.empty() ? stream.size() : 1u + static_cast<unsigned char>(splits[turn % splits.size()]);
        const std::size_t size = std::min(wanted, stream.size());
        const auto room = decoder.prepare(size);
        require(room.size() >= size);
        require(room.size() <=
                2 * (size + decoder.buffered()) + 128 * 1024); // limited by received bytes, not by the announced length
        stream.copy(room.data(), size);
        decoder.commit(size);
        stream.remove_prefix(size);
        while (const auto frame = decoder.next(why)) {
            require(frame->size() <= Framing::max_frame_bytes);
            frames.emplace_back(*frame);
        }
        std::error_code again;
        require(!decoder.next(again) && again == why); // the same result until more arrives
    }
    return {std::move(frames), why.value()};
}

template <class Framing> void check(std::string_view stream, std::string_view splits) {
    const auto whole = decode<Framing>(stream, {});
    const auto pieces = decode<Framing>(stream, splits);
    if constexpr (Framing::keeps_boundaries) {
        require(whole == pieces);
        std::string again; // a decoded frame encodes to the same bytes
        for (const auto& frame : whole.first) {
            std::error_code why;
            Framing::append(again, frame, why);
            require(!why);
        }
        require(stream.substr(0, again.size()) == again);
    } else {
        std::string one, other;
        for (const auto& frame : whole.first) one += frame;
        for (const auto& frame : pieces.first) other += frame;
        require(one == stream && other == stream);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view input(reinterpret_cast<const char*>(data), size);
    if (input.size() < 2) return 0;
    const int framing = static_cast<unsigned char>(input[0]) % 7;
    const std::size_t count = static_cast<unsigned char>(input[1]) % 16;
    const auto splits = input.substr(2, count);
    const auto stream = input.substr(std::min(2 + count, input.size()));
    switch (framing) {
    case 0: check<mato::length_prefixed<>>(stream, splits); break;
    case 1: check<mato::length_prefixed<std::uint8_t, 255>>(stream, splits); break;
    case 2: check<mato::length_prefixed<std::uint16_t, 300>>(stream, splits); break;
    case 3: check<mato::length_prefixed<std::uint32_t, 0xffffffff>>(stream, splits); break;
    case 4: check<mato::line<40>>(stream, splits); break;
    case 5: check<mato::line<>>(stream, splits); break;
    default: check<mato::raw>(stream, splits); break;
    }
    return 0;
}
