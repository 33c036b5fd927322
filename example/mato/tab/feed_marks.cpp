// SPDX-License-Identifier: MIT
#include "feed_marks.hpp"

#include <algorithm>
#include <csignal>

namespace mux {
namespace {

constexpr unsigned count_shift = 56; // the rest is the time of the first death

bool is_fault(int signal) noexcept {
    return signal == SIGSEGV || signal == SIGABRT || signal == SIGBUS || signal == SIGILL || signal == SIGFPE;
}

} // namespace

feed_marks::verdict feed_marks::judge(std::uint64_t interpreted, std::uint64_t end, int signal, std::uint64_t now) noexcept {
    const std::uint64_t replayed_piece = load(piece);
    const bool was_here = was_fed(interpreted, end);
    store(feeding, 0);
    store(piece, 0);
    if (signal == 0 || !was_here) return load(left_from) != 0 ? verdict::suspected : verdict::innocent;
    if (is_fault(signal) && count_death(now) >= most_deaths) return verdict::quarantined;
    if (replayed_piece != 0 && replayed_piece != whole) {
        if (is_fault(signal) || load(suspect) == replayed_piece)
            leave_out(replayed_piece);
        else
            store(suspect, replayed_piece);
    }
    return verdict::suspected;
}

/// @returns how many there were within the time
std::uint64_t feed_marks::count_death(std::uint64_t now) noexcept {
    constexpr std::uint64_t time_mask = (std::uint64_t{1} << count_shift) - 1;
    const std::uint64_t before = load(deaths);
    std::uint64_t count = before >> count_shift, since = before & time_mask;
    if (count == 0 || now < since || now - since > within) count = 0, since = now;
    ++count;
    store(deaths, (count << count_shift) | (since & time_mask));
    return count;
}

void feed_marks::leave_out(std::uint64_t mark) noexcept {
    const std::uint64_t from = load(left_from), to = load(left_to);
    store(left_to, std::max(to, mark));
    store(left_from, from == 0 ? mark : std::min(from, mark));
}

void feed_marks::passed(std::uint64_t left_out) noexcept {
    if (left_out == 0 && load(left_from) == 0) return;
    store(left_bytes, load(left_bytes) + left_out);
    store(left_from, 0);
    store(left_to, 0);
    store(suspect, 0);
}

} // namespace mux
