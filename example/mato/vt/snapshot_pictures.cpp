// SPDX-License-Identifier: MIT
// The part of snapshots that is images.
#include "snapshot.hpp"

#include "bytes.hpp"
#include "emulator.hpp"
#include "kept_objects.hpp"

#include <algorithm>

namespace mux::vt {

namespace {

constexpr std::size_t most_bytes = 256u << 20; // of a string: a bound on what a snapshot may make a reader allocate at once
constexpr std::uint64_t most_pixels = 1 << 30;

void put_signed(byte_writer& out, std::int64_t n) { // zigzag
    out.number(static_cast<std::uint64_t>(n) << 1 ^ static_cast<std::uint64_t>(n >> 63));
}

std::int64_t take_signed(byte_reader& in) {
    const std::uint64_t n = in.number();
    return static_cast<std::int64_t>(n >> 1) ^ -static_cast<std::int64_t>(n & 1);
}

} // namespace

void put_image(byte_writer& out, const image& i) {
    out.byte(static_cast<unsigned>(i.kind));
    out.text(i.header);
    out.text(i.data);
    out.number(static_cast<std::uint64_t>(i.size.width));
    out.number(static_cast<std::uint64_t>(i.size.height));
}

// It will be written to terminals: nothing in it may end the string it stands in.
std::shared_ptr<const image> take_image(byte_reader& in) {
    auto made = std::make_shared<image>();
    made->kind = in.bounded<picture_kind>(static_cast<unsigned>(picture_kind::iterm));
    made->header = in.text(most_bytes);
    made->data = in.text(most_bytes);
    made->size.width = in.bounded(most_pixels);
    made->size.height = in.bounded(most_pixels);
    for (const std::string_view text : {std::string_view(made->header), std::string_view(made->data)})
        if (!std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; })) in.fail();
    return made;
}

namespace {

void put_image(byte_writer& out, const image& i, const kept_objects* kept) {
    if (kept) return out.number(kept->number_of(i));
    put_image(out, i);
}

void put_picture(byte_writer& out, const picture& p, const kept_objects* kept) {
    out.number(p.number);
    for (const int n : {p.rows, p.columns, p.x, p.y, p.width, p.height, p.offset_x, p.offset_y})
        out.number(static_cast<std::uint64_t>(n));
    put_signed(out, p.z);
    out.flag(p.is_cut);
    out.number(p.id);
    out.number(p.placement);
    put_image(out, *p.image, kept);
}

std::shared_ptr<const image> take_image(byte_reader& in, kept_objects* kept) {
    if (!kept) return take_image(in);
    auto found = kept->find(in.number());
    if (!found) in.fail();
    return found;
}

picture take_picture(byte_reader& in, kept_objects* kept) {
    picture p;
    p.number = in.bounded<std::uint16_t>(65535);
    p.rows = in.bounded(picture_mark::max_rows);
    p.columns = in.bounded(max_columns);
    for (int* const n : {&p.x, &p.y, &p.width, &p.height, &p.offset_x, &p.offset_y}) *n = in.bounded(most_pixels);
    p.z = static_cast<int>(std::clamp<std::int64_t>(take_signed(in), -(1 << 30), 1 << 30));
    p.is_cut = in.flag();
    p.id = in.bounded<std::uint32_t>(0xffffffff);
    p.placement = in.bounded<std::uint32_t>(0xffffffff);
    p.image = take_image(in, kept);
    if (p.number == 0 || p.rows == 0 || p.columns == 0) in.fail();
    return p;
}

void put_kitty(byte_writer& out, const kitty_command& c) {
    for (const char letter : {c.action, c.transmission, c.deletes, c.compression}) out.byte(static_cast<unsigned char>(letter));
    for (const std::int64_t n : c.values) put_signed(out, n);
}

kitty_command take_kitty(byte_reader& in) {
    kitty_command c;
    for (char* const letter : {&c.action, &c.transmission, &c.deletes, &c.compression}) *letter = static_cast<char>(in.byte());
    for (std::int64_t& n : c.values) n = take_signed(in);
    return c;
}

} // namespace

void snapshot_access::put_pictures(byte_writer& out, const emulator& e, const kept_objects* kept) {
    out.number(e.pictures_.last_number());
    out.number(e.pictures_.all().size());
    for (const picture& p : e.pictures_.all()) put_picture(out, p, kept);
    out.number(e.images_.all().size());
    for (const auto& each : e.images_.all()) {
        out.number(each.id);
        out.number(each.number);
        put_image(out, *each.image, kept);
    }
    const auto& pending = e.images_.pending_;
    out.flag(pending.has_value());
    if (!pending) return;
    put_kitty(out, pending->first);
    out.text(pending->data);
    out.flag(pending->is_too_long);
}

void snapshot_access::take_pictures(byte_reader& in, emulator& e, kept_objects* kept) {
    constexpr std::size_t most = 65535;
    const auto last = in.bounded<std::uint16_t>(most);
    const auto pictures = in.bounded<std::size_t>(most);
    for (std::size_t i = 0; i < pictures && in.ok(); ++i) {
        picture p = take_picture(in, kept);
        if (!in.ok()) return;
        e.pictures_.restore_number(static_cast<std::uint16_t>(p.number - 1));
        e.pictures_.add(std::move(p));
    }
    e.pictures_.restore_number(last);
    const auto images = in.bounded<std::size_t>(most);
    for (std::size_t i = 0; i < images && in.ok(); ++i) {
        const auto id = in.bounded<std::uint32_t>(0xffffffff), number = in.bounded<std::uint32_t>(0xffffffff);
        auto shown = take_image(in, kept);
        if (in.ok()) e.images_.keep({id, number, std::move(shown)});
    }
    if (!in.flag()) return;
    auto& pending = e.images_.pending_.emplace();
    pending.first = take_kitty(in);
    pending.data = in.text(most_bytes);
    pending.is_too_long = in.flag();
}

} // namespace mux::vt
