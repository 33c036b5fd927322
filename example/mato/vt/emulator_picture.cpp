// SPDX-License-Identifier: MIT
#include "emulator.hpp"
#include "image_size.hpp"

#include <algorithm>
#include <charconv>

namespace mux::vt {

namespace {

constexpr int divide_up(std::int64_t n, int by) noexcept {
    return static_cast<int>(std::clamp<std::int64_t>((n + by - 1) / by, 1, 1 << 20));
}

std::string without_controls(std::string_view data) {
    const auto is_kept = [](char c) { return c > ' ' && c < '\x7f'; };
    unsigned others = 0;
    for (const char c : data) others += is_kept(c) ? 0u : 1u;
    if (others == 0) return std::string(data); // the usual case
    std::string out;
    out.reserve(data.size() - others);
    std::copy_if(data.begin(), data.end(), std::back_inserter(out), is_kept);
    return out;
}

/// iTerm2: "auto", "12" cells, "100px", "50%" of `whole` cells. @returns cells, 0 for auto
int cells_of(std::string_view text, int cell, int whole) noexcept {
    int n = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
    if (error != std::errc{} || n <= 0) return 0;
    n = std::min(n, 1 << 20);
    if (unit == "px") return divide_up(n, cell);
    if (unit == "%") return divide_up(std::int64_t{n} * whole, 100);
    return n;
}

} // namespace

pixel_size emulator::cell() const noexcept {
    const pixel_size told{options_.cell_width, options_.cell_height};
    return told.is_known() ? told : assumed_cell;
}

/// Marks the cells that `p` covers, from the cursor on; the cursor moves to its last row by line feeds.
void emulator::place_picture(picture p, bool moves) {
    cursor_.pending_wrap = false;
    const int left = cursor_.at.column, edge = left < right_ ? right_ : columns();
    p.columns = std::min(p.columns, edge - left);
    if (!moves) p.rows = std::min(p.rows, rows() - cursor_.at.row);
    const int count = p.rows, end = left + p.columns;
    spend_rows(count);
    collect_unused_pictures(); // first make room by removing unused ones
    const std::uint16_t number = pictures_.add(std::move(p));
    for (int r = 0; r < count; ++r) {
        if (left == 0) break_line_above(cursor_.at.row + (moves ? 0 : r));
        style under = cursor_.pen.blank();
        if (number != 0) under.underline_colour = picture_mark{number, r}.as_colour();
        const int at = cursor_.at.row + (moves ? 0 : r);
        screen_->erase({at, left, at + 1, end}, under);
        if (moves && r + 1 < count) line_feed();
    }
}

/// Moves the cursor as a character of that width would.
void emulator::advance_past_picture(int columns) noexcept {
    const int edge = cursor_.at.column < right_ ? right_ : this->columns();
    const int next = cursor_.at.column + columns;
    cursor_.pending_wrap = next >= edge;
    cursor_.at.column = std::min(next, edge - 1);
}

// ---- sixel ----

// VT330/VT340 manual, chapter 14, "Sixel Scrolling": the cursor keeps its column, in the row of the last band.
void emulator::show_sixels(std::string_view text) {
    const auto q = text.find('q');
    auto made = std::make_shared<image>();
    made->kind = picture_kind::sixel;
    made->header = text.substr(0, q + 1);
    made->data = without_controls(text.substr(q + 1));
    made->data.shrink_to_fit();
    const sixel_extent extent = measure_sixels(made->data);
    if (!extent.size.is_known()) return;
    made->size = extent.size;
    picture p;
    p.rows = divide_up(extent.size.height, cell().height);
    p.columns = divide_up(extent.size.width, cell().width);
    if (p.rows > picture_mark::max_rows) return void(++refused_images_);
    p.is_cut = p.columns > columns() - cursor_.at.column;
    p.image = std::move(made);
    const int last = extent.last_band / cell().height, covered = p.rows;
    place_picture(std::move(p), true);
    if (last >= covered)
        line_feed();
    else
        move_up(covered - 1 - last);
}

// ---- iTerm2 ----

// iTerm2, "Images": File=name=…;width=…;height=…;preserveAspectRatio=…;inline=1:base64. Without inline=1 it is a download,
// which is not supported.
void emulator::show_iterm(std::string_view text) {
    const auto colon = text.find(':');
    if (colon == text.npos) return;
    std::string_view keys = text.substr(5, colon - 5), width = "auto", height = "auto"; // after "File="
    bool is_inline = false, keeps_ratio = true, moves = true;
    while (!keys.empty()) {
        const auto semicolon = keys.find(';');
        const std::string_view part = keys.substr(0, semicolon);
        keys.remove_prefix(semicolon == keys.npos ? keys.size() : semicolon + 1);
        const auto equals = part.find('=');
        if (equals == part.npos) continue;
        const std::string_view key = part.substr(0, equals), value = part.substr(equals + 1);
        if (key == "inline") is_inline = value == "1";
        if (key == "width") width = value;
        if (key == "height") height = value;
        if (key == "preserveAspectRatio") keeps_ratio = value != "0";
        if (key == "doNotMoveCursor") moves = value != "1";
    }
    std::string data = without_controls(text.substr(colon + 1));
    const pixel_size size = encoded_image_size(data), c = cell();
    if (!is_inline || !size.is_known() || !is_base64(data)) return;
    picture p;
    p.columns = cells_of(width, c.width, columns());
    p.rows = cells_of(height, c.height, rows());
    const auto columns_for = [&](int r) { return divide_up(std::int64_t{r} * c.height * size.width / size.height, c.width); };
    const auto rows_for = [&](int n) { return divide_up(std::int64_t{n} * c.width * size.height / size.width, c.height); };
    if (p.columns == 0 && p.rows == 0)
        p.columns = divide_up(size.width, c.width), p.rows = divide_up(size.height, c.height);
    else if (p.columns == 0)
        p.columns = columns_for(p.rows);
    else if (p.rows == 0)
        p.rows = rows_for(p.columns);
    else if (keeps_ratio)
        p.columns = std::min(p.columns, columns_for(p.rows)), p.rows = std::min(p.rows, rows_for(p.columns));
    if (const int room = columns() - cursor_.at.column; p.columns > room) { // it is scaled down, not cut
        p.rows = divide_up(std::int64_t{p.rows} * room, p.columns);
        p.columns = room;
    }
    if (p.rows > picture_mark::max_rows) return void(++refused_images_);
    auto made = std::make_shared<image>();
    made->kind = picture_kind::iterm;
    made->size = size;
    made->data = std::move(data);
    made->data.shrink_to_fit();
    p.image = std::move(made);
    const int width_in_cells = p.columns;
    place_picture(std::move(p), moves);
    if (moves) advance_past_picture(width_in_cells);
}

// ---- kitty ----

void emulator::kitty_graphics(std::string_view text) {
    const auto c = parse_kitty(text);
    if (!c) return images_.abandon();
    switch (c->action) {
    case 't':
    case 'T':
    case 'q':
    case 'f': {
        if (auto whole = images_.gather(*c)) take_kitty_image(whole->first, std::move(whole->data), whole->is_too_long);
        return;
    }
    case 'p': images_.abandon(); return put_kitty_image(*c);
    case 'd': images_.abandon(); return delete_kitty(*c);
    default: images_.abandon(); return answer_kitty(*c, "EINVAL:animation is not supported");
    }
}

// Without an id no answer is expected; q=1 suppresses OK, q=2 all answers.
void emulator::answer_kitty(const kitty_command& c, std::string_view what, std::uint32_t id) {
    if (id == 0) id = static_cast<std::uint32_t>(c['i']);
    const auto number = static_cast<std::uint32_t>(c['I']), placement = static_cast<std::uint32_t>(c['p']);
    if ((id == 0 && number == 0) || c['q'] >= (what == "OK" ? 1 : 2)) return;
    std::string keys;
    const auto key = [&keys](std::string_view name, std::uint32_t value) {
        if (value == 0) return;
        if (!keys.empty()) keys += ',';
        keys.append(name).append(std::to_string(value));
    };
    key("i=", id);
    key("I=", number);
    if (c.action != 'q') key("p=", placement);
    answer({"\x1b_G", keys, ";", what, "\x1b\\"});
}

void emulator::take_kitty_image(const kitty_command& c, std::string data, bool is_too_long) {
    if (c.action == 'f') return answer_kitty(c, "EINVAL:animation is not supported");
    if (is_too_long) return answer_kitty(c, "EFBIG:too much data");
    if (c['i'] != 0 && c['I'] != 0) return answer_kitty(c, "EINVAL:both i and I are given");
    const auto [made, problem] = make_kitty_image(c, std::move(data));
    if (!made) return answer_kitty(c, problem);
    if (c.action == 'q') return answer_kitty(c, "OK");
    auto id = static_cast<std::uint32_t>(c['i']);
    if (id != 0) { // the previous image with that id is replaced
        std::vector<std::uint16_t> replaced;
        for (const picture& p : pictures_.all())
            if (p.image->kind == picture_kind::kitty && p.id == id) replaced.push_back(p.number);
        erase_picture_cells(replaced);
    }
    id = images_.keep({id, static_cast<std::uint32_t>(c['I']), made});
    if (c.action == 't') return answer_kitty(c, "OK", id);
    place_kitty(c, made, id);
}

void emulator::put_kitty_image(const kitty_command& c) {
    const auto* const found = images_.find(static_cast<std::uint32_t>(c['i']), static_cast<std::uint32_t>(c['I']));
    if (!found) return answer_kitty(c, "ENOENT:no such image");
    place_kitty(c, found->image, found->id);
}

// "Controlling displayed image layout": the source rectangle, scaled to c columns and r rows, else as large as it is.
void emulator::place_kitty(const kitty_command& c, std::shared_ptr<const image> shown, std::uint32_t id) {
    if (c['U'] != 0 || c['P'] != 0 || c['H'] != 0 || c['V'] != 0)
        return answer_kitty(c, "EINVAL:only placements at the cursor are supported", id);
    const pixel_size box = cell();
    picture p;
    p.id = id;
    p.placement = static_cast<std::uint32_t>(c['p']);
    p.z = static_cast<int>(std::clamp<std::int64_t>(c['z'], -(1 << 30), 1 << 30));
    p.offset_x = c.number('X', box.width - 1), p.offset_y = c.number('Y', box.height - 1);
    p.rows = c.number('r'), p.columns = c.number('c');
    if (shown->size.is_known()) {
        p.x = c.number('x', shown->size.width - 1), p.y = c.number('y', shown->size.height - 1);
        p.width = shown->size.width - p.x, p.height = shown->size.height - p.y;
        if (c['w'] > 0) p.width = c.number('w', p.width);
        if (c['h'] > 0) p.height = c.number('h', p.height);
        const std::int64_t w = p.width, h = p.height;
        if (p.columns == 0 && p.rows == 0) {
            p.columns = divide_up(w + p.offset_x, box.width), p.rows = divide_up(h + p.offset_y, box.height);
        } else if (p.columns == 0) {
            p.columns = divide_up(std::int64_t{p.rows} * box.height * w / h, box.width);
        } else if (p.rows == 0) {
            p.rows = divide_up(std::int64_t{p.columns} * box.width * h / w, box.height);
        }
    }
    if (p.rows == 0 || p.columns == 0) return answer_kitty(c, "EINVAL:its size is not known", id);
    if (p.rows > picture_mark::max_rows) {
        ++refused_images_;
        return answer_kitty(c, "EINVAL:it is too high", id);
    }
    if (p.placement != 0) { // showing a placement again moves it
        std::vector<std::uint16_t> moved;
        for (const picture& other : pictures_.all())
            if (other.id == id && other.placement == p.placement && other.image->kind == picture_kind::kitty)
                moved.push_back(other.number);
        erase_picture_cells(moved);
    }
    const bool moves = c['C'] != 1;
    const auto cut = [](int& part, int& cells, int room) { // the part beyond an edge is not shown; the rest is not scaled
        if (cells <= room) return;
        if (part > 0) part = std::max(1, static_cast<int>(std::int64_t{part} * room / cells));
        cells = room;
    };
    cut(p.width, p.columns, (cursor_.at.column < right_ ? right_ : columns()) - cursor_.at.column);
    if (!moves) cut(p.height, p.rows, rows() - cursor_.at.row);
    p.image = std::move(shown);
    const int width = p.columns;
    place_picture(std::move(p), moves);
    if (moves) advance_past_picture(width);
    answer_kitty(c, "OK", id);
}

// "Deleting images": a capital letter also deletes the data, unless it is shown elsewhere.
void emulator::delete_kitty(const kitty_command& c) {
    collect_unused_pictures();
    const char what = static_cast<char>(c.deletes | 0x20);
    const bool takes_data = c.deletes < 'a';
    auto id = static_cast<std::uint32_t>(c['i']);
    if (what == 'n') {
        const auto* const named = images_.find(0, static_cast<std::uint32_t>(c['I']));
        if (!named) return;
        id = named->id;
    }
    const position at = what == 'c' ? cursor_.at : position{c.number('y') - 1, c.number('x') - 1};
    std::vector<std::uint16_t> deleted;
    const auto collect = [&](std::uint16_t number) {
        const picture* const p = pictures_.find(number);
        if (!p || p->image->kind != picture_kind::kitty) return;
        if ((what == 'i' || what == 'n') &&
            (p->id != id || (c['p'] != 0 && p->placement != static_cast<std::uint32_t>(c['p']))))
            return;
        if ((what == 'z' || what == 'q') && p->z != c['z']) return;
        if (what == 'r' && (p->id < c['x'] || p->id > c['y'])) return;
        if (std::find(deleted.begin(), deleted.end(), number) == deleted.end()) deleted.push_back(number);
    };
    if (std::string_view("aincpqxyzr").find(what) == std::string_view::npos) return;
    for (int r = 0; r < rows() && !pictures_.empty(); ++r) {
        if ((what == 'c' || what == 'p' || what == 'q' || what == 'y') && r != at.row) continue;
        for_each_mark(screen_->at(r), [&](picture_mark m, int begin, int end) {
            const bool by_column = what == 'c' || what == 'p' || what == 'q' || what == 'x';
            if (!by_column || (begin <= at.column && at.column < end)) collect(m.number);
        });
    }
    std::vector<std::uint32_t> ids;
    if (takes_data && (what == 'i' || what == 'n')) ids.push_back(id);
    for (const std::uint16_t number : deleted)
        if (takes_data) ids.push_back(pictures_.find(number)->id);
    if (takes_data && (what == 'a' || what == 'r')) // also images that are not shown
        for (const auto& each : images_.all())
            if (what == 'a' || (each.id >= c['x'] && each.id <= c['y'])) ids.push_back(each.id);
    erase_picture_cells(deleted);
    for (const std::uint32_t each : ids) {
        const bool shown = std::any_of(pictures_.all().begin(), pictures_.all().end(),
                                       [=](const picture& p) { return p.image->kind == picture_kind::kitty && p.id == each; });
        if (!shown) images_.remove(each);
    }
}

// ---- all ----

/// Erases their cells.
void emulator::erase_picture_cells(const std::vector<std::uint16_t>& numbers) {
    if (numbers.empty()) return;
    const auto is_one = [&](std::uint16_t n) { return std::find(numbers.begin(), numbers.end(), n) != numbers.end(); };
    const auto erase = [&](screen& s) {
        std::vector<std::pair<int, int>> cells;
        for (int r = 0; r < s.size().rows; ++r) {
            spend(static_cast<std::int64_t>(s.at(r).runs().size()) + 1);
            cells.clear();
            for_each_mark(s.at(r), [&](picture_mark m, int begin, int end) {
                if (is_one(m.number)) cells.emplace_back(begin, end);
            });
            for (const auto& [begin, end] : cells) s.erase({r, begin, r + 1, end}, {});
        }
    };
    erase(primary_);
    if (alternate_) erase(*alternate_);
    for (const std::uint16_t n : numbers) pictures_.remove(n);
}

/// Deletes those without a cell on any screen.
void emulator::collect_unused_pictures() {
    std::vector<std::uint16_t> seen;
    const auto look = [&](const row& r) {
        spend(static_cast<std::int64_t>(r.runs().size()) + 1);
        for_each_mark(r, [&](picture_mark m, int, int) {
            if (seen.empty() || seen.back() != m.number) seen.push_back(m.number);
        });
    };
    const auto look_at = [&](const screen& s) {
        for (int r = 0; r < s.size().rows; ++r) look(s.at(r));
    };
    look_at(primary_);
    if (alternate_) look_at(*alternate_);
    for (const row& r : below_) look(r);
    pictures_.keep(seen);
}

// xterm ctlseqs, XTSMGRAPHICS: 1 colour registers, 2 sixel geometry; read-only.
void emulator::report_graphics(const parameters& p) {
    if (!options_.pictures.announces_sixel) return;
    constexpr std::string_view registers = "256"; // the minimum of terminals that support sixel
    const bool reads = p[1] == 1 || p[1] == 4;
    if (p[0] == 1 && reads) return answer_csi("?1;0;", registers, "S");
    if (p[0] == 2 && reads)
        return answer_csi("?2;0;", std::to_string(columns() * cell().width), ";", std::to_string(rows() * cell().height), "S");
    answer_csi("?", std::to_string(p[0]), p[0] == 1 || p[0] == 2 ? ";2S" : ";1S");
}

} // namespace mux::vt
