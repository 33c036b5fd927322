// SPDX-License-Identifier: MIT
/// @file input_reader_fuzz.cpp: any terminal input, split anywhere, gives the same events, bounded, and no byte is held for
/// ever.
///
/// Input: sixteen bytes that choose the context and the splits, then the terminal's bytes.
#include "view/input_reader.hpp"
#include "view/key_decoder.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using rest = mux::input_reader::rest;

constexpr std::size_t head = 16;

void require(bool fact) {
    if (!fact) std::abort();
}

/// The events. `typed_` also separately, and without ESC, for splits that send an ESC ahead.
class viewer final : public mux::input_sink {
public:
    viewer(const mux::input_context& with, bool keeps_scrolled) : context(with), keeps_scrolled_(keeps_scrolled) {}

    void typed(std::string_view bytes) override {
        require(!bytes.empty() && (context.captured || !context.readonly));
        log += bytes;
        size += bytes.size();
        for (const char c : bytes)
            if (c != '\x1b') without_escapes += c;
    }
    void command(const mux::key_event& key) override { note('c', key.key); }
    void mouse(const mux::mouse_report& report) override {
        require(context.captured);
        note('m', report.x);
    }
    void scroll(int rows) override { note('s', rows); }
    void scroll_pages(int pages) override { note('p', pages); }
    void scroll_to_bottom() override {
        require(context.scrolled && !context.captured);
        note('b', 0);
        context.scrolled = false;
    }
    void answer(const mux::terminal_answer& what) override {
        require(context.questions > 0);
        note('a', static_cast<int>(what.index()));
        if (std::holds_alternative<mux::device_attributes>(what)) --context.questions;
    }
    void focus(mux::focus_change change) override { note('f', change == mux::focus_change::gained ? 1 : 0); }

    void feed(std::string_view bytes, rest more) {
        reader.feed(bytes, context, *this, more);
        require(mux::input_reader::key_patience <= reader.patience());
    }
    void flush() {
        reader.flush(context, *this);
        require(!reader.pending());
    }

    mux::input_context context;
    mux::input_reader reader;
    std::string log, without_escapes;
    std::size_t size = 0;
    std::size_t events = 0;

private:
    void note(char what, int value) {
        ++events;
        log.append("{").append(1, what).append(std::to_string(value)).append("}");
        without_escapes.append("{").append(1, what).append(std::to_string(value)).append("}");
        if (keeps_scrolled_ && (what == 's' || what == 'p')) context.scrolled = true;
    }
    bool keeps_scrolled_;
};

mux::input_context context_of(const std::uint8_t* data) {
    mux::input_context with;
    const char prefixes[] = {'\x1c', '\x02', '\x1b', '\0'};
    with.prefix = prefixes[data[0] & 3];
    with.readonly = (data[0] & 4) != 0;
    with.scrolled = (data[0] & 8) != 0;
    with.focus = (data[0] & 16) != 0;
    with.bracketed_paste = (data[0] & 32) != 0;
    with.alternate_screen = (data[0] & 64) != 0;
    with.alternate_scroll = (data[0] & 128) != 0;
    with.questions = data[1] & 3;
    with.application_cursor = (data[1] & 4) != 0;
    with.pixels = (data[1] & 8) != 0;
    with.kitty_flags = data[1] >> 4;
    with.mouse = static_cast<mux::mouse_tracking>(data[2] % 6);
    with.encoding = static_cast<mux::mouse_encoding>(data[3] % 5);
    with.captured = (data[3] & 128) != 0;
    with.top = data[4] * 256 + data[5];
    with.left = data[6] * 256 + data[7];
    with.rows = 1 + data[8] * 256;
    with.columns = 1 + data[9] * 256;
    with.cell_width = data[10];
    with.cell_height = data[11];
    return with;
}

void feed_in_parts(viewer& to, std::string_view bytes, const std::uint8_t* cuts, rest more) {
    for (std::size_t i = 0; !bytes.empty(); ++i) {
        const std::size_t size = std::min<std::size_t>(1 + cuts[i % 4] % 9, bytes.size());
        to.feed(bytes.substr(0, size), more);
        bytes.remove_prefix(size);
    }
}

/// The keys that a screen of mato's gets.
std::string keys_of(std::string_view bytes, const std::uint8_t* cuts) {
    mux::key_decoder decoder;
    std::string log;
    const auto take = [&](const mux::key_event& key) {
        log += std::to_string(key.key) + " " + std::to_string(key.character) + " " + std::to_string(key.modifiers) + "\n";
        return true;
    };
    for (std::size_t i = 0; !bytes.empty(); ++i) {
        const std::size_t size = cuts ? std::min<std::size_t>(1 + cuts[i % 4] % 9, bytes.size()) : bytes.size();
        require(decoder.feed(bytes.substr(0, size), take) == size);
        bytes.remove_prefix(size);
    }
    decoder.flush(take);
    require(!decoder.pending());
    return log;
}

/// With more than one end, a paste looks ahead in the available bytes; then splits matter.
bool has_two_paste_ends(std::string_view bytes) {
    constexpr std::string_view end = "\x1b[201~";
    const auto first = bytes.find(end);
    return first != std::string_view::npos && bytes.find(end, first + 1) != std::string_view::npos;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < head) return 0;
    const mux::input_context with = context_of(data);
    const std::uint8_t* cuts = data + 12;
    const std::string_view bytes(reinterpret_cast<const char*>(data) + head, size - head);

    require(keys_of(bytes, nullptr) == keys_of(bytes, cuts));

    viewer whole(with, true), parts(with, true);
    whole.feed(bytes, rest::follows);
    require(whole.size <= mux::input_reader::amplification * bytes.size());
    require(whole.events <= bytes.size());
    feed_in_parts(parts, bytes, cuts, rest::follows);
    const bool comparable = !has_two_paste_ends(bytes);
    if (comparable) require(whole.log == parts.log);
    require(parts.size <= mux::input_reader::amplification * bytes.size());
    whole.flush();
    parts.flush();
    if (comparable) require(whole.log == parts.log);
    require(whole.size <= mux::input_reader::amplification * bytes.size());

    // Split so that an ESC is sent ahead: the same except for these ESCs. (Not scrolled: an ESC is a key, and returns to the
    // bottom.)
    mux::input_context unscrolled = with;
    unscrolled.scrolled = false;
    viewer calm(unscrolled, false), hasty(unscrolled, false);
    calm.feed(bytes, rest::unknown);
    feed_in_parts(hasty, bytes, cuts, rest::unknown);
    if (comparable) require(calm.without_escapes == hasty.without_escapes);
    calm.flush();
    hasty.flush();
    if (comparable) require(calm.without_escapes == hasty.without_escapes);

    // Input without special meaning is passed unchanged.
    if (bytes.find('\x1b') == std::string_view::npos && bytes.find(with.prefix) == std::string_view::npos && !with.readonly)
        require(calm.log == bytes);
    calm.reader.end_paste(calm.context, calm);
    require(!calm.reader.in_paste() && !calm.reader.pending());

    for (const auto marks : {mux::paste_marks::none, mux::paste_marks::bracketed}) {
        const std::string text = mux::pasted(bytes, marks);
        const auto end = text.find("\x1b[201~");
        require(marks == mux::paste_marks::bracketed ? end == text.size() - 6 : end == std::string::npos);
    }
    return 0;
}
