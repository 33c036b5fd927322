// SPDX-License-Identifier: MIT
#include "unicode.hpp"

namespace mux::vt {

namespace {

bool is(char32_t code, grapheme_class wanted) noexcept { return property_of(code).breaking() == wanted; }

// UAX 29 GB11: pictograph, any Extend, joiner.
bool ends_in_joined_pictograph(const char32_t* cluster, std::size_t count) noexcept {
    if (count < 2 || !is(cluster[count - 1], grapheme_class::joiner)) return false;
    std::size_t i = count - 1;
    while (i > 0 && is(cluster[i - 1], grapheme_class::extend)) --i;
    return i > 0 && property_of(cluster[i - 1]).pictographic();
}

// UAX 29 GB12 and GB13: flags are pairs.
bool ends_in_odd_regional(const char32_t* cluster, std::size_t count) noexcept {
    std::size_t run = 0;
    while (run < count && is(cluster[count - 1 - run], grapheme_class::regional)) ++run;
    return run % 2 == 1;
}

} // namespace

bool joins_cluster(const char32_t* cluster, std::size_t count, char32_t next) noexcept {
    using enum grapheme_class;
    if (count == 0) return false;
    const grapheme_class before = property_of(cluster[count - 1]).breaking();
    const unicode_property property = property_of(next);
    const grapheme_class after = property.breaking();
    if (before == control || after == control) return false;                                   // GB4, GB5
    if (before == l && (after == l || after == v || after == lv || after == lvt)) return true; // GB6
    if ((before == lv || before == v) && (after == v || after == t)) return true;              // GB7
    if ((before == lvt || before == t) && after == t) return true;                             // GB8
    if (after == extend || after == joiner || after == spacing) return true;                   // GB9, GB9a
    if (before == prepend) return true;                                                        // GB9b
    if (property.pictographic() && ends_in_joined_pictograph(cluster, count)) return true;     // GB11
    return after == regional && ends_in_odd_regional(cluster, count);                          // GB12, GB13
}

} // namespace mux::vt
