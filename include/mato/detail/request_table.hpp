// SPDX-License-Identifier: MIT
/// @file request_table.hpp: the requests of a client that are not answered yet, by number and in order.
/// Layer: 3 (mechanism; no asio).  Test: test/toolkit/request_table_test.cpp.
/// Threads: distinct objects are independent.   Blocks: never.
#pragma once

#include "abi.hpp"

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace mato {
inline namespace MATO_ABI {
namespace detail {

/// Entries with what belongs to a request, `Request`, which is empty after it was moved from. Each is in one of two lists:
/// `waiting` to be sent, or `sent`. The low bits of a number are the index of its entry, the high ones count up, so no number
/// is used again within 2^39 requests.
template <class Request> class request_table {
    static constexpr unsigned index_bits = 24;

public:
    static constexpr std::size_t most = std::size_t{1} << index_bits;
    enum class list : unsigned char { none, waiting, sent };

    /// Adds one at the end of a list; at most `most` may exist. @returns its number, which is not 0.
    [[nodiscard]] std::uint64_t add(Request&& what, list to = list::waiting) {
        return add_with(to, [&](Request& fresh) { fresh = std::move(what); });
    }
    /// The same for one that `fill(Request&)` makes in its place, from an empty one. It must not throw.
    template <class Fill> [[nodiscard]] std::uint64_t add_with(list to, Fill fill) {
        if (free_ == nothing) {
            entries_.emplace_back();
            free_ = static_cast<index>(entries_.size() - 1);
        }
        const index at = free_;
        entry& fresh = entries_[at];
        free_ = fresh.after;
        serial_ = serial_ % last_serial + 1;
        fresh.number = serial_ << index_bits | at;
        fill(fresh.what);
        ++size_;
        append(at, to);
        return fresh.number;
    }
    /// Null if there is none with this number. Valid until the next `add`.
    [[nodiscard]] Request* find(std::uint64_t number) noexcept {
        const std::uint64_t at = number & (most - 1);
        if (at >= entries_.size() || entries_[at].in == list::none || entries_[at].number != number) return nullptr;
        return &entries_[at].what;
    }
    [[nodiscard]] list list_of(std::uint64_t number) noexcept { return find(number) ? at(number).in : list::none; }
    /// Moves it from `waiting` to the end of `sent`.
    void mark_sent(std::uint64_t number) noexcept {
        const auto place = static_cast<index>(number & (most - 1));
        unlink(place);
        append(place, list::sent);
    }
    [[nodiscard]] Request take(std::uint64_t number) noexcept {
        return take_part(number, [](Request& old) { return std::move(old); });
    }
    /// Removes it. @returns `part(Request&)`, which must leave it empty.
    template <class Part> [[nodiscard]] auto take_part(std::uint64_t number, Part part) noexcept {
        const auto place = static_cast<index>(number & (most - 1));
        unlink(place);
        entry& old = entries_[place];
        auto what = part(old.what);
        old.in = list::none;
        old.after = free_;
        free_ = place;
        --size_;
        return what;
    }
    /// The number of the oldest in a list; 0: it is empty.
    [[nodiscard]] std::uint64_t first(list which) const noexcept {
        const index at = ends(which).first;
        return at == nothing ? 0 : entries_[at].number;
    }
    /// The one after it in its list; 0: it is the newest.
    [[nodiscard]] std::uint64_t next(std::uint64_t number) const noexcept {
        const index after = entries_[number & (most - 1)].after;
        return after == nothing ? 0 : entries_[after].number;
    }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

private:
    static constexpr std::uint64_t last_serial = (std::uint64_t{1} << (63 - index_bits)) - 1; // numbers stay below 2^63
    using index = std::uint32_t;
    static constexpr index nothing = ~index{0};
    struct entry {
        std::uint64_t number = 0;
        index before = nothing, after = nothing; // free entries are linked by `after`
        list in = list::none;
        Request what{};
    };
    struct list_ends {
        index first = nothing, last = nothing;
    };

    [[nodiscard]] entry& at(std::uint64_t number) noexcept { return entries_[number & (most - 1)]; }
    [[nodiscard]] const list_ends& ends(list which) const noexcept { return which == list::sent ? sent_ : waiting_; }
    [[nodiscard]] list_ends& ends(list which) noexcept { return which == list::sent ? sent_ : waiting_; }
    void append(index place, list which) noexcept {
        entry& added = entries_[place];
        list_ends& all = ends(which);
        added.in = which;
        added.before = all.last;
        added.after = nothing;
        (all.last == nothing ? all.first : entries_[all.last].after) = place;
        all.last = place;
    }
    void unlink(index place) noexcept {
        entry& old = entries_[place];
        list_ends& all = ends(old.in);
        (old.before == nothing ? all.first : entries_[old.before].after) = old.after;
        (old.after == nothing ? all.last : entries_[old.after].before) = old.before;
    }

    std::vector<entry> entries_;
    list_ends waiting_, sent_;
    index free_ = nothing;
    std::uint64_t serial_ = 0;
    std::size_t size_ = 0;
};

} // namespace detail
} // namespace MATO_ABI
} // namespace mato
