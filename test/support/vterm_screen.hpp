// SPDX-License-Identifier: MIT
/// @file vterm_screen.hpp: libvterm as the reference for what a terminal shows: an emulator that shares no code with the
/// product's own.
#pragma once

#include <vterm.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace support {

class vterm_screen {
public:
    /// A cell as a user sees it; equal cells look the same.
    struct cell {
        std::string text; ///< UTF-8; a blank is " "
        std::string look; ///< attributes and colours, readable
        bool operator==(const cell&) const = default;
    };

    vterm_screen(int rows, int columns)
        : vt_(vterm_new(rows, columns)), screen_(vterm_obtain_screen(vt_)), rows_(rows), columns_(columns) {
        static const VTermScreenCallbacks callbacks = [] {
            VTermScreenCallbacks all{};
            all.settermprop = [](VTermProp what, VTermValue* value, void* self) {
                static_cast<vterm_screen*>(self)->set(what, *value);
                return 1;
            };
            all.bell = [](void* self) { return ++static_cast<vterm_screen*>(self)->bells_, 1; };
            return all;
        }();
        vterm_set_utf8(vt_, 1);
        vterm_screen_set_callbacks(screen_, &callbacks, this);
        vterm_screen_enable_altscreen(screen_, 1);
        vterm_screen_reset(screen_, 1);
    }
    vterm_screen(const vterm_screen&) = delete;
    ~vterm_screen() { vterm_free(vt_); }

    void feed(std::string_view bytes) {
        while (has_size_to_set_ && !bytes.empty()) {
            write(bytes.substr(0, 1));
            bytes.remove_prefix(1);
            if (!scanner_.is_within()) set_size();
        }
        write(bytes);
    }
    /// Takes effect when the sequence that is being received is complete.
    void resize(int rows, int columns) {
        rows_ = rows, columns_ = columns;
        has_size_to_set_ = scanner_.is_within();
        if (!has_size_to_set_) set_size();
    }
    /// Its replies to queries, to be typed.
    [[nodiscard]] std::string take_answers() {
        std::string answers(vterm_output_get_buffer_current(vt_), '\0');
        answers.resize(vterm_output_read(vt_, answers.data(), answers.size()));
        return answers;
    }

    [[nodiscard]] int rows() const noexcept { return rows_; }
    [[nodiscard]] int columns() const noexcept { return columns_; }
    [[nodiscard]] cell at(int row, int column) const {
        VTermScreenCell found;
        vterm_screen_get_cell(screen_, {row, column}, &found);
        cell result;
        if (found.chars[0] == no_character) return {tail, {}};
        for (int i = 0; i < VTERM_MAX_CHARS_PER_CELL && found.chars[i] != 0; ++i) append(result.text, found.chars[i]);
        if (found.chars[0] == 0) result.text = " ";
        auto a = found.attrs;
        a.reverse = (a.reverse != 0) != reversed_; // DECSCNM belongs to the screen, not to a cell
        result.look.append(a.bold ? "bold " : "").append(a.italic ? "italic " : "").append(a.blink ? "blink " : "");
        result.look.append(a.reverse != 0 ? "reverse " : "").append(a.strike ? "strike " : "");
        if (a.underline != 0) result.look.append("underline ").append(std::to_string(a.underline)).append(" ");
        const bool is_seen = result.text != " " || a.reverse != 0 || a.underline != 0 || a.strike;
        result.look.append(is_seen ? name_of(found.fg) : "any").append(" on ").append(name_of(found.bg));
        return result;
    }
    /// Rows without trailing blanks, each with a newline.
    [[nodiscard]] std::string text() const {
        std::string all;
        for (int r = 0; r < rows_; ++r) {
            std::string line;
            for (int c = 0; c < columns_; ++c)
                if (const cell each = at(r, c); each.text != tail) line += each.text;
            line.erase(line.find_last_not_of(' ') + 1);
            all += line + "\n";
        }
        return all;
    }
    [[nodiscard]] VTermPos cursor() const {
        VTermPos result;
        vterm_state_get_cursorpos(vterm_obtain_state(vt_), &result);
        return result;
    }
    [[nodiscard]] bool cursor_visible() const noexcept { return cursor_visible_; }
    /// DECSCUSR's number of its style.
    [[nodiscard]] int cursor_style() const noexcept { return 2 * shape_ - (blinks_ ? 1 : 0); }
    [[nodiscard]] bool on_alternate() const noexcept { return alternate_; }
    [[nodiscard]] bool reversed() const noexcept { return reversed_; } ///< DECSCNM
    [[nodiscard]] int mouse() const noexcept { return mouse_; }        ///< VTERM_PROP_MOUSE_…
    [[nodiscard]] int bells() const noexcept { return bells_; }

