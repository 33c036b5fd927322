// SPDX-License-Identifier: MIT
/// @file vt_script.cpp: runs cases written as text; README.vt next to this file describes the commands.
/// Usage: vt_script FILE.vt…   Exit status: 0 all pass, 1 some fail, 2 a file cannot be read or parsed.
/// Every case runs three times: fed whole, byte by byte, and through save() and restore() after each byte.
#include "vt/terminal.hpp"

#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using namespace mux::vt;

enum class feeding { whole, bytes, snapshots };

struct step {
    int line = 0;
    std::string command;
    std::vector<std::string> words;
};

struct test_case {
    std::string name;
    std::string source;
    int line = 0;
    std::vector<step> steps;
};

struct script_error : std::runtime_error {
    using std::runtime_error::runtime_error;
};

std::string at_line(int number, std::string_view what) {
    std::ostringstream out;
    out << "line " << number << ": " << what;
    return out.str();
}

char escaped(std::istream& in) {
    const int c = in.get();
    switch (c) {
    case 'e': return '\x1b';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'b': return '\b';
    case 'a': return '\a';
    case 'x': {
        char digits[3] = {static_cast<char>(in.get()), static_cast<char>(in.get()), 0};
        return static_cast<char>(std::stoi(digits, nullptr, 16));
    }
    default: return static_cast<char>(c);
    }
}

// Words separated by blanks; "quoted" ones with escapes; "quoted"*N repeats.
std::vector<std::string> split_words(const std::string& line) {
    std::istringstream in(line);
    std::vector<std::string> words;
    while (in >> std::ws && in.peek() != EOF) {
        std::string word;
        if (in.peek() != '"') {
            in >> word;
            words.push_back(word);
            continue;
        }
        in.get();
        for (int c = in.get(); c != '"'; c = in.get()) {
            if (c == EOF) throw script_error("a quote is not closed");
            word += c == '\\' ? escaped(in) : static_cast<char>(c);
        }
        if (in.peek() == '*') {
            in.get();
            int times = 0;
            in >> times;
            const std::string once = word;
            word.clear();
            for (int i = 0; i < times; ++i) word += once;
        }
        words.push_back(word);
    }
    return words;
}

std::vector<test_case> read_cases(const std::string& path) {
    std::ifstream in(path);
    if (!in) throw script_error("cannot be read");
    std::vector<test_case> cases;
    int number = 0;
    for (std::string line; std::getline(in, line);) {
        ++number;
        if (line.empty() || line[0] == '#') continue;
        if (line.starts_with("== ")) {
            const auto bar = line.find(" | ");
            if (bar == std::string::npos) throw script_error(at_line(number, "a case names its source after \" | \""));
            cases.push_back({line.substr(3, bar - 3), line.substr(bar + 3), number, {}});
            continue;
        }
        if (cases.empty()) throw script_error("a command before the first case");
        auto words = split_words(line);
        const std::string command = words.front();
        words.erase(words.begin());
        cases.back().steps.push_back({number, command, words});
    }
    return cases;
}

std::string shown(std::string_view s) {
    std::ostringstream out;
    for (const char c : s) {
        if (c == '\x1b')
            out << "\\e";
        else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
            out << "\\x"
                << "0123456789abcdef"[c >> 4 & 15] << "0123456789abcdef"[c & 15];
        else
            out << c;
    }
    return out.str();
}

std::string without_trailing(std::string s, char c) {
    while (!s.empty() && s.back() == c) s.pop_back();
    return s;
}

std::string colour_name(colour c) {
    if (c.is_indexed()) return std::to_string(c.index());
    const rgb v = c.components();
    char text[16];
    std::snprintf(text, sizeof text, "#%02x%02x%02x", static_cast<unsigned>(v.red), static_cast<unsigned>(v.green),
                  static_cast<unsigned>(v.blue));
    return text;
}

std::string style_name(const terminal& t, const style& s) {
    static const std::pair<std::uint16_t, const char*> flags[] = {
        {attributes::bold, "bold"},         {attributes::faint, "faint"},
        {attributes::italic, "italic"},     {attributes::blink, "blink"},
        {attributes::rapid_blink, "rapid"}, {attributes::inverse, "inverse"},
        {attributes::conceal, "conceal"},   {attributes::strike, "strike"},
        {attributes::overline, "overline"}, {attributes::is_protected, "protected"}};
    static const char* const lines[] = {"", "underline", "double", "curly", "dotted", "dashed"};
    std::string out;
    for (const auto& [flag, name] : flags)
        if (s.has(flag)) out.append(name).append(" ");
    if (s.underlined() != underline::none) out.append(lines[static_cast<int>(s.underlined())]).append(" ");
    if (!s.foreground.is_default()) out.append("fg=").append(colour_name(s.foreground)).append(" ");
    if (!s.background.is_default()) out.append("bg=").append(colour_name(s.background)).append(" ");
    if (!s.underline_colour.is_default()) out.append("ul=").append(colour_name(s.underline_colour)).append(" ");
    if (const hyperlink* l = t.find_link(s.link)) out.append("link=").append(l->uri).append(" ");
    return out.empty() ? "plain" : without_trailing(out, ' ');
}

