// SPDX-License-Identifier: MIT
/// @file vt_fuzz.cpp: any bytes, sizes, resizes, snapshots and checkpoints, split anywhere, break no invariant.
/// Input: rows (from 128 on images are kept), columns, then bytes of the program's output; 0xff and a number are commands
/// (see run()). Run: vt_fuzz -dict=test/fuzz/vt.dict test/fuzz/corpus/vt
#include "vt/block_region.hpp"
#include "vt/parameters.hpp"
#include "vt/terminal.hpp"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace mux::vt;

void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "does not hold: %s\n", what);
    std::abort();
}

#define REQUIRE_THAT_HOLDS(x) require((x), #x)

terminal_options options(screen_size size, bool keeps_pictures = false) {
    terminal_options o;
    o.size = size;
    o.cell_width = 8;
    o.cell_height = 16;
    // Small, so that small inputs reach eviction.
    o.limits.history = {40, 48 * 1024};
    o.limits.events = {16, 4096};
    o.limits.string_bytes = 512;
    o.limits.image_bytes = 1024;
    o.limits.answer_bytes = 512;
    o.limits.pictures = {6, 4096};
    if (keeps_pictures) o.pictures = {true, true, true, true};
    return o;
}

// Two screens of 64 by 64 full of clusters, the limits above, and memory kept by the allocator.
constexpr std::size_t memory_bound = 8u << 20;

// The rows of a viewer, updated only by changes_since().
class viewer {
public:
    void follow(const terminal& t) {
        const changes c = t.changes_since(seen_);
        rows_.resize(static_cast<std::size_t>(t.size().rows));
        for (const scrolled& s : c.scrolls) move(s);
        for (const int r : c.rows) t.read_row(r, rows_[static_cast<std::size_t>(r)]);
        seen_ = t.revision();
        text_line now;
        for (int r = 0; r < t.size().rows; ++r) {
            t.read_row(r, now);
            REQUIRE_THAT_HOLDS(now == rows_[static_cast<std::size_t>(r)]);
        }
    }

private:
    void move(const scrolled& s) {
        const auto at = [this](int r) -> text_line& { return rows_[static_cast<std::size_t>(r)]; };
        if (s.lines > 0)
            for (int r = s.top; r < s.bottom - s.lines; ++r) at(r) = at(r + s.lines);
        else
            for (int r = s.bottom - 1; r >= s.top - s.lines; --r) at(r) = at(r + s.lines);
    }
    std::vector<text_line> rows_;
    std::uint64_t seen_ = 0;
};

void read_everything(const terminal& t) {
    text_line line;
    const std::size_t rows = t.history_rows();
    REQUIRE_THAT_HOLDS(rows >= t.history_lines());
    for (std::size_t i = 0; i < rows && i < 200; ++i) {
        t.read_history_row(i, line);
        REQUIRE_THAT_HOLDS(line.columns() <= t.size().columns);
    }
    for (std::size_t i = 0; i < t.history_lines(); ++i) t.read_history_line(i, line);
}

// A byte of the body is changed and the hash corrected: refused or not, nothing breaks.
void forge(std::string saved, unsigned seed) {
    std::size_t at = 5; // past the magic and the version
    while ((static_cast<unsigned char>(saved[at]) & 0x80) != 0) ++at;
    const std::size_t hash_at = at + 1, body_at = at + 9;
    for (unsigned i = 0; i < 4; ++i) {
        seed = seed * 1103515245u + 12345u + static_cast<unsigned>(saved.size());
        saved[body_at + seed / 7 % (saved.size() - body_at)] = static_cast<char>(seed >> 16);
        std::uint64_t hash = 0xcbf29ce484222325u;
        for (const char c : std::string_view(saved).substr(body_at))
            hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
        for (unsigned b = 0; b < 8; ++b) saved[hash_at + b] = static_cast<char>(hash >> 8 * b);
        terminal t(options({1, 1}));
        if (t.restore(saved) != snapshot_error::none) continue;
        REQUIRE_THAT_HOLDS(t.is_valid());
        t.feed("x\x1b[Hy\r\n\x1b[8u\x1bM");
        t.resize({7, 9});
        REQUIRE_THAT_HOLDS(t.is_valid());
        read_everything(t);
    }
}

// A terminal whose history lies in memory that outlives it. It dies and is restored, and is the same then.
class kept_terminal {
public:
    kept_terminal(screen_size size, bool keeps_pictures)
        : keeps_pictures_(keeps_pictures), memory_(block_region::memory_for(store_bytes) / 8) {
        store_.emplace(span());
        make(size);
        publish();
    }
    void feed(std::string_view bytes, moment now) {
        screen_->feed(bytes, now);
        since_ += bytes;
    }
    void resize(screen_size size) {
        screen_->resize(size);
        publish();
    }
    void publish() {
        const std::string_view bytes = screen_->checkpoint(buffer_);
        is_full_ = is_full_ || bytes.empty();
        if (is_full_) return;
        newest_ = bytes;
        since_.clear();
        screen_->checkpointed();
    }
    void die(moment now) {
        if (is_full_) return;
        const std::vector<std::uint64_t> left = memory_;
        screen_.reset();
        memory_ = left;
        REQUIRE_THAT_HOLDS(adopt(newest_) == snapshot_error::none);
        screen_->feed(since_, now);
    }
    // Bytes of the checkpoint and of the store changed: refused or not, nothing breaks.
    void forge(unsigned seed) {
        const auto random = [&](std::size_t below) {
            seed = seed * 1103515245u + 12345u;
            return static_cast<std::size_t>(seed >> 8) % below;
        };
        const std::vector<std::uint64_t> left = memory_;
        for (unsigned i = 0; i < 6; ++i) {
            screen_.reset(); // it still writes into its store
            memory_ = left;
            std::string bytes = newest_;
            if (i % 3 != 0) bytes[random(bytes.size())] = static_cast<char>(random(256));
            for (unsigned n = 0; n < 3 && i % 3 != 1; ++n)
                span()[random(block_region::head_bytes + store_->touched_bytes())] = static_cast<char>(random(256));
            if (!block_region::can_adopt(span()) || adopt(bytes) != snapshot_error::none) continue;
            REQUIRE_THAT_HOLDS(screen_->is_valid());
            screen_->feed("x\x1b[Hy\r\n\x1b[8u\x1bM");
            screen_->resize({7, 9});
            REQUIRE_THAT_HOLDS(screen_->is_valid());
            read_everything(*screen_);
            (void)screen_->checkpoint(buffer_);
            screen_->checkpointed();
        }
    }
    bool is_full() const { return is_full_; }
    const terminal& screen() const { return *screen_; }

private:
    static constexpr std::size_t store_bytes = 512u << 10;

