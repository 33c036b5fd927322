// SPDX-License-Identifier: MIT
/// @file tab_store_fuzz.cpp: a tab's memory file that is forged or damaged is refused, or is a valid terminal that goes on.
///
/// Input: one byte, then
///   even: the file itself, of 64 KiB, from its beginning on; with bit 1 the checksums of its slots are corrected
///   odd:  damage to a file that a tab has left: pieces of {1: where, 3: how far after that, 1: bytes, those bytes}. Where:
///   the
///         head, the slots, the newest checkpoint, the journal, the blocks. Bits 1 and 2: which tab. Bit 3: the checksum of the
///         newest checkpoint is corrected. Bits 4 and 5: the signal that ended the process before.
#include "tab/tab_store.hpp"

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace {

using namespace mux;

void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "does not hold: %s\n", what);
    std::abort();
}
#define REQUIRE_THAT_HOLDS(x) require((x), #x)

constexpr std::size_t forged_bytes = 64u << 10, head_bytes = 128;
constexpr std::size_t memory_bound = 96u << 20; // of one terminal: history, links, images, and the blocks that wait

vt::terminal_options options(const vt::history_limits& history, vt::screen_size size) {
    vt::terminal_options o;
    o.size = size;
    o.limits.history = history;
    o.pictures = {true, true, true, false};
    return o;
}
constexpr vt::history_limits usual_history{200, 1u << 20};

/// What tabs leave: with history, in an alternate screen with an image and a sequence that is cut, and almost nothing.
std::string output_of(int which) {
    std::string all;
    for (int i = 0; i < (which == 2 ? 3 : 400); ++i)
        all += "\x1b[3" + std::to_string(i % 8) + "mline " + std::to_string(i) + " \xe6\xbc\xa2\x1b[m\r\n";
    if (which == 1)
        all += "\x1b]8;;uri\alink\x1b]8;;\a\x1b_Ga=T,f=24,s=1,v=1;AAAA\x1b\\\x1b[5;20r\x1b[?1049hother\x1b[?6h\x1b]2;title";
    return all;
}

/// The non-zero pages of a memory file.
struct pages {
    std::size_t size = 0;
    std::string bytes{};
    std::string at{}; ///< their numbers, four bytes each
    std::size_t slots = 0, newest = 0, journal = 0, blocks = 0;
};
constexpr std::size_t page_bytes = 4096;

std::uint32_t number_at(std::span<const char> memory, std::size_t at) {
    std::uint32_t n = 0;
    std::memcpy(&n, memory.data() + at, sizeof n);
    return n;
}
std::uint64_t word_at(std::span<const char> memory, std::size_t at) {
    std::uint64_t n = 0;
    std::memcpy(&n, memory.data() + at, sizeof n);
    return n;
}

/// Of the newest checkpoint: two_slots.hpp.
std::size_t newest_slot(std::span<const char> memory) {
    const std::size_t slots = number_at(memory, 12);
    return slots + 128 + (word_at(memory, slots + 64) & 1 ? 64 + static_cast<std::size_t>(word_at(memory, slots + 16)) : 0);
}

pages left_by(int which) {
    std::error_code why;
    vt::history_limits history = usual_history;
    const auto store = tab_store::create(history, why);
    REQUIRE_THAT_HOLDS(store != nullptr);
    vt::terminal screen{options(history, {24, 80})};
    REQUIRE_THAT_HOLDS(store->checkpoint(screen, why));
    const std::string output = output_of(which);
    for (std::string_view left = output; !left.empty();) {
        const auto part = left.substr(0, 1000);
        char* const to = store->arm();
        REQUIRE_THAT_HOLDS(to != nullptr);
        part.copy(to, part.size());
        store->commit(part.size());
        store->feeds_from(part.size());
        screen.feed(part);
        store->effects_until(0);
        (void)screen.take_answers();
        (void)screen.take_events();
        left.remove_prefix(part.size());
        if (left.size() > 1500) REQUIRE_THAT_HOLDS(store->checkpoint(screen, why)); // the rest stays in the journal
    }
    const auto file = mato::memory_file::adopt(mato::unique_fd(::fcntl(store->native_handle(), F_DUPFD_CLOEXEC, 3)), why);
    REQUIRE_THAT_HOLDS(static_cast<bool>(file));
    const std::span<const char> all = file.bytes();
    pages left;
    left.size = all.size();
    static const std::string zeroes(page_bytes, '\0');
    for (std::size_t at = 0; at < all.size(); at += page_bytes) {
        const std::size_t size = std::min(page_bytes, all.size() - at);
        if (std::memcmp(all.data() + at, zeroes.data(), size) == 0) continue;
        const auto number = static_cast<std::uint32_t>(at / page_bytes);
        left.at.append(reinterpret_cast<const char*>(&number), sizeof number);
        left.bytes.append(all.data() + at, size).resize((left.bytes.size() + page_bytes - 1) / page_bytes * page_bytes);
    }
    left.slots = number_at(all, 12), left.journal = number_at(all, 16), left.blocks = number_at(all, 20);
    left.newest = newest_slot(all);
    return left;
}