const char* event_name(event_kind kind) {
    static const char* const names[] = {"bell", "title",        "icon",  "directory", "clipboard-set", "clipboard-query",
                                        "mark", "notification", "kitty", "sixel",     "iterm"};
    return names[static_cast<int>(kind)];
}

class runner {
public:
    runner(const test_case& c, feeding how) : case_(c), how_(how) {}

    /// @returns the failed expectation, or nothing
    std::string run() {
        for (const step& s : case_.steps) {
            try {
                const std::string wrong = do_step(s);
                if (!wrong.empty()) return at_line(s.line, wrong);
            } catch (const std::out_of_range&) {
                throw script_error(at_line(s.line, "too few words"));
            } catch (const std::invalid_argument&) {
                throw script_error(at_line(s.line, "not a number"));
            }
            if (!t_.is_valid()) return at_line(s.line, "an invariant is broken");
        }
        return {};
    }

private:
    void feed(const std::string& bytes) {
        if (how_ == feeding::whole) return t_.feed(bytes, now_);
        for (const char c : bytes) {
            t_.feed({&c, 1}, now_);
            if (how_ != feeding::snapshots) continue;
            collect();
            const std::string saved = t_.save();
            terminal other(options_);
            if (other.restore(saved) != snapshot_error::none) throw script_error("a snapshot was refused");
            if (other.save() != saved) throw script_error("a restored snapshot saves as something else");
            t_ = std::move(other);
        }
    }

    // Answers and events are not part of a snapshot.
    void collect() {
        answers_ += t_.take_answers();
        for (event& e : t_.take_events()) events_.push_back(std::move(e));
    }

    std::string row_text(int r) const {
        text_line line;
        t_.read_row(r, line);
        return without_trailing(line.text, ' ');
    }

    std::string screen_text() const {
        std::string all;
        for (int r = 0; r < t_.size().rows; ++r) all.append(row_text(r)).append(r + 1 < t_.size().rows ? "|" : "");
        return without_trailing(all, '|');
    }

    std::string history_text() const {
        std::string all;
        text_line line;
        for (std::size_t i = 0; i < t_.history_lines(); ++i) {
            t_.read_history_line(i, line);
            if (i > 0) all += '|';
            all += without_trailing(line.text, ' ');
        }
        return all;
    }

    std::string style_at(int r, int c) const {
        text_line line;
        t_.read_row(r, line);
        for (const text_run& run : line.runs)
            if (c >= run.column && c < run.column + run.columns) return style_name(t_, run.style);
        return "plain";
    }

    static std::string compare(const std::string& wanted, const std::string& found) {
        if (wanted == found) return {};
        std::ostringstream out;
        out << "wanted \"" << shown(wanted) << "\", found \"" << shown(found) << '"';
        return out.str();
    }

