// SPDX-License-Identifier: MIT
#include "snapshot.hpp"

#include "bytes.hpp"
#include "emulator.hpp"
#include "kept_objects.hpp"
#include "packed_line.hpp"
#include "reflow.hpp"
#include "utf8.hpp"

#include <algorithm>
#include <cstring>

namespace mux::vt {

namespace {

constexpr std::string_view magic = "mVTs";
// Bounds on what a snapshot may make a reader allocate at once.
constexpr std::size_t most_bytes = 256u << 20;
constexpr std::size_t most_lines = 100'000'000;
constexpr std::uint64_t first_checkpoint_version = 3;

std::uint64_t fnv1a(std::string_view bytes) noexcept {
    std::uint64_t hash = 0xcbf29ce484222325u;
    for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
    return hash;
}

void put_row(byte_writer& out, const row& r) {
    constexpr std::size_t usual = 2; // bytes of the number before a row of 32 to 8191 bytes
    char* const to = out.room(byte_writer::most_number + packed_bound(r));
    const auto size = static_cast<std::size_t>(pack_line(r, to + usual) - (to + usual));
    const std::uint64_t number = std::uint64_t{size} << 1 | (r.wraps ? 1 : 0);
    char head[byte_writer::most_number];
    const auto length = static_cast<std::size_t>(byte_writer::put_number(head, number) - head);
    if (length != usual) std::memmove(to + length, to + usual, size);
    std::memcpy(to, head, length);
    out.advance(to + length + size);
}

bool take_row(byte_reader& in, row& r, int columns) {
    const auto head = in.bounded<std::size_t>(most_bytes);
    if (!in.ok() || !unpack_line(in.raw(head >> 1), r, columns) || !r.is_valid(columns)) return false;
    r.wraps = (head & 1) != 0;
    return in.ok();
}

void put_style(byte_writer& out, const style& s) {
    out.number(s.foreground.value());
    out.number(s.background.value());
    out.number(s.underline_colour.value());
    out.number(s.flags);
    out.number(s.link);
}

style take_style(byte_reader& in) {
    style s;
    const auto take = [&in] {
        const auto c = colour::from_value(in.bounded<std::uint32_t>(0xffffffff));
        if (!c) in.fail();
        return c.value_or(colour{});
    };
    s.foreground = take();
    s.background = take();
    s.underline_colour = take();
    s.flags = in.bounded<std::uint16_t>(attributes::underline_mask | (attributes::is_protected * 2 - 1));
    s.link = in.bounded<link_id>(65535);
    if (s.underlined() > underline::dashed) in.fail();
    return s;
}

void put_cursor(byte_writer& out, const cursor_state& c) {
    out.number(static_cast<std::uint64_t>(c.at.row));
    out.number(static_cast<std::uint64_t>(c.at.column));
    out.flag(c.pending_wrap);
    out.flag(c.origin);
    put_style(out, c.pen);
    for (const charset set : c.sets.designated) out.byte(static_cast<unsigned>(set));
    out.byte(c.sets.locked);
    out.byte(c.sets.single);
}

cursor_state take_cursor(byte_reader& in, screen_size size) {
    cursor_state c;
    c.at.row = in.bounded(static_cast<std::uint64_t>(size.rows) - 1);
    c.at.column = in.bounded(static_cast<std::uint64_t>(size.columns) - 1);
    c.pending_wrap = in.flag();
    c.origin = in.flag();
    c.pen = take_style(in);
    for (charset& set : c.sets.designated) set = in.bounded<charset>(static_cast<unsigned>(charset::count) - 1);
    c.sets.locked = in.bounded<std::uint8_t>(3);
    c.sets.single = in.bounded<std::uint8_t>(3);
    return c;
}

void put_screen(byte_writer& out, const screen& s) {
    for (int r = 0; r < s.size().rows; ++r) put_row(out, s.at(r));
}

bool take_screen(byte_reader& in, screen& s, screen_size size) {
    std::vector<row> rows(static_cast<std::size_t>(size.rows));
    for (row& r : rows)
        if (!take_row(in, r, size.columns)) return false;
    s.assign(size, std::move(rows));
    return true;
}

void put_history(byte_writer& out, const history& h) {
    out.number(h.first());
    out.flag(h.is_open());
    out.number(h.size());
    std::string scratch;
    for (const std::string_view line : h.packed_lines(scratch)) out.text(line);
}

bool take_history(byte_reader& in, history& h) {
    const std::uint64_t first = in.number();
    const bool open = in.flag();
    const auto lines = in.bounded<std::size_t>(most_lines);
    if (open && lines == 0) return false;
    for (std::size_t i = 0; i < lines && in.ok(); ++i) {
        const std::string_view line = in.text(most_bytes);
        if (!in.ok() || !h.push_packed(line, open && i + 1 == lines ? history::line_end::open : history::line_end::closed))
            return false;
    }
    h.restore_first(first + (lines - h.size())); // this one may keep fewer
    return in.ok();
}

void put_history_in_blocks(byte_writer& out, const history& h) {
    out.number(h.first());
    h.closed_lines().write(out);
    out.flag(h.is_open());
    if (h.is_open()) put_row(out, h.open_line());
}

bool take_history_in_blocks(byte_reader& in, history& h, std::span<block_head* const> left) {
    if (!h.adopt(in, left)) return false;
    if (!in.flag()) return in.ok();
    row line;
    if (!take_row(in, line, history::readable_columns)) return false;
    h.restore_open(std::move(line));
    return true;
}

bool in_string(parser_state::stage at) noexcept { return at >= parser_state::stage::string; }

// Each stage with what it will still look at, and no more: what is left over from an earlier one must not tell.
void put_parser(byte_writer& out, const parser_state& s) {
    out.byte(static_cast<unsigned>(s.at));
    if (s.at == parser_state::stage::ground) return out.text({s.partial.data(), s.partial_size});
    if (in_string(s.at)) {
        out.byte(static_cast<unsigned>(s.kind));
        return out.number(s.at == parser_state::stage::linux_palette ? s.number : 0);
    }
    out.flag(s.number_open);
    out.flag(s.number_is_sub);
    out.number(s.number);
    out.byte(static_cast<unsigned char>(s.sequence.prefix));
    out.number(s.sequence.intermediates);
    out.number(s.sequence.numbers.size());
    for (std::size_t i = 0; i < s.sequence.numbers.size(); ++i)
        out.number(static_cast<std::uint64_t>(s.sequence.numbers[i]) << 1 | (s.sequence.numbers.is_sub(i) ? 1 : 0));
}

parser_state take_parser(byte_reader& in, std::uint64_t version) {
    parser_state s;
    s.sequence.numbers.clear();
    s.at = in.bounded<parser_state::stage>(static_cast<unsigned>(parser_state::stage::linux_palette));
    if (s.at == parser_state::stage::ground) {
        const std::string_view partial = in.text(max_utf8_bytes - 1);
        std::copy(partial.begin(), partial.end(), s.partial.begin());
        s.partial_size = static_cast<std::uint8_t>(partial.size());
        if (!partial.empty() && decode_utf8(partial.data(), partial.data() + partial.size()).length != 0) in.fail();
        return s;
    }
    if (in_string(s.at)) {
        s.kind = in.bounded<string_kind>(static_cast<unsigned>(string_kind::sos));
        if (version < 3)
            (void)in.flag(); // the first half of a C1 control, which ended strings then
        else
            s.number = in.bounded<std::uint32_t>(parser_state::palette_digits - 1);
        return s;
    }
    s.number_open = in.flag();
    s.number_is_sub = in.flag();
    s.number = in.bounded<std::uint32_t>(parameters::max_value * 10 + 9);
    s.sequence.prefix = static_cast<char>(in.byte());
    s.sequence.intermediates = in.bounded<std::uint16_t>(65535);
    const auto count = in.bounded<std::size_t>(parameters::max_count);
    for (std::size_t i = 0; i < count; ++i) {
        const auto n = in.bounded<std::uint32_t>(parameters::max_value * 2 + 1);
        s.sequence.numbers.push(n >> 1, (n & 1) != 0);
    }
    return s;
}

void put_titles(byte_writer& out, const title_pair& t) {
    out.text(t.title);
    out.text(t.icon);
}

/// Text that will be written to terminals: a control in it would end the string it stands in.
std::string take_printable(byte_reader& in, std::size_t most) {
    std::string text(in.text(most));
    if (printable_utf8(text) != text) in.fail();
    return text;
}

title_pair take_titles(byte_reader& in) {
    constexpr std::size_t most = 4096; // older versions kept more than the emulator does now
    title_pair t;
    t.title = take_printable(in, most);
    t.icon = take_printable(in, most);
    return t;
}

hyperlink take_link_without_place(byte_reader& in) { // of versions before 3
    hyperlink l;
    l.id = take_printable(in, link_table::max_id);
    l.uri = take_printable(in, link_table::max_uri);
    return l;
}

} // namespace

hyperlink take_link(byte_reader& in) {
    hyperlink l = take_link_without_place(in);
    l.place = in.number();
    return l;
}

// The order here is the layout; take() reads in the same one.
void snapshot_access::put(byte_writer& out, const emulator& e, const parser& p, std::uint64_t revision,
                          const kept_objects* kept) {
    out.number(static_cast<std::uint64_t>(e.size_.rows));
    out.number(static_cast<std::uint64_t>(e.size_.columns));
    put_screen(out, e.primary_);
    out.flag(e.alternate_.has_value());
    if (e.alternate_) put_screen(out, *e.alternate_);
    if (kept)
        put_history_in_blocks(out, e.history_);
    else
        put_history(out, e.history_);
    out.number(e.below_.size());
    for (const row& r : e.below_) put_row(out, r);

    put_cursor(out, e.cursor_);
    for (const auto& saved : e.saved_) {
        out.flag(saved.has_value());
        if (saved) put_cursor(out, *saved);
    }
    out.number(static_cast<std::uint64_t>(e.primary_left_at_.at.row)); // from version 3 on
    out.number(static_cast<std::uint64_t>(e.primary_left_at_.at.column));
    out.flag(e.primary_left_at_.pending_wrap);
    out.number(e.modes_.bits());
    out.number(e.saved_modes_);
    for (const int edge : {e.top_, e.bottom_, e.left_, e.right_}) out.number(static_cast<std::uint64_t>(edge));
    char* stops = out.room(static_cast<std::size_t>(e.columns()));
    for (int c = 0; c < e.columns(); ++c) *stops++ = e.tabs_[static_cast<std::size_t>(c)] ? 1 : 0;
    out.advance(stops);
    out.byte(static_cast<unsigned>(e.shape_));
    out.flag(e.rectangular_attributes_);
    out.flag(e.guards_from_all_); // from version 3 on
    out.number(e.last_printed_);
    out.flag(e.cluster_at_.has_value());
    if (e.cluster_at_) {
        out.number(static_cast<std::uint64_t>(e.cluster_at_->row));
        out.number(static_cast<std::uint64_t>(e.cluster_at_->column));
    }
    for (const kitty_keyboard& k : e.kitty_) {
        out.number(k.stack().size());
        for (const std::uint8_t flags : k.stack()) out.byte(flags);
        out.byte(static_cast<unsigned>(k.flags()));
    }
    for (const unsigned key : {e.modified_.cursor, e.modified_.function, e.modified_.other}) out.byte(key);
    if (!e.palette_.is_any_changed()) {
        char* const flags = out.room(palette::size);
        out.advance(std::fill_n(flags, palette::size, '\0'));
    } else {
        for (std::size_t i = 0; i < palette::size; ++i) {
            out.flag(e.palette_.is_changed(i));
            if (e.palette_.is_changed(i)) out.number(colour::direct(e.palette_.at(i)).value());
        }
    }
    put_titles(out, e.titles_);
    out.number(e.title_stack_.size());
    for (const title_pair& t : e.title_stack_) put_titles(out, t);
    out.number(e.pen_stack_.size());
    for (const style& s : e.pen_stack_) put_style(out, s);
    out.number(e.links_.size());
    for (std::size_t i = 0; !kept && i < e.links_.size(); ++i) {
        const hyperlink* l = e.links_.find(static_cast<link_id>(i + 1));
        out.text(l ? l->id : "");
        out.text(l ? l->uri : "");
        out.number(l ? l->place : 0); // from version 3 on
    }
    out.number(e.links_to_sweep_);
    put_parser(out, p.state());
    out.byte(static_cast<unsigned>(e.string_kind_));
    out.text(e.string_);
    out.number(e.string_limit_);
    out.flag(e.string_too_long_);
    out.number(static_cast<std::uint64_t>(e.synchronised_since_.count()));
    out.number(e.rows_scrolled_);
    out.number(revision);
    put_pictures(out, e, kept); // from version 2 on
    e.marks_.put(out);          // from version 4 on
}

void snapshot_access::write_body(byte_writer& out, const emulator& e, const parser& p, std::uint64_t revision) {
    put(out, e, p, revision, nullptr);
}

std::string snapshot_access::save(const emulator& e, const parser& p) {
    std::string body_buffer, head_buffer;
    byte_writer body(body_buffer), head(head_buffer);
    write_body(body, e, p, e.revision_);
    head.raw(magic);
    head.number(snapshot_version);
    head.number(body.written().size());
    const std::uint64_t hash = fnv1a(body.written());
    for (unsigned shift = 0; shift < 64; shift += 8) head.byte(static_cast<unsigned>(hash >> shift & 0xff));
    std::string whole;
    whole.reserve(head.written().size() + body.written().size());
    return whole.append(head.written()).append(body.written());
}

bool snapshot_access::write_checkpoint(byte_writer& out, const emulator& e, const parser& p, kept_objects& kept) {
    bool has_room = kept.keep(e.links_);
    kept.begin_images();
    for (const picture& each : e.pictures_.all()) has_room = has_room && kept.keep(each.image) != 0;
    for (const auto& each : e.images_.all()) has_room = has_room && kept.keep(each.image) != 0;
    if (!has_room || !kept.end_images()) return false;
    out.number(snapshot_version);
    // What decides how bytes are understood, and is not in a snapshot.
    const picture_protocols& known = e.options_.pictures;
    for (const bool each : {known.kitty, known.sixel, known.iterm, known.announces_sixel}) out.flag(each);
    for (const int pixels : {e.options_.cell_width, e.options_.cell_height})
        out.number(static_cast<std::uint64_t>(std::max(pixels, 0)));
    kept.write(out);
    put(out, e, p, e.revision_, &kept);
    return true;
}

snapshot_error snapshot_access::restore_checkpoint(std::string_view bytes, block_store& store, emulator& e, parser& p,
                                                   kept_objects& kept) {
    byte_reader in(bytes);
    const std::uint64_t version = in.number();
    if (!in.ok() || version < first_checkpoint_version) return snapshot_error::damaged;
    if (version > snapshot_version) return snapshot_error::too_new;
    picture_protocols& known = e.options_.pictures;
    for (bool* const each : {&known.kitty, &known.sixel, &known.iterm, &known.announces_sixel}) *each = in.flag();
    for (int* const pixels : {&e.options_.cell_width, &e.options_.cell_height}) *pixels = in.bounded(1 << 30);
    const std::vector<block_head*> left = store.left_blocks();
    if (!kept.adopt(in, left) || !take(in, version, e, p, &kept, left)) return snapshot_error::damaged;
    e.history_.published();
    kept.published();
    return snapshot_error::none;
}

snapshot_error snapshot_access::restore(std::string_view bytes, emulator& e, parser& p) {
    if (!bytes.starts_with(magic)) return snapshot_error::not_a_snapshot;
    byte_reader in(bytes.substr(magic.size()));
    const std::uint64_t version = in.number();
    if (!in.ok() || version == 0) return snapshot_error::damaged;
    if (version > snapshot_version) return snapshot_error::too_new;
    const auto length = in.bounded<std::size_t>(bytes.size());
    std::uint64_t hash = 0;
    for (unsigned shift = 0; shift < 64; shift += 8) hash |= std::uint64_t{in.byte()} << shift;
    const std::string_view body = in.raw(length);
    if (!in.ok() || !in.at_end() || fnv1a(body) != hash) return snapshot_error::damaged;

    in = byte_reader(body);
    return take(in, version, e, p, nullptr, {}) ? snapshot_error::none : snapshot_error::damaged;
}

// Only a forged body can be wrong here, and then it is refused.
bool snapshot_access::take(byte_reader& in, std::uint64_t version, emulator& e, parser& p, kept_objects* kept,
                           std::span<block_head* const> left) {
    e.size_.rows = in.bounded(max_rows);
    e.size_.columns = in.bounded(max_columns);
    if (!in.ok() || e.size_.clamped() != e.size_) return false;
    if (!take_screen(in, e.primary_, e.size_)) return false;
    if (in.flag()) {
        e.alternate_.emplace(e.size_);
        if (!take_screen(in, *e.alternate_, e.size_)) return false;
    }
    if (!(kept ? take_history_in_blocks(in, e.history_, left) : take_history(in, e.history_))) return false;
    e.below_.resize(in.bounded<std::size_t>(max_rows_below));
    for (row& r : e.below_)
        if (!take_row(in, r, e.columns())) return false;

    e.cursor_ = take_cursor(in, e.size_);
    for (auto& saved : e.saved_)
        if (in.flag()) saved = take_cursor(in, e.size_);
    if (version >= 3) {
        e.primary_left_at_.at.row = in.bounded(static_cast<std::uint64_t>(e.rows()) - 1);
        e.primary_left_at_.at.column = in.bounded(static_cast<std::uint64_t>(e.columns()) - 1);
        e.primary_left_at_.pending_wrap = in.flag();
    }
    mode_set scratch;
    if (!e.modes_.set_bits(in.number()) || !scratch.set_bits(e.saved_modes_ = in.number())) return false;
    if (e.on_alternate() && !e.alternate_) return false;
    if (version < 3 && e.on_alternate() && e.saved_[0]) e.primary_left_at_ = {e.saved_[0]->at, e.saved_[0]->pending_wrap};
    e.screen_ = &e.grid();
    e.top_ = in.bounded(max_rows);
    e.bottom_ = in.bounded(static_cast<std::uint64_t>(e.rows()));
    e.left_ = in.bounded(max_columns);
    e.right_ = in.bounded(static_cast<std::uint64_t>(e.columns()));
    if (e.top_ >= e.bottom_ || e.left_ >= e.right_) return false;
    e.tabs_.reset();
    for (int c = 0; c < e.columns(); ++c) e.tabs_[static_cast<std::size_t>(c)] = in.flag();
    e.shape_ = in.bounded<cursor_shape>(static_cast<unsigned>(cursor_shape::own));
    if (version < 3 && e.shape_ == cursor_shape::block && e.modes_.is_set(mode::cursor_blinks)) { // how they began
        e.shape_ = cursor_shape::own;
        e.modes_.set(mode::cursor_blinks, false);
    }
    e.rectangular_attributes_ = in.flag();
    if (version >= 3) e.guards_from_all_ = in.flag();
    e.last_printed_ = in.bounded<char32_t>(0x10ffff);
    if (in.flag()) {
        position at;
        at.row = in.bounded(static_cast<std::uint64_t>(e.rows()) - 1);
        at.column = in.bounded(static_cast<std::uint64_t>(e.columns()) - 1);
        e.cluster_at_ = at;
    }
    for (kitty_keyboard& k : e.kitty_) {
        const auto count = in.bounded<std::size_t>(kitty_keyboard::limit);
        for (std::size_t i = 0; i <= count; ++i) {
            const int flags = in.bounded(kitty_keyboard::all_flags);
            if (i == 0)
                k.apply(flags, kitty_keyboard::change::replace);
            else
                k.push(flags);
        }
    }
    for (std::uint8_t* key : {&e.modified_.cursor, &e.modified_.function, &e.modified_.other})
        *key = in.bounded<std::uint8_t>(3);
    for (std::size_t i = 0; i < palette::size; ++i) {
        if (!in.flag()) continue;
        const auto c = colour::from_value(in.bounded<std::uint32_t>(0xffffffff));
        if (!c || !c->is_direct()) return false;
        e.palette_.set(i, c->components());
    }
    e.titles_ = take_titles(in);
    e.title_stack_.resize(in.bounded<std::size_t>(emulator::max_stack));
    for (title_pair& t : e.title_stack_) t = take_titles(in);
    e.pen_stack_.resize(in.bounded<std::size_t>(emulator::max_stack));
    for (style& s : e.pen_stack_) s = take_style(in);
    const auto links = in.bounded<std::size_t>(most_links);
    if (kept && !kept->restore(e.links_, links)) return false;
    for (std::size_t i = 0; !kept && i < links && in.ok(); ++i)
        e.links_.append(version >= 3 ? take_link(in) : take_link_without_place(in));
    const auto to_sweep = in.bounded<std::uint32_t>(0xffffffff); // before version 3 it counted other things
    if (version >= 3) e.links_to_sweep_ = std::min(to_sweep, emulator::links_between_sweeps);
    p.set_state(take_parser(in, version));
    e.string_kind_ = in.bounded<string_kind>(static_cast<unsigned>(string_kind::sos));
    e.string_ = in.text(most_bytes);
    e.string_limit_ = in.bounded<std::size_t>(most_bytes);
    e.string_too_long_ = in.flag();
    e.synchronised_since_ = moment(in.bounded<std::int64_t>(0x7fffffffffffffff));
    e.rows_scrolled_ = in.number();
    e.revision_ = in.number();
    if (version >= 2) take_pictures(in, e, kept);
    if (version >= 4 && !e.marks_.take(in)) return false;
    if (!in.ok() || !in.at_end()) return false;
    // A viewer that had this very revision has these rows; of older ones nothing is known any more.
    for (screen* s : {&e.primary_, e.alternate_ ? &*e.alternate_ : &e.primary_}) {
        s->begin_change(e.revision_);
        s->touch_all();
    }
    e.scrolls_.clear(e.revision_);
    e.update_text_path();
    return true;
}

} // namespace mux::vt
