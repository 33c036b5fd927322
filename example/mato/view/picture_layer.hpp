// SPDX-License-Identifier: MIT
/// @file picture_layer.hpp: moves the pictures on a viewer's terminal to the marks of its rows.
/// Pure.  Test: test/mato/picture_layer_test.cpp.
/// Source: kitty graphics protocol; VT330/VT340 manual, chapter 14 (sixel); iTerm2 "Images".
///
/// Like a frame, it is made from the newest state only: it keeps what the terminal shows and sends the difference. So nothing
/// is queued for a slow viewer, and a new viewer is shown the existing pictures. A terminal without a picture's protocol is
/// sent nothing, and nothing is kept for it.
#pragma once

#include "canvas.hpp"
#include "features.hpp"
#include "vt/picture.hpp"
#include "vt/terminal.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace mux {

class picture_layer {
public:
    /// Bytes of images in one frame; the last image may exceed it. The others follow in the next frame.
    static constexpr std::size_t most_frame_bytes = 1u << 20;
    /// Images that a terminal of kitty's protocol keeps at most.
    static constexpr std::size_t most_sent = 64;

    struct target {
        const terminal_features& features;
        vt::pixel_size cell; ///< of the terminal; zero: unknown, assumed to be the tab's
        vt::screen_size size;
    };

    /// The terminal was cleared: its pictures are gone, and the images that it stores must be deleted too.
    void clear(std::string& out);
    /// The terminal moved the rows [top, bottom) up by `lines`, down if negative.
    void scrolled(int top, int bottom, int lines) noexcept;
    /// `rows`: what the terminal shows. @returns false if there is more for another frame
    bool update(const std::vector<vt::row>& rows, const vt::terminal& source, const target& to, canvas& on, std::string& out);

    /// Whether a frame does not need update().
    [[nodiscard]] bool empty() const noexcept { return shown_.empty() && sent_.empty(); }
    [[nodiscard]] std::size_t memory_bytes() const noexcept;

private:
    /// A picture at its marks: rows [first, last) of it; `top` is the row of its row 0, which may be above the screen.
    struct place {
        std::uint16_t number = 0;
        int top = 0, left = 0, first = 0, last = 0;
        int columns = 0;
        bool whole = true; ///< the marks form the rectangle
    };
    struct shown_picture {
        place at;
        vt::picture_kind kind;
        std::uint32_t id = 0; ///< kitty: of the image, in this terminal
        bool moved = false;   ///< kitty: it must be placed again
    };
    struct sent_image {
        std::weak_ptr<const vt::image> image;
        std::uint32_t id = 0;
    };

    static std::vector<place> find(const std::vector<vt::row>& rows);
    [[nodiscard]] static bool can_show(const place& at, const vt::picture& p, const vt::terminal& source,
                                       const target& to) noexcept;
    [[nodiscard]] static bool can_stay(const shown_picture& old, const place& at) noexcept;
    void remove(const shown_picture& old, const std::vector<vt::row>& rows, canvas& on, std::string& out);
    void draw(const place& at, const vt::picture& p, canvas& on, std::string& out);
    [[nodiscard]] bool has(const std::shared_ptr<const vt::image>& image) const noexcept;
    std::uint32_t send(const std::shared_ptr<const vt::image>& image, std::string& out);
    void free_images(std::string& out);

    std::vector<shown_picture> shown_;
    std::vector<sent_image> sent_; // the oldest first
    std::uint32_t last_id_ = 0;
};

} // namespace mux
