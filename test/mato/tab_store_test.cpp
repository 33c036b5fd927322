// SPDX-License-Identifier: MIT
#include "tab/tab_store.hpp"

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/process_facts.hpp"

#include <algorithm>
#include <fcntl.h>
#include <random>
#include <string>
#include <sys/resource.h>
#include <unistd.h>

using namespace mux;

namespace {

/// Takes the failure that must not be.
class no_failure {
public:
    no_failure() = default;
    no_failure(const no_failure&) = delete;
    no_failure& operator=(const no_failure&) = delete;
    ~no_failure() {
        INFO(why_.message());
        CHECK_FALSE(why_);
    }
    operator mato::error_out() { return why_; } // NOLINT(google-explicit-constructor)

private:
    mato::failure why_;
};

vt::terminal_options options(const vt::history_limits& history, vt::screen_size size = {24, 80}) {
    vt::terminal_options o;
    o.size = size;
    o.limits.history = history;
    o.pictures = {true, true, true, false};
    return o;
}

/// A tab without its program: what is "read" is given.
struct kept_tab {
    vt::history_limits history{500, 1u << 20};
    std::unique_ptr<tab_store> store = tab_store::create(history, no_failure());
    vt::terminal screen{options(history)};

    kept_tab() { REQUIRE(store->checkpoint(screen, no_failure())); }

    void read(std::string_view bytes) {
        if (store->is_due(screen)) REQUIRE(store->checkpoint(screen, no_failure()));
        char* const to = store->arm();
        REQUIRE(to != nullptr);
        bytes.copy(to, bytes.size());
        store->commit(bytes.size());
    }
    void output(std::string_view bytes) {
        while (!bytes.empty()) {
            const auto part = bytes.substr(0, 4095);
            read(part);
            screen.feed(part);
            store->effects_until(0);
            (void)screen.take_answers();
            (void)screen.take_events();
            bytes.remove_prefix(part.size());
        }
    }
    [[nodiscard]] mato::unique_fd file() const { return mato::unique_fd(::fcntl(store->native_handle(), F_DUPFD_CLOEXEC, 3)); }
};

/// What another process makes of it.
struct restored_tab {
    vt::history_limits history{500, 1u << 20};
    mato::failure why;
    std::unique_ptr<tab_store> store;
    vt::terminal screen;

    explicit restored_tab(mato::unique_fd file, int signal = 0)
        : store(tab_store::adopt(std::move(file), history, why)), screen(options(history, {1, 1})) {
        if (store) (void)store->restore(screen, {}, signal, why);
    }
};

std::string lines(int from, int count) {
    std::string all;
    for (int i = from; i < from + count; ++i)
        all += "\x1b[3" + std::to_string(i % 8) + "mline " + std::to_string(i) + " 漢字\x1b[m\r\n";
    return all;
}

} // namespace

TEST_CASE("a tab that was left is restored with its history, and goes on", "[tab_store]") {
    kept_tab tab;
    vt::terminal reference{options({500, 1u << 20})};
    for (int i = 0; i < 60; ++i) {
        const std::string text = lines(i * 100, 100) + "\x1b[5;9Hand a sequence that is not complete: \x1b[3";
        tab.output(text);
        reference.feed(text);
        tab.output("1m\r\n");
        reference.feed("1m\r\n");
    }
    restored_tab next(tab.file());
    INFO(next.why.message());
    REQUIRE_FALSE(next.why);
    CHECK(next.screen.is_same(reference));
    CHECK(next.store->output_bytes() == tab.store->output_bytes());
    restored_tab again(tab.file()); // a second death, right after the restore
    REQUIRE_FALSE(again.why);
    CHECK(again.screen.is_same(reference));
}

