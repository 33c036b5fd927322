// SPDX-License-Identifier: MIT
#include "prompt_marks.hpp"

#include "bytes.hpp"

#include <algorithm>
#include <tuple>

namespace mux::vt {
namespace {

auto place(const prompt_mark& m) noexcept { return std::tuple(m.line, m.column); }

mark_kind before(mark_kind kind) noexcept {
    return kind == mark_kind::prompt ? mark_kind::end : static_cast<mark_kind>(static_cast<int>(kind) - 1);
}

} // namespace

void prompt_marks::add(const prompt_mark& made, std::uint64_t first) {
    prompt_mark mark = made;
    mark.column = std::min(mark.column, most_column);
    const auto is_replaced = [&](const prompt_mark& last) {
        return place(last) > place(mark) || (place(last) == place(mark) && last.kind != before(mark.kind));
    };
    while (!all_.empty() && is_replaced(all_.back())) all_.pop_back();
    if (all_.size() >= most) {
        const auto kept = from(first);
        const std::size_t gone = std::max(all_.size() - kept.size(), most / 2);
        all_.erase(all_.begin(), all_.begin() + static_cast<std::ptrdiff_t>(gone));
    }
    all_.push_back(mark);
    packed_.clear();
}

void prompt_marks::drop_after(std::uint64_t line, std::int32_t column) {
    while (!all_.empty() && place(all_.back()) > std::tuple(line, column)) {
        all_.pop_back();
        packed_.clear();
    }
}

std::span<const prompt_mark> prompt_marks::from(std::uint64_t first) const noexcept {
    const auto at = std::partition_point(all_.begin(), all_.end(), [first](const prompt_mark& m) { return m.line < first; });
    return {at, all_.end()};
}

void prompt_marks::put(byte_writer& out) const {
    out.number(all_.size());
    if (packed_.empty() && !all_.empty()) {
        byte_writer packed(packed_);
        std::uint64_t line = 0;
        for (const prompt_mark& m : all_) {
            packed.number(m.line - line);
            packed.number(static_cast<std::uint64_t>(m.column));
            packed.byte(static_cast<unsigned>(m.kind));
            if (m.kind == mark_kind::end) packed.number(static_cast<std::uint64_t>(std::int64_t{m.exit_code} + 1));
            line = m.line;
        }
        packed_.resize(packed.written().size());
    }
    out.raw(packed_);
}

bool prompt_marks::take(byte_reader& in) {
    all_.clear();
    packed_.clear();
    std::uint64_t line = 0;
    for (auto left = in.bounded<std::size_t>(most); left > 0 && in.ok(); --left) {
        prompt_mark m;
        const std::uint64_t step = in.number();
        if (step > ~line) in.fail();
        m.line = line += step;
        m.column = in.bounded<std::int32_t>(most_column);
        m.kind = in.bounded<mark_kind>(static_cast<unsigned>(mark_kind::end));
        if (m.kind == mark_kind::end) m.exit_code = static_cast<std::int32_t>(in.bounded<std::int64_t>(1u << 31) - 1);
        if (!all_.empty() && place(m) < place(all_.back())) in.fail();
        all_.push_back(m);
    }
    if (in.ok()) return true;
    all_.clear();
    return false;
}

} // namespace mux::vt
