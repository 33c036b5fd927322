// SPDX-License-Identifier: MIT
#include "input_reader.hpp"

#include "escape.hpp"

#include "vt/utf8.hpp"

#include <algorithm>
#include <utility>

namespace mux {

namespace {

constexpr std::string_view paste_begin = "\x1b[200~", paste_end = "\x1b[201~";

bool is_continuation(char c) noexcept { return (c & 0xc0) == 0x80; }
bool is_control(char c) noexcept { return static_cast<unsigned char>(c) < ' '; }

/// Continuation bytes of a UTF-8 character, by its first byte.
int continuation_bytes(char first) noexcept { return vt::utf8_size(first) - 1; }

/// The length of the part of `mark` at the end of `bytes`, if it is incomplete.
std::size_t partial_mark(std::string_view bytes, std::string_view mark) noexcept {
    for (std::size_t size = std::min(bytes.size(), mark.size() - 1); size > 0; --size)
        if (bytes.ends_with(mark.substr(0, size))) return size;
    return 0;
}

/// An end mark in a paste that is followed by another before a paste begins: it was part of the text.
bool is_embedded(std::string_view rest) noexcept {
    const auto end = rest.find(paste_end);
    return end != std::string_view::npos && rest.substr(0, end).find(paste_begin) == std::string_view::npos;
}

int clamp(long long n, long long low, long long high) noexcept {
    return static_cast<int>(std::clamp(n, low, std::max(low, high)));
}

} // namespace

/// One call of feed(). The bytes from `from_` to `at_` are for the program and not passed on yet, so that a run is passed on in
/// one piece.
class input_reader::round {
public:
    round(input_reader& reader, std::string_view bytes, const input_context& context, input_sink& to, rest more) noexcept
        : r_(reader), in_(bytes), c_(context), to_(to), more_(more), ahead_(std::exchange(reader.ahead_, false)),
          from_(ahead_ ? 1 : 0) {}

    void run() {
        while (at_ < in_.size()) {
            if (r_.in_paste_)
                read_paste();
            else if (r_.skip_ > 0)
                skip_continuation();
            else if (in_[at_] == escape)
                read_escape();
            else if (r_.awaiting_)
                end_prefix();
            else
                read_plain();
        }
        type_until(in_.size());
    }

private:
    std::string_view left() const noexcept { return in_.substr(at_); }

    // ---- to the program ----
    void pass(std::string_view bytes) {
        if (!bytes.empty() && (c_.captured || !c_.readonly)) to_.typed(bytes);
    }
    void return_to_bottom() {
        if (c_.scrolled && !c_.captured) to_.scroll_to_bottom();
    }
    void type_until(std::size_t end) {
        if (end > from_) {
            return_to_bottom();
            pass(in_.substr(from_, end - from_));
        }
        from_ = std::max(from_, end);
    }
    /// Skips the next `length` bytes: they are not for the program.
    void drop(std::size_t length) {
        type_until(at_);
        at_ += length;
        from_ = at_;
    }
    /// For the program, but not a sign that the user types.
    void pass_quietly(std::size_t length) {
        type_until(at_);
        at_ += length;
        pass(in_.substr(from_, at_ - from_));
        from_ = at_;
    }
    /// Replaces the sequence that began at `start`. Its ESC may have been passed to the program already.
    void pass_instead(std::size_t start, std::string_view bytes) {
        if (start == 0 && ahead_ && !bytes.empty()) bytes.remove_prefix(1);
        pass(bytes);
    }
    /// Keeps the rest until more bytes arrive.
    void hold() {
        type_until(at_);
        r_.held_ = left();
        r_.ahead_ = ahead_ && at_ == 0;
        at_ = from_ = in_.size();
    }

    // ---- bytes ----
    void read_plain() {
        while (at_ < in_.size() && in_[at_] != escape && in_[at_] != c_.prefix) ++at_;
        if (at_ == in_.size() || in_[at_] == escape) return;
        drop(1);
        r_.awaiting_ = true;
    }

    void end_prefix() {
        const char key = in_[at_];
        r_.awaiting_ = false;
        if (key == c_.prefix) {
            ++at_;
            return;
        }
        drop(1);
        r_.skip_ = continuation_bytes(key);
        // Kitty's terminals send a key's character as a byte, but still report its release.
        if ((c_.kitty_flags & 2) != 0) remember(key >= 'A' && key <= 'Z' ? key - 'A' + 'a' : key);
        to_.command(r_.skip_ > 0 ? key_event{} : key_of_byte(key));
    }

