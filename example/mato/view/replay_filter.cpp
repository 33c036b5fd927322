// SPDX-License-Identifier: MIT
#include "replay_filter.hpp"

#include "escape.hpp"

#include <algorithm>
#include <charconv>
#include <initializer_list>
#include <iterator>
#include <utility>

namespace mux {
namespace {

constexpr char c1_lead = '\xc2', enquiry = '\005';

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> all) {
    return std::find(all.begin(), all.end(), text) != all.end();
}
bool begins_with_any(std::string_view text, std::initializer_list<std::string_view> all) {
    return std::any_of(all.begin(), all.end(), [text](std::string_view each) { return text.starts_with(each); });
}
bool is_cancel(char c) noexcept { return c == '\030' || c == '\032'; }
bool is_final(char c) noexcept { return c >= '@' && c <= '~'; }

/// Read as a terminal does: control characters are not part of a sequence.
std::string without_controls(std::string_view text) {
    std::string out;
    std::copy_if(text.begin(), text.end(), std::back_inserter(out),
                 [](char c) { return static_cast<unsigned char>(c) >= ' ' && c != '\177'; });
    return out;
}

int leading_number(std::string_view text) noexcept {
    int n = -1;
    static_cast<void>(std::from_chars(text.data(), text.data() + text.size(), n));
    return n;
}

/// `body`: what follows the introducer, with the final byte last.
bool asks(std::string_view raw) {
    const std::string body = without_controls(raw);
    if (body.empty()) return false;
    const char final = body.back();
    const char leader = body.front() >= '<' && body.front() <= '?' ? body.front() : '\0';
    const auto marks = body.find_first_of(" !\"#$%&'()*+,-./");
    const std::string intermediates = marks == std::string::npos ? "" : body.substr(marks, body.size() - 1 - marks);
    if (!intermediates
             .empty()) // DECRQM, DECRQPSR, DECRQTSR, DECRQCRA, DECRQUPSS, DECRQLP, DECRQDE, XTREPORTSGR, XTREPORTCOLORS
        return is_one_of(intermediates + final, {"$p", "$w", "$u", "*y", "&u", "'|", "\"v", "#|", "#R"});
    switch (final) {
    case 'c': return leader != '?';                   // DA; with '?' Linux's cursor
    case 'n': return leader == '\0' || leader == '?'; // DSR; with '>' XTMODKEYS
    case 'q': return leader == '>';                   // XTVERSION
    case 'x': return leader == '\0';                  // DECREQTPARM
    case 'u':                                         // kitty's keyboard
    case 'S':                                         // XTSMGRAPHICS
    case 'm':                                         // XTQMODKEYS
    case 'g': return leader == '?';                   // XTQFMTKEYS
    case 't': {                                       // XTWINOPS
        const int what = leading_number(body);
        return leader == '\0' && what >= 11 && what <= 21;
    }
    default: return false;
    }
}

/// OSC numbers that are a query if a part of them is "?".
bool may_ask(int number) noexcept {
    return number == 4 || number == 5 || (number >= 10 && number <= 19) || number == 21 || number == 22 || number == 50 ||
           number == 60 || number == 61 || number == 99;
}

bool has_question(std::string_view raw) {
    const std::string text = without_controls(raw);
    for (std::size_t from = 0; from <= text.size();) {
        const std::size_t end = std::min(text.find(';', from), text.size());
        const std::string_view part = std::string_view(text).substr(from, end - from);
        if (part == "?" || part.ends_with("=?")) return true;
        from = end + 1;
    }
    return false;
}

/// Commands of iTerm2 that are answered, or set the clipboard.
bool is_left_out_of_iterm(std::string_view body) {
    return begins_with_any(body, {"1337;ReportCellSize", "1337;ReportVariable", "1337;Capabilities", "1337;RequestUpload",
                                  "1337;Copy", "1337;EndCopy"});
}

} // namespace

void replay_filter::feed(std::string_view bytes, std::string& out) {
    while (!bytes.empty()) {
        if (at_ == state::text) { // passed unchanged, up to a byte that may begin a sequence
            const std::size_t size = std::min(bytes.find_first_of("\033\xc2\005"), bytes.size());
            out += bytes.substr(0, size);
            bytes.remove_prefix(size);
            if (bytes.empty()) return;
        }
        take(bytes.front(), out);
        bytes.remove_prefix(1);
    }
}

void replay_filter::finish(std::string& out) {
    finished_ = true;
    if (at_ == state::dropped) return;
    show(out);
    at_ = state::text;
}

void replay_filter::feed_new(std::string_view bytes, std::string& out) {
    while (!bytes.empty() && is_inside_dropped()) {
        take(bytes.front(), out);
        bytes.remove_prefix(1);
    }
    if (is_inside_dropped()) return;
    show(out); // an ESC that ended the string begins the next sequence
    at_ = state::text;
    out += bytes;
}

