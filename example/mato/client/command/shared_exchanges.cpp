// SPDX-License-Identifier: MIT
#include "shared_exchanges.hpp"

#include "client/option_values.hpp"
#include "common.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace mux {
namespace {

struct verb_form {
    std::string_view word;
    buffer_verb verb;
    std::size_t least, most; // operands, the word included
    std::string_view usage;
};
constexpr std::array verbs{
    verb_form{"set", buffer_verb::set, 2, 3, "mato buffer set NAME [TEXT|-]"},
    verb_form{"get", buffer_verb::get, 2, 2, "mato buffer get NAME"},
    verb_form{"ls", buffer_verb::ls, 1, 1, "mato buffer ls [--json]"},
    verb_form{"rm", buffer_verb::rm, 2, 2, "mato buffer rm NAME"},
    verb_form{"paste", buffer_verb::paste, 2, 3, "mato buffer paste NAME [TAB]"},
};

} // namespace

buffer_use buffer_use_of(const invocation& what, const program_paths& paths) {
    const auto& words = what.operands;
    const auto form = std::find_if(verbs.begin(), verbs.end(), [&](const verb_form& each) { return each.word == words[0]; });
    if (form == verbs.end()) usage_error("'buffer " + words[0] + "' is unknown; use set, get, ls, rm or paste");
    if (words.size() < form->least || words.size() > form->most) usage_error("usage: " + std::string(form->usage));
    buffer_use wanted{form->verb, words.size() > 1 ? words[1] : std::string(), {}, false, {{}, current_tab(paths)}};
    const std::string third = words.size() > 2 ? words[2] : std::string();
    if (form->verb == buffer_verb::set) {
        wanted.from_input = words.size() == 2 || third == "-";
        wanted.text = third;
    }
    if (form->verb == buffer_verb::paste) {
        wanted.which.name = third.empty() ? "." : third;
        if (third.empty() && wanted.which.current == 0)
            usage_error("buffer paste needs a tab: only inside a tab it may be left out");
    }
    return wanted;
}

bool signals_channel(const invocation& what) {
    const std::string& verb = what.operands[0];
    if (verb != "wait" && verb != "signal") usage_error("'channel " + verb + "' is unknown; use wait or signal");
    return verb == "signal";
}

void awaiting_signal::wake(remote&) {
    finish({124, "no signal came on channel '" + channel_ + "' within the time of --timeout"});
}

} // namespace mux
