// SPDX-License-Identifier: MIT
/// @file read_journal_fuzz.cpp: forged memory is refused, or is a journal that stays within its bounds.
///
/// Input: the memory. Bytes after the last multiple of 8 are ignored.
#include <mato/read_journal.hpp>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace {
void require(bool fact) {
    if (!fact) std::abort();
}
} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::vector<std::uint64_t> words(size / 8); // exactly this size, so that access after it is detected
    if (!words.empty()) std::memcpy(words.data(), data, words.size() * 8);
    const std::span<char> memory(reinterpret_cast<char*>(words.data()), words.size() * 8);
    mato::failure why;
    auto journal = mato::read_journal<>::adopt(memory, why);
    if (why) {
        require(journal.arm() == nullptr && journal.since_checkpoint().empty());
        return 0;
    }
    const std::uint64_t end = journal.end();
    const std::size_t used = journal.used(), found = journal.in_flight();
    require(found <= journal.most_read);
    require(journal.recover() == found && journal.in_flight() == 0);
    require(journal.end() == end + found && journal.used() == used + found);
    std::uint64_t sum = 0; // every byte can be read
    for (const char each : journal.since_checkpoint()) sum += static_cast<unsigned char>(each);
    require(journal.used() == 0 || sum <= journal.used() * 255);
    static_cast<void>(journal.resume_after(end, why));
    for (int turn = 0; turn < 3 && journal.end() < std::uint64_t{1} << 62; ++turn) { // not up to the last number
        if (journal.full()) journal.checkpoint();
        char* const to = journal.arm();
        require(to != nullptr);
        std::memset(to, 'x', journal.most_read);
        require(journal.in_flight() == journal.most_read);
        auto next = mato::read_journal<>::adopt(memory, why); // its own memory is accepted
        require(!why && next.recover() == journal.most_read);
        journal = std::move(next);
    }
    return 0;
}