void replay_filter::take(char c, std::string& out) {
    switch (at_) {
    case state::text:
        if (c == enquiry) return; // the user's configuration decides the answer
        held_.assign(1, c);
        at_ = c == escape ? state::escape : state::lead;
        return;
    case state::lead: // a C1 control as UTF-8, or a character
        held_ += c;
        if (c == '\x9b') {
            at_ = state::control_sequence;
            body_ = held_.size();
        } else if (const auto which = std::string_view("\x9d\x90\x9f\x9e\x98").find(c); which != std::string_view::npos) {
            begin_string("]P_^X"[which]);
        } else if (c == '\x9a') { // DECID
            drop();
        } else {
            show(out);
        }
        return;
    case state::escape: return take_escape(c, out);
    case state::control_sequence:
        if (c == escape) {
            show(out);
            held_.assign(1, c);
            at_ = state::escape;
            return;
        }
        too_long_ = too_long_ || held_.size() >= most_held;
        if (!too_long_) held_ += c;
        if (is_cancel(c)) return show(out);
        if (!is_final(c)) return;
        if (too_long_ || asks(std::string_view(held_).substr(body_))) return drop();
        return show(out);
    case state::string:
    case state::passed:
    case state::dropped: return take_string(c, out);
    }
}

void replay_filter::take_escape(char c, std::string& out) {
    if (c == escape) {
        show(out);
        held_.assign(1, c);
        at_ = state::escape;
        return;
    }
    held_ += c;
    if (held_.size() == 2 && c == '[') {
        at_ = state::control_sequence;
        body_ = held_.size();
    } else if (held_.size() == 2 && std::string_view("]P_^X").find(c) != std::string_view::npos) {
        begin_string(c);
    } else if (held_.size() == 2 && c == 'Z') { // DECID
        drop();
    } else if (c < ' ' || c > '/' || held_.size() >= most_held) { // all but intermediates end it
        show(out);
    }
}

void replay_filter::begin_string(char kind) {
    at_ = state::string;
    kind_ = kind;
    body_ = held_.size();
    escaped_ = lead_ = false;
}

void replay_filter::take_string(char c, std::string& out) {
    if (std::exchange(escaped_, false)) {
        if (c == '\\') {
            held_ += "\033\\";
            return end_string(out);
        }
        end_string(out); // cancelled by the sequence that begins with this ESC
        held_.assign(1, escape);
        at_ = state::escape;
        return take_escape(c, out);
    }
    const bool ends = (c == '\a' && kind_ == ']') || is_cancel(c) || (c == '\x9c' && lead_);
    lead_ = c == c1_lead;
    if (c == escape) {
        escaped_ = true;
        return;
    }
    held_ += c;
    if (ends) return end_string(out);
    decide(out);
}

/// Decides as soon as the bytes allow it.
void replay_filter::decide(std::string& out) {
    if (at_ == state::passed) {
        out += held_;
        held_.clear();
        return;
    }
    if (at_ == state::dropped) return held_.clear();
    const std::string_view body = std::string_view(held_).substr(body_);
    const auto pass = [&] {
        at_ = state::passed;
        out += held_;
        held_.clear();
    };
    const auto leave_out = [&] {
        at_ = state::dropped;
        held_.clear();
    };
    if (kind_ == ']') {
        if (body.find(';') == std::string_view::npos) return body.size() > 64 ? pass() : void();
        const int number = leading_number(without_controls(body));
        if (number == 52 || number == 5522) return leave_out(); // clipboards
        if (number == 1337 && is_left_out_of_iterm(body)) return leave_out();
        const bool is_open = number == 1337 ? body.size() < 64 : may_ask(number);
        if (!is_open) return pass();
        if (held_.size() >= most_held) return leave_out();
    } else if (kind_ == 'P') {
        if (!is_final(body.back())) return body.size() > 64 ? pass() : void();
        const std::string head = without_controls(body);
        return head.ends_with("$q") || head.ends_with("+q") ? leave_out() : pass(); // DECRQSS, XTGETTCAP
    } else if (kind_ == '_' && body.front() == 'G') { // kitty's graphics: the replayed command is not answered
        if (body.back() != ';') return held_.size() >= most_held ? leave_out() : void();
        end_string(out);
    } else {
        pass();
    }
}

/// The control data of a kitty command too, before its payload.
void replay_filter::end_string(std::string& out) {
    const state was = at_;
    at_ = state::text;
    if (was == state::dropped) return drop();
    if (was == state::passed) return show(out);
    const std::string_view body = std::string_view(held_).substr(body_);
    if (kind_ == ']') {
        const int number = leading_number(without_controls(body));
        const bool goes = number == 52 || number == 5522 ||
                          (may_ask(number) && has_question(body.substr(0, body.find_first_of("\a\033\030\032\xc2")))) ||
                          (number == 1337 && is_left_out_of_iterm(body));
        return goes ? drop() : show(out);
    }
    if (kind_ != '_' || body.empty() || body.front() != 'G') return show(out);
    const std::size_t size = std::min(body.find_first_of(";\033\030\032\xc2"), body.size());
    std::string keys;
    bool is_query = false;
    for (std::size_t from = 1; from < size;) {
        const std::size_t end = std::min(std::min(body.find(',', from), size), body.size());
        const std::string_view key = body.substr(from, end - from);
        is_query = is_query || key == "a=q";
        if (!key.starts_with("q=")) keys.append(key).append(",");
        from = end + 1;
    }
    const bool goes_on = body.ends_with(';') && size + 1 == body.size();
    if (is_query) {
        drop();
    } else {
        out.append(held_, 0, body_).append("G").append(keys).append("q=2").append(body.substr(size));
        held_.clear();
    }
    if (goes_on) at_ = is_query ? state::dropped : state::passed;
}

void replay_filter::show(std::string& out) {
    out += held_;
    if (escaped_) out += escape;
    drop();
}

void replay_filter::drop() noexcept {
    held_.clear();
    at_ = state::text;
    escaped_ = lead_ = too_long_ = false;
}

} // namespace mux
