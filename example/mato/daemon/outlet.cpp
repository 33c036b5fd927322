// SPDX-License-Identifier: MIT
#include "outlet.hpp"

#include "protocol/guardian_note.hpp"
#include "protocol/limits.hpp"
#include "protocol/messages.hpp"

#include <mato/sys.hpp>

#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

namespace mux {

namespace sys = mato::sys;

// ---- direct ----

std::unique_ptr<direct_outlet> direct_outlet::open(asio::io_context& context, mato::unique_fd passed,
                                                   mato::unique_fd release_pipe, mato::error_out out) {
    using opened_outlet = std::unique_ptr<direct_outlet>;
    struct ::stat given {
    }, opened{}, held{};
    if (!passed || !release_pipe) {
        return out.fail<opened_outlet>(std::make_error_code(std::errc::too_many_files_open), "take terminal", {},
                                       "no descriptor was received; this process may be out of descriptors");
    }
    if (!::isatty(passed.get()) || sys::fstat(passed.get(), &given) == -1) {
        return out.fail<opened_outlet>(std::make_error_code(std::errc::inappropriate_io_control_operation), "take terminal");
    }
    // Any other descriptor would be kept too; one of the client's own connection would hide the connection's end.
    if (sys::fstat(release_pipe.get(), &held) == -1 || !S_ISFIFO(held.st_mode)) {
        return out.fail<opened_outlet>(std::make_error_code(std::errc::invalid_argument), "take terminal", "the release pipe",
                                       "it is not a pipe");
    }
    const std::string path = "/proc/self/fd/" + std::to_string(passed.get());
    mato::unique_fd own(sys::open(path.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK));
    if (!own) {
        return out.fail<opened_outlet>(mato::last_error(), "open terminal again", path);
    }
    if (!::isatty(own.get()) || sys::fstat(own.get(), &opened) == -1 || opened.st_rdev != given.st_rdev) {
        return out.fail<opened_outlet>(std::make_error_code(std::errc::inappropriate_io_control_operation),
                                       "open terminal again", path);
    }
    return std::unique_ptr<direct_outlet>(new direct_outlet(context, std::move(own), std::move(release_pipe)));
}

direct_outlet::direct_outlet(asio::io_context& context, mato::unique_fd terminal, mato::unique_fd release_pipe)
    : terminal_(context), release_pipe_(std::move(release_pipe)), self_(std::make_shared<direct_outlet*>(this)) {
    terminal_.assign(terminal.release());
}

void direct_outlet::show(handlers callbacks) {
    callbacks_ = std::move(callbacks);
    shown_ = true;
    wait_for_keys();
    if (!pending_.empty() && !writing_) flush();
}

void direct_outlet::hide() {
    shown_ = false;
    drop_pending(); // an incomplete frame: the next one begins with a reset
}

void direct_outlet::close() {
    hide();
    std::error_code ignored;
    terminal_.close(ignored);
    release_pipe_.reset();
}

void direct_outlet::read_keyboard(keyboard_reading wanted) {
    wants_keys_ = wanted == keyboard_reading::on;
    wait_for_keys();
}

void direct_outlet::wait_for_keys() {
    if (reading_ || !shown_ || !wants_keys_) return;
    reading_ = true;
    terminal_.async_wait(asio::posix::stream_descriptor::wait_read, [weak = std::weak_ptr(self_)](std::error_code why) {
        const auto alive = weak.lock();
        if (!alive) return;
        direct_outlet& self = **alive;
        self.reading_ = false;
        if (!why && self.shown_ && self.wants_keys_) self.read_keys();
    });
}

void direct_outlet::read_keys() {
    static char buffer[read_bytes]; // one thread
    const ssize_t got = sys::read(terminal_.native_handle(), buffer, sizeof buffer);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK)) return lose();
    const std::string_view bytes(buffer, static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    int left = 0; // after a full buffer the kernel may need time to deliver the rest
    const bool follows = bytes.ends_with('\033') && (bytes.size() >= full_terminal_bytes ||
                                                     (sys::ioctl(terminal_.native_handle(), FIONREAD, &left) == 0 && left > 0));
    if (!bytes.empty() && callbacks_.on_typed)
        callbacks_.on_typed(bytes, follows ? input_reader::rest::follows : input_reader::rest::unknown);
    wait_for_keys(); // unless a key was "detach"
}

void direct_outlet::write(std::string_view bytes) {
    if (!shown_) return;
    if (pending_.empty()) { // the usual case: no copy
        const ssize_t took = sys::write(terminal_.native_handle(), bytes.data(), bytes.size());
        if (took < 0 && errno != EAGAIN && errno != EWOULDBLOCK) return lose();
        if (took > 0) {
            sent_ += static_cast<std::uint64_t>(took);
            bytes.remove_prefix(static_cast<std::size_t>(took));
        }
        if (bytes.empty()) return;
    }
    pending_ += bytes;
    wait_for_room();
}