TEST_CASE("a checkpoint is due by volume of output", "[tab_store]") {
    kept_tab tab;
    CHECK_FALSE(tab.store->is_due(tab.screen));
    for (std::size_t read = 0; read < tab_store::usual_output; read += 4095) {
        CHECK_FALSE(tab.store->is_due(tab.screen));
        tab.read(std::string(4095, 'x'));
        tab.screen.feed(std::string(4095, 'x'));
    }
    CHECK(tab.store->is_due(tab.screen));
    // One that holds a long string is due less often, so that copying it is not most of the work.
    tab.output("\x1b]52;c;" + std::string(500'000, 'A'));
    REQUIRE(tab.store->checkpoint(tab.screen, no_failure()));
    tab.output(std::string(10 * tab_store::usual_output, 'A'));
    CHECK_FALSE(tab.store->is_due(tab.screen));
    restored_tab next(tab.file());
    REQUIRE_FALSE(next.why);
    CHECK(next.screen.is_same(tab.screen));
}

TEST_CASE("output that makes much history from few bytes is checkpointed sooner", "[tab_store]") {
    kept_tab tab;
    std::string repeats;
    for (int i = 0; i < 200; ++i) repeats += "y\x1b[1900b"; // 24 rows from seven bytes
    tab.output(lines(0, 3000));
    REQUIRE(tab.store->checkpoint(tab.screen, no_failure()));
    tab.output(repeats);
    restored_tab next(tab.file());
    REQUIRE_FALSE(next.why);
    CHECK(next.screen.is_same(tab.screen));
}

TEST_CASE("answers and events of a replay are not repeated", "[tab_store]") {
    kept_tab tab;
    tab.output("\x1b[6n\a\x1b]2;title\a");
    restored_tab next(tab.file());
    REQUIRE_FALSE(next.why);
    CHECK(next.screen.take_answers().empty());
    CHECK(next.screen.take_events().empty());
    CHECK(next.screen.title() == "title");
}

TEST_CASE("answers and events of output that had none when the process died come once", "[tab_store]") {
    kept_tab tab;
    tab.output("\x1b[6n\a");
    tab.read("\x1b[3;4H\x1b[6n\a"); // read, and not interpreted
    {
        restored_tab next(tab.file());
        REQUIRE_FALSE(next.why);
        CHECK(next.screen.take_answers() == "\x1b[3;4R");
        CHECK(next.screen.take_events().size() == 1);
    }
    restored_tab next(tab.file());
    REQUIRE_FALSE(next.why);
    CHECK(next.screen.take_answers().empty());
    CHECK(next.screen.take_events().empty());
}

TEST_CASE("what the process did when it died, and the input that waited, are found once", "[tab_store]") {
    const int signal = GENERATE(SIGSEGV, SIGKILL, 0); // 0: an upgrade
    kept_tab tab, calm;
    calm.output("first ");
    CHECK_FALSE(restored_tab(calm.file(), signal).store->found().was_interpreting);
    tab.output("first ");
    tab.store->input_waits(77);
    tab.read("second");
    tab.store->feeds_from(6);
    vt::terminal reference{options({500, 1u << 20})};
    reference.feed("first second");
    {
        const restored_tab next(tab.file(), signal);
        CHECK(next.store->found().was_interpreting == (signal != 0));
        CHECK(next.store->found().unread_input == 77);
        CHECK(next.screen.is_same(reference));
    }
    const restored_tab later(tab.file(), signal);
    CHECK_FALSE(later.store->found().was_interpreting);
    CHECK(later.store->found().unread_input == 0); // the process before has told it
    CHECK(later.screen.is_same(reference));
}

TEST_CASE("the piece of output in whose replay a process died is left out, and what is around it is not", "[tab_store]") {
    // Pieces end at the effects: they begin at 0, 64, 100, 164, 228 and 292.
    const auto [from, size] = GENERATE(table<std::size_t, std::size_t>({{0, 64}, {64, 36}, {100, 64}, {228, 64}, {292, 8}}));
    constexpr std::size_t marks_at = 72;
    std::string all;
    for (int i = 0; all.size() < 300; ++i) all += std::to_string(i) + " ";
    all.resize(300);
    kept_tab tab;
    tab.output(all.substr(0, 100));
    tab.read(all.substr(100));
    tab.store->feeds_from(200);
    const auto memory = mato::memory_file::adopt(tab.file(), no_failure());
    REQUIRE(memory);
    mux::feed_marks(reinterpret_cast<std::uint64_t*>(memory.bytes().data() + marks_at)).replays(from);
    vt::terminal reference{options({500, 1u << 20})};
    reference.feed(all.substr(0, from) + "\x18" + all.substr(from + size));
    {
        const restored_tab next(tab.file(), SIGABRT);
        REQUIRE_FALSE(next.why);
        CHECK(next.store->left_out() == size);
        CHECK(next.screen.is_same(reference));
    }
    const restored_tab later(tab.file(), SIGKILL);
    CHECK(later.store->left_out() == 0);
    CHECK(later.screen.is_same(reference));
}

TEST_CASE("a read under way is found", "[tab_store]") {
    kept_tab tab;
    tab.output("first ");
    char* const to = tab.store->arm();
    std::string_view("second").copy(to, 6); // read(2) has returned, and the process dies
    restored_tab next(tab.file());
    REQUIRE_FALSE(next.why);
    vt::text_line line;
    next.screen.read_row(0, line);
    CHECK(line.text == "first second");
}

TEST_CASE("a store that was given up, or is another's, is refused with the reason", "[tab_store]") {
    kept_tab tab;
    tab.output(lines(0, 10));
    vt::history_limits history;
    mato::failure why;
    CHECK(tab_store::adopt(mato::memory_file::create("other", 1 << 16).release(), history, why) == nullptr);
    CHECK(why.code == mato::errc::malformed);
    CHECK(why.message().find("not a tab's") != std::string::npos);
    tab.store->abandon();
    const restored_tab next(tab.file());
    CHECK(next.why.code == mato::errc::malformed);
}

TEST_CASE("a damaged store is refused, or makes a valid terminal", "[tab_store]") {
    kept_tab tab;
    tab.output(lines(0, 900) + "\x1b]8;;uri\alink\x1b]8;;\a\x1b_Ga=T,f=24,s=1,v=1;AAAA\x1b\\");
    REQUIRE(tab.store->checkpoint(tab.screen, no_failure()));
    tab.output(lines(900, 40));
    auto mine = mato::memory_file::adopt(tab.file(), no_failure());
    const std::span<char> bytes = mine.bytes();
    std::mt19937 random(8);
    int refused = 0, restored = 0;
    // Where there is something: heads and words, the slots' beginnings, the journal, the blocks.
    std::vector<std::size_t> places;
    for (std::size_t page = 0; page < bytes.size(); page += 4096)
        if (std::any_of(bytes.begin() + static_cast<std::ptrdiff_t>(page),
                        bytes.begin() + static_cast<std::ptrdiff_t>(std::min(page + 4096, bytes.size())),
                        [](char c) { return c != 0; }))
            places.push_back(page);
    for (int round = 0; round < 300; ++round) {
        auto copy = mato::memory_file::create("copy", bytes.size());
        for (const std::size_t page : places)
            std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(page), std::min<std::size_t>(4096, bytes.size() - page),
                        copy.bytes().begin() + static_cast<std::ptrdiff_t>(page));
        for (int n = 0; n < 4; ++n) {
            const std::size_t page = places[random() % places.size()];
            const std::size_t at = page + random() % (random() % 2 == 0 ? 160 : 4096);
            if (at < bytes.size()) copy.bytes()[at] = static_cast<char>(random());
        }
        restored_tab next(std::move(copy).release());
        if (next.why) {
            ++refused;
            continue;
        }
        ++restored;
        REQUIRE(next.screen.is_valid());
        next.screen.feed(lines(0, 100));
        next.screen.resize({10, 30});
        REQUIRE(next.screen.is_valid());
    }
    CHECK(refused > 0);
    CHECK(restored > 0);
}

TEST_CASE("a limit of the process refuses a store, and says which", "[tab_store]") {
    const auto refused_under = [](int resource, rlim_t most) {
        support::child_process child([&] {
            rlimit limit{};
            ::getrlimit(resource, &limit);
            limit.rlim_cur = most;
            if (::setrlimit(resource, &limit) == -1) return 2;
            vt::history_limits history;
            mato::failure why;
            const auto store = tab_store::create(history, why);
            return !store && why && !why.message().empty() && history.store == nullptr ? 0 : 1;
        });
        return child.wait() == 0;
    };
    CHECK(refused_under(RLIMIT_FSIZE, 1 << 20));
    CHECK(refused_under(RLIMIT_NOFILE, 3));
    const auto now = static_cast<rlim_t>(support::memory_kib(::getpid(), "VmSize")) * 1024;
    CHECK(refused_under(RLIMIT_AS, now + (rlim_t{64} << 20)));
}
