// SPDX-License-Identifier: MIT
#include "text_line.hpp"

#include "row.hpp"

namespace mux::vt {

void read_line(const row& r, text_line& out) {
    out.text.clear();
    out.runs.clear();
    out.wraps = r.wraps;
    const auto runs = r.runs();
    const std::size_t count = r.used() == 0 ? 0 : runs.empty() ? 1 : runs.size();
    for (std::size_t i = 0; i < count; ++i) {
        const int from = runs.empty() ? 0 : static_cast<int>(runs[i].start);
        const int to = i + 1 < runs.size() ? static_cast<int>(runs[i + 1].start) : r.used();
        const std::size_t begin = out.text.size();
        r.append_text(out.text, from, to);
        out.runs.push_back({from, to - from, begin, out.text.size() - begin, runs.empty() ? style{} : runs[i].style});
    }
}

} // namespace mux::vt
