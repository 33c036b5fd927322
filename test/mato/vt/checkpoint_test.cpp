// SPDX-License-Identifier: MIT
// Checkpoint, death, restore and replay make the terminal that would be there without the death.
#include "vt/terminal.hpp"

#include "vt/block_region.hpp"

#include <catch2/catch.hpp>

#include <memory>
#include <random>
#include <string>
#include <vector>

using namespace mux::vt;

namespace {

/// Memory that outlives a process, and the store in it.
struct region_memory {
    explicit region_memory(std::size_t bytes)
        : words(block_region::memory_for(bytes) / 8), store(std::make_unique<block_region>(span())) {}
    /// What the next process finds.
    region_memory(const region_memory& left) : words(left.words) {
        REQUIRE(block_region::can_adopt(span()));
        store = std::make_unique<block_region>(span(), block_region::adopted{});
    }
    region_memory& operator=(const region_memory&) = delete;
    std::span<char> span() { return {reinterpret_cast<char*>(words.data()), words.size() * 8}; }

    std::vector<std::uint64_t> words;
    std::unique_ptr<block_region> store;
};

terminal_options options(screen_size size, block_store* store, history_limits history = {60, 96 * 1024}) {
    terminal_options o;
    o.size = size;
    o.cell_width = 8;
    o.cell_height = 16;
    o.limits.history = history;
    o.limits.history.store = store;
    o.limits.pictures = {6, 8192};
    o.pictures = {true, true, true, false};
    return o;
}

class generator {
public:
    explicit generator(unsigned seed) : random_(seed) {}
    unsigned below(unsigned n) { return static_cast<unsigned>(random_() % n); }

