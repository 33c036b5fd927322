// SPDX-License-Identifier: MIT
#include "picture_store.hpp"

#include <algorithm>

namespace mux::vt {

void picture_store::drop(std::size_t i) {
    bytes_ -= pictures_[i].image->bytes();
    pictures_.erase(pictures_.begin() + static_cast<std::ptrdiff_t>(i));
}

std::uint16_t picture_store::add(picture p) {
    const std::size_t size = p.image->bytes();
    if (size > limits_.bytes || limits_.pictures == 0) return 0;
    while (!pictures_.empty() && (bytes_ + size > limits_.bytes || pictures_.size() >= limits_.pictures)) drop(0);
    if (++last_ == 0) ++last_;
    remove(last_);
    p.number = last_;
    bytes_ += size;
    pictures_.push_back(std::move(p));
    return last_;
}

const picture* picture_store::find(std::uint16_t number) const noexcept {
    const auto at = std::find_if(pictures_.begin(), pictures_.end(), [=](const picture& p) { return p.number == number; });
    return at == pictures_.end() ? nullptr : &*at;
}

void picture_store::remove(std::uint16_t number) {
    for (std::size_t i = 0; i < pictures_.size(); ++i)
        if (pictures_[i].number == number) return drop(i);
}

void picture_store::keep(const std::vector<std::uint16_t>& kept) {
    for (std::size_t i = pictures_.size(); i-- > 0;)
        if (std::find(kept.begin(), kept.end(), pictures_[i].number) == kept.end()) drop(i);
}

} // namespace mux::vt