    /// "" if `part` shows the cells of `whole` from (`top`, `left`) on, else the first difference.
    [[nodiscard]] static std::string difference(const vterm_screen& whole, const vterm_screen& part, int top = 0,
                                                int left = 0) {
        for (int r = 0; r < part.rows_; ++r) {
            for (int c = 0; c < part.columns_; ++c) {
                const bool inside = r + top < whole.rows_ && c + left < whole.columns_;
                const cell wanted = inside ? whole.at(r + top, c + left) : cell{" ", "any on default"};
                const cell found = part.at(r, c);
                if (found == wanted) continue;
                const bool is_cut = c + 1 == part.columns_ && c + left + 1 < whole.columns_ && r + top < whole.rows_ &&
                                    whole.at(r + top, c + left + 1).text == tail;
                const bool halved = (c == 0 && wanted.text == tail) || is_cut;
                if (halved && found.text == " ") continue; // half of a wide character is not shown
                return "row " + std::to_string(r) + " column " + std::to_string(c) + ": '" + found.text + "' (" + found.look +
                       ") instead of '" + wanted.text + "' (" + wanted.look + ")";
            }
        }
        return {};
    }

private:
    /// Follows what is received as far as a new size needs it: whether a sequence or character is incomplete, and the margins.
    class scanner {
    public:
        void feed(unsigned char byte) noexcept {
            switch (at_) {
            case place::ground:
                if (byte == 0x1b)
                    at_ = place::escape;
                else if (byte >= 0xc0)
                    at_ = place::character, left_ = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : 1;
                break;
            case place::character:
                if (--left_ == 0) at_ = place::ground;
                break;
            case place::escape:
                length_ = 0, has_prefix_ = false;
                if (byte == '[')
                    at_ = place::control;
                else if (std::string_view("]P_^X").find(static_cast<char>(byte)) != std::string_view::npos)
                    at_ = place::string;
                else if (byte < 0x20 || byte > 0x2f)
                    at_ = place::ground; // 0x20 to 0x2f: one more byte follows
                break;
            case place::control:
                if (byte >= 0x3c && byte <= 0x3f) has_prefix_ = true;
                if (byte < 0x40 || byte > 0x7e)
                    ++length_;
                else
                    at_ = place::ground, has_margins_ = byte == 'r' && !has_prefix_ ? length_ > 0 : has_margins_;
                break;
            case place::string:
                if (byte == 0x1b) at_ = place::escape; // the terminator's first byte
                if (byte == 0x07) at_ = place::ground;
                break;
            }
        }
        [[nodiscard]] bool is_within() const noexcept { return at_ != place::ground; }
        [[nodiscard]] bool has_margins() const noexcept { return has_margins_; }

    private:
        enum class place { ground, character, escape, control, string };
        place at_ = place::ground;
        int left_ = 0, length_ = 0;
        bool has_prefix_ = false, has_margins_ = false;
    };

    void write(std::string_view bytes) {
        for (const char byte : bytes) scanner_.feed(static_cast<unsigned char>(byte));
        vterm_input_write(vt_, bytes.data(), bytes.size());
    }
    void move_cursor_to(int row, int column) {
        write("\x1b[" + std::to_string(row + 1) + ";" + std::to_string(column + 1) + "H");
    }
    /// libvterm 0.1.4 writes outside its memory after a new size in two cases: when margins are below the last row, and when it
    /// has moved the cursor above the first row.
    void set_size() {
        has_size_to_set_ = false;
        if (scanner_.has_margins()) { // xterm forgets them, too
            const VTermPos at = cursor();
            write("\x1b[r");
            move_cursor_to(at.row, at.col);
        }
        vterm_set_size(vt_, rows_, columns_);
        if (const VTermPos at = cursor(); at.row < 0) move_cursor_to(0, at.col);
    }

    static constexpr const char* tail = ""; ///< text of a wide character's right half
    static constexpr std::uint32_t no_character = 0xffffffff;

    static void append(std::string& out, std::uint32_t code) {
        const auto put = [&](std::uint32_t bits) { out += static_cast<char>(bits); };
        if (code < 0x80) return put(code);
        if (code < 0x800) return put(0xc0 | code >> 6), put(0x80 | (code & 0x3f));
        if (code < 0x10000) return put(0xe0 | code >> 12), put(0x80 | (code >> 6 & 0x3f)), put(0x80 | (code & 0x3f));
        put(0xf0 | code >> 18), put(0x80 | (code >> 12 & 0x3f)), put(0x80 | (code >> 6 & 0x3f)), put(0x80 | (code & 0x3f));
    }
    static std::string name_of(const VTermColor& c) {
        if (VTERM_COLOR_IS_DEFAULT_FG(&c) || VTERM_COLOR_IS_DEFAULT_BG(&c)) return "default";
        if (VTERM_COLOR_IS_INDEXED(&c)) return std::to_string(c.indexed.idx);
        return std::to_string(c.rgb.red) + "," + std::to_string(c.rgb.green) + "," + std::to_string(c.rgb.blue);
    }
    void set(VTermProp what, const VTermValue& value) {
        if (what == VTERM_PROP_CURSORVISIBLE) cursor_visible_ = value.boolean != 0;
        if (what == VTERM_PROP_CURSORSHAPE) shape_ = value.number; // 1 block, 2 underline, 3 bar
        if (what == VTERM_PROP_CURSORBLINK) blinks_ = value.boolean != 0;
        if (what == VTERM_PROP_REVERSE) reversed_ = value.boolean != 0;
        if (what == VTERM_PROP_ALTSCREEN) alternate_ = value.boolean != 0;
        if (what == VTERM_PROP_MOUSE) mouse_ = value.number;
    }

    scanner scanner_;
    VTerm* vt_;
    VTermScreen* screen_;
    int rows_, columns_, mouse_ = 0, bells_ = 0;
    int shape_ = 1;
    bool blinks_ = true;
    bool cursor_visible_ = true, alternate_ = false, reversed_ = false;
    bool has_size_to_set_ = false;
};

} // namespace support
