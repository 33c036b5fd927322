// SPDX-License-Identifier: MIT
/// @file tabs_find.hpp: a search through the texts of all tabs, one after the other, in slices of bounded work.
/// Pure.  Test: test/mato/find_list_test.cpp.
#pragma once

#include "protocol/ids.hpp"
#include "text_find.hpp"
#include "text_source.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mux {

struct searched_tab {
    tab_id id = 0;
    std::string name; ///< "task/name"
    std::string age;  ///< of its last output: "now", "2 min"
};

/// What a search in all tabs reads.
struct tabs_source {
    struct listing {
        std::vector<searched_tab> tabs;
        std::size_t without_text = 0; ///< tabs whose emulator is raw
    };
    /// The tab that wrote last comes first.
    std::function<listing()> list;
    /// Null: the tab is gone. The text is used only until the search's call returns, because a tab can get another one.
    std::function<std::unique_ptr<const text_source>(tab_id)> text;
};

/// A line with a hit: its first one.
struct tab_hit {
    std::size_t tab = 0; ///< index in tabs_find::tabs()
    text_position at;
    std::string text;                ///< of the line, as much as is kept around the hit
    std::size_t begin = 0, size = 0; ///< bytes of the hit in `text`
};

class tabs_find {
public:
    static constexpr std::size_t most_hits = 20'000;       ///< lines of all tabs; then the search ends
    static constexpr std::size_t most_hits_of_tab = 2'000; ///< its newest; then the next tab is searched
    static constexpr std::size_t most_text = 240;          ///< bytes kept of a line: about a row of a wide terminal
    static constexpr int most_before = 40;                 ///< columns kept before a hit, so that the hit is among those bytes

    explicit tabs_find(tabs_source source) : source_(std::move(source)) {}

    /// Searches for `typed` as text_find does, in the tabs that there are now. What was found before is forgotten.
    void begin(std::string_view typed);
    /// A slice: a part of one tab.
    void work();
    [[nodiscard]] bool is_searching() const noexcept { return next_ < listing_.tabs.size(); }
    /// There were more hits than are kept.
    [[nodiscard]] bool is_cut() const noexcept { return is_cut_; }
    /// Why the expression is not valid; empty: it is.
    [[nodiscard]] const std::string& problem() const noexcept { return find_.problem(); }

    /// Tab by tab in their order, the newest line of each first.
    [[nodiscard]] const std::vector<tab_hit>& hits() const noexcept { return hits_; }
    [[nodiscard]] std::size_t tabs_with_hits() const noexcept { return tabs_with_hits_; }
    [[nodiscard]] std::size_t searched() const noexcept { return next_; } ///< tabs
    [[nodiscard]] const std::vector<searched_tab>& tabs() const noexcept { return listing_.tabs; }
    [[nodiscard]] std::size_t without_text() const noexcept { return listing_.without_text; }

private:
    void take_hits(const text_source& text);
    void leave_tab();

    tabs_source source_;
    std::string typed_;
    tabs_source::listing listing_;
    text_find find_{1}; // of the tab `next_`; of a line one hit is shown
    std::size_t next_ = 0;
    bool is_begun_ = false; // find_ is that tab's
    std::vector<tab_hit> hits_;
    std::size_t hits_of_tab_ = 0, tabs_with_hits_ = 0;
    bool is_cut_ = false;
};

} // namespace mux
