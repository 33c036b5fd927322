// SPDX-License-Identifier: MIT
/// @file record_process_test.cpp: `mato record` with real programs, slow or full disks, and every kind of end.
#include "support/asciicast_reader.hpp"
#include "support/mato_world.hpp"
#include "support/pty_client.hpp"

#include "vt/terminal.hpp"

#include <sys/resource.h>
#include <sys/stat.h>

using namespace support;

namespace {

/// The screen of a terminal that received these bytes: rows without trailing blanks.
std::string screen_of(const std::string& bytes, int rows = 24, int columns = 80) {
    mux::vt::terminal_options options;
    options.size = {rows, columns};
    mux::vt::terminal screen(options);
    screen.feed(bytes);
    std::string text;
    mux::vt::text_line line;
    for (int r = 0; r < rows; ++r) {
        screen.read_row(r, line);
        std::string row = line.text;
        while (!row.empty() && row.back() == ' ') row.pop_back();
        text += row + "\n";
    }
    return text;
}

asciicast read_cast(const std::filesystem::path& path) { return asciicast::read(read_file(path)); }

/// Whether an event contains this text in time; the header has the command, which contains it too.
bool comes_to_hold(const std::filesystem::path& path, std::string_view text) {
    return wait_until([&] { return contains(read_cast(path).output(), text); });
}
bool has_begun(const std::filesystem::path& path) { return comes_to_hold(path, "\033"); }

/// A named pipe whose other end is held open, and read only when requested.
class deaf_pipe {
public:
    explicit deaf_pipe(const std::filesystem::path& path) : path_(path) {
        REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
        fd_ = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        REQUIRE(fd_ != -1);
    }
    deaf_pipe(const deaf_pipe&) = delete;
    ~deaf_pipe() { ::close(fd_); }
    /// Reads until `wanted` has arrived after the header, or `most` bytes, or everything.
    bool take(std::string_view wanted = {}, std::size_t most = ~std::size_t{0}) {
        return wait_until([&] {
            char buffer[65'536];
            for (ssize_t got; (got = ::read(fd_, buffer, sizeof buffer)) != -1;) {
                if (got == 0) return wanted.empty(); // otherwise no writer yet
                bytes_.append(buffer, static_cast<std::size_t>(got));
                const auto events = std::string_view(bytes_).substr(std::min(bytes_.find('\n'), bytes_.size()));
                if ((!wanted.empty() && contains(events, wanted)) || bytes_.size() >= most) return true;
            }
            return false;
        });
    }
    [[nodiscard]] const std::string& bytes() const noexcept { return bytes_; }
    /// As poll(2) reports it to a writer.
    [[nodiscard]] bool is_full() const {
        const int writer = ::open(path_.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
        REQUIRE(writer != -1);
        pollfd ready{writer, POLLOUT, 0};
        const bool full = ::poll(&ready, 1, 0) == 0;
        ::close(writer);
        return full;
    }

private:
    std::filesystem::path path_;
    int fd_ = -1;
    std::string bytes_;
};

constexpr int flood_lines = 150'000;

/// Lines with colours and two-byte letters, in which a wrong split would be visible.
std::string flood_line(int n) { return "\033[1;32m" + std::to_string(n) + "\303\251\033[m\n"; }

std::string flood_text() {
    std::string all;
    for (int n = 1; n <= flood_lines; ++n) all += flood_line(n);
    return all + "END";
}

// dd writes seven bytes at a time, so that reads end anywhere in a sequence.
const std::string flood =
    "stty -echo -opost; printf ready; read go; seq -f \"$(printf '\\033[1;32m%%.0f\\303\\251\\033[m')\" 1 " +
    std::to_string(flood_lines) + " | dd bs=7 2>/dev/null; printf END; touch over; exec cat";

/// What a terminal with a large history shows of it, without digits, the letter and END: nothing, if nothing was split wrongly.
std::string rubbish_in(const asciicast& cast) {
    mux::vt::terminal_options options;
    options.size = {24, 80};
    options.limits.history.lines = 2 * flood_lines;
    options.limits.history.bytes = 64u << 20;
    mux::vt::terminal screen(options);
    screen.feed(cast.output());
    std::string rubbish;
    mux::vt::text_line line;
    for (std::size_t i = 0; i < screen.history_lines(); ++i) {
        screen.read_history_line(i, line);
        for (std::size_t at = 0; at < line.text.size(); ++at)
            if (std::string_view("0123456789 \303\251ready").find(line.text[at]) == std::string_view::npos)
                rubbish += line.text;
    }
    return rubbish;
}

/// The numbers in the markers of gaps.
std::uint64_t missing_in(const asciicast& cast) {
    std::uint64_t sum = 0;
    for (const std::string& label : cast.texts('m')) sum += std::stoull(label);
    return sum;
}

/// Bytes of the program's output: without the first event and those after a marker, which are screens.
std::size_t recorded_in(const asciicast& cast) {
    std::size_t sum = 0;
    char before = 'm';
    for (const auto& each : cast.events) {
        if (each.code == 'o' && before != 'm') sum += each.text.size();
        before = each.code;
    }
    return sum;
}

} // namespace

// ---- the contract ----

TEST_CASE("a recording shows what the tab showed, and ends with its program", "[mato][record]") {
    mato_world world;
    const std::string id =
        world.open_tab({"printf 'before \\033[31m'; read line; printf 'h\\303\\251llo \\342\\202\\254 \\033[0m%s' "
                        "\"$line\"; read more; exit 3"});
    world.must({"wait", id, "--text", "before"});
    const auto file = world.home() / "tab.cast";
    auto recording = world.start({"record", id, "tab.cast"});
    REQUIRE(has_begun(file));
    world.must({"send", id, "typed", "Enter"});
    world.must({"wait", id, "--text", "llo .* typed"});
    const std::string shown = world.must({"capture", id});
    world.must({"resize", id, "100x30"});
    world.must({"send", id, "Enter"});
    const outcome went = recording.wait();
    INFO(went.err);
    CHECK(went.exit_code == 0);
    CHECK(contains(went.out, "[recorded "));
    const auto cast = read_cast(file);
    CHECK(cast.problem == "");
    CHECK(contains(cast.header, "{\"version\": 2, \"width\": 80, \"height\": 24, \"timestamp\": "));
    CHECK(contains(cast.header, "\"title\": \"Task 1/printf\""));
    CHECK(contains(cast.header, "\"command\": \"printf 'before "));
    CHECK(contains(cast.header, "\"env\": {\"TERM\": \"xterm-256color\", \"SHELL\": \"/bin/sh\"}"));
    CHECK(contains(cast.events.front().text, "before")); // the screen when it began
    CHECK(cast.texts('r') == std::vector<std::string>{"100x30"});
    CHECK(cast.texts('m').empty());
    CHECK(contains(screen_of(cast.output()), "before typed\nh\xc3\xa9llo \xe2\x82\xac typed\n"));
    CHECK(screen_of(cast.output()).starts_with(shown.substr(0, shown.find("typed\n", shown.find("typed\n") + 1))));
}

TEST_CASE("asciinema plays it", "[mato][record]") {
    if (::access("/usr/bin/asciinema", X_OK) != 0) {
        WARN("asciinema is not installed");
        return;
    }
    mato_world world;
    const std::string id = world.open_tab(
        {"printf '\\033[5;10H\\033[1;32mgreen\\033[m plain \\342\\202\\254'; read line; printf 'more'; exec cat"});
    world.must({"wait", id, "--text", "plain"});
    const auto file = world.home() / "tab.cast";
    auto recording = world.start({"record", id, "tab.cast"});
    REQUIRE(has_begun(file));
    world.must({"send", id, "Enter"});
    world.must({"wait", id, "--text", "more"});
    REQUIRE(comes_to_hold(file, "more"));
    recording.signal(SIGINT);
    CHECK(recording.wait().exit_code == 0);
    const std::string player = world.open_tab({"/usr/bin/asciinema cat tab.cast; exec sleep 1000"});
    const outcome waited = world.run({"wait", player, "--text", "more", "--timeout", "20s"});
    INFO(world.must({"capture", player}));
    REQUIRE(waited.exit_code == 0);
    CHECK(world.must({"capture", player, "--ansi"}) == world.must({"capture", id, "--ansi"}));
}

TEST_CASE("signals, and --for, end a recording normally", "[mato][record]") {
    mato_world world;
    const std::string id = world.open_tab({"while :; do echo tick; sleep 0.01; done"});
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
        const auto file = world.home() / ("by" + std::to_string(number));
        auto recording = world.start({"record", id, file.native()});
        REQUIRE(has_begun(file));
        recording.signal(number);
        CHECK(recording.wait().exit_code == 0);
        CHECK(read_cast(file).problem == "");
    }
    const outcome timed = world.run({"-q", "record", id, "timed", "--for", "200ms"});
    CHECK(timed.exit_code == 0);
    CHECK(timed.out.empty());
    CHECK(read_cast(world.home() / "timed").problem == "");
    const outcome piped = world.run({"record", id, "-", "--for", "200ms"});
    CHECK(piped.exit_code == 0);
    CHECK(asciicast::read(piped.out).problem == ""); // and nothing else on standard output
}

TEST_CASE("several recorders get the same bytes, and are listed", "[mato][record]") {
    mato_world world;
    const std::string id = world.open_tab({"read go; seq 1 20000; printf END; read more"});
    std::vector<running_program> recorders;
    for (int n = 0; n < 5; ++n) {
        recorders.push_back(world.start({"record", id, "copy" + std::to_string(n)}));
        REQUIRE(has_begun(world.home() / ("copy" + std::to_string(n))));
    }
    world.must({"send", id, "Enter"});
    for (int n = 0; n < 5; ++n) REQUIRE(comes_to_hold(world.home() / ("copy" + std::to_string(n)), "END"));
    const std::string clients = world.must({"clients", "--json"}), status = world.must({"status", "--json"});
    INFO(clients << status);
    CHECK(count_of(clients, "\"stream\": {\"tab\": " + id + ", \"delivered\": ") == 5);
    CHECK(count_of(clients, "\"gaps\": 0, \"resyncs\": 1, \"lag\": 0}") == 5);
    CHECK(count_of(world.must({"clients"}), "  recorder  ") == 5);
    CHECK(contains(status, "\"recorders\": 5"));
    CHECK(contains(status, "\"resyncs\": 5"));
    CHECK(contains(world.must({"status"}), "\nRecorders: 5\n"));
    world.must({"send", id, "Enter"});
    for (auto& each : recorders) CHECK(each.wait().exit_code == 0);
    const std::string first = read_cast(world.home() / "copy0").output();
    CHECK(first.size() > 128'000);
    for (int n = 1; n < 5; ++n) CHECK(read_cast(world.home() / ("copy" + std::to_string(n))).output() == first);
}

TEST_CASE("a recording that begins inside a sequence shows nothing of it", "[mato][record]") {
    mato_world world;
    const std::string id = world.open_tab(
        {"stty -echo; printf 'up\\033[3'; read line; printf '2mgreen \\303'; read line; printf '\\251'; exec cat"});
    world.must({"wait", id, "--text", "up"});
    auto recording = world.start({"record", id, "inside"});
    REQUIRE(has_begun(world.home() / "inside"));
    world.must({"send", id, "Enter"});
    world.must({"wait", id, "--text", "green"});
    world.must({"send", id, "Enter"});
    REQUIRE(comes_to_hold(world.home() / "inside", "\303\251"));
    const std::string shown = world.must({"capture", id});
    recording.signal(SIGINT);
    CHECK(recording.wait().exit_code == 0);
    const auto cast = read_cast(world.home() / "inside");
    CHECK(cast.problem == "");
    CHECK(screen_of(cast.output()) == shown);
    CHECK(contains(shown, "upgreen \303\251"));
    CHECK(contains(cast.output(), "\033[32mgreen")); // drawn again, in its colour
}

TEST_CASE("the recording of a tab without emulator begins with its replay", "[mato][record]") {
    mato_world world;
    std::string id = world.must(
        {"new", "-d", "--emulator", "raw", "--", "printf 'kept line\\n'; touch up; read line; printf later; read more"});
    id.pop_back();
    REQUIRE(wait_until([&] { return std::filesystem::exists(world.home() / "up"); }));
    auto recording = world.start({"record", id, "raw.cast"});
    REQUIRE(has_begun(world.home() / "raw.cast"));
    world.must({"send", id, "Enter", "Enter"});
    CHECK(recording.wait().exit_code == 0);
    const auto cast = read_cast(world.home() / "raw.cast");
    CHECK(cast.problem == "");
    CHECK(contains(cast.events.front().text, "kept line\r\n"));
    CHECK(contains(cast.output(), "later"));
}

// ---- the refusals ----

TEST_CASE("an existing file is not overwritten without --force, and a missing tab creates no file", "[mato][record]") {
    mato_world world;
    const std::string id = world.open_tab();
    write_file(world.home() / "there", "precious");
    const outcome refused = world.run({"record", id, "there", "--for", "100ms"});
    CHECK(refused.exit_code == 1);
    CHECK(contains(refused.err, "there already exists; choose another file, or replace it with --force"));
    CHECK(read_file(world.home() / "there") == "precious");
    CHECK(world.run({"record", id, "there", "--for", "100ms", "--force"}).exit_code == 0);
    CHECK(read_cast(world.home() / "there").problem == "");

    const outcome nowhere = world.run({"record", "99", "none"});
    CHECK(nowhere.exit_code == 1);
    CHECK(contains(nowhere.err, "no tab 99"));
    CHECK_FALSE(std::filesystem::exists(world.home() / "none"));
    const outcome no_directory = world.run({"record", id, "no/such/file"});
    CHECK(no_directory.exit_code == 1);
    CHECK(contains(no_directory.err, "no/such/file: No such file or directory"));
    CHECK(world.run({"record", id}).exit_code == 64);
    CHECK(world.run({"record", id, "x", "--for", "soon"}).exit_code == 64);

    pty_client terminal(world, {"record", id, "-"});
    CHECK(terminal.wait() == 64);
    CHECK(contains(terminal.shown(), "redirect standard output"));
}

TEST_CASE("a full disk ends the recording with the reason, and the file with a complete line", "[mato][record]") {
    mato_world world;
    const std::string id = world.open_tab({"while :; do seq 1 100; done"});
    run_options small;
    small.before_exec = [] {
        const rlimit limit{50'000, 50'000};
        ::setrlimit(RLIMIT_FSIZE, &limit);
    };
    const outcome went = world.run({"record", id, "full"}, small);
    INFO(went.err);
    CHECK(went.exit_code == 1);
    CHECK(contains(went.err, "full: File too large"));
    CHECK_FALSE(contains(went.err, "incomplete"));
    const auto cast = read_cast(world.home() / "full");
    CHECK(cast.problem == "");
    CHECK(cast.events.size() > 1);
}

TEST_CASE("a reader that leaves ends the recording with the reason", "[mato][record]") {
    mato_world world;
    const std::string id = world.open_tab({"while :; do echo tick; sleep 0.01; done"});
    auto pipe = std::make_unique<deaf_pipe>(world.home() / "pipe");
    auto recording = world.start({"record", id, "pipe"});
    REQUIRE(pipe->take("tick"));
    pipe.reset();
    const outcome went = recording.wait();
    CHECK(went.exit_code == 1);
    CHECK(contains(went.err, "Broken pipe"));
}

TEST_CASE("a killed daemon ends the recording with the reason, and the file is complete", "[mato][record]") {
    mato_world world;
    const std::string id = world.open_tab({"while :; do echo tick; sleep 0.01; done"});
    auto recording = world.start({"record", id, "lost"});
    REQUIRE(has_begun(world.home() / "lost"));
    world.kill_daemon();
    const outcome went = recording.wait();
    CHECK(went.exit_code == 1);
    CHECK(contains(went.err, "lost the connection to the daemon"));
    CHECK(read_cast(world.home() / "lost").problem == "");
    world.run({"new", "-d"}); // the files of the killed one are removed
}

// ---- a file that is slow ----

TEST_CASE("a slow file delays nothing else, and the exact number of missing bytes is reported", "[mato][record]") {
    mato_world world;
    const std::string id = world.open_tab({flood});
    world.must({"wait", id, "--text", "ready"});
    deaf_pipe pipe(world.home() / "pipe");
    auto recording = world.start({"record", id, "pipe"});
    auto other = world.start({"record", id, "other"});
    REQUIRE(pipe.take("ready"));
    REQUIRE(has_begun(world.home() / "other"));
    // Its own pages: code pages touched for the first time do not count for a reader.
    const long before = memory_kib(world.serving_pid(), "RssAnon");
    world.must({"send", id, "Enter"});
    const auto is_over = [&] { return std::filesystem::exists(world.home() / "over"); };
    const auto is_full = [&] {
        const std::string status = world.must({"status", "--json"}), name = "\"slowest_queue_bytes\": ";
        return std::stoul(status.substr(status.find(name) + name.size())) > 700'000;
    };
    REQUIRE(wait_until([&] { return is_full() || is_over(); }, 60s));
    REQUIRE(pipe.take("END", 700'000)); // it continues from a screen in the middle of the flood
    REQUIRE(wait_until(is_over, 60s));  // the program is not delayed
    world.must({"wait", id, "--text", "END"});
    // Two recordings, each with a queue of 1 MiB at most; the second one is slow too on a busy machine. The flood has 2.9 MB.
    if (!sanitized) CHECK(memory_kib(world.serving_pid(), "RssAnon") - before < 2560);
    const std::string clients = world.must({"clients"});
    INFO(clients);
    CHECK((contains(clients, "  queued ") || contains(clients, "  lost ")));
    const std::string shown = world.must({"capture", id});

    REQUIRE(pipe.take("END"));
    world.must({"kill", id});
    REQUIRE(pipe.take());
    const outcome went = recording.wait();
    INFO(went.err);
    CHECK(went.exit_code == 1);
    const auto cast = asciicast::read(pipe.bytes());
    CHECK(cast.problem == "");
    const std::uint64_t missing = missing_in(cast);
    CHECK(missing > 0);
    CHECK(contains(went.err, ": " + std::to_string(missing) + " bytes of the tab's output are missing"));
    CHECK(missing + recorded_in(cast) == flood_text().size());
    CHECK(screen_of(cast.output()) == shown); // it continues from a screen, so its end is correct
    CHECK(rubbish_in(cast) == "");
    static_cast<void>(other.wait());
    const auto whole = read_cast(world.home() / "other"); // this recorder may have been too slow, too, on a busy machine
    CHECK(whole.problem == "");
    CHECK(missing_in(whole) + recorded_in(whole) == flood_text().size());
    CHECK(screen_of(whole.output()) == shown);
}

TEST_CASE("--exact ends the recording instead of leaving a gap", "[mato][record]") {
    mato_world world;
    const std::string id = world.open_tab({flood});
    world.must({"wait", id, "--text", "ready"});
    deaf_pipe pipe(world.home() / "pipe");
    auto recording = world.start({"record", id, "pipe", "--exact"});
    REQUIRE(pipe.take("ready"));
    world.must({"send", id, "Enter"});
    REQUIRE(wait_until([&] { return std::filesystem::exists(world.home() / "over"); }, 60s));
    REQUIRE(pipe.take());
    const outcome went = recording.wait();
    CHECK(went.exit_code == 1);
    CHECK(contains(went.err, "slow consumer"));
    const auto cast = asciicast::read(pipe.bytes());
    CHECK(cast.problem == "");
    CHECK(cast.texts('m').empty());
    const std::string got = cast.output().substr(cast.events.front().text.size());
    const std::string wanted = flood_text();
    REQUIRE(got.size() < wanted.size());
    CHECK(got.size() > 0);
    const auto differs = std::mismatch(got.begin(), got.end(), wanted.begin()).first - got.begin();
    INFO("at byte " << differs << ": " << got.substr(static_cast<std::size_t>(differs), 40));
    CHECK(static_cast<std::size_t>(differs) == got.size());
}

TEST_CASE("a file that accepts nothing more is given up at the second signal", "[mato][record]") {
    mato_world world;
    // More than the pipe holds and less than the recorder holds: it cannot have written all that it has received.
    const std::string id = world.open_tab({"read go; seq 1 30000; touch over; exec cat"});
    deaf_pipe pipe(world.home() / "pipe");
    auto recording = world.start({"record", id, "pipe"});
    REQUIRE(pipe.take("\"o\""));
    world.must({"send", id, "Enter"});
    REQUIRE(wait_until([&] { return std::filesystem::exists(world.home() / "over"); }));
    world.must({"wait", id, "--text", "^30000$"});
    REQUIRE(wait_until([&] { return pipe.is_full() && !contains(world.must({"clients"}), "  queued "); }));
    recording.signal(SIGINT);
    recording.signal(SIGTERM);
    const outcome went = recording.wait();
    INFO(went.err);
    CHECK(went.exit_code == 1);
    CHECK(contains(went.err, "pipe accepts no more data"));
}

TEST_CASE("a recording continues with the next program after respawn -k", "[mato][record]") {
    const std::string emulator = GENERATE("vt", "raw");
    mato_world world;
    world.must({"new", "-d", "--emulator", emulator, "--",
                "n=$(($(cat count 2>/dev/null || echo 0) + 1)); echo $n > count; echo start $n; exec cat"});
    const auto path = world.home() / "both.cast";
    auto recorder = world.start({"record", "1", path.native()});
    REQUIRE(comes_to_hold(path, "start 1"));
    world.must({"respawn", "-k", "1"});
    REQUIRE(comes_to_hold(path, "start 2"));
    world.must({"kill", "1"});
    const outcome went = recorder.wait();
    INFO(went.err);
    CHECK(went.exit_code == 0);
    CHECK_FALSE(contains(read_file(path), "missing here"));
}