    void skip_continuation() {
        if (is_continuation(in_[at_])) {
            drop(1);
            --r_.skip_;
        } else {
            r_.skip_ = 0;
        }
    }

    /// @pre in_[at_] is ESC
    void read_escape() {
        const std::string_view bytes = left();
        const bool is_prefix = c_.prefix == escape;
        if (bytes.size() == 1) {
            if (is_prefix || r_.awaiting_ || more_ == rest::follows) return hold();
            ++at_; // never delayed
            type_until(at_);
            r_.held_.assign(1, escape);
            r_.ahead_ = true;
            return;
        }
        switch (bytes[1]) {
        case '[': return read_sequence(end_of_input_sequence(bytes, longest_sequence));
        case ']':
        case 'P':
        case '_':
            if (c_.questions > 0) return read_string(end_of_string(bytes, longest_answer));
            break;
        case 'O': // SS3 and a letter: F1 to F4, arrows in application mode
            if (!is_prefix && !r_.awaiting_) break;
            if (bytes.size() == 2) return hold();
            if (is_control(bytes[2])) break;
            if (!std::exchange(r_.awaiting_, false)) {
                at_ += 3;
            } else {
                key_event key;
                key.key = letter_keys + bytes[2];
                drop(3);
                to_.command(key);
            }
            return;
        default: break;
        }
        if (r_.awaiting_) return end_prefix_by_escape(bytes);
        if (is_prefix) {
            drop(1);
            r_.awaiting_ = true;
        } else {
            ++at_;
        }
    }

    /// The prefix, then ESC and something that is not a sequence: the Escape key, or a key with Alt.
    void end_prefix_by_escape(std::string_view bytes) {
        if (c_.prefix == escape || is_control(bytes[1])) return end_prefix();
        r_.awaiting_ = false;
        r_.skip_ = continuation_bytes(bytes[1]);
        key_event key = r_.skip_ > 0 ? key_event{} : key_of_byte(bytes[1]);
        key.modifiers |= key_event::alt;
        drop(2);
        to_.command(key);
    }

    // ---- sequences ----
    void read_sequence(sequence_end end) {
        if (end.state == sequence_end::state::cut) return hold();
        if (end.state == sequence_end::state::broken) {
            r_.awaiting_ = false;
            at_ += end.length;
            return;
        }
        if (c_.scrolled) type_until(at_); // this ends scrolling, which changes the meaning of keys
        const std::string_view bytes = in_.substr(at_, end.length);
        const input_sequence parts = parse_input_sequence(bytes);
        if (parts.leader == '<' && (parts.final == 'M' || parts.final == 'm')) return read_mouse(parts, end.length);
        if (parts.parameters.empty() && parts.leader == 0 && (parts.final == 'I' || parts.final == 'O'))
            return read_focus(parts.final == 'I' ? focus_change::gained : focus_change::lost, end.length);
        if (bytes == paste_begin) return begin_paste(end.length);
        if (bytes == paste_end) return drop(end.length);
        if (c_.questions > 0 || (c_.theme_reports && parts.final == 'n')) {
            if (const auto answer = parse_answer(bytes)) {
                drop(end.length);
                return to_.answer(*answer);
            }
        }
        if (const auto key = parse_key(parts)) return read_key(*key, end.length);
        pass_quietly(end.length);
    }

    void read_string(sequence_end end) {
        if (end.state == sequence_end::state::cut) return hold();
        if (end.state == sequence_end::state::complete) {
            if (const auto answer = parse_answer(in_.substr(at_, end.length))) {
                drop(end.length);
                return to_.answer(*answer);
            }
        }
        r_.awaiting_ = false;
        at_ += end.length;
    }

    void read_focus(focus_change change, std::size_t length) {
        if (c_.focus && !c_.captured)
            pass_quietly(length);
        else
            drop(length);
        to_.focus(change);
    }

    // ---- keys that come as sequences ----
    bool is_swallowed(int key) const noexcept {
        return key != 0 && std::find(r_.swallowed_.begin(), r_.swallowed_.end(), key) != r_.swallowed_.end();
    }
    void forget(int key) noexcept { std::replace(r_.swallowed_.begin(), r_.swallowed_.end(), key, 0); }
    void remember(int key) noexcept {
        forget(key);
        r_.swallowed_[r_.next_swallowed_] = key;
        r_.next_swallowed_ = (r_.next_swallowed_ + 1) % r_.swallowed_.size();
    }
    void swallow(const key_event& key, std::size_t length) {
        drop(length);
        remember(key.key);
    }

