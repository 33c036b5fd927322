// SPDX-License-Identifier: MIT
/// @file two_slots_fuzz.cpp: forged memory is refused, or has a state within its bounds.
///
/// Input: one byte, odd to correct the checksums of both slots, so that the code after the check is reached; then the
/// memory. Bytes after the last multiple of 8 are ignored.
#include <mato/two_slots.hpp>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {
void require(bool fact) {
    if (!fact) std::abort();
}

void correct_checksums(std::span<char> memory) {
    if (memory.size() < mato::two_slots<>::memory_for(1)) return;
    const auto capacity = mato::detail::load_number<std::uint64_t>(memory.data() + 16);
    for (std::uint64_t slot = 0; slot < 2; ++slot) {
        if (capacity > memory.size()) return;
        const std::size_t at = 128 + static_cast<std::size_t>(slot * (64 + capacity));
        if (at + 64 > memory.size()) return;
        const auto size = mato::detail::load_number<std::uint64_t>(memory.data() + at + 8);
        if (size > memory.size() - at - 64) continue;
        const auto sum = mato::detail::crc32c({memory.data() + at + 64, static_cast<std::size_t>(size)},
                                              mato::detail::crc32c({memory.data() + at, 24}));
        mato::detail::store_number(memory.data() + at + 24, sum);
    }
}
} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    std::vector<std::uint64_t> words((size - 1) / 8); // exactly this size, so that access after it is detected
    if (!words.empty()) std::memcpy(words.data(), data + 1, words.size() * 8);
    const std::span<char> memory(reinterpret_cast<char*>(words.data()), words.size() * 8);
    if (data[0] % 2 == 1) correct_checksums(memory);
    mato::failure why;
    auto slots = mato::two_slots<>::adopt(memory, why);
    if (why) {
        require(slots.newest().empty() && slots.capacity() == 0 && !slots.publish("", why));
        return 0;
    }
    std::uint64_t sum = 0; // every byte can be read
    for (const char each : slots.newest()) sum += static_cast<unsigned char>(each);
    require(slots.newest().size() <= slots.capacity() && sum <= slots.capacity() * 255);
    for (std::uint64_t turn = 1; turn < 4 && slots.generation() < std::uint64_t{1} << 62; ++turn) { // not up to the last number
        const std::string state(slots.capacity(), static_cast<char>(turn));
        const std::uint64_t before = slots.generation();
        require(slots.publish(state, turn, why) && slots.newest() == state);
        slots = mato::two_slots<>::adopt(memory, why); // its own memory is accepted
        require(!why && slots.newest() == state && slots.position() == turn && slots.generation() == before + 1);
    }
    return 0;
}
