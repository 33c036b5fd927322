// SPDX-License-Identifier: MIT
#include "tab_store.hpp"

#include <mato/clock.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace mux {

namespace {

constexpr std::string_view tab_magic = "mato:tab";
constexpr std::uint32_t tab_version = 1;
constexpr std::size_t tab_version_at = 8, parts_at = 12, unread_at = 24, recorded_at = 32, paste_at = 40, effects_at = 64,
                      marks_at = 72, first_part = 128;
static_assert(marks_at + 8 * feed_marks::words <= first_part);

/// Where each part begins.
struct parts {
    std::uint32_t slots = 0, journal = 0, blocks = 0;

    [[nodiscard]] std::span<char> slots_in(std::span<char> all) const { return all.subspan(slots, journal - slots); }
    [[nodiscard]] std::span<char> journal_in(std::span<char> all) const { return all.subspan(journal, blocks - journal); }
    [[nodiscard]] std::span<char> blocks_in(std::span<char> all) const { return all.subspan(blocks); }
};

constexpr std::size_t rounded(std::size_t bytes) { return (bytes + 63) / 64 * 64; }

constexpr parts usual_parts() {
    parts p;
    p.slots = first_part;
    p.journal = static_cast<std::uint32_t>(p.slots + rounded(kept_slots::memory_for(tab_store::most_checkpoint)));
    p.blocks = static_cast<std::uint32_t>(p.journal + rounded(kept_journal::memory_for(tab_store::most_output)));
    return p;
}

} // namespace

std::unique_ptr<tab_store> tab_store::create(vt::history_limits& history, mato::error_out out) {
    constexpr parts at = usual_parts();
    constexpr std::size_t most_history = mato::memory_file::most_bytes - at.blocks - beside_history - vt::block_bytes;
    history.bytes = std::min(history.bytes, most_history);
    auto file =
        mato::memory_file::create("mato:tab", at.blocks + vt::block_region::memory_for(history.bytes + beside_history), out);
    if (!file) return nullptr;
    std::unique_ptr<tab_store> made(new tab_store(std::move(file)));
    const std::span<char> all = made->file_.bytes();
    mato::failure why;
    made->slots_ = kept_slots::create(at.slots_in(all), why);
    if (!why) made->journal_ = kept_journal::create(at.journal_in(all), why);
    if (why) return out.fail<std::unique_ptr<tab_store>>(std::move(why));
    made->blocks_ = std::make_unique<vt::block_region>(at.blocks_in(all));
    history.store = made->blocks_.get();
    store_number(all.data() + tab_version_at, tab_version);
    const std::uint32_t begins[] = {at.slots, at.journal, at.blocks};
    for (std::size_t i = 0; i < 3; ++i) store_number(all.data() + parts_at + 4 * i, begins[i]);
    store_word(all.data() + effects_at, 0);
    tab_magic.copy(all.data(), tab_magic.size());
    return made;
}

std::unique_ptr<tab_store> tab_store::adopt(mato::unique_fd fd, vt::history_limits& history, mato::error_out out) {
    auto file = mato::memory_file::adopt(std::move(fd), out);
    return file ? adopt(std::move(file), history, out) : nullptr;
}

std::unique_ptr<tab_store> tab_store::adopt(mato::memory_file file, vt::history_limits& history, mato::error_out out) {
    constexpr std::string_view step = "restore tab";
    const std::span<char> all = file.bytes();
    const auto refuse = [&](std::error_code code, const char* why) {
        return out.fail<std::unique_ptr<tab_store>>(code, step, {}, why);
    };
    if (all.size() < first_part || std::string_view(all.data(), tab_magic.size()) != tab_magic)
        return refuse(mato::errc::malformed, "the memory file is not a tab's");
    if (load_number<std::uint32_t>(all.data() + tab_version_at) != tab_version)
        return refuse(mato::errc::version_mismatch, "the memory file is of another version");
    parts at;
    at.slots = load_number<std::uint32_t>(all.data() + parts_at);
    at.journal = load_number<std::uint32_t>(all.data() + parts_at + 4);
    at.blocks = load_number<std::uint32_t>(all.data() + parts_at + 8);
    if (at.slots < first_part || at.slots % 64 != 0 || at.journal < at.slots || at.journal % 64 != 0 ||
        at.blocks < at.journal || at.blocks % 64 != 0 || at.blocks > all.size())
        return refuse(mato::errc::malformed, "the parts of the memory file overlap or lie outside it");
    if (!vt::block_region::can_adopt(at.blocks_in(all)))
        return refuse(mato::errc::malformed, "the blocks of history are damaged");
    std::unique_ptr<tab_store> made(new tab_store(std::move(file)));
    mato::failure why;
    made->slots_ = kept_slots::adopt(at.slots_in(all), why);
    if (!why) made->journal_ = kept_journal::adopt(at.journal_in(all), why);
    if (why) return out.fail<std::unique_ptr<tab_store>>(std::move(why));
    made->found_.unread_input = load_number<std::uint64_t>(all.data() + unread_at);
    made->found_.was_recorded = load_number<std::uint64_t>(all.data() + recorded_at) != 0;
    made->found_.paste = load_number<std::uint64_t>(all.data() + paste_at);
    made->blocks_ = std::make_unique<vt::block_region>(at.blocks_in(all), vt::block_region::adopted{});
    const std::size_t room = at.blocks_in(all).size();
    history.bytes = std::min(history.bytes, room > beside_history ? room - beside_history : room / 2);
    history.store = made->blocks_.get();
    return made;
}

