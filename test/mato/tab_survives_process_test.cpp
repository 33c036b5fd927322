// SPDX-License-Identifier: MIT
/// @file tab_survives_process_test.cpp: the process that reads a tab is killed at random, and the next one has the same tab.
///
/// MATO_TEST_ROUNDS kills, 100 without; 20 under a sanitizer.
#include "tab/tab.hpp"

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/deadline.hpp"
#include "support/process_facts.hpp"

#include <asio/io_context.hpp>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <dirent.h>
#include <fcntl.h>
#include <optional>
#include <random>
#include <sched.h>
#include <string>
#include <sys/ioctl.h>
#include <termios.h>

using namespace mux;

namespace {

constexpr vt::history_limits history_of_tests{1500, 2u << 20};

/// Output `i` of an endless program: coloured, wide, long and short lines, regions, alternate screens, titles, links, images.
std::string output_of(std::uint64_t i) {
    const std::string n = std::to_string(i);
    std::string s = "\x1b[3" + std::to_string(i % 8) + "mline " + n + " 漢字\x1b[m\r\n";
    if (i % 7 == 0) s += "\x1b[5;20r\x1b[20;1Hregion " + n + "\n\n\x1b[r\x1b[24;1H";
    if (i % 11 == 0) s += "\x1b]2;title " + n + "\x1b\\\x1b]8;;https://host/" + n + "\x1b\\link\x1b]8;;\x1b\\\r\n";
    if (i % 53 == 0) s += std::string(3000, static_cast<char>('a' + i % 26)) + "\r\n";
    if (i % 97 == 0) s += "\x1b[?1049hother screen " + n + (i % 2 == 0 ? "\x1b[?1049l" : "\x1b[2J\x1b[?1049l");
    if (i % 61 == 0) s += "\x1b_Ga=T,f=24,s=1,v=1,i=" + std::to_string(1 + i % 5) + ";" + std::string(400, 'A') + "\x1b\\\r\n";
    if (i % 89 == 0) s += "\x1b[6n\a"; // an answer and an event
    if (i % 301 == 0) s += "\x1b[3J";
    return s;
}

/// A terminal that passes bytes as they are, and a program that writes the above without an end.
class flood {
public:
    flood() {
        master_.reset(::open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
        int locked = 0;
        REQUIRE(::ioctl(master_.get(), TIOCSPTLCK, &locked) == 0);
        mato::unique_fd slave(::ioctl(master_.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
        termios plain{};
        REQUIRE(::tcgetattr(slave.get(), &plain) == 0);
        ::cfmakeraw(&plain);
        REQUIRE(::tcsetattr(slave.get(), TCSANOW, &plain) == 0);
        writer_.emplace([&] {
            for (std::uint64_t i = 0;; ++i) {
                const std::string bytes = output_of(i);
                for (std::size_t done = 0; done < bytes.size();) {
                    const ssize_t n = ::write(slave.get(), bytes.data() + done, bytes.size() - done);
                    if (n <= 0) return 1;
                    done += static_cast<std::size_t>(n);
                }
            }
        });
    }
    [[nodiscard]] int master() const { return master_.get(); }
    [[nodiscard]] pid_t pid() const { return writer_->pid(); }

private:
    mato::unique_fd master_;
    std::optional<support::child_process> writer_; // killed by its destructor
};

vt::terminal_options options(const vt::history_limits& history) {
    vt::terminal_options o;
    o.size = {24, 80};
    o.limits.history = history;
    o.pictures = {true, true, true, false};
    return o;
}

/// What a terminal shows, with links by their URI instead of by their number.
std::string description_of(const vt::terminal& t) {
    std::string all = t.entry();
    const auto add = [&](const vt::text_line& line) {
        all.append(line.text).append(line.wraps ? "\\" : "\n");
        for (const vt::text_run& run : line.runs) {
            vt::style plain = run.style;
            const vt::hyperlink* const link = t.find_link(plain.link);
            plain.link = 0;
            for (const std::uint64_t n :
                 {static_cast<std::uint64_t>(run.column), static_cast<std::uint64_t>(run.columns),
                  std::uint64_t{plain.foreground.value()}, std::uint64_t{plain.background.value()}, std::uint64_t{plain.flags}})
                all.append(" ").append(std::to_string(n));
            all.append(" ").append(link ? link->uri : "").append("\n");
        }
    };
    vt::text_line line;
    for (std::size_t i = 0; i < t.history_lines(); ++i) t.read_history_line(i, line), add(line);
    for (int r = 0; r < t.size().rows; ++r) t.read_row(r, line), add(line);
    std::string state = t.drawing_state();
    constexpr std::string_view own = "id=mato-"; // a link's number follows
    for (std::size_t at = state.find(own); at != state.npos; at = state.find(own, at + own.size()))
        state.erase(at + own.size(), state.find(';', at) - at - own.size());
    all.append(state).append(t.title()).append(t.is_between_sequences() ? " complete " : " within ");
    return all.append(std::to_string(t.first_history_line())).append(" ").append(std::to_string(t.rows_scrolled()));
}

/// Whether nothing was lost or doubled. The table of links is full after `links_until` bytes, and then links are removed that
/// only lines of history have which are gone: a tab that was restored removes them sooner, because these lines are gone already
/// when it reads its journal. So the numbers of links may differ from there on.
bool are_same(const vt::terminal& a, const vt::terminal& b, std::uint64_t bytes, std::uint64_t links_until) {
    return bytes < links_until ? a.is_same(b) : description_of(a) == description_of(b);
}

/// The terminal that nothing ever happened to, fed as far as is asked.
class reference {
public:
    const vt::terminal& after(std::uint64_t count) {
        while (fed_ < count) {
            if (left_.empty()) {
                if (next_ == first_without_room) links_until_ = fed_;
                left_ = output_of(next_++);
            }
            const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(left_.size(), count - fed_));
            screen_.feed(std::string_view(left_).substr(0, part));
            left_.erase(0, part);
            fed_ += part;
            (void)screen_.take_answers();
            (void)screen_.take_events();
        }
        return screen_;
    }
    /// Bytes after which the table of links was full for the first time.
    [[nodiscard]] std::uint64_t links_until() const noexcept { return links_until_; }

private:
    static constexpr std::uint64_t first_without_room = 11 * (vt::most_links - 1); // output_of: every 11th has a link
    vt::terminal screen_{options(history_of_tests)};
    std::uint64_t fed_ = 0, next_ = 0, links_until_ = ~std::uint64_t{0};
    std::string left_;
};

/// One process's view of what is in the file.
struct restored_tab {
    vt::history_limits history = history_of_tests;
    mato::failure why;
    std::unique_ptr<tab_store> store;
    vt::terminal screen;

    explicit restored_tab(int file)
        : store(tab_store::adopt(mato::unique_fd(::fcntl(file, F_DUPFD_CLOEXEC, 3)), history, why)), screen(options(history)) {
        if (store) (void)store->restore(screen, {}, 0, why);
    }
    /// Reads as a tab does, until it is killed. It dies in its read number `last_read`, after the terminal gave the bytes and
    /// before they are counted; 0: never by itself.
    int read_for_ever(int terminal, std::uint64_t last_read = 0) {
        for (std::uint64_t reads = 0;;) {
            if (store->is_due(screen) && !store->checkpoint(screen, why)) return 3;
            char* const to = store->arm();
            if (!to) return 4;
            const ssize_t n = ::read(terminal, to, tab_store::most_read);
            if (n < 0 && errno == EAGAIN) continue;
            if (n <= 0) return 5;
            if (++reads == last_read) std::raise(SIGKILL);
            store->commit(static_cast<std::size_t>(n));
            for (std::string_view left(to, static_cast<std::size_t>(n)); !left.empty();) {
                left.remove_prefix(screen.feed_some(left, {}, 2000));
                store->effects_until(left.size());
                (void)screen.take_answers();
                (void)screen.take_events();
            }
        }
    }
};

int rounds() {
    const char* const asked = std::getenv("MATO_TEST_ROUNDS");
    return asked ? std::max(1, std::atoi(asked)) : support::sanitized ? 20 : 100;
}

/// How much was ever read, as the file says while another process reads.
class progress {
public:
    explicit progress(int file) : mine_(mato::memory_file::adopt(mato::unique_fd(::fcntl(file, F_DUPFD_CLOEXEC, 3)))) {}
    [[nodiscard]] std::uint64_t now() const {
        constexpr std::size_t journal_at = 16, end_word = 64; // tab_store.hpp, read_journal.hpp
        const char* const all = mine_.bytes().data();
        return mato::detail::load_word(all + mato::detail::load_number<std::uint32_t>(all + journal_at) + end_word);
    }

private:
    mato::memory_file mine_;
};

/// Lets it read so much more, then kills it in the middle of what it does.
bool kill_after(support::child_process& reader, int file, std::uint64_t more) {
    const progress done(file);
    const support::deadline limit(support::patience);
    const std::uint64_t until = done.now() + more;
    while (done.now() < until) {
        if (limit.passed()) return false;
        ::sched_yield();
    }
    reader.signal(SIGKILL);
    return reader.wait() == -SIGKILL;
}

/// What a store begins with is written last.
bool is_complete(int file) {
    char first = 0;
    return ::pread(file, &first, 1, 0) == 1 && first != 0;
}

/// The memory file of the tab that another process has made; none while it is being made.
mato::unique_fd store_of(pid_t process) {
    const std::string all = "/proc/" + std::to_string(process) + "/fd";
    DIR* const found = ::opendir(all.c_str());
    mato::unique_fd file;
    while (const dirent* const each = found ? ::readdir(found) : nullptr) {
        const std::string path = all + "/" + each->d_name;
        char target[64]{};
        if (::readlink(path.c_str(), target, sizeof target - 1) > 0 && std::string_view(target).starts_with("/memfd:mato:tab"))
            file.reset(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    }
    if (found) ::closedir(found);
    return file && is_complete(file.get()) ? std::move(file) : mato::unique_fd();
}

/// How the reader after a killed one learns what was read: with the pattern of the journal, or from its count alone.
enum class recovery { by_pattern, by_count_alone };

/// Makes the journal forget that a read may have been under way: what it took then is not found.
void forget_read_under_way(int file) {
    const auto mine = mato::memory_file::adopt(mato::unique_fd(::fcntl(file, F_DUPFD_CLOEXEC, 3)));
    constexpr std::size_t journal_at = 16, armed_word = 72;
    char* const all = mine.bytes().data();
    mato::detail::store_word(all + mato::detail::load_number<std::uint32_t>(all + journal_at) + armed_word, ~std::uint64_t{0});
}

struct flood_result {
    int rounds = 0; ///< until the first difference, or all
    bool is_same = true;
    std::uint64_t compared = 0; ///< bytes
};

/// Kills the reader of a flood up to `most` times, and compares what is restored with a terminal whose reader was never killed.
/// Every second reader is killed at random; the others die within a read, which kills at random may never hit.
flood_result kill_readers(recovery how, int most) {
    vt::history_limits history = history_of_tests;
    mato::failure why;
    const auto made = tab_store::create(history, why);
    REQUIRE(made);
    {
        vt::terminal screen(options(history));
        REQUIRE(made->checkpoint(screen, why));
    }
    const flood terminal;
    std::minstd_rand random(3);
    reference expected;
    flood_result all;
    while (all.is_same && all.rounds < most) {
        const std::uint64_t last_read = all.rounds % 2 == 0 ? 1 + random() % 50 : 0;
        support::child_process reader([&] {
            restored_tab tab(made->native_handle());
            return tab.why ? 6 : tab.read_for_ever(terminal.master(), last_read);
        });
        if (last_read > 0)
            REQUIRE(reader.wait(support::patience) == -SIGKILL);
        else
            REQUIRE(kill_after(reader, made->native_handle(), 1 + random() % 150'000));
        if (how == recovery::by_count_alone) forget_read_under_way(made->native_handle());
        const restored_tab found(made->native_handle());
        INFO("round " << all.rounds++ << ": " << found.why.message());
        REQUIRE_FALSE(found.why);
        REQUIRE(found.store->output_bytes() >= all.compared);
        all.compared = found.store->output_bytes();
        REQUIRE(found.screen.is_valid());
        const vt::terminal& never_killed = expected.after(all.compared);
        all.is_same = are_same(found.screen, never_killed, all.compared, expected.links_until());
    }
    return all;
}

} // namespace

TEST_CASE("the reader of a flood is killed at random, and the terminal is the one that was never killed",
          "[tab_store][process]") {
    const flood_result all = kill_readers(recovery::by_pattern, rounds());
    CHECK(all.is_same);
    CHECK(all.rounds == rounds());
    CHECK(all.compared > static_cast<std::uint64_t>(rounds()) * 1000);
    std::printf("%d kills, %llu bytes compared\n", all.rounds, all.compared + 0ULL);
}

TEST_CASE("with the count of committed bytes alone a tab loses output, and the same comparison sees it",
          "[tab_store][process]") {
    const flood_result all = kill_readers(recovery::by_count_alone, 2); // the first dies within a read
    CHECK_FALSE(all.is_same);
}

TEST_CASE("a tab's process is killed in the middle of a flood, and what it leaves is the tab", "[tab_store][process]") {
    std::minstd_rand random(4);
    tab_options wanted;
    wanted.id = 1;
    wanted.size = {{24, 80}, {}};
    wanted.history_lines = 1500;
    wanted.input_bytes = 1 << 20;
    wanted.survive = true;
    for (int round = 0; round < 12; ++round) {
        const flood program;
        support::child_process daemon([&] {
            asio::io_context context;
            spawned running{mato::unique_fd(::fcntl(program.master(), F_DUPFD_CLOEXEC, 3)), program.pid()};
            const auto made = std::make_shared<tab>(context, std::move(running), wanted);
            bool is_kept = true;
            tab::handlers handlers;
            handlers.on_not_kept = [&](const mato::failure&) { is_kept = false; };
            made->start(std::move(handlers));
            context.run();
            return is_kept ? 1 : 2;
        });
        mato::unique_fd file;
        const support::deadline limit(support::patience);
        for (; !file && !limit.passed(); ::sched_yield()) file = store_of(daemon.pid());
        REQUIRE(file);
        REQUIRE(kill_after(daemon, file.get(), 1 + random() % 400'000));
        vt::history_limits history = history_limits_of(wanted);
        mato::failure why;
        const auto store = tab_store::adopt(std::move(file), history, why);
        INFO("round " << round << ": " << why.message());
        REQUIRE(store);
        vt::terminal screen(terminal_options_of(wanted, history)); // the same limits: a killed string remembers its own
        REQUIRE(store->restore(screen, {}, 0, why));
        vt::terminal expected(terminal_options_of(wanted, history_limits_of(wanted)));
        std::string all;
        for (std::uint64_t i = 0; all.size() < store->output_bytes(); ++i) all += output_of(i);
        expected.feed(std::string_view(all).substr(0, static_cast<std::size_t>(store->output_bytes())));
        CHECK(screen.is_same(expected));
    }
}
