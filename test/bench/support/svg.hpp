// SPDX-License-Identifier: MIT
/// @file svg.hpp: small multiples over a logarithmic axis, as an SVG for light and dark pages.
///
/// Text is not measured: widths are generous, and names short.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

namespace bench {

struct chart {
    struct panel {
        std::string title;
        std::vector<std::string> categories;     ///< along the x axis
        std::vector<std::vector<double>> values; ///< [series][category]; NaN: no point
    };
    std::string title;
    std::string subtitle;            ///< the label of the y axis
    std::vector<std::string> series; ///< the last is the main one: drawn last and heavier
    std::vector<panel> panels;
    bool connected = true; ///< whether the categories are ordered, so that lines between them make sense
    double panel_width = 210, panel_height = 250;
};

namespace svg {

/// Middle tones: readable on white and on black, and distinguishable for colour-blind readers.
inline constexpr std::array<const char*, 9> colours = {"#8a8f98", "#b08a5b", "#3aa0a0", "#9a6dd7", "#c78be0",
                                                       "#d96aa0", "#d9822b", "#4f9e4f", "#5b7fc7"};
inline constexpr const char* own_colour = "#e0313f";

struct mark {
    double x, y, size;
};
/// A circle, a square, a diamond or a triangle, by the series' number, so that colour is not the only difference.
[[nodiscard]] inline std::string shape(std::size_t series, const mark& at) {
    char text[160];
    const double x = at.x, y = at.y, r = at.size;
    switch (series % 4) {
    case 0: std::snprintf(text, sizeof text, "<circle cx='%.1f' cy='%.1f' r='%.1f'/>", x, y, r); break;
    case 1:
        std::snprintf(text, sizeof text, "<rect x='%.1f' y='%.1f' width='%.1f' height='%.1f'/>", x - r * 0.9, y - r * 0.9,
                      r * 1.8, r * 1.8);
        break;
    case 2:
        std::snprintf(text, sizeof text, "<path d='M%.1f %.1fl%.1f %.1fl%.1f %.1fl%.1f %.1fz'/>", x, y - r * 1.25, r * 1.25,
                      r * 1.25, -r * 1.25, r * 1.25, -r * 1.25, -r * 1.25);
        break;
    default:
        std::snprintf(text, sizeof text, "<path d='M%.1f %.1fl%.1f %.1fl%.1f 0z'/>", x, y - r * 1.2, r * 1.2, r * 2.1,
                      -r * 2.4);
    }
    return text;
}

[[nodiscard]] inline std::string text(double x, double y, const char* style, const std::string& what) {
    char at[96];
    std::snprintf(at, sizeof at, "<text x='%.1f' y='%.1f' class='%s'>", x, y, style);
    std::string escaped;
    for (const char each : what) escaped += each == '<' ? "&lt;" : each == '&' ? "&amp;" : std::string(1, each);
    return at + escaped + "</text>\n";
}

/// 0.02, 5, 200, 3k
[[nodiscard]] inline std::string short_number(double value) {
    char digits[32];
    if (value >= 1e6)
        std::snprintf(digits, sizeof digits, "%gM", value / 1e6);
    else if (value >= 1e3)
        std::snprintf(digits, sizeof digits, "%gk", value / 1e3);
    else
        std::snprintf(digits, sizeof digits, "%g", value);
    return digits;
}

} // namespace svg

inline void write_svg(const chart& c, const std::string& path) {
    double least = HUGE_VAL, greatest = 0;
    for (const auto& panel : c.panels)
        for (const auto& series : panel.values)
            for (const double value : series)
                if (std::isfinite(value) && value > 0) least = std::min(least, value), greatest = std::max(greatest, value);
    if (greatest <= 0) return;
    const double low = std::log10(least) - 0.06, high = std::log10(greatest) + 0.06;

    constexpr double left = 52, gap = 14, top = 76, legend_width = 128;
    const double bottom = top + c.panel_height;
    const double width = left + static_cast<double>(c.panels.size()) * (c.panel_width + gap) + legend_width;
    const double height = std::max(bottom + 34, top + static_cast<double>(c.series.size()) * 20 + 10);
    const auto y_of = [&](double value) { return bottom - (std::log10(value) - low) / (high - low) * c.panel_height; };
    const auto colour_of = [&](std::size_t i) {
        return i + 1 == c.series.size() ? svg::own_colour : svg::colours[i % svg::colours.size()];
    };

    std::string out;
    char line[256];
    std::snprintf(line, sizeof line, "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %.0f %.0f' role='img'>\n", width,
                  height);
    out += line;
    // A renderer without media queries shows the middle tones.
    out += "<style>text{font:12px system-ui,sans-serif;fill:#768390}.title{font-size:15px;font-weight:600}"
           ".panel{font-weight:600;text-anchor:middle}.x{text-anchor:middle}.y{text-anchor:end}"
           ".grid{stroke:#8a8f98;stroke-opacity:.25}"
           "@media(prefers-color-scheme:light){text{fill:#57606a}.title{fill:#24292f}}"
           "@media(prefers-color-scheme:dark){text{fill:#9ea7b3}.title{fill:#e6edf3}}</style>\n";
    out += svg::text(left, 22, "title", c.title) + svg::text(left, 42, "subtitle", c.subtitle);
    for (std::size_t p = 0; p < c.panels.size(); ++p) {
        const auto& panel = c.panels[p];
        const double begin = left + static_cast<double>(p) * (c.panel_width + gap);
        out += svg::text(begin + c.panel_width / 2, top - 10, "panel", panel.title);
        for (double decade = std::floor(low); decade <= high; ++decade)
            for (const double step : {1.0, 2.0, 5.0}) {
                const double value = step * std::pow(10, decade);
                if (std::log10(value) < low || std::log10(value) > high) continue;
                std::snprintf(line, sizeof line, "<path class='grid' d='M%.1f %.1fh%.1f'/>\n", begin, y_of(value),
                              c.panel_width);
                out += line;
                if (p == 0) out += svg::text(begin - 6, y_of(value) + 4, "y", svg::short_number(value));
            }
        const double step = c.panel_width / static_cast<double>(panel.categories.size());
        const auto x_of = [&](std::size_t k) { return begin + step * (static_cast<double>(k) + 0.5); };
        for (std::size_t k = 0; k < panel.categories.size(); ++k)
            out += svg::text(x_of(k), bottom + 18, "x", panel.categories[k]);
        for (std::size_t s = 0; s < panel.values.size(); ++s) {
            const bool own = s + 1 == c.series.size();
            std::string path_data, marks;
            for (std::size_t k = 0; k < panel.values[s].size(); ++k) {
                const double value = panel.values[s][k];
                if (!std::isfinite(value) || value <= 0) continue;
                // Unconnected points of one category are drawn next to each other.
                const double aside = c.connected ? 0
                                                 : (static_cast<double>(s) - (static_cast<double>(c.series.size()) - 1) / 2) *
                                                       std::min(12.0, step * 0.8 / static_cast<double>(c.series.size()));
                const svg::mark at{x_of(k) + aside, y_of(value), own ? 4.6 : 3.4};
                std::snprintf(line, sizeof line, "%s%.1f %.1f", path_data.empty() ? "M" : "L", at.x, at.y);
                path_data += line;
                marks += svg::shape(s, at);
            }
            out += "<g fill='" + std::string(colour_of(s)) + "'>" + marks + "</g>\n";
            if (c.connected && !path_data.empty())
                out += "<path fill='none' stroke='" + std::string(colour_of(s)) + "' stroke-width='" + (own ? "2.6" : "1.4") +
                       "' d='" + path_data + "'/>\n";
        }
    }
    const double legend = width - legend_width + 16;
    for (std::size_t s = 0; s < c.series.size(); ++s) {
        const double y = top + 6 + static_cast<double>(s) * 20;
        out += "<g fill='" + std::string(colour_of(s)) + "'>" +
               svg::shape(s, {legend, y - 4, s + 1 == c.series.size() ? 4.6 : 3.6}) + "</g>" +
               svg::text(legend + 12, y, s + 1 == c.series.size() ? "title" : "legend", c.series[s]);
    }
    std::ofstream(path) << out << "</svg>\n";
}

} // namespace bench