    void read_key(const key_event& key, std::size_t length) {
        using action = key_event::action;
        if (key.what != action::press && is_swallowed(key.key) && !(is_scroll(key) && key.what == action::repeat)) {
            if (key.what == action::release) forget(key.key);
            return drop(length);
        }
        if (key.what == action::release || key.is_modifier()) return pass_quietly(length);
        const auto byte = key.byte();
        if (r_.awaiting_) {
            r_.awaiting_ = false;
            if (byte != c_.prefix) {
                swallow(key, length);
                return to_.command(key);
            }
        } else if (byte == c_.prefix) {
            swallow(key, length);
            r_.awaiting_ = true;
            return;
        } else if (is_scroll(key)) {
            swallow(key, length);
            return to_.scroll_pages(key.key == tilde_keys + 5 ? 1 : -1);
        }
        forget(key.key);
        at_ += length;
    }

    bool is_scroll(const key_event& key) const noexcept {
        const bool is_page = key.key == tilde_keys + 5 || key.key == tilde_keys + 6;
        return !c_.captured && is_page && key.modifiers == key_event::shift && (!c_.alternate_screen || c_.scrolled);
    }

    // ---- mouse ----
    void read_mouse(const input_sequence& parts, std::size_t length) {
        const std::size_t start = at_;
        drop(length);
        const auto report = parse_mouse(parts);
        if (!report) return;
        if (c_.captured || is_own(*report)) return to_.mouse(*report);
        const bool ends_press = report->release && r_.button_down_;
        const bool is_unused = (c_.mouse == mouse_tracking::none || c_.readonly) && !ends_press;
        if (c_.selects && is_unused && !report->is_wheel()) return to_.mouse(*report);
        if (c_.mouse != mouse_tracking::none && !c_.readonly && (!c_.scrolled || ends_press))
            send_mouse(start, *report);
        else
            scroll_by_wheel(start, *report);
    }

    /// In a row of mato's own, unless a button pressed in the tab is still held.
    bool is_own(const mouse_report& report) const noexcept {
        if (c_.own_row == 0 || r_.button_down_) return false;
        const int row = c_.pixels && c_.cell_height > 0 ? (report.y - 1) / c_.cell_height + 1 : report.y;
        return row >= c_.own_row;
    }

    void scroll_by_wheel(std::size_t start, const mouse_report& report) {
        const unsigned direction = report.code & 3;
        if (!report.is_wheel() || report.release || report.is_motion() || direction > 1) return;
        const bool back = direction == 0;
        if (c_.scrolled || !c_.alternate_screen) return to_.scroll(back ? wheel_rows : -wheel_rows);
        if (c_.mouse != mouse_tracking::none || !c_.alternate_scroll) return;
        // Kitty's protocol: the application forms belong to the legacy mode; any of the flags 1, 2 and 8 leaves it.
        const bool ss3 = c_.application_cursor && (c_.kitty_flags & (1 | 2 | 8)) == 0;
        std::string arrows;
        for (int i = 0; i < wheel_rows; ++i) arrows.append(ss3 ? "\x1bO" : "\x1b[").append(1, back ? 'A' : 'B');
        pass_instead(start, arrows);
    }

    void send_mouse(std::size_t start, mouse_report report) {
        if (!is_wanted(report, c_.mouse) || !move(report)) return;
        if (report.is_motion() && report == std::exchange(r_.last_report_, report))
            return; // at the tab's edge, or in the same cell
        r_.last_report_ = report;
        if (!report.is_motion() && !report.is_wheel()) r_.button_down_ = !report.release;
        pass_instead(start, encode_mouse(report, c_.mouse, c_.encoding));
    }

