// SPDX-License-Identifier: MIT
/// @file results.hpp: measures every multiplexer, in turns; writes the table and the plot.
#pragma once

#include "../support/report.hpp"
#include "../support/svg.hpp"
#include "measures.hpp"

#include <map>

namespace bench {

/// One line of the table. `of`: values of one run; empty for a multiplexer without the feature.
struct measure {
    std::string name, unit;
    std::string over; ///< the ratio is relative to this one's median; empty: no ratio
    int runs;
    double quantile; ///< of all values of all runs
    std::function<std::vector<double>(const multiplexer&)> of;
    std::string same_as; ///< not measured again: another quantile of that measure
};

class mux_results {
public:
    mux_results(std::vector<multiplexer> who, std::vector<measure> what) : who_(std::move(who)), what_(std::move(what)) {}

    [[nodiscard]] const std::vector<multiplexer>& who() const noexcept { return who_; }
    [[nodiscard]] const std::vector<measure>& what() const noexcept { return what_; }
    void add(const measure& m, const multiplexer& who, double value) { cells_[m.name][who.name].add(value); }

    [[nodiscard]] double value(const measure& m, const std::string& who) const {
        const auto row = cells_.find(m.same_as.empty() ? m.name : m.same_as);
        if (row == cells_.end()) return std::nan("");
        const auto found = row->second.find(who);
        return found == row->second.end() ? std::nan("") : found->second.quantile(m.quantile);
    }
    [[nodiscard]] double ratio(const measure& m, const std::string& who) const { return value(m, who) / value(m, m.over); }

    [[nodiscard]] std::string markdown() const {
        std::vector<std::string> head = {""};
        for (const multiplexer& each : who_) head.push_back(each.name == "mato" ? "**mato**" : each.name);
        table t(head);
        for (const measure& m : what_) {
            std::vector<std::string> row = {m.name + ", " + m.unit};
            bool any = false;
            for (const multiplexer& each : who_) {
                std::string text = figure(value(m, each.name));
                any = any || std::isfinite(value(m, each.name));
                if (const double times = m.over.empty() ? std::nan("") : ratio(m, each.name);
                    std::isfinite(times) && each.name != m.over)
                    text += " (" + figure(times) + ")";
                row.push_back(std::move(text));
            }
            if (any) t.add(std::move(row));
        }
        return t.markdown();
    }

    [[nodiscard]] std::string versions() const {
        std::string text;
        for (const multiplexer& each : who_) text += (text.empty() ? "" : " · ") + each.version;
        return text + " · Linux " + first_line_of("uname -r");
    }

    /// All times, relative to the least possible time.
    [[nodiscard]] chart plot() const {
        chart c;
        c.title = "Time, over the least it could take";
        c.subtitle =
            "a payload over the bare terminal, a key's echo over one hop, a cold start over dtach; median, lower is better";
        c.connected = false;
        c.panel_width = 780;
        c.panels.emplace_back();
        std::vector<const measure*> shown;
        for (const measure& m : what_)
            if (!m.over.empty() && m.over != "tmux") shown.push_back(&m);
        for (const measure* m : shown) c.panels[0].categories.push_back(m->name);
        for (const multiplexer& each : who_) {
            if (each.name == "bare" || each.name == "hop") continue;
            c.series.push_back(each.name);
            c.panels[0].values.emplace_back();
            for (const measure* m : shown) c.panels[0].values.back().push_back(ratio(*m, each.name));
        }
        return c;
    }

private:
    std::vector<multiplexer> who_;
    std::vector<measure> what_;
    std::map<std::string, std::map<std::string, samples>> cells_;
};

} // namespace bench
