// SPDX-License-Identifier: MIT
#include "terminal.hpp"

#include "bytes.hpp"
#include "emulator.hpp"
#include "kept_objects.hpp"
#include "snapshot.hpp"

namespace mux::vt {

struct terminal::core {
    explicit core(terminal_options options) : emulated(std::move(options)) {}

    emulator emulated;
    vt::parser parser;
    std::unique_ptr<kept_objects> kept; // once there was a checkpoint
};

terminal::terminal(terminal_options options) : core_(std::make_unique<core>(std::move(options))) {}
terminal::~terminal() = default;
terminal::terminal(terminal&&) noexcept = default;
terminal& terminal::operator=(terminal&&) noexcept = default;

void terminal::feed(std::string_view bytes, moment now) { (void)feed_some(bytes, now, emulator::no_limit); }

std::size_t terminal::feed_some(std::string_view bytes, moment now, std::int64_t work) {
    emulator& e = core_->emulated;
    e.begin_change();
    e.now_ = now;
    if (e.modes_.is_set(mode::synchronised) && !is_synchronised(now)) e.modes_.set(mode::synchronised, false);
    e.work_left_ = work;
    const std::size_t taken = core_->parser.feed(bytes, e);
    e.work_left_ = emulator::no_limit;
    if (taken == bytes.size() && !e.pictures_.empty()) e.collect_unused_pictures();
    return taken;
}

void terminal::resize(screen_size size) { core_->emulated.resize(size); }
void terminal::know_pictures(picture_protocols known) { core_->emulated.options_.pictures = known; }

void terminal::know_host(host_terminal known) { core_->emulated.know_host(std::move(known)); }

void terminal::set_cell_size(pixel_size size) {
    core_->emulated.options_.cell_width = size.width;
    core_->emulated.options_.cell_height = size.height;
}

std::string terminal::take_answers() { return std::exchange(core_->emulated.answers_, {}); }
std::vector<event> terminal::take_events() { return core_->emulated.events_.take(); }
std::uint64_t terminal::lost_events() const noexcept { return core_->emulated.events_.lost(); }

screen_size terminal::size() const noexcept { return core_->emulated.size_; }

cursor_view terminal::cursor() const noexcept {
    const emulator& e = core_->emulated;
    return {e.cursor_.at, e.cursor_.pending_wrap, is_set(mode::cursor_visible), is_set(mode::cursor_blinks), e.shape_};
}

void terminal::read_row(int r, text_line& out) const { read_line(core_->emulated.grid().at(r), out); }

const row& terminal::row_at(int r) const noexcept { return core_->emulated.grid().at(r); }

std::uint64_t terminal::row_generation(int r) const noexcept { return core_->emulated.grid().at(r).generation; }
const hyperlink* terminal::find_link(link_id id) const noexcept { return core_->emulated.links_.find(id); }
rgb terminal::palette_colour(std::size_t index) const noexcept { return core_->emulated.palette_.at(index); }
std::uint64_t terminal::palette_stamp() const noexcept { return core_->emulated.palette_.stamp(); }
bool terminal::is_colour_changed(std::size_t index) const noexcept { return core_->emulated.palette_.is_changed(index); }
const std::string& terminal::title() const noexcept { return core_->emulated.titles_.title; }
const std::string& terminal::icon_name() const noexcept { return core_->emulated.titles_.icon; }

const std::vector<picture>& terminal::pictures() const noexcept { return core_->emulated.pictures_.all(); }
const picture* terminal::find_picture(std::uint16_t number) const noexcept { return core_->emulated.pictures_.find(number); }
pixel_size terminal::cell_size() const noexcept { return core_->emulated.cell(); }
std::uint64_t terminal::refused_images() const noexcept {
    return core_->emulated.refused_images_ + core_->emulated.images_.too_long();
}

std::size_t terminal::history_rows() const { return core_->emulated.history_.rows(core_->emulated.columns()); }

void terminal::read_history_row(std::size_t i, text_line& out) const {
    row r;
    read_history_row(i, r);
    read_line(r, out);
}

void terminal::read_history_row(std::size_t i, row& out) const {
    core_->emulated.history_.read_row(i, core_->emulated.columns(), out);
}

void terminal::read_history_rows(std::size_t first, const std::function<bool(const row&)>& visit) const {
    core_->emulated.history_.read_rows(first, core_->emulated.columns(), visit);
}

std::size_t terminal::history_lines() const noexcept { return core_->emulated.history_.size(); }

void terminal::read_history_line(std::size_t i, text_line& out) const {
    row r;
    core_->emulated.history_.read(i, r);
    read_line(r, out);
}

void terminal::read_history_line(std::size_t i, row& out) const { core_->emulated.history_.read(i, out); }

bool terminal::is_history_open() const noexcept { return core_->emulated.history_.is_open(); }

std::uint64_t terminal::first_history_line() const noexcept { return core_->emulated.history_.first(); }
std::span<const prompt_mark> terminal::prompt_marks() const noexcept {
    return core_->emulated.marks_.from(core_->emulated.history_.first());
}
std::uint64_t terminal::rows_scrolled() const noexcept { return core_->emulated.rows_scrolled_; }
std::uint64_t terminal::revision() const noexcept { return core_->emulated.revision_; }

changes terminal::changes_since(std::uint64_t revision) const {
    const emulator& e = core_->emulated;
    changes out;
    out.everything = revision > e.revision_ || !e.scrolls_.reaches(revision);
    if (!out.everything) out.scrolls = e.scrolls_.since(revision);
    for (int r = 0; r < e.rows(); ++r)
        if (out.everything || e.grid().at(r).generation > revision) out.rows.push_back(r);
    return out;
}

bool terminal::is_set(mode m) const noexcept { return core_->emulated.modes_.is_set(m); }
int terminal::kitty_keyboard_flags() const noexcept {
    return core_->emulated.kitty_[is_set(mode::alternate_screen) ? 1 : 0].flags();
}
int terminal::modify_other_keys() const noexcept { return core_->emulated.modified_.other; }

moment terminal::synchronised_until() const noexcept {
    return core_->emulated.synchronised_since_ + core_->emulated.options_.limits.synchronised_update;
}

bool terminal::is_synchronised(moment now) const noexcept { return is_set(mode::synchronised) && now < synchronised_until(); }

std::string terminal::entry() const { return core_->emulated.entry(); }
std::string terminal::drawing_state() const { return core_->emulated.drawing_state(); }
bool terminal::is_between_sequences() const noexcept {
    const parser_state& s = core_->parser.state();
    return s.at == parser_state::stage::ground && s.partial_size == 0;
}

std::size_t terminal::memory_bytes() const noexcept {
    return sizeof *this + sizeof *core_ - sizeof core_->emulated + core_->emulated.memory_bytes() +
           (core_->kept ? core_->kept->memory_bytes() : 0);
}

std::string terminal::save() const { return snapshot_access::save(core_->emulated, core_->parser); }

snapshot_error terminal::restore(std::string_view bytes) {
    auto fresh = std::make_unique<core>(core_->emulated.options_);
    const snapshot_error error = snapshot_access::restore(bytes, fresh->emulated, fresh->parser);
    if (error == snapshot_error::none) core_ = std::move(fresh);
    return error;
}

bool terminal::is_same(const terminal& other) const {
    std::string mine, others;
    byte_writer a(mine), b(others);
    snapshot_access::write_body(a, core_->emulated, core_->parser, 0);
    snapshot_access::write_body(b, other.core_->emulated, other.core_->parser, 0);
    return a.written() == b.written();
}

std::string_view terminal::checkpoint(std::string& buffer) {
    if (!core_->kept) core_->kept = std::make_unique<kept_objects>(*core_->emulated.options_.limits.history.store);
    byte_writer out(buffer);
    const bool has_room = snapshot_access::write_checkpoint(out, core_->emulated, core_->parser, *core_->kept);
    return has_room ? out.written() : std::string_view();
}

void terminal::checkpointed() {
    core_->emulated.history_.published();
    if (core_->kept) core_->kept->published();
}

std::size_t terminal::blocks_kept_aside() const noexcept {
    return core_->emulated.history_.closed_lines().blocks_kept_aside() + (core_->kept ? core_->kept->blocks_kept_aside() : 0);
}

snapshot_error terminal::restore_checkpoint(std::string_view bytes) {
    auto fresh = std::make_unique<core>(core_->emulated.options_);
    block_store& store = *core_->emulated.options_.limits.history.store;
    fresh->kept = std::make_unique<kept_objects>(store);
    const snapshot_error error =
        snapshot_access::restore_checkpoint(bytes, store, fresh->emulated, fresh->parser, *fresh->kept);
    if (error == snapshot_error::none) core_ = std::move(fresh);
    return error;
}

bool terminal::is_valid() const {
    const emulator& e = core_->emulated;
    const auto holds = [](const screen& s) {
        for (int r = 0; r < s.size().rows; ++r)
            if (!s.at(r).is_valid(s.size().columns)) return false;
        return true;
    };
    if (!holds(e.primary_) || (e.alternate_ && !holds(*e.alternate_))) return false;
    if (e.primary_.size() != e.size_ || (e.alternate_ && e.alternate_->size() != e.size_)) return false;
    const position at = e.cursor_.at;
    if (at.row < 0 || at.row >= e.rows() || at.column < 0 || at.column >= e.columns()) return false;
    if (e.top_ < 0 || e.top_ >= e.bottom_ || e.bottom_ > e.rows()) return false;
    return e.left_ >= 0 && e.left_ < e.right_ && e.right_ <= e.columns();
}

} // namespace mux::vt
