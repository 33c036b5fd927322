// SPDX-License-Identifier: MIT
/// @file kept_objects.hpp: links and images as records in blocks, so that each is written once and not into each checkpoint.
/// Layer: vt core.  Test: test/mato/vt/checkpoint_test.cpp.
/// Threads: distinct objects are independent; one object, one thread.   Blocks: never.
#pragma once

#include "block_list.hpp"
#include "links.hpp"
#include "picture.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mux::vt {

/// An image or a link as bytes, and back: snapshot.cpp has both.
void put_image(byte_writer& out, const image& i);
[[nodiscard]] std::shared_ptr<const image> take_image(byte_reader& in);
[[nodiscard]] hyperlink take_link(byte_reader& in);

class kept_objects {
public:
    explicit kept_objects(block_store& store) noexcept : links_(store, block_kind::links), images_(store, block_kind::images) {}

    /// Writes the links that have no record. @returns false when the store has no room
    [[nodiscard]] bool keep(const link_table& table);
    /// Between `begin_images` and `end_images` each image in use is passed. @returns its number, 0 when the store has no room
    void begin_images() noexcept;
    [[nodiscard]] std::uint64_t keep(const std::shared_ptr<const image>& shown);
    [[nodiscard]] bool end_images();
    /// The number of an image that was passed.
    [[nodiscard]] std::uint64_t number_of(const image& shown) const noexcept;

    void write(byte_writer& out) const;
    [[nodiscard]] bool adopt(byte_reader& in, std::span<block_head* const> left);
    /// After `adopt`: puts `slots` links into an empty table. @returns false if a record is damaged
    [[nodiscard]] bool restore(link_table& table, std::size_t slots);
    [[nodiscard]] std::shared_ptr<const image> find(std::uint64_t number);
    void published() noexcept {
        links_.published();
        images_.published();
    }
    [[nodiscard]] std::size_t blocks_kept_aside() const noexcept {
        return links_.blocks_kept_aside() + images_.blocks_kept_aside();
    }
    [[nodiscard]] std::size_t memory_bytes() const noexcept;

private:
    // Records of images that are gone are dropped once they take as much room as the others, and more than this.
    static constexpr std::size_t most_unused = 64 * 1024;

    struct kept_image {
        std::weak_ptr<const image> shown;
        std::uint64_t number = 0;
        std::size_t bytes = 0;
        bool is_used = false;
    };

    [[nodiscard]] bool append(block_list& list, std::string_view record);
    [[nodiscard]] bool append(std::uint64_t number, const image& shown, std::size_t& bytes);

    block_list links_, images_;
    std::uint64_t links_until_ = 0, sweeps_ = 0; // of the link table, what has records
    std::vector<kept_image> kept_;
    std::uint64_t last_number_ = 0;
    std::size_t image_bytes_ = 0; // of all records
    std::string scratch_;
};

} // namespace mux::vt
