// SPDX-License-Identifier: MIT
#include "emulator.hpp"
#include "sgr.hpp"

namespace mux::vt {

namespace {

class sequence_writer {
public:
    explicit sequence_writer(std::string& out) : out_(out) {}

    void csi(std::string_view text) { out_.append("\x1b[").append(text); }
    void csi(int number, std::string_view final) { csi(std::to_string(number)), out_ += final; }
    void csi(int first, int second, std::string_view final) {
        csi(first, ";"), out_.append(std::to_string(second)).append(final);
    }
    void mode(std::string_view number, bool on) { csi(number), out_ += on ? 'h' : 'l'; }
    void text(std::string_view bytes) { out_ += bytes; }

    void pen(const style& s, const link_table& links) {
        csi(sgr_numbers(s)), out_ += 'm';
        csi(s.has(attributes::is_protected) ? 1 : 0, "\"q");
        const hyperlink* const link = s.link ? links.find(s.link) : nullptr;
        out_ += "\x1b]8;";
        if (link) out_.append("id=").append(id_for_others(s.link, *link));
        out_ += ';';
        if (link) out_ += link->uri;
        out_ += "\x1b\\";
    }
    void sets(const charsets& s) {
        constexpr std::string_view places = "()*+", finals = "B0A";
        for (std::size_t i = 0; i < places.size(); ++i)
            ((out_ += '\x1b') += places[i]) += finals[static_cast<std::size_t>(s.designated[i])];
        constexpr std::string_view locking[] = {"\x0f", "\x0e", "\x1bn", "\x1bo"};
        out_ += locking[s.locked];
        if (s.single != 0) out_ += s.single == 2 ? "\x1bN" : "\x1bO";
    }

private:
    std::string& out_;
};

} // namespace

/// Places the cursor as in `c`, in a terminal whose margins begin at `origin`, with its pen and character sets.
void emulator::append_cursor(const cursor_state& c, bool origin_mode, position origin, std::string& out) const {
    sequence_writer to(out);
    to.mode("?6", origin_mode);
    if (!origin_mode) origin = {};
    int column = c.at.column;
    if (c.pending_wrap) { // only writing a character there sets it: the one that is there
        const row& line = grid().at(c.at.row);
        if (line.at(column) == units::tail) --column;
        to.pen(line.style_at(column), links_);
        to.sets({});
        to.csi(c.at.row - origin.row + 1, column - origin.column + 1, "H");
        std::string last;
        line.append_text(last, column, c.at.column + 1);
        to.text(last.empty() ? " " : last);
    } else {
        to.csi(c.at.row - origin.row + 1, column - origin.column + 1, "H");
    }
    to.pen(c.pen, links_);
    to.sets(c.sets);
}

std::string emulator::entry() const {
    std::string out;
    sequence_writer to(out);
    to.mode("?1049", false);
    if (!on_alternate()) return out;
    to.csi("r");
    to.mode("?69", false);
    cursor_state under = saved_[0].value_or(cursor_state{}); // ?1049h saves it
    under.pending_wrap = false;
    append_cursor(under, under.origin, {}, out);
    to.mode("?1049", true);
    return out;
}

std::string emulator::drawing_state() const {
    std::string out;
    sequence_writer to(out);
    to.mode("?7", modes_.is_set(mode::autowrap)); // resetting it clears a pending wrap
    to.csi("3g");
    for (int c = 0; c < columns(); ++c)
        if (tabs_[static_cast<std::size_t>(c)]) to.csi(c + 1, "G"), to.text("\x1bH");
    const position at = cursor_.at;
    const bool inside = at.row >= top_ && at.row < bottom_ && at.column >= left_ && at.column < right_;
    const bool addressable = inside || !modes_.is_set(mode::origin); // only DECRC can place it outside
    cursor_state saved = saved_[on_alternate() ? 1 : 0].value_or(cursor_state{});
    if (!addressable) saved.at = at, saved.pending_wrap = cursor_.pending_wrap;
    append_cursor(saved, saved.origin || !addressable, {}, out); // before the margins, because it may be outside of them
    to.text("\x1b"
            "7");
    to.csi(top_ + 1, bottom_, "r");
    to.mode("?69", modes_.is_set(mode::margins));
    if (modes_.is_set(mode::margins)) to.csi(left_ + 1, right_, "s");
    if (addressable)
        append_cursor(cursor_, modes_.is_set(mode::origin), {top_, left_}, out);
    else
        to.text("\x1b"
                "8"),
            to.pen(cursor_.pen, links_), to.sets(cursor_.sets);
    to.mode("4", modes_.is_set(mode::insert));
    to.mode("20", modes_.is_set(mode::newline));
    to.mode("?45", modes_.is_set(mode::reverse_wrap));
    to.mode("?1045", modes_.is_set(mode::reverse_wrap_far));
    to.mode("?2027", modes_.is_set(mode::grapheme_clusters));
    return out;
}

} // namespace mux::vt
