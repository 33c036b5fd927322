// SPDX-License-Identifier: MIT
// A separate file: term.h defines a macro for each of 497 capabilities, in lower case.
#include "terminfo.hpp"

#include <string_view>

#ifdef MATO_HAVE_TERMINFO

#include <cstring>

#include <curses.h>

#include <term.h>

namespace mux {

namespace {

// The library takes names as char*, and returns -1 or a pointer of -1 for a capability that is missing or of another type.
bool has_flag(const char* name) { return tigetflag(const_cast<char*>(name)) == 1; }
int read_number(const char* name) { return tigetnum(const_cast<char*>(name)); }
std::string_view read_string(const char* name) {
    const char* text = tigetstr(const_cast<char*>(name));
    return text == nullptr || text == reinterpret_cast<const char*>(-1) ? std::string_view() : text;
}

} // namespace

std::optional<terminfo> read_terminfo(const std::string& name) {
    int problem = 0;
    // A name with a slash would be a path; the library refuses a name that is too long with a message.
    if (name.empty() || name.size() > 128 || name.find('/') != std::string::npos) return std::nullopt;
    TERMINAL* const before = cur_term;
    if (setupterm(const_cast<char*>(name.c_str()), -1, &problem) != OK) return std::nullopt;
    terminfo facts;
    facts.colours = read_number("colors") > 0 ? read_number("colors") : 0;
    // RGB may be a flag, a number or a string: user_caps(5).
    facts.direct_colour = has_flag("RGB") || read_number("RGB") > 0 || !read_string("RGB").empty() || has_flag("Tc");
    facts.addresses = !read_string("cup").empty() && !read_string("clear").empty();
    facts.scrolls = !read_string("csr").empty() && !read_string("indn").empty() && !read_string("rin").empty();
    facts.strings = has_flag("XT") || read_string("tsl").starts_with("\x1b]") || read_string("Ms").starts_with("\x1b]") ||
                    read_string("initc").starts_with("\x1b]4;");
    TERMINAL* const mine = set_curterm(before);
    if (mine != before) del_curterm(mine);
    return facts;
}

} // namespace mux

#else

namespace mux {

std::optional<terminfo> read_terminfo(const std::string&) { return std::nullopt; }

} // namespace mux

#endif
