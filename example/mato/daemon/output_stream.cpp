// SPDX-License-Identifier: MIT
#include "output_stream.hpp"

#include "tab/sequence_boundary.hpp"
#include "view/redraw.hpp"

#include <algorithm>

namespace mux {
namespace {

constexpr std::size_t most_screen = multiplexer_daemon::session::framing::max_frame_bytes - 64; // without the numbers

constexpr std::string_view empty_screen("\033[?1049l\033[0m\033[H\033[2J");

/// Microseconds.
std::uint64_t now_us() {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(mato::clock::now().time_since_epoch()).count());
}

vt::screen_size size_of(const tab& source) {
    const vt::terminal* const screen = source.screen();
    return screen ? screen->size() : source.size();
}

} // namespace

output_stream::output_stream(asio::io_context& context, std::shared_ptr<tab> source)
    : tab_(std::move(source)), hub_(context, ring_bytes) {
    hub_.on.snapshot = [this](std::uint64_t) { return screen(); };
    hub_.on.last_words = [this](const mato::failure& why) {
        return encode<message::stream_end>(0, stream_end{now_us(), offset_, 0, why.message()});
    };
    begins_in_sequence_ = tab_->screen() && !tab_->screen()->is_between_sequences();
    offset_ = tab_->output_bytes();
    tab_->observe(this);
}

output_stream::~output_stream() { tab_->observe(nullptr); }

void output_stream::subscribe(const std::shared_ptr<session>& to, on_gap then) { join(to, then, mato::join_at::snapshot()); }

void output_stream::join(const std::shared_ptr<session>& to, on_gap then, mato::join_at where) {
    mato::disconnect whole;
    whole.hard = whole.soft = queue_bytes;
    if (then == on_gap::end)
        hub_.subscribe(to, whole, where);
    else
        hub_.subscribe(to, mato::resync{queue_bytes}, where);
}

void output_stream::subscribe_from(std::uint64_t offset, const std::shared_ptr<session>& to, on_gap then) {
    if (offset > offset_) publish(held_.size()); // the process before had published a part of the sequence
    mato::failure gone;                          // it is closed then
    to->send(encode<message::stream_size>(0, stream_size{now_us(), size_of(*tab_)}), gone);
    if (offset < offset_)
        to->send(encode<message::stream_output>(
                     0, stream_output{now_us(), offset, tail_.substr(static_cast<std::size_t>(offset - tail_begin()))}),
                 gone);
    join(to, then, mato::join_at::next());
}

void output_stream::go_on(std::uint64_t offset, std::string_view bytes) {
    offset_ = offset;
    went_on_ = true;
    tail_.clear();
    held_.clear();
    begins_in_sequence_ = false; // its readers have the beginning
    for (; !bytes.empty(); bytes.remove_prefix(std::min(bytes.size(), tab_store::most_read)))
        on_output(bytes.substr(0, tab_store::most_read));
}

void output_stream::on_output(std::string_view bytes) {
    if (begins_in_sequence_) return begin_between();
    if (held_.empty()) held_at_ = now_us();
    held_ += bytes;
    const std::size_t whole = sequence_boundary(held_);
    publish(held_.size() - whole > most_held ? held_.size() : whole);
}

/// If the stream began inside a sequence, the screen is sent again after it.
void output_stream::begin_between() {
    begins_in_sequence_ = !tab_->screen()->is_between_sequences();
    mato::failure too_large; // the next output sends it
    if (!begins_in_sequence_) hub_.publish(screen(), too_large);
}

void output_stream::on_resized() {
    mato::failure never; // it has a few bytes
    hub_.publish(encode<message::stream_size>(0, stream_size{now_us(), size_of(*tab_)}), never);
}

std::string output_stream::finish() {
    publish(held_.size());
    return encode<message::stream_end>(0, stream_end{now_us(), offset_, tab_->exit_code(), {}});
}

void output_stream::publish(std::size_t size) {
    if (size == 0) return;
    std::string frame = encode<message::stream_output>(0, stream_output{held_at_, offset_, held_.substr(0, size)});
    tail_.append(held_, 0, size);
    if (tail_.size() > 2 * most_tail) tail_.erase(0, tail_.size() - most_tail);
    held_.erase(0, size);
    held_at_ = now_us();
    offset_ += size;
    mato::failure never; // at most one read and the held bytes: far below half of the ring
    hub_.publish(frame, never);
}

std::string output_stream::screen() const {
    return encode<message::stream_screen>(0, stream_screen{now_us(), offset_, size_of(*tab_), drawing()});
}

std::string output_stream::drawing() const {
    std::string bytes;
    if (const vt::terminal* const shown = tab_->screen()) {
        for (const colour_depth colours : {colour_depth::direct, colour_depth::none}) {
            bytes = redraw(*shown, colours);
            if (bytes.size() <= most_screen) return bytes;
        }
        return std::string(empty_screen); // of a million cells: the next output sends it
    }
    const raw_emulator& kept = *tab_->bytes();
    bytes = empty_screen;
    const std::uint64_t end = kept.end() - held_.size();
    for (std::uint64_t at = kept.replay_begin(most_screen - bytes.size()); at < end;) {
        const auto part = kept.from(at, static_cast<std::size_t>(end - at));
        bytes += part;
        at += part.size();
    }
    return bytes;
}

} // namespace mux