    /// Converts the viewer's position to the tab's, in the unit that the program wants.
    /// @returns false if that needs the size of a cell and it is unknown
    bool move(mouse_report& report) const noexcept {
        const bool wants_pixels = c_.encoding == mouse_encoding::sgr_pixels;
        const long long w = c_.cell_width, h = c_.cell_height;
        const bool has_cell = w > 0 && h > 0;
        if (c_.pixels && wants_pixels && !has_cell) return c_.top == 0 && c_.left == 0;
        // The program counts in the tab's cells, whose size it was told. The viewer's cells may differ or be unknown.
        const bool has_tab_cell = c_.tab_cell_width > 0 && c_.tab_cell_height > 0;
        const long long tab_w = has_tab_cell ? c_.tab_cell_width : w, tab_h = has_tab_cell ? c_.tab_cell_height : h;
        if ((c_.pixels && !has_cell) || (wants_pixels && tab_w <= 0)) return false;
        long long x = report.x, y = report.y;
        if (c_.pixels && wants_pixels) {
            report.x = clamp(x + c_.left * w, 0, c_.columns * w);
            report.y = clamp(y + c_.top * h, 0, c_.rows * h);
            return true;
        }
        if (c_.pixels) { // to cells, from 1
            x = std::max(x - 1, 0ll) / w + 1;
            y = std::max(y - 1, 0ll) / h + 1;
        }
        report.x = clamp(x + c_.left, 1, c_.columns);
        report.y = clamp(y + c_.top, 1, c_.rows);
        if (wants_pixels) { // the middle of the cell
            report.x = static_cast<int>((report.x - 1) * tab_w + (tab_w + 1) / 2);
            report.y = static_cast<int>((report.y - 1) * tab_h + (tab_h + 1) / 2);
        }
        return true;
    }

    // ---- paste ----
    void begin_paste(std::size_t length) {
        r_.awaiting_ = false;
        r_.in_paste_ = true;
        r_.paste_marked_ = c_.bracketed_paste || c_.captured;
        if (r_.paste_marked_)
            at_ += length;
        else
            drop(length);
    }

    void read_paste() {
        const std::size_t end = in_.find(paste_end, at_);
        if (end == std::string_view::npos) {
            at_ = in_.size() - partial_mark(left(), paste_end);
            if (at_ < in_.size()) hold();
            return;
        }
        at_ = end;
        if (is_embedded(in_.substr(end + paste_end.size()))) return drop(paste_end.size());
        r_.in_paste_ = false;
        if (r_.paste_marked_)
            at_ += paste_end.size();
        else
            drop(paste_end.size());
    }

    input_reader& r_;
    std::string_view in_;
    const input_context& c_;
    input_sink& to_;
    rest more_;
    bool ahead_;
    std::size_t from_, at_ = 0;
};

void input_reader::feed(std::string_view bytes, const input_context& context, input_sink& to, rest more) {
    if (bytes.empty()) return;
    if (held_.empty()) return round(*this, bytes, context, to, more).run();
    std::string joined = std::exchange(held_, {});
    joined += bytes;
    round(*this, joined, context, to, more).run();
}

std::chrono::milliseconds input_reader::patience() const noexcept {
    const std::string_view held = held_;
    const bool is_answer = held.size() > 2 && (held[1] != '[' || held[2] == '?');
    return is_answer ? answer_patience : key_patience;
}

void input_reader::flush(const input_context& context, input_sink& to) {
    if (!pending()) return;
    std::string held = std::exchange(held_, {});
    if (std::exchange(ahead_, false)) held.erase(0, 1);
    if (context.prefix == escape && !std::exchange(awaiting_, true)) held.erase(0, 1);
    if (held.empty()) return;
    if (std::exchange(awaiting_, false) && (context.prefix != held[0])) {
        to.command(key_of_byte(held[0]));
        held.erase(0, 1);
    }
    if (held.empty()) return;
    if (context.scrolled && !context.captured) to.scroll_to_bottom();
    if (context.captured || !context.readonly) to.typed(held);
}

void input_reader::resume_paste(bool program_has_begin, const input_context& context, input_sink& to) {
    in_paste_ = true;
    paste_marked_ = program_has_begin || context.bracketed_paste;
    // Without the mark the program would take the lines that follow for typed ones.
    if (paste_marked_ && !program_has_begin && !context.readonly) to.typed(paste_begin);
}

void input_reader::end_paste(const input_context& context, input_sink& to) {
    if (!std::exchange(in_paste_, false)) return;
    std::string held = std::exchange(held_, {});
    if (paste_marked_) held += paste_end;
    if (!held.empty() && (context.captured || !context.readonly)) to.typed(held);
}

std::string pasted(std::string_view text, paste_marks marks) {
    std::string out;
    out.reserve(text.size() + paste_begin.size() + paste_end.size());
    for (const char c : text) { // the result never ends in a mark, so removing one cannot create another
        out += c;
        if (out.ends_with(paste_end)) out.resize(out.size() - paste_end.size());
    }
    if (marks == paste_marks::bracketed) out = std::string(paste_begin).append(out).append(paste_end);
    return out;
}

} // namespace mux