/// Through the pipe that the guardian reads: the client may be killed before it reads a message.
void direct_outlet::note_shaped_cursor(int own_style) {
    const char note = guardian_note_of(own_style);
    if (release_pipe_) static_cast<void>(!sys::write(release_pipe_.get(), &note, 1));
}

void direct_outlet::wait_for_room() {
    if (writing_) return;
    writing_ = true;
    terminal_.async_wait(asio::posix::stream_descriptor::wait_write, [weak = std::weak_ptr(self_)](std::error_code why) {
        const auto alive = weak.lock();
        if (!alive) return;
        (*alive)->writing_ = false;
        if (!why) (*alive)->flush();
    });
}

void direct_outlet::flush() {
    if (!shown_ || pending_.empty()) return;
    const ssize_t took = sys::write(terminal_.native_handle(), pending_.data() + taken_, pending_.size() - taken_);
    if (took < 0 && errno != EAGAIN && errno != EWOULDBLOCK) return lose();
    if (took > 0) {
        sent_ += static_cast<std::uint64_t>(took);
        taken_ += static_cast<std::size_t>(took);
    }
    if (taken_ < pending_.size()) return wait_for_room();
    drop_pending(); // releases the memory too: it may contain an image
    if (callbacks_.on_ready) callbacks_.on_ready();
}

vt::pixel_size direct_outlet::cell_size() const noexcept {
    winsize all{};
    auto& handle = const_cast<asio::posix::stream_descriptor&>(terminal_); // native_handle() is not const in asio
    if (!handle.is_open() || sys::ioctl(handle.native_handle(), TIOCGWINSZ, &all) == -1 || all.ws_col == 0 || all.ws_row == 0)
        return {};
    return {all.ws_xpixel / all.ws_col, all.ws_ypixel / all.ws_row};
}

/// Posted, because the caller may be drawing. The client is told, and ends the attachment.
void direct_outlet::lose() {
    if (!shown_) return;
    shown_ = false;
    drop_pending();
    asio::post(terminal_.get_executor(), [weak = std::weak_ptr(self_)] {
        if (const auto alive = weak.lock(); alive && (*alive)->callbacks_.on_lost) (*alive)->callbacks_.on_lost();
    });
}

// ---- relayed ----

void relayed_outlet::show(handlers callbacks) {
    callbacks_ = std::move(callbacks);
    shown_ = true;
}

void relayed_outlet::write(std::string_view bytes) {
    if (!shown_) return;
    unsent_ += bytes;
    send_some();
}

void relayed_outlet::send_some() {
    std::size_t done = 0;
    while (done < unsent_.size() && untaken_ < most_under_way) {
        const auto chunk = std::string_view(unsent_).substr(done, output_chunk_bytes);
        mato::failure too_large; // never: a chunk is far below the framing's limit
        session_->send(encode_bytes(message::output, 0, chunk), too_large);
        done += chunk.size();
        untaken_ += chunk.size();
        sent_ += chunk.size();
    }
    if (done == unsent_.size())
        unsent_.capacity() > most_under_way ? std::string().swap(unsent_) : unsent_.clear(); // it may contain an image
    else
        unsent_.erase(0, done);
}

bool relayed_outlet::is_ready() const noexcept { return unsent_.empty() && untaken_ < output_window_bytes; }

void relayed_outlet::output_taken(std::uint64_t bytes) {
    const bool was_ready = is_ready();
    untaken_ -= std::min(untaken_, bytes);
    if (shown_ && !unsent_.empty()) send_some();
    if (!was_ready && is_ready() && shown_ && callbacks_.on_ready) callbacks_.on_ready();
}

void relayed_outlet::input(std::string_view bytes, mato::error_out out) {
    unreported_ += bytes.size();
    if (unreported_ > input_window_bytes + input_chunk_bytes)
        return out.set(mato::errc::malformed, "input", {}, "the input exceeds the window");
    report(input_window_bytes / 8); // a single key is not worth a message
    const bool was_cut = bytes.size() == input_chunk_bytes;
    if (shown_ && callbacks_.on_typed)
        callbacks_.on_typed(bytes, was_cut ? input_reader::rest::follows : input_reader::rest::unknown);
}

void relayed_outlet::read_keyboard(keyboard_reading wanted) {
    wants_keys_ = wanted == keyboard_reading::on;
    report(1);
}

void relayed_outlet::report(std::size_t at_least) {
    if (!wants_keys_ || unreported_ < at_least) return;
    mato::failure none;
    session_->send(encode<message::input_taken>(0, bytes_taken{std::exchange(unreported_, 0)}), none);
}

} // namespace mux