mato::memory_file copy_of(const pages& left) {
    auto file = mato::memory_file::create("mato:tab", left.size);
    const std::span<char> to = file.bytes();
    for (std::size_t i = 0; i * 4 < left.at.size(); ++i) {
        const std::size_t at = std::size_t{number_at(left.at, i * 4)} * page_bytes;
        std::memcpy(to.data() + at, left.bytes.data() + i * page_bytes, std::min(page_bytes, to.size() - at));
    }
    return file;
}

/// So that the code after the check is reached.
void correct_checksum(std::span<char> memory, std::size_t slot) {
    if (slot > memory.size() || memory.size() - slot < 64) return;
    const std::uint64_t size = word_at(memory, slot + 8);
    if (size > memory.size() - slot - 64) return;
    const std::uint32_t sum = mato::detail::crc32c({memory.data() + slot + 64, static_cast<std::size_t>(size)},
                                                   mato::detail::crc32c({memory.data() + slot, 24}));
    std::memcpy(memory.data() + slot + 24, &sum, sizeof sum);
}

mato::memory_file damaged(const std::uint8_t* data, std::size_t size, unsigned how) {
    static const pages tabs[] = {left_by(0), left_by(1), left_by(2)};
    const pages& left = tabs[(how >> 1 & 3) % 3];
    auto file = copy_of(left);
    const std::span<char> to = file.bytes();
    const std::size_t places[] = {0, left.slots, left.newest, left.journal, left.blocks};
    while (size > 5) {
        const std::size_t after = data[1] | std::size_t{data[2]} << 8 | std::size_t{data[3]} << 16;
        const std::size_t at = places[data[0] % 5] + after;
        const std::size_t count = std::min<std::size_t>(data[4], size - 5);
        if (at < to.size()) std::memcpy(to.data() + at, data + 5, std::min(count, to.size() - at));
        data += 5 + count, size -= 5 + count;
    }
    if ((how & 8) != 0) correct_checksum(to, left.newest);
    return file;
}

mato::memory_file forged(const std::uint8_t* data, std::size_t size, unsigned how) {
    auto file = mato::memory_file::create("mato:tab", forged_bytes);
    const std::span<char> to = file.bytes();
    if (size > 0) std::memcpy(to.data(), data, std::min(size, to.size()));
    const std::size_t slots = number_at(to, 12);
    if ((how & 2) != 0 && slots < to.size() - head_bytes) correct_checksum(to, newest_slot(to));
    return file;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const unsigned how = data[0];
    auto file = (how & 1) != 0 ? damaged(data + 1, size - 1, how) : forged(data + 1, size - 1, how);
    constexpr int signals[] = {0, SIGKILL, SIGSEGV, SIGABRT};
    const int signal = signals[how >> 4 & 3];
    mato::unique_fd next(::fcntl(file.native_handle(), F_DUPFD_CLOEXEC, 3));
    vt::history_limits history = usual_history;
    mato::failure why;
    {
        const auto store = tab_store::adopt(std::move(file), history, why);
        REQUIRE_THAT_HOLDS((store == nullptr) == static_cast<bool>(why));
        if (!store) return REQUIRE_THAT_HOLDS(!why.message().empty()), 0;
        vt::terminal screen{options(history, {1, 1})};
        if (!store->restore(screen, {}, signal, why)) return REQUIRE_THAT_HOLDS(!why.message().empty()), 0;
        REQUIRE_THAT_HOLDS(screen.is_valid());
        REQUIRE_THAT_HOLDS(screen.memory_bytes() + store->memory_bytes() < memory_bound);
        for (int turn = 0; turn < 3; ++turn) { // it goes on, with what the daemon does
            if (char* const to = store->arm()) {
                constexpr std::string_view text = "more\r\n\x1b[31mand \xe6\xbc\xa2\x1b[6n\x1b[?1049l\r\n";
                text.copy(to, text.size());
                store->commit(text.size());
                screen.feed(text);
                store->effects_until(0);
            }
            screen.resize({10 + turn, 30});
            REQUIRE_THAT_HOLDS(screen.is_valid());
            (void)screen.take_answers();
            (void)screen.take_events();
            if (!store->checkpoint(screen, why)) return 0;
        }
        REQUIRE_THAT_HOLDS(screen.is_valid());
    }
    // The next process has the same terminal. Damage within a line of history may be noticed by its checks only: then it
    // refuses.
    const auto again = tab_store::adopt(std::move(next), history, why);
    REQUIRE_THAT_HOLDS(again != nullptr);
    vt::terminal screen{options(history, {1, 1})};
    if (!again->restore(screen, {}, 0, why)) return REQUIRE_THAT_HOLDS(!why.message().empty()), 0;
    REQUIRE_THAT_HOLDS(screen.is_valid() && screen.size().rows == 12 && screen.size().columns == 30);
    return 0;
}