    std::string do_step(const step& s) {
        const auto text = [&](std::size_t i) { return s.words.at(i); };
        const auto number = [&](std::size_t i) { return std::stoi(s.words.at(i)); };
        const auto yes = [](bool b) { return std::string(b ? "on" : "off"); };
        const std::string& c = s.command;
        if (c == "size") {
            options_.size = {number(0), number(1)};
            t_ = terminal(options_);
        } else if (c == "cells") {
            options_.cell_height = number(0);
            options_.cell_width = number(1);
            t_ = terminal(options_);
        } else if (c == "keep") {
            options_.limits.history.lines = static_cast<std::size_t>(number(0));
            t_ = terminal(options_);
        } else if (c == "strings") {
            options_.limits.string_bytes = static_cast<std::size_t>(number(0));
            t_ = terminal(options_);
        } else if (c == "host") {
            const std::string what = text(0);
            if (what == "colour") {
                auto next = options_.host.colours ? *options_.host.colours : host_colours{};
                const auto hex = [&](std::size_t i) { return static_cast<std::uint16_t>(std::stoi(text(i), nullptr, 16)); };
                next.at[static_cast<std::size_t>(number(1))] = wide_rgb{hex(2), hex(3), hex(4)};
                options_.host.colours = std::make_shared<const host_colours>(next);
            } else if (what == "theme") {
                auto next = options_.host.colours ? *options_.host.colours : host_colours{};
                next.reported = text(1) == "dark" ? theme::dark : theme::light;
                options_.host.colours = std::make_shared<const host_colours>(next);
            } else if (what == "keyboard") {
                options_.host.kitty_keyboard = text(1) == "on";
            } else if (what == "clipboard") {
                options_.host.clipboard = text(1) == "on";
            } else if (what == "awaited") {
                options_.host.is_awaited = text(1) == "on";
            } else {
                return "no such thing of the host";
            }
            t_.know_host(options_.host);
        } else if (c == "feed") {
            feed(text(0));
        } else if (c == "resize") {
            t_.resize({number(0), number(1)});
        } else if (c == "time") {
            now_ = moment(number(0));
        } else if (c == "row") {
            return compare(text(1), row_text(number(0) - 1));
        } else if (c == "screen") {
            return compare(text(0), screen_text());
        } else if (c == "history") {
            return compare(text(0), history_text());
        } else if (c == "cursor") {
            const cursor_view v = t_.cursor();
            std::ostringstream found, wanted;
            found << v.at.row + 1 << ' ' << v.at.column + 1 << (v.pending_wrap ? " pending" : "");
            for (std::size_t i = 0; i < s.words.size(); ++i) wanted << (i > 0 ? " " : "") << s.words[i];
            return compare(wanted.str(), found.str());
        } else if (c == "style") {
            return compare(text(2), style_at(number(0) - 1, number(1) - 1));
        } else if (c == "answer") {
            collect();
            return compare(text(0), std::exchange(answers_, {}));
        } else if (c == "event") {
            collect();
            if (events_.empty()) return "no event is waiting";
            const event e = events_.front();
            events_.erase(events_.begin());
            std::ostringstream wanted, found;
            wanted << text(0);
            found << event_name(e.kind);
            if (s.words.size() > 1) {
                wanted << ' ' << text(1);
                found << ' ' << e.text;
            }
            if (s.words.size() > 2) {
                wanted << ' ' << text(2);
                found << ' ' << e.target;
            }
            return compare(wanted.str(), found.str());
        } else if (c == "noevent") {
            collect();
            return events_.empty() ? "" : std::string("an event is waiting: ") + event_name(events_.front().kind);
        } else if (c == "title") {
            return compare(text(0), t_.title());
        } else if (c == "icon") {
            return compare(text(0), t_.icon_name());
        } else if (c == "mode") {
            const bool dec = text(0).starts_with('?');
            const auto m = mode_set::find(dec ? mode_space::dec : mode_space::ansi, std::stoi(text(0).substr(dec ? 1 : 0)));
            if (!m) return "no such mode";
            return compare(text(1), yes(t_.is_set(*m)));
        } else if (c == "colour") {
            static const std::map<std::string, int> names{{"foreground", 256}, {"background", 257}, {"cursor", 258}};
            const auto named = names.find(text(0));
            return compare(text(1), colour_name(colour::direct(t_.palette_colour(
                                        static_cast<std::size_t>(named == names.end() ? number(0) : named->second)))));
        } else if (c == "shape") {
            static const char* const shapes[] = {"block", "underline", "bar", "own"};
            return compare(text(0), shapes[static_cast<int>(t_.cursor().shape)]);
        } else if (c == "kitty") {
            return compare(text(0), std::to_string(t_.kitty_keyboard_flags()));
        } else if (c == "otherkeys") {
            return compare(text(0), std::to_string(t_.modify_other_keys()));
        } else if (c == "synchronised") {
            return compare(text(0), yes(t_.is_synchronised(now_)));
        } else if (c == "wraps") {
            text_line line;
            t_.read_row(number(0) - 1, line);
            return compare(text(1), yes(line.wraps));
        } else {
            throw script_error(at_line(s.line, std::string("no such command: ").append(c)));
        }
        return {};
    }

    const test_case& case_;
    feeding how_;
    terminal_options options_{.size = {5, 20}};
    terminal t_{options_};
    moment now_{0};
    std::string answers_;
    std::vector<event> events_;
};

} // namespace

int main(int argc, char** argv) {
    int cases = 0, failed = 0;
    for (int i = 1; i < argc; ++i) {
        try {
            for (const test_case& c : read_cases(argv[i])) {
                ++cases;
                static const char* const names[] = {"whole", "byte by byte", "with snapshots"};
                for (const feeding how : {feeding::whole, feeding::bytes, feeding::snapshots}) {
                    const std::string wrong = runner(c, how).run();
                    if (wrong.empty()) continue;
                    ++failed;
                    std::cout << argv[i] << ": " << c.name << " (" << c.source << ", fed " << names[static_cast<int>(how)]
                              << "): " << wrong << '\n';
                    break;
                }
            }
        } catch (const script_error& e) {
            std::cerr << argv[i] << ": " << e.what() << '\n';
            return 2;
        }
    }
    std::cout << cases << " cases, " << failed << " do not hold\n";
    return cases == 0 ? 2 : failed == 0 ? 0 : 1;
}
