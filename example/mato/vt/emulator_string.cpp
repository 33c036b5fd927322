// SPDX-License-Identifier: MIT
#include "emulator.hpp"
#include "image_size.hpp"
#include "row_links.hpp"
#include "utf8.hpp"

#include <algorithm>
#include <charconv>

namespace mux::vt {

namespace {

constexpr std::string_view iterm_image = "1337;File=";

std::string dcs_header(const control_sequence& seq) {
    std::string out;
    for (std::size_t i = 0; i < seq.numbers.size(); ++i) {
        if (i > 0) out += seq.numbers.is_sub(i) ? ':' : ';';
        out += std::to_string(seq.numbers[i]);
    }
    out += seq.final;
    return out;
}

} // namespace

std::string_view take_string_part(std::string_view& rest) noexcept {
    const auto semicolon = rest.find(';');
    const std::string_view part = rest.substr(0, semicolon);
    rest.remove_prefix(semicolon == rest.npos ? rest.size() : semicolon + 1);
    return part;
}

int string_number(std::string_view digits) noexcept {
    int value = -1;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return error == std::errc{} && end == digits.data() + digits.size() && value >= 0 ? value : -1;
}

void emulator::string_begin(string_kind kind, const control_sequence& seq) {
    last_printed_ = 0;
    string_kind_ = kind;
    string_.clear();
    string_too_long_ = false;
    // PM and SOS have no effect on a terminal; they are skipped.
    string_limit_ = kind == string_kind::pm || kind == string_kind::sos ? 0 : options_.limits.string_bytes;
    if (kind == string_kind::apc) string_limit_ = options_.limits.image_bytes;
    if (kind != string_kind::dcs) return;
    const bool plain = seq.prefix == 0 && seq.intermediates == 0;
    const bool asks = seq.prefix == 0 && seq.numbers.empty() && seq.final == 'q' &&
                      (seq.intermediates == intermediate('$') || seq.intermediates == intermediate('+'));
    if (plain && seq.final == 'q') { // VT330 manual: sixel
        string_limit_ = options_.limits.image_bytes;
        string_.assign(1, 'S');
        string_ += dcs_header(seq);
    } else if (asks) {
        string_.assign(1, static_cast<char>(seq.intermediates & 0xff));
    } else {
        string_limit_ = 0;
    }
}

void emulator::string_data(std::string_view data) {
    if (string_too_long_) return;
    // Only the first bytes of an OSC show that it is an image.
    if (string_kind_ == string_kind::osc && string_.size() + data.size() > string_limit_ &&
        string_limit_ < options_.limits.image_bytes && string_.starts_with(iterm_image))
        string_limit_ = options_.limits.image_bytes;
    if (string_.size() + data.size() > string_limit_) {
        string_too_long_ = true;
        if (string_limit_ == options_.limits.image_bytes) ++refused_images_;
        std::string().swap(string_);
        return;
    }
    string_ += data;
}

void emulator::string_done(string_end how) {
    spend(static_cast<std::int64_t>(string_.size()) / string_share);
    if (how != string_end::cancelled && !string_too_long_) {
        if (string_kind_ == string_kind::osc) finish_osc(how == string_end::bell);
        if (string_kind_ == string_kind::dcs && !string_.empty()) finish_dcs();
        if (string_kind_ == string_kind::apc) finish_apc();
    }
    // releases the memory of an image; assignment would keep it
    constexpr std::size_t worth_keeping = 4096;
    if (string_.capacity() > worth_keeping)
        std::string().swap(string_);
    else
        string_.clear();
}

void emulator::finish_dcs() {
    const std::string_view body = std::string_view(string_).substr(1);
    if (string_[0] == 'S') return options_.pictures.sixel ? show_sixels(body) : tell(event_kind::sixel_image, body);
    if (string_[0] == '$') return report_setting(body);
    report_capabilities(body);
}

// kitty graphics protocol: APC G keys ; base64
void emulator::finish_apc() {
    if (!string_.starts_with('G')) return;
    if (options_.pictures.kitty)
        kitty_graphics(std::string_view(string_).substr(1));
    else
        tell(event_kind::kitty_image, string_);
}

// xterm ctlseqs: an answer ends like its query.
void emulator::finish_osc(bool bell) {
    if (string_.starts_with(iterm_image)) {
        const std::string_view image = std::string_view(string_).substr(iterm_image.find(';') + 1);
        return options_.pictures.iterm ? show_iterm(image) : tell(event_kind::iterm_image, image);
    }
    // Cleaned before anything in it is compared: later it is sent to a viewer's terminal.
    const std::string text = printable_utf8(string_);
    std::string_view rest = text;
    const int number = string_number(take_string_part(rest));
    switch (number) {
    case 0: return set_title(rest, true, true);
    case 1: return set_title(rest, false, true);
    case 2: return set_title(rest, true, false);
    case 4: return colours_osc(rest, bell);
    case 7: return tell(event_kind::directory, rest);
    case 8: return link_osc(rest);
    case 9:                                                                        // iTerm2; ConEmu's commands
    case 99:                                                                       // kitty, "Desktop notifications"
    case 777: return tell(event_kind::notification, rest, std::to_string(number)); // urxvt
    case 10:
    case 11:
    case 12: return dynamic_osc(number, rest, bell);
    case 52: return clipboard_osc(rest);
    case 104: return reset_colours_osc(rest);
    case 110:
    case 111:
    case 112: return palette_.reset(static_cast<std::size_t>(number - 110 + palette::foreground));
    case 133: return mark_prompt(rest);
    default: return;
    }
}

void emulator::tell(event_kind kind, std::string_view text, std::string_view target) {
    const auto row = rows_scrolled_ + static_cast<std::uint64_t>(cursor_.at.row);
    events_.push({kind, std::string(text), std::string(target), row, cursor_.at.column});
}

/// @pre `text` is clean: finish_osc().
void emulator::set_title(std::string_view text, bool title, bool icon) {
    std::size_t size = std::min(text.size(), max_title);
    while (size < text.size() && size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) --size;
    std::string name(text.substr(0, size));
    if (icon) {
        titles_.icon = name;
        if (!title) tell(event_kind::icon_name, name);
    }
    if (title) {
        titles_.title = std::move(name);
        tell(event_kind::title, titles_.title);
    }
}

// xterm ctlseqs, XTWINOPS 22 and 23: 0 both, 1 icon, 2 title
void emulator::push_title(int which) {
    if (which > 2) return;
    if (title_stack_.size() == max_stack) title_stack_.erase(title_stack_.begin());
    title_stack_.push_back(titles_);
}

void emulator::pop_title(int which) {
    if (which > 2 || title_stack_.empty()) return;
    const title_pair saved = std::move(title_stack_.back());
    title_stack_.pop_back();
    if (which != 2) set_title(saved.icon, false, true);
    if (which != 1) set_title(saved.title, true, false);
}

// OSC 8 ; key=value:key=value ; URI
void emulator::link_osc(std::string_view rest) {
    std::string_view keys = take_string_part(rest), id;
    while (!keys.empty()) {
        const auto colon = keys.find(':');
        const std::string_view key = keys.substr(0, colon);
        if (key.starts_with("id=")) id = key.substr(3);
        keys.remove_prefix(colon == keys.npos ? keys.size() : colon + 1);
    }
    const std::string_view uri = rest;
    cursor_.pen.link = 0;
    if (uri.empty()) return;
    // A collection looks at the whole screen, so it does not run for each link that finds no room.
    if (links_.is_full() && links_to_sweep_ == 0) {
        sweep_links();
        links_to_sweep_ = links_between_sweeps;
    }
    if (links_to_sweep_ > 0) --links_to_sweep_;
    history_.note_links(links_.size() == 0 ? history::earlier_links::none : history::earlier_links::unknown);
    const auto row = rows_scrolled_ + static_cast<std::uint64_t>(cursor_.at.row);
    cursor_.pen.link = links_.add(id, uri, row << 16 | static_cast<std::uint64_t>(cursor_.at.column));
}

void emulator::sweep_links() {
    link_set keep;
    const auto mark = [&keep](link_id link) { keep.set(link); };
    const auto mark_style = [&mark](const style& s) {
        if (is_link(s.link)) mark(s.link);
    };
    const auto mark_screen = [&](const screen& s) {
        for (int r = 0; r < s.size().rows; ++r) for_each_link(s.at(r), mark);
        spend_rows(s.size().rows);
    };
    mark_screen(primary_);
    if (alternate_) mark_screen(*alternate_);
    for (const row& r : below_) for_each_link(r, mark);
    spend(static_cast<std::int64_t>(history_.links(keep)) / string_share);
    mark_style(cursor_.pen);
    for (const auto& s : saved_)
        if (s) mark_style(s->pen);
    for (const style& s : pen_stack_) mark_style(s);
    links_.sweep(keep);
}

// xterm ctlseqs, OSC 52 ; targets ; base64, "?", or anything else, which clears. Invalid targets are ignored.
void emulator::clipboard_osc(std::string_view rest) {
    constexpr std::string_view known = "cpqs01234567";
    const std::string_view named = take_string_part(rest);
    std::string targets;
    for (const char c : known)
        if (named.find(c) != named.npos) targets += c;
    if (targets.empty() && !named.empty()) return;
    if (rest == "?") return tell(event_kind::clipboard_query, rest, targets);
    tell(event_kind::clipboard_set, is_base64(rest) ? rest : std::string_view(), targets);
}

} // namespace mux::vt