    std::span<char> span() { return {reinterpret_cast<char*>(memory_.data()), memory_.size() * 8}; }
    void make(screen_size size) {
        terminal_options o = options(size, keeps_pictures_);
        o.limits.history.store = &*store_;
        screen_ = std::make_unique<terminal>(o);
    }
    snapshot_error adopt(std::string_view bytes) {
        store_.emplace(span(), block_region::adopted{});
        make({1, 1});
        return screen_->restore_checkpoint(bytes);
    }

    bool keeps_pictures_, is_full_ = false;
    std::vector<std::uint64_t> memory_;
    std::optional<block_region> store_;
    std::unique_ptr<terminal> screen_;
    std::string buffer_, newest_, since_;
};

void run(std::string_view in) {
    if (in.size() < 2) return;
    const screen_size size{1 + static_cast<unsigned char>(in[0]) % 64, 1 + static_cast<unsigned char>(in[1]) % 64};
    const bool keeps_pictures = static_cast<unsigned char>(in[0]) >= 128;
    in.remove_prefix(2);
    terminal whole(options(size, keeps_pictures)), cut(options(size, keeps_pictures)), bounded(options(size, keeps_pictures));
    kept_terminal kept(size, keeps_pictures);
    viewer often, seldom;
    moment now{0};
    unsigned work = static_cast<unsigned>(in.size()); // of each bounded feed
    int step = 0;
    while (!in.empty()) {
        const std::string_view bytes = in.substr(0, in.find('\xff'));
        in.remove_prefix(bytes.size());
        whole.feed(bytes, now);
        kept.feed(bytes, now);
        REQUIRE_THAT_HOLDS(kept.is_full() || whole.is_same(kept.screen()));
        for (const char& c : bytes) cut.feed({&c, 1}, now);
        unsigned without_a_byte = 0; // calls in which a REP goes on
        for (std::string_view left = bytes; !left.empty();) {
            const std::size_t taken = bounded.feed_some(left.substr(0, 1 + work % 61), now, 1 + work % 97);
            without_a_byte = taken > 0 ? 0 : without_a_byte + 1;
            REQUIRE_THAT_HOLDS(without_a_byte <= parameters::max_value);
            left.remove_prefix(taken);
            work = work * 1103515245u + 12345u;
        }
        REQUIRE_THAT_HOLDS(bounded.is_valid());
        REQUIRE_THAT_HOLDS(whole.is_same(bounded));
        REQUIRE_THAT_HOLDS(whole.is_valid());
        REQUIRE_THAT_HOLDS(whole.is_same(cut));
        const std::string answers = whole.take_answers();
        REQUIRE_THAT_HOLDS(answers.size() <= 512);
        REQUIRE_THAT_HOLDS(answers == cut.take_answers());
        REQUIRE_THAT_HOLDS(answers == bounded.take_answers());
        const std::size_t events = whole.take_events().size();
        REQUIRE_THAT_HOLDS(events == cut.take_events().size());
        REQUIRE_THAT_HOLDS(events == bounded.take_events().size());
        often.follow(whole);
        if (++step % 5 == 0) seldom.follow(whole);
        REQUIRE_THAT_HOLDS(whole.memory_bytes() < memory_bound);
        if (in.size() < 2) break;
        const unsigned op = static_cast<unsigned char>(in[1]);
        in.remove_prefix(2);
        if (op < 128 && in.size() >= 2) { // resize
            const screen_size next{1 + static_cast<unsigned char>(in[0]) % 64, 1 + static_cast<unsigned char>(in[1]) % 64};
            in.remove_prefix(2);
            whole.resize(next);
            cut.resize(next);
            bounded.resize(next);
            kept.resize(next);
            REQUIRE_THAT_HOLDS(whole.is_valid());
        } else if (op < 192) {
            now += moment(op);
            kept.publish(); // time is an input too
        } else {            // continue in another process
            const std::string saved = whole.save();
            terminal other(options({1, 1}, keeps_pictures));
            REQUIRE_THAT_HOLDS(other.restore(saved) == snapshot_error::none);
            REQUIRE_THAT_HOLDS(other.is_valid());
            REQUIRE_THAT_HOLDS(other.save() == saved);
            whole = std::move(other);
            if (op % 4 == 0) kept.publish();
            if (op % 4 != 1) kept.die(now);
        }
    }
    read_everything(whole);
    forge(whole.save(), static_cast<unsigned>(step));
    kept.forge(static_cast<unsigned>(step));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    run({reinterpret_cast<const char*>(data), size});
    return 0;
}
