// SPDX-License-Identifier: MIT
#include "own_features.hpp"

#include "common.hpp"
#include "view/terminfo.hpp"

#include <string>

namespace mux {
namespace {

terminal_features read_own_features() {
    const auto value = [](const char* name) { return variable(name).value_or(""); };
    const std::string term = value("TERM"), colorterm = value("COLORTERM"), program = value("TERM_PROGRAM"),
                      all = value("LC_ALL"), type = value("LC_CTYPE"), lang = value("LANG");
    return features_of({term, colorterm, program, all, type, lang}, read_terminfo(term));
}

} // namespace

const terminal_features& own_features() {
    static const terminal_features known = read_own_features();
    return known;
}

} // namespace mux
