// SPDX-License-Identifier: MIT
#include "picture_layer.hpp"

#include <algorithm>
#include <cstdlib>
#include <initializer_list>
#include <utility>

namespace mux {

namespace {

constexpr std::size_t kitty_piece = 4096;       // kitty: the most in one escape code
constexpr std::uint32_t first_id = 0x6d61'0000; // "ma": distinct from the small ids that programs outside of mato choose

void append_keys(std::string& out, std::initializer_list<std::pair<const char*, std::int64_t>> keys) {
    for (const auto& [name, value] : keys) out.append(name).append(std::to_string(value));
}

} // namespace

void picture_layer::clear(std::string& out) {
    shown_.clear();
    for (const sent_image& each : sent_) {
        append_keys(out, {{"\033_Ga=d,d=I,q=2,i=", each.id}});
        out += "\033\\";
    }
    sent_.clear();
}

void picture_layer::scrolled(int top, int bottom, int lines) noexcept {
    for (shown_picture& each : shown_) {
        each.moved = true; // terminals differ in how they move an image that a region cuts
        place& at = each.at;
        const int begin = at.top + at.first, end = at.top + at.last;
        if (end <= top || begin >= bottom) continue;
        if (begin < top || end > bottom) { // cut in two
            at.last = at.first;
            continue;
        }
        at.top -= lines;
        at.first = std::max(at.first, top - at.top);
        at.last = std::min(at.last, bottom - at.top);
    }
}

/// Combines runs of marks; a run that does not fit the others makes the picture incomplete.
std::vector<picture_layer::place> picture_layer::find(const std::vector<vt::row>& rows) {
    std::vector<place> found;
    for (int r = 0; r < static_cast<int>(rows.size()); ++r) {
        vt::for_each_mark(rows[static_cast<std::size_t>(r)], [&](vt::picture_mark m, int begin, int end) {
            const auto at = std::find_if(found.begin(), found.end(), [&](const place& p) { return p.number == m.number; });
            if (at == found.end()) {
                found.push_back({m.number, r - m.row, begin, m.row, m.row + 1, end - begin, true});
            } else if (at->top + m.row == r && at->last == m.row && at->left == begin && at->columns == end - begin) {
                ++at->last;
            } else {
                at->whole = false;
            }
        });
    }
    return found;
}

/// Whether the terminal can show it again. Of kitty's images any rows; of others the whole image, above the last row, where it
/// would scroll the screen.
bool picture_layer::can_show(const place& at, const vt::picture& p, const vt::terminal& source, const target& to) noexcept {
    const int end = at.top + at.last;
    if (!at.whole || at.columns != p.columns || at.last > p.rows) return false;
    if (at.first > 0 && at.top + at.first != 0) return false; // not cut by the screen's edge: overwritten
    if (at.last < p.rows && end != to.size.rows) return false;
    const bool all = at.first == 0 && at.last == p.rows;
    if (p.image->kind == vt::picture_kind::kitty) return all || p.height > 0;
    if (!all || end >= to.size.rows) return false;
    if (p.image->kind != vt::picture_kind::sixel) return true;
    const vt::pixel_size cell = to.cell.is_known() ? to.cell : source.cell_size();
    const bool cut_alike = p.is_cut && at.left + at.columns == to.size.columns; // by the terminal's own edge
    return p.image->size.height <= p.rows * cell.height && (cut_alike || p.image->size.width <= p.columns * cell.width);
}

/// Whether the terminal shows it already, or the rest of it.
bool picture_layer::can_stay(const shown_picture& old, const place& at) noexcept {
    const place& was = old.at;
    if (!at.whole || was.top != at.top || was.left != at.left || was.columns != at.columns) return false;
    if (old.kind == vt::picture_kind::kitty) return !old.moved && was.first == at.first && was.last == at.last;
    return at.first >= was.first && at.last <= was.last;
}

void picture_layer::remove(const shown_picture& old, const std::vector<vt::row>& rows, canvas& on, std::string& out) {
    if (old.kind == vt::picture_kind::kitty) {
        append_keys(out, {{"\033_Ga=d,d=i,q=2,i=", old.id}, {",p=", old.at.number}});
        out += "\033\\";
        return;
    }
    for (int r = 0; r < static_cast<int>(rows.size()); ++r) { // cells with text are already drawn over
        const vt::row& shown = rows[static_cast<std::size_t>(r)];
        vt::for_each_mark(shown, [&](vt::picture_mark m, int begin, int end) {
            if (m.number == old.at.number) on.repaint(r, shown, begin, end);
        });
    }
}

bool picture_layer::has(const std::shared_ptr<const vt::image>& image) const noexcept {
    return std::any_of(sent_.begin(), sent_.end(), [&](const sent_image& each) { return each.image.lock() == image; });
}

/// @returns its id in this terminal
std::uint32_t picture_layer::send(const std::shared_ptr<const vt::image>& image, std::string& out) {
    for (const sent_image& each : sent_)
        if (each.image.lock() == image) return each.id;
    sent_.push_back({image, first_id + (++last_id_ & 0xffff)});
    const std::uint32_t id = sent_.back().id;
    std::string_view left = image->data;
    bool first = true;
    do {
        const auto piece = left.substr(0, kitty_piece);
        left.remove_prefix(piece.size());
        out += "\033_G";
        if (std::exchange(first, false)) {
            append_keys(out, {{"a=t,q=2,i=", id}});
            out.append(",").append(image->header).append(left.empty() ? "" : ",m=1");
        } else {
            out += left.empty() ? "q=2,m=0" : "q=2,m=1";
        }
        out.append(";").append(piece).append("\033\\");
    } while (!left.empty());
    return id;
}

void picture_layer::draw(const place& at, const vt::picture& p, canvas& on, std::string& out) {
    on.move_to(at.top + at.first, at.left);
    if (p.image->kind == vt::picture_kind::sixel) {
        out.append("\033P").append(p.image->header).append(p.image->data).append("\033\\");
    } else if (p.image->kind == vt::picture_kind::iterm) {
        append_keys(out, {{"\033]1337;File=inline=1;width=", p.columns}, {";height=", p.rows}});
        out.append(":").append(p.image->data).append("\a");
    }
    if (p.image->kind != vt::picture_kind::kitty) return on.forget_position(); // terminals differ
    const std::uint32_t id = send(p.image, out);
    append_keys(out, {{"\033_Ga=p,q=2,C=1,i=", id}, {",p=", p.number}, {",c=", p.columns}, {",r=", at.last - at.first}});
    const bool all = at.first == 0 && at.last == p.rows;
    if (p.height > 0) {
        const auto part = [&](int row) { return static_cast<int>(std::int64_t{p.height} * row / p.rows); };
        const int y = p.y + part(at.first), h = std::max(1, part(at.last) - part(at.first));
        const bool whole_image = all && p.x == 0 && p.y == 0 && p.width == p.image->size.width && h == p.image->size.height;
        if (!whole_image) append_keys(out, {{",x=", p.x}, {",y=", y}, {",w=", p.width}, {",h=", h}});
    }
    if (all && (p.offset_x > 0 || p.offset_y > 0)) append_keys(out, {{",X=", p.offset_x}, {",Y=", p.offset_y}});
    if (p.z != 0) append_keys(out, {{",z=", p.z}});
    out += "\033\\";
}

/// Deletes images that the tab no longer has, and those beyond the limit.
void picture_layer::free_images(std::string& out) {
    const auto is_shown = [this](std::uint32_t id) {
        return std::any_of(shown_.begin(), shown_.end(), [=](const shown_picture& p) { return p.id == id; });
    };
    for (std::size_t i = 0; i < sent_.size();) {
        const bool goes = (sent_[i].image.expired() || sent_.size() > most_sent) && !is_shown(sent_[i].id);
        if (!goes) {
            ++i;
            continue;
        }
        append_keys(out, {{"\033_Ga=d,d=I,q=2,i=", sent_[i].id}});
        out += "\033\\";
        sent_.erase(sent_.begin() + static_cast<std::ptrdiff_t>(i));
    }
}

bool picture_layer::update(const std::vector<vt::row>& rows, const vt::terminal& source, const target& to, canvas& on,
                           std::string& out) {
    const std::vector<place> found = find(rows);
    const auto at_number = [&](std::uint16_t number) {
        return std::find_if(found.begin(), found.end(), [=](const place& p) { return p.number == number; });
    };
    std::vector<shown_picture> kept;
    for (const shown_picture& old : shown_) {
        const auto now = at_number(old.at.number);
        const bool exists = now != found.end() && source.find_picture(old.at.number) != nullptr;
        if (exists && can_stay(old, *now)) {
            kept.push_back(old);
            kept.back().moved = false;
        } else if (exists && old.kind == vt::picture_kind::kitty &&
                   can_show(*now, *source.find_picture(old.at.number), source, to)) {
            continue; // placed again below, which moves it
        } else {
            remove(old, rows, on, out);
        }
    }
    std::swap(shown_, kept);
    bool complete = true;
    const std::size_t begin = out.size();
    for (const place& at : found) {
        const bool stays =
            std::any_of(shown_.begin(), shown_.end(), [&](const shown_picture& p) { return p.at.number == at.number; });
        const vt::picture* const p = stays ? nullptr : source.find_picture(at.number);
        if (!p) continue;
        const vt::picture_kind kind = p->image->kind;
        const bool known = kind == vt::picture_kind::kitty   ? to.features.kitty_images
                           : kind == vt::picture_kind::sixel ? to.features.sixel_images
                                                             : to.features.iterm_images;
        if (!known || !can_show(at, *p, source, to)) continue;
        if (out.size() - begin >= most_frame_bytes && !has(p->image)) {
            complete = false;
            continue;
        }
        draw(at, *p, on, out);
        shown_.push_back({at, kind, kind == vt::picture_kind::kitty ? send(p->image, out) : 0});
    }
    free_images(out);
    return complete;
}

std::size_t picture_layer::memory_bytes() const noexcept {
    return shown_.capacity() * sizeof(shown_picture) + sent_.capacity() * sizeof(sent_image);
}

} // namespace mux