void tab_store::effects_until(std::size_t unread) noexcept {
    store_word(file_.bytes().data() + effects_at, journal_.end() - unread);
}

void tab_store::is_recorded(bool now) noexcept { store_word(file_.bytes().data() + recorded_at, now ? 1 : 0); }

void tab_store::pastes(std::uint64_t word) noexcept { store_word(file_.bytes().data() + paste_at, word); }

void tab_store::input_waits(std::size_t bytes) noexcept { store_word(file_.bytes().data() + unread_at, bytes); }

bool tab_store::checkpoint(vt::terminal& screen, mato::error_out out) {
    const std::string_view state = screen.checkpoint(buffer_);
    const bool is_written = !state.empty() && slots_.publish(state, journal_.end(), out);
    if (state.empty())
        out.set(std::make_error_code(std::errc::no_buffer_space), "checkpoint tab", {},
                "its memory file has no room for more links and images");
    // An eighth of the output is copied at most. What is larger than that is usually a string that is not complete yet.
    due_ = std::clamp(8 * state.size(), usual_output, most_output);
    constexpr std::size_t most_buffer = 1u << 20; // bytes that stay allocated for the next checkpoint
    if (buffer_.size() > most_buffer) buffer_ = {};
    if (!is_written) {
        again_ = due_ = std::min(journal_.used() + usual_output, most_output);
        return false;
    }
    again_ = 0;
    journal_.checkpoint();
    screen.checkpointed();
    return true;
}

void tab_store::abandon() noexcept { store_word(file_.bytes().data(), 0); }

tab_store::tab_store(mato::memory_file file) noexcept
    : file_(std::move(file)), marks_(reinterpret_cast<std::uint64_t*>(file_.bytes().data() + marks_at)) {}

bool tab_store::restore(vt::terminal& screen, vt::moment now, int signal, mato::error_out out) {
    constexpr const char* step = "restore tab";
    journal_.recover();
    if (!journal_.resume_after(slots_.position(), out)) return false;
    const std::uint64_t effects =
        std::clamp(load_number<std::uint64_t>(file_.bytes().data() + effects_at), journal_.begin(), journal_.end());
    found_.was_interpreting = signal != 0 && marks_.was_fed(effects, journal_.end());
    input_waits(0);
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(mato::clock::now().time_since_epoch()).count();
    const auto verdict = marks_.judge(effects, journal_.end(), signal, static_cast<std::uint64_t>(seconds));
    if (verdict == feed_marks::verdict::quarantined)
        return out.fail<bool>(std::make_error_code(std::errc::owner_dead), step, {},
                              "interpreting its output has ended the daemon's process again and again");
    if (const auto error = screen.restore_checkpoint(slots_.newest()); error != vt::snapshot_error::none) {
        return out.fail<bool>(error == vt::snapshot_error::too_new ? mato::errc::version_mismatch : mato::errc::malformed, step,
                              {},
                              error == vt::snapshot_error::too_new ? "the checkpoint was written by a newer version"
                                                                   : "the checkpoint is damaged");
    }
    verdict == feed_marks::verdict::innocent ? replay(screen, now, effects) : replay_in_pieces(screen, now, effects);
    marks_.replayed();
    effects_until(0);
    if (found_.was_recorded) replayed_ = journal_.since_checkpoint();
    if (!checkpoint(screen, out)) return false;
    marks_.passed(left_out_);
    return true;
}

void tab_store::replay(vt::terminal& screen, vt::moment now, std::uint64_t effects) {
    const std::string_view output = journal_.since_checkpoint();
    const auto muted = static_cast<std::size_t>(effects - journal_.begin());
    if (!output.empty()) marks_.replays();
    screen.feed(output.substr(0, muted), now);
    (void)screen.take_answers();
    (void)screen.take_events();
    screen.feed(output.substr(muted), now);
}

void tab_store::replay_in_pieces(vt::terminal& screen, vt::moment now, std::uint64_t effects) {
    const std::string_view output = journal_.since_checkpoint();
    const std::uint64_t begin = journal_.begin();
    for (std::uint64_t at = begin, next = begin; at < journal_.end(); at = next) {
        next = std::min(at + feed_marks::piece_bytes, journal_.end());
        if (at < effects) next = std::min(next, effects);
        if (marks_.is_left_out(at)) {
            left_out_ += static_cast<std::size_t>(next - at);
            screen.feed("\x18", now); // CAN ends a sequence that began before
        } else {
            marks_.replays(at);
            screen.feed(output.substr(static_cast<std::size_t>(at - begin), static_cast<std::size_t>(next - at)), now);
        }
        if (next > effects) continue;
        (void)screen.take_answers();
        (void)screen.take_events();
    }
}

} // namespace mux
