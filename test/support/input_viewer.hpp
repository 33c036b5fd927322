// SPDX-License-Identifier: MIT
/// @file input_viewer.hpp: a viewer that records the effect of its terminal's input.
#pragma once

#include "view/input_reader.hpp"

#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace support {

/// The events in order: bytes for the program unchanged, all else as {what}. Updates the context like a viewer.
class input_viewer final : public mux::input_sink {
public:
    explicit input_viewer(mux::input_context with = {}) : context(with) {}

    void typed(std::string_view bytes) override { log += bytes; }
    void command(const mux::key_event& key) override {
        const auto byte = key.byte();
        note(byte ? std::string("key ") + *byte : "key " + std::to_string(key.key) + " with " + std::to_string(key.modifiers));
    }
    void mouse(const mux::mouse_report& report) override {
        note("mouse " + std::to_string(report.x) + " " + std::to_string(report.y));
    }
    void scroll(int rows) override {
        note((rows > 0 ? "back " : "forth ") + std::to_string(std::abs(rows)));
        context.scrolled = true;
    }
    void scroll_pages(int pages) override {
        note(pages > 0 ? "page back" : "page forth");
        context.scrolled = true;
    }
    void scroll_to_bottom() override {
        note("bottom");
        context.scrolled = false;
    }
    void answer(const mux::terminal_answer& what) override {
        note("answer " + std::to_string(what.index()));
        if (std::holds_alternative<mux::device_attributes>(what)) --context.questions;
    }
    void focus(mux::focus_change change) override { note(change == mux::focus_change::gained ? "focus" : "blur"); }

    input_viewer& feed(std::string_view bytes, mux::input_reader::rest more = mux::input_reader::rest::unknown) {
        reader.feed(bytes, context, *this, more);
        return *this;
    }
    input_viewer& flush() {
        reader.flush(context, *this);
        return *this;
    }
    std::string take() { return std::exchange(log, {}); }

    mux::input_context context;
    mux::input_reader reader;
    std::string log;

private:
    void note(std::string_view what) { log.append("{").append(what).append("}"); }
};

[[nodiscard]] inline std::string effect(std::string_view bytes, mux::input_context with = {}) {
    return input_viewer(with).feed(bytes).take();
}

[[nodiscard]] inline mux::input_context mouse_context(mux::mouse_tracking tracking,
                                                      mux::mouse_encoding encoding = mux::mouse_encoding::sgr) {
    mux::input_context with;
    with.mouse = tracking;
    with.encoding = encoding;
    return with;
}

} // namespace support
