// SPDX-License-Identifier: MIT
#include "kept_objects.hpp"

#include "bytes.hpp"

#include <algorithm>

namespace mux::vt {

bool kept_objects::append(block_list& list, std::string_view record) {
    char* const to = list.begin_record(record.size());
    if (!to) return false;
    record.copy(to, record.size());
    list.finish_record(record.size());
    return true;
}

bool kept_objects::keep(const link_table& table) {
    if (table.sweeps() != sweeps_) { // numbers are free again: records of both could not be told apart
        links_.retire();
        links_until_ = 0;
        sweeps_ = table.sweeps();
    }
    if (table.last_added() == links_until_) return true;
    for (std::size_t i = 0; i < table.size(); ++i) {
        const hyperlink* const l = table.find(static_cast<link_id>(i + 1));
        if (!l || l->added <= links_until_) continue;
        byte_writer out(scratch_);
        out.number(i + 1);
        out.text(l->id);
        out.text(l->uri);
        out.number(l->place);
        if (!append(links_, out.written())) {
            sweeps_ = ~table.sweeps(); // some have records and others have not
            return false;
        }
    }
    links_until_ = table.last_added();
    return true;
}

bool kept_objects::restore(link_table& table, std::size_t slots) {
    std::vector<hyperlink> found(slots);
    for (const block_list::block& b : links_.blocks())
        for (std::size_t i = 0; i < b.size(); ++i) {
            byte_reader in(b.record(i));
            const auto number = in.bounded<std::size_t>(slots);
            hyperlink l = take_link(in);
            if (!in.ok() || !in.at_end() || number == 0 || l.uri.empty() || !found[number - 1].uri.empty()) return false;
            found[number - 1] = std::move(l);
        }
    for (hyperlink& l : found) table.append(std::move(l));
    links_until_ = table.last_added();
    sweeps_ = table.sweeps();
    return true;
}

void kept_objects::begin_images() noexcept {
    for (kept_image& each : kept_) each.is_used = false;
}

bool kept_objects::append(std::uint64_t number, const image& shown, std::size_t& bytes) {
    byte_writer out(scratch_);
    out.number(number);
    put_image(out, shown);
    bytes = out.written().size();
    const bool appended = append(images_, out.written());
    if (appended) image_bytes_ += bytes;
    if (scratch_.size() > most_unused) scratch_ = {};
    return appended;
}

std::uint64_t kept_objects::keep(const std::shared_ptr<const image>& shown) {
    for (kept_image& each : kept_) // a few: picture_limits
        if (!each.shown.owner_before(shown) && !shown.owner_before(each.shown)) {
            each.is_used = true;
            return each.number;
        }
    kept_image added{shown, last_number_ + 1, 0, true};
    if (!append(added.number, *shown, added.bytes)) return 0;
    kept_.push_back(std::move(added));
    return ++last_number_;
}

bool kept_objects::end_images() {
    std::erase_if(kept_, [](const kept_image& each) { return !each.is_used; });
    std::size_t used = 0;
    for (const kept_image& each : kept_) used += each.bytes;
    if (image_bytes_ - used <= std::max(used, most_unused)) return true;
    images_.retire();
    image_bytes_ = 0;
    for (kept_image& each : kept_) {
        const auto shown = each.shown.lock();
        if (!shown || !append(each.number, *shown, each.bytes)) {
            images_.retire();
            image_bytes_ = 0;
            kept_.clear();
            return false;
        }
    }
    return true;
}

std::uint64_t kept_objects::number_of(const image& shown) const noexcept {
    for (const kept_image& each : kept_)
        if (each.shown.lock().get() == &shown) return each.number;
    return 0;
}

void kept_objects::write(byte_writer& out) const {
    links_.write(out);
    images_.write(out);
    out.number(last_number_);
}

bool kept_objects::adopt(byte_reader& in, std::span<block_head* const> left) {
    std::size_t missing = 0;
    if (!links_.adopt(in, left, missing) || missing > 0 || !images_.adopt(in, left, missing) || missing > 0) return false;
    last_number_ = in.number();
    for (const block_list::block& b : images_.blocks())
        for (std::size_t i = 0; i < b.size(); ++i) image_bytes_ += b.record(i).size();
    return in.ok();
}

std::shared_ptr<const image> kept_objects::find(std::uint64_t number) {
    for (const kept_image& each : kept_)
        if (each.number == number)
            if (auto shown = each.shown.lock()) return shown;
    for (const block_list::block& b : images_.blocks())
        for (std::size_t i = 0; i < b.size(); ++i) {
            byte_reader in(b.record(i));
            if (in.number() != number) continue;
            auto shown = take_image(in);
            if (!in.ok() || !in.at_end()) return nullptr;
            kept_.push_back({shown, number, b.record(i).size(), true});
            return shown;
        }
    return nullptr;
}

std::size_t kept_objects::memory_bytes() const noexcept {
    return links_.memory_bytes() + images_.memory_bytes() + kept_.capacity() * sizeof(kept_image) + scratch_.capacity();
}

} // namespace mux::vt
