// SPDX-License-Identifier: MIT
#include "text_row.hpp"

#include "vt/unicode.hpp"
#include "vt/utf8.hpp"

#include <mato/printable.hpp>

#include <algorithm>

namespace mux {
namespace {

/// Calls `take(code, width)` for each character as it is shown, until it returns false.
template <class Take> void each_character(std::string_view text, Take take) {
    const std::string shown = mato::printable(text);
    for (std::string_view rest = shown; !rest.empty();) {
        const mato::text_character next = mato::first_character(rest);
        if (!take(next.code, vt::width_of(next.code), rest.substr(0, next.size))) return;
        rest.remove_prefix(next.size);
    }
}

/// Columns of the beginning of `text` that is shown in `columns`, of which the ellipsis takes the last one if it is cut.
struct fit {
    int columns = 0;
    bool is_cut = false;
};

fit fit_into(std::string_view text, int columns) {
    int all = 0, shown = 0;
    each_character(text, [&](char32_t, int width, std::string_view) {
        all += width;
        if (all < columns) shown = all;
        return all <= columns;
    });
    return all <= columns ? fit{all, false} : fit{shown, true};
}

} // namespace

int text_columns(std::string_view text) {
    int sum = 0;
    each_character(text, [&](char32_t, int width, std::string_view) {
        sum += width;
        return true;
    });
    return sum;
}

int put_text(vt::row& row, int at, int limit, std::string_view text, const vt::style& look, bool unicode) {
    const int columns = limit - at;
    if (columns <= 0) return at;
    const fit place = fit_into(text, columns);
    const int end = at + place.columns;
    int last = -1;
    each_character(text, [&](char32_t code, int width, std::string_view) {
        if (width == 0) {
            if (last >= 0) row.combine(last, code);
            return true;
        }
        if (at + width > end) return false;
        last = at;
        row.put(at, code, width, look, limit);
        at += width;
        return true;
    });
    if (place.is_cut) row.put(at++, unicode ? U'…' : U'>', 1, look, limit);
    return at;
}

std::string clipped(std::string_view text, int columns, bool unicode) {
    if (columns <= 0) return {};
    const fit place = fit_into(text, columns);
    std::string out;
    int at = 0;
    each_character(text, [&](char32_t, int width, std::string_view bytes) {
        if (at + width > place.columns) return false;
        at += width;
        out += bytes;
        return true;
    });
    if (place.is_cut) out += unicode ? "…" : ">";
    return out;
}

std::string counted(std::size_t n, std::string_view what) {
    return std::to_string(n).append(" ").append(what).append(n == 1 ? "" : "s");
}

} // namespace mux
