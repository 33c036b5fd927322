// SPDX-License-Identifier: MIT
/// @file keeper_message_fuzz.cpp: what a worker says, forged: refused, or applied within bounds, and never a crash.
///
/// Input: messages of 129 bytes: how many descriptors come along (0 to 3), then the message. The last one may be shorter.
#include <mato/kept.hpp>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

namespace {
void require(bool fact) {
    if (!fact) std::abort();
}
} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr std::size_t unit = mato::detail::keeper_message::bytes + 1, most_messages = 64;
    static const int null = mato::sys::open("/dev/null", O_RDONLY);
    mato::detail::kept_table table;
    for (std::size_t at = 0, count = 0; at < size && count < most_messages; at += unit, ++count) {
        std::vector<mato::unique_fd> descriptors;
        for (int i = data[at] % 4; i > 0; --i) descriptors.emplace_back(mato::sys::fcntl(null, F_DUPFD_CLOEXEC, 3));
        const std::size_t rest = size - at - 1;
        const std::string bytes(reinterpret_cast<const char*>(data) + at + 1, rest < unit - 1 ? rest : unit - 1);
        const auto message = mato::detail::keeper_message::decode(bytes);
        if (!message) continue;
        const auto again = message->encode(); // what is accepted is exactly what is written
        require(bytes == std::string(again.data(), again.size()));
        const bool is_provisional = (data[at] & 4) != 0; // as of a program that has not taken over
        const int why = is_provisional ? table.apply_provisionally(*message, descriptors) : table.apply(*message, descriptors);
        require(why >= 0 && why < 4096);
        if (is_provisional) continue;
        using word = mato::detail::keeper_word;
        if (why == 0 && message->word == word::keep) {
            const auto& record = table.records()[message->slot];
            require(record.name == message->name && record.child == static_cast<pid_t>(message->a));
            require(static_cast<bool>(record.descriptor) == (message->b != mato::detail::keep_no_descriptor));
            if (record.child > 0) require(table.ended(record.child, 0) && !table.empty());
        }
        require(table.records().size() <= mato::detail::keeper_message::most_slots);
    }
    table.resolve(size % 2 == 0);
    std::size_t used = 0;
    for (const auto& each : table.records()) used += each.name.empty() ? 0 : 1;
    require(table.empty() == (used == 0));
    return 0;
}