    std::string output() {
        std::string s;
        for (unsigned n = 1 + below(30); n > 0; --n) s += part();
        return s;
    }

private:
    std::string number(unsigned n) { return std::to_string(below(n)); }
    std::string part() {
        switch (below(24)) {
        case 0: return "\x1b[3" + number(8) + ";4" + number(8) + "m";
        case 1: return "\x1b[38;2;1;" + number(256) + ";3m\x1b[4m";
        case 2: return "\x1b[" + number(30) + ";" + number(90) + "H";
        case 3: return "漢字かな";
        case 4: return "e\xcc\x81\xcc\x82🙂";
        case 5: return "\x1b[2;" + number(12) + "r";
        case 6: return below(4) == 0 ? "\x1b[?1049h" : "\x1b[?1049l";
        case 7: return "\x1b]8;" + std::string(below(2) ? "id=" + number(9) : "") + ";https://host/" + number(40) + "\x1b\\";
        case 8: return "\x1b]8;;\a";
        case 9: return "\x1b]2;title " + number(50) + "\a";
        case 10: return "\x1b_Ga=T,f=24,s=1,v=1,i=" + number(9) + ";" + std::string(4 * (1 + below(500)), 'A') + "\x1b\\";
        case 11: return "\x1bPq#0~~~-~~~" + std::string(below(300), '~') + "\x1b\\";
        case 12: return below(6) == 0 ? "\x1b[3J" : "\x1b[2J";
        case 13:
            return below(10) == 0 ? "\x1b"
                                    "c"
                                  : "\x1b[!p";
        case 14: return std::string(below(700), static_cast<char>('a' + below(26)));
        case 15: return below(20) == 0 ? "x\x1b[" + number(9000) + "b" : "\x1b[4;7H\x1b[L";
        case 16: return "\x1b_Gi=77,f=24,s=2,v=2,m=1;" + std::string(4 * (1 + below(60)), 'B') + "\x1b\\";
        default: return "line " + number(100'000) + "\r\n";
        }
    }
    std::mt19937 random_;
};

/// A tab's terminal, its store, its newest checkpoint and the output since.
class kept_terminal {
public:
    kept_terminal(screen_size size, history_limits history)
        : size_(size), history_(history), memory_(std::make_unique<region_memory>(8u << 20)),
          screen_(std::make_unique<terminal>(options(size, memory_->store.get(), history))) {
        publish();
    }
    void feed(std::string_view bytes) {
        since_ += bytes;
        screen_->feed(bytes);
    }
    void resize(screen_size size) {
        screen_->resize(size);
        publish();
    }
    void publish() {
        const std::string_view bytes = screen_->checkpoint(buffer_);
        REQUIRE_FALSE(bytes.empty());
        newest_ = bytes;
        since_.clear();
        screen_->checkpointed();
    }
    /// As far as a checkpoint that is written and not published.
    void write_alone() { REQUIRE_FALSE(screen_->checkpoint(buffer_).empty()); }
    void die_and_restore() {
        auto next = std::make_unique<region_memory>(*memory_);
        screen_ = std::make_unique<terminal>(options({1, 1}, next->store.get(), history_));
        memory_ = std::move(next);
        REQUIRE(screen_->restore_checkpoint(newest_) == snapshot_error::none);
        screen_->feed(since_);
    }
    const terminal& screen() const { return *screen_; }
    const std::string& newest() const { return newest_; }
    region_memory& memory() { return *memory_; }

private:
    screen_size size_;
    history_limits history_;
    std::unique_ptr<region_memory> memory_;
    std::unique_ptr<terminal> screen_;
    std::string buffer_, newest_, since_;
};

} // namespace

TEST_CASE("a terminal that dies and is restored, again and again, is the one that never died", "[checkpoint][property]") {
    for (unsigned seed = 1; seed <= 12; ++seed) {
        generator g(seed);
        const screen_size size{2 + static_cast<int>(g.below(30)), 2 + static_cast<int>(g.below(100))};
        const history_limits history{seed % 3 == 0 ? 2000u : 60u, seed % 2 == 0 ? 96u << 10 : 1u << 20};
        kept_terminal kept(size, history);
        terminal reference(options(size, nullptr, history));
        int deaths = 0;
        for (int step = 0; step < 400; ++step) {
            const std::string bytes = g.output();
            const std::size_t cut = g.below(static_cast<unsigned>(bytes.size()) + 1);
            reference.feed(bytes);
            kept.feed(std::string_view(bytes).substr(0, cut));
            switch (g.below(8)) {
            case 0: kept.publish(); break;
            case 1: kept.write_alone(); [[fallthrough]];
            case 2:
                kept.die_and_restore();
                ++deaths;
                break;
            default: break;
            }
            kept.feed(std::string_view(bytes).substr(cut));
            if (g.below(12) == 0) {
                const screen_size next{1 + static_cast<int>(g.below(30)), 1 + static_cast<int>(g.below(100))};
                reference.resize(next);
                kept.resize(next);
            }
            INFO("seed " << seed << ", step " << step << ", " << deaths << " deaths");
            REQUIRE(kept.screen().is_valid());
            REQUIRE(kept.screen().is_same(reference));
        }
        CHECK(deaths > 50);
        CHECK(kept.memory().store->touched_bytes() <= history.bytes + (1u << 20));
    }
}

TEST_CASE("a death after any byte of the output is none", "[checkpoint][property]") {
    generator g(77);
    std::string bytes;
    while (bytes.size() < 1500) bytes += g.output();
    kept_terminal kept({6, 30}, {20, 48u << 10});
    terminal reference(options({6, 30}, nullptr, {20, 48u << 10}));
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        reference.feed({&bytes[i], 1});
        kept.feed({&bytes[i], 1});
        if (i % 7 == 3) kept.publish();
        kept.die_and_restore();
        REQUIRE(kept.screen().is_same(reference));
    }
}

