// SPDX-License-Identifier: MIT
/// @file links.hpp: OSC 8 hyperlinks, each stored once; a style refers to them by number.
/// Layer: vt core.  Test: test/mato/vt/storage_test.cpp.
/// Threads: distinct objects are independent; one object, one thread.   Blocks: never.
/// Source: the hyperlink specification of VTE and iTerm2 (OSC 8): same id and URI are one link.
///
/// Without an id, each link that is opened is a separate one. A program that redraws its screen opens a link again at the same
/// place, so links without an id are identified by their URI and place.
#pragma once

#include "link_set.hpp"
#include "style.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace mux::vt {

struct hyperlink {
    std::string id;
    std::string uri;
    std::uint64_t place = 0; ///< where a link without an id was opened; 0 with an id
    std::uint64_t added = 0; ///< see link_table::last_added
};

class link_table {
public:
    /// The specification suggests 2083 bytes for a URI and 250 for an id.
    static constexpr std::size_t max_uri = 2083;
    static constexpr std::size_t max_id = 250;

    /// @param place of the text, for a link without an id. If there is no room, such a link shares another one with its URI.
    /// @returns 0 if there is no room: the text is then not a link
    link_id add(std::string_view id, std::string_view uri, std::uint64_t place);
    [[nodiscard]] const hyperlink* find(link_id id) const noexcept;
    [[nodiscard]] bool is_full() const noexcept { return count_ >= most_links; }
    /// Removes the links that are not in `keep`. The numbers of the others stay.
    void sweep(const link_set& keep);
    void clear();

    /// No number is larger than this.
    [[nodiscard]] std::size_t size() const noexcept { return links_.size(); }
    /// For snapshots: restores the links of find(), in order; an empty URI is a gap.
    void append(hyperlink l);
    /// Each link has a number of its own here, which rises from one added to the next: of the newest.
    [[nodiscard]] std::uint64_t last_added() const noexcept { return last_added_; }
    /// Changes when links were forgotten.
    [[nodiscard]] std::uint64_t sweeps() const noexcept { return sweeps_; }
    [[nodiscard]] std::size_t memory_bytes() const noexcept { return bytes_ + links_.capacity() * sizeof(hyperlink); }

private:
    std::vector<hyperlink> links_;         // index: the number less one; an empty URI is free
    std::map<std::string, link_id> index_; // id, URI and place to the number, so that a link written twice is one
    std::size_t count_ = 0;
    std::size_t bytes_ = 0;
    std::uint64_t last_added_ = 0, sweeps_ = 0;
};

/// The id for another terminal: the program's, or one made from the link's number. A link that is drawn in parts is then one
/// link there, and two links with one URI stay two.
[[nodiscard]] std::string id_for_others(link_id number, const hyperlink& l);

} // namespace mux::vt
