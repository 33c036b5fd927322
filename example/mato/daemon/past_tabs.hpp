// SPDX-License-Identifier: MIT
/// @file past_tabs.hpp: what the tabs showed, in files, so that it is shown again after the machine was lost.
/// Threads: one object, one thread.   Blocks: for one file of at most `most_file` bytes.   Test: test/mato/past_tabs_test.cpp.
///
/// A private directory with `layout`, which has the names and the order of the tabs, and `tab-N` for each tab. A file is
/// written under another name and then renamed. The one that it replaces stays as `tab-N.before`: after a power cut the newest
/// file may be empty on some file systems. What a screen has shown may be secret, so all files have mode 0600, and files that
/// others could have written are refused.
///
/// A file:
///
///     0    8 "mato:pst" or "mato:pla" · 4 version · 4 zero · 8 bytes of the body · 8 checksum of the body
///     32   body. Of a tab: when it was saved, how it was opened (tab_record.hpp), its text (past_text.hpp, or raw output).
///          Of the layout: each tab's number, task and name, and when it was used and touched (tab_table.hpp)
#pragma once

#include "protocol/ids.hpp"
#include "tab/tab_record.hpp"

#include <mato/error.hpp>

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

namespace mux {

struct past_place {
    tab_id id = 0;
    std::string task, name;
    std::uint64_t used = 0, touched = 0;
    bool operator==(const past_place&) const = default;
};

struct past_tab {
    past_place place;
    tab_record::birth birth;
    std::string text{};
    std::time_t saved = 0;
};

class past_tabs {
public:
    static constexpr std::size_t most_file = 2u << 20; ///< bytes: a text and an environment; written in a millisecond or two
    static constexpr std::size_t most_text = 1u << 20; ///< bytes of one tab's text
    static constexpr std::size_t most_tabs = 1000;

    explicit past_tabs(std::string directory) : directory_(std::move(directory)) {}
    /// Next to that socket: its name with `.past.tabs`.
    [[nodiscard]] static std::string path_next_to(const std::string& socket);

    /// @errors file_too_large · of the system calls; the file before stays then
    void save(const past_tab& one, mato::error_out out) const;
    void save_layout(const std::vector<past_place>& places, mato::error_out out) const;
    /// Removes what was saved of that tab. No effect if there is nothing.
    void forget(tab_id id) const noexcept;
    /// All tabs of the layout, in its order. A file that cannot be used is left as it is, and its predecessor is used, else the
    /// tab is left out. `refused` says which, and why.
    [[nodiscard]] std::vector<past_tab> load(std::vector<mato::failure>& refused) const;

    [[nodiscard]] static std::string encode(const past_tab& one);
    [[nodiscard]] static std::string encode_layout(const std::vector<past_place>& places);
    /// Its place has only the number. @errors malformed, version_mismatch
    [[nodiscard]] static past_tab decode(std::string_view file, mato::error_out out);
    /// @errors as `decode`
    [[nodiscard]] static std::vector<past_place> decode_layout(std::string_view file, mato::error_out out);

private:
    [[nodiscard]] std::string path_of(tab_id id) const;
    void replace(const std::string& path, std::string_view bytes, mato::error_out out) const;
    template <class Value> Value read_newest(const std::string& path, Value (*read)(std::string_view, mato::error_out),
                                             std::vector<mato::failure>& refused, bool& is_there) const;

    std::string directory_;
};

} // namespace mux