TEST_CASE("history, links and images are not copied into a checkpoint", "[checkpoint]") {
    kept_terminal kept({24, 80}, {10'000, 16u << 20});
    for (int i = 0; i < 10'000; ++i) kept.feed("a line of text that is in history soon, number " + std::to_string(i) + "\r\n");
    for (int i = 0; i < 200; ++i) kept.feed("\x1b]8;;https://host/" + std::string(500, 'p') + std::to_string(i) + "\ax");
    kept.feed("\x1b]8;;\a\x1b_Ga=T,f=24,s=1,v=1;" + std::string(4000, 'A') + "\x1b\\");
    kept.publish();
    CHECK(kept.newest().size() < 4096);
    const std::string before = kept.screen().save();
    kept.die_and_restore();
    CHECK(kept.screen().save().size() == before.size());
    CHECK(kept.screen().history_lines() > 9'000);
    CHECK(kept.screen().pictures().size() == 1);
}

TEST_CASE("a checkpoint goes into the buffer that the last one used", "[checkpoint]") {
    region_memory memory(1u << 20);
    terminal t(options({24, 80}, memory.store.get()));
    generator g(5);
    std::string buffer;
    t.feed("\x1b#8"); // the largest screen first
    const char* const at = t.checkpoint(buffer).data();
    CHECK(at == buffer.data());
    const std::size_t size = buffer.size();
    for (int i = 0; i < 200; ++i) {
        t.feed("\x1b[3" + std::to_string(i % 8) + "mline\r\n");
        const std::string_view bytes = t.checkpoint(buffer);
        t.checkpointed();
        CHECK(bytes.data() == at);
        CHECK(buffer.size() == size);
    }
}

TEST_CASE("images that are gone leave no records in the store for long", "[checkpoint]") {
    region_memory memory(8u << 20);
    terminal t(options({24, 80}, memory.store.get()));
    std::string buffer;
    for (int i = 0; i < 2000; ++i) {
        t.feed("\x1b[H\x1b[2J\x1b_Ga=T,f=24,s=1,v=1;" + std::string(4000, 'A') + "\x1b\\");
        REQUIRE_FALSE(t.checkpoint(buffer).empty());
        t.checkpointed();
    }
    CHECK(memory.store->touched_bytes() < 1u << 20);
}

TEST_CASE("a full store refuses a checkpoint, and the one before it stays", "[checkpoint]") {
    region_memory memory(4 * block_bytes);
    terminal t(options({24, 80}, memory.store.get()));
    std::string buffer;
    const std::string first(t.checkpoint(buffer));
    t.checkpointed();
    t.feed("\x1b]8;;uri\atext\r\n");
    for (int i = 0; i < 60; ++i) t.feed("\x1b]8;;" + std::to_string(i) + std::string(2000, 'u') + "\ax");
    CHECK(t.checkpoint(buffer).empty());
    region_memory next(memory);
    terminal restored(options({1, 1}, next.store.get()));
    CHECK(restored.restore_checkpoint(first) == snapshot_error::none);
    CHECK(restored.size() == screen_size{24, 80});
}

TEST_CASE("a damaged checkpoint or store is refused or makes a valid terminal", "[checkpoint]") {
    kept_terminal kept({10, 40}, {200, 256u << 10});
    generator g(9);
    for (int i = 0; i < 40; ++i) kept.feed(g.output());
    kept.resize({12, 30});
    std::mt19937 random(4);
    int refused = 0, taken = 0;
    for (int round = 0; round < 3000; ++round) {
        region_memory next(kept.memory());
        std::string bytes = kept.newest();
        if (round % 3 != 0)
            for (unsigned n = 1 + random() % 3; n > 0; --n) bytes[random() % bytes.size()] = static_cast<char>(random());
        if (round % 3 != 1)
            for (unsigned n = 1 + random() % 8; n > 0; --n) {
                const std::size_t block = random() % (next.store->touched_bytes() / block_bytes);
                const std::size_t at = random() % 2 == 0 ? random() % 64 : random() % block_bytes;
                next.span()[block_region::head_bytes + block * block_bytes + at] = static_cast<char>(random());
            }
        if (round % 100 == 0) bytes.resize(random() % bytes.size());
        if (!block_region::can_adopt(next.span())) {
            ++refused;
            continue;
        }
        next.store = std::make_unique<block_region>(next.span(), block_region::adopted{});
        terminal t(options({1, 1}, next.store.get()));
        if (t.restore_checkpoint(bytes) != snapshot_error::none) {
            ++refused;
            CHECK(t.size() == screen_size{1, 1});
            continue;
        }
        ++taken;
        REQUIRE(t.is_valid());
        text_line line;
        for (std::size_t i = 0; i < t.history_lines(); ++i) t.read_history_line(i, line);
        (void)t.history_rows();
        t.feed("text\r\n\x1b[5S\x1b[8u");
        t.resize({20, 60});
        REQUIRE(t.is_valid());
        std::string again;
        (void)t.checkpoint(again);
    }
    CHECK(refused > 300);
    CHECK(taken > 300);
    std::string newer = kept.newest();
    newer[0] = 100;
    region_memory next(kept.memory());
    terminal t(options({1, 1}, next.store.get()));
    CHECK(t.restore_checkpoint(newer) == snapshot_error::too_new);
    CHECK(t.restore_checkpoint("") == snapshot_error::damaged);
    CHECK(t.restore_checkpoint(kept.newest()) == snapshot_error::none); // the refused ones have changed nothing
}
