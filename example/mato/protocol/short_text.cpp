// SPDX-License-Identifier: MIT
#include "short_text.hpp"

#include <mato/printable.hpp>

namespace mux {

std::string short_text(std::string_view text, std::size_t most) {
    constexpr std::string_view cut_here = "…";
    std::string out;
    std::size_t fits = 0; // bytes of `out` after which the mark has room
    for (std::string_view rest = text; !rest.empty();) {
        const mato::text_character next = mato::first_character(rest);
        mato::append_printable(out, rest.substr(0, next.size));
        if (out.size() > most) {
            out.resize(fits);
            return out.append(cut_here);
        }
        if (out.size() + cut_here.size() <= most) fits = out.size();
        rest.remove_prefix(next.size);
    }
    return out;
}

} // namespace mux
