// SPDX-License-Identifier: MIT
/// @file log_test.cpp: one line per event, in files of limited size.
#include <mato/log.hpp>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/descriptor_census.hpp"
#include "support/temp_directory.hpp"

#include <csignal>
#include <sys/resource.h>

using support::read_file;

namespace {

mato::file_log open(const std::filesystem::path& path, mato::file_log_options options = {}) {
    mato::failure why;
    auto log = mato::file_log::open(path, options, why);
    INFO(why.message());
    REQUIRE_FALSE(why);
    return log;
}

/// A sink that keeps the text in memory.
struct memory_sink {
    std::string* text;
    void write(std::string_view line) const { *text += line; }
};

/// A line's text, after "YYYY-MM-DD hh:mm:ss.mmm level: ".
std::string logged(std::string_view text) {
    std::string out;
    mato::basic_logger<memory_sink> log({&out});
    log.info(text);
    constexpr std::size_t head = 23 + 7;
    REQUIRE(out.size() > head);
    REQUIRE(out.substr(23, 7) == " info: ");
    REQUIRE(out.back() == '\n');
    return out.substr(head, out.size() - head - 1);
}

std::string line(int number) {
    std::string text = std::to_string(number);
    return std::string(9 - text.size(), '0') + text + "\n"; // ten bytes
}

} // namespace

TEST_CASE("a line has local time with milliseconds, level and text", "[log]") {
    std::string out;
    mato::basic_logger<memory_sink> log({&out}, mato::log_level::debug);
    log.error("one");
    log.warning("two");
    log.info("three");
    log.debug("four");
    REQUIRE(out.size() > 23);
    for (const std::size_t at : {4u, 7u}) CHECK(out[at] == '-');
    for (const std::size_t at : {13u, 16u}) CHECK(out[at] == ':');
    CHECK(out[10] == ' ');
    CHECK(out[19] == '.');
    std::string texts;
    for (std::size_t at = 0; at < out.size();) {
        const auto end = out.find('\n', at);
        texts += out.substr(at + 23, end - at - 23);
        at = end + 1;
    }
    CHECK(texts == " error: one warning: two info: three debug: four");
}

TEST_CASE("lines below the level are dropped, and the level can change", "[log]") {
    constexpr mato::log_level levels[] = {mato::log_level::error, mato::log_level::warning, mato::log_level::info,
                                          mato::log_level::debug};
    std::string out;
    mato::basic_logger<memory_sink> log({&out});
    for (const auto limit : levels)
        for (const auto level : levels) {
            out.clear();
            log.set_level(limit);
            log.write(level, "text");
            CHECK(out.empty() == (level > limit));
        }
}

TEST_CASE("level names are parsed as they are written, and other words are refused", "[log]") {
    for (const auto level : {mato::log_level::error, mato::log_level::warning, mato::log_level::info, mato::log_level::debug})
        CHECK(mato::parse_log_level(mato::to_string(level)) == level);
    for (const char* word : {"", "Info", "warn", "info ", "trace", "?"}) CHECK_FALSE(mato::parse_log_level(word));
}

TEST_CASE("control characters are escaped, so that a text can neither forge a line nor control a terminal", "[log]") {
    CHECK(logged("a\nb") == "a\\x0ab");
    CHECK(logged("x\n2026-01-01 00:00:00.000 error: forged") == "x\\x0a2026-01-01 00:00:00.000 error: forged");
    CHECK(logged("\x1b[31m\x07\r\t\x7f") == "\\x1b[31m\\x07\\x0d\\x09\\x7f");
    CHECK(logged(std::string_view("\0\x01\x1f", 3)) == "\\x00\\x01\\x1f");
    CHECK(logged("\xc2\x9b"
                 "31m\xc2\x80") == "\\xc2\\x9b31m\\xc2\\x80"); // CSI and PAD as UTF-8
    CHECK(logged("plain ~ text") == "plain ~ text");
    CHECK(logged("é \xc2\xa0 日本 🙂") == "é \xc2\xa0 日本 🙂");
    CHECK(logged("\xc2 \x9b"
                 "5n") == "\\xc2 \\x9b5n"); // not UTF-8: a terminal in another mode would obey them
    CHECK(logged("a\u202e\u2066z\u2028") == "a\\xe2\\x80\\xae\\xe2\\x81\\xa6z\\xe2\\x80\\xa8");
    CHECK(logged("").empty());
}

TEST_CASE("any bytes give exactly one line without control characters", "[log]") {
    for (int first = 0; first < 256; ++first)
        for (const int second : {0, 0x0a, 0x1b, 0x7f, 0x80, 0x9b, 0xc2, 0xff}) {
            for (const char c : logged(std::string{static_cast<char>(first), static_cast<char>(second)}))
                if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) FAIL(first << ' ' << second);
        }
}

TEST_CASE("a text at the limit is not cut, a longer one is cut and marked", "[log]") {
    constexpr std::size_t max = mato::basic_logger<>::max_line_bytes;
    CHECK(logged(std::string(max - 1, 'x')) == std::string(max - 1, 'x'));
    CHECK(logged(std::string(max, 'x')) == std::string(max, 'x'));
    CHECK(logged(std::string(max + 1, 'x')) == std::string(max, 'x') + "…");
    CHECK(logged(std::string(1'000'000, '\n')).size() == 4 * max + std::string("…").size());
}

TEST_CASE("a text is cut between characters", "[log]") {
    constexpr std::size_t max = mato::basic_logger<>::max_line_bytes;
    for (const std::string character : {"é", "日", "🙂"})
        for (std::size_t inside = 1; inside < character.size(); ++inside) {
            const std::string before(max - inside, 'x');
            CHECK(logged(before + character + "tail") == before + "…");
            const std::string fits(max - character.size(), 'x');
            CHECK(logged(fits + character + "tail") == fits + character + "…");
        }
    CHECK(logged(std::string(max + 10, '\x80')).size() ==
          4 * max + std::string("…").size()); // there is no character to keep together
}

TEST_CASE("a new file has mode 0600 under any umask", "[log]") {
    const mode_t mask = GENERATE(mode_t{0}, mode_t{0277}, mode_t{0777});
    const support::temp_directory directory;
    const support::umask_scope masked(mask);
    auto log = open(directory / "log", {.max_bytes = 10, .keep = 1});
    CHECK(support::mode_of(directory / "log") == 0600);
    log.write(line(1));
    log.write(line(2));
    CHECK(support::mode_of(directory / "log") == 0600);
    CHECK(support::mode_of(directory / "log.1") == 0600);
}

TEST_CASE("an existing file is appended to, and its size counts", "[log]") {
    const support::temp_directory directory;
    support::write_file(directory / "log", "earlier\n"); // 8 bytes
    auto log = open(directory / "log", {.max_bytes = 20, .keep = 1});
    log.write(line(1));
    CHECK(read_file(directory / "log") == "earlier\n" + line(1));
    log.write(line(2));
    CHECK(read_file(directory / "log.1") == "earlier\n" + line(1));
    CHECK(read_file(directory / "log") == line(2));
}

TEST_CASE("rotation keeps N files, each within the limit, newest first", "[log]") {
    for (const unsigned keep : {1u, 2u, 3u, 5u}) {
        const support::temp_directory directory;
        auto log = open(directory / "log", {.max_bytes = 35, .keep = keep}); // three lines of ten bytes
        for (int i = 1; i <= 100; ++i) log.write(line(i));
        std::vector<std::string> expected{"log"};
        for (unsigned n = 1; n <= keep; ++n) expected.push_back("log." + std::to_string(n));
        CHECK(directory.names() == expected);
        CHECK(read_file(directory / "log") == line(100));
        for (unsigned n = 1; n <= keep; ++n) {
            const int last = 102 - 3 * static_cast<int>(n);
            CHECK(read_file(directory / expected[n]) == line(last - 2) + line(last - 1) + line(last));
        }
        CHECK(log.lost_lines() == 0);
    }
}

TEST_CASE("keeping none leaves one file within the limit", "[log]") {
    const support::temp_directory directory;
    auto log = open(directory / "log", {.max_bytes = 35, .keep = 0});
    for (int i = 1; i <= 100; ++i) log.write(line(i));
    CHECK(directory.names() == std::vector<std::string>{"log"});
    CHECK(read_file(directory / "log") == line(100));
}

TEST_CASE("the limit is exact: a file may reach it, not exceed it", "[log]") {
    const support::temp_directory directory;
    auto log = open(directory / "log", {.max_bytes = 20, .keep = 1});
    log.write(line(1));
    log.write(line(2));
    CHECK(directory.names().size() == 1);
    log.write("\n");
    CHECK(directory.names().size() == 2);
    CHECK(read_file(directory / "log") == "\n");
}

TEST_CASE("a line above the limit gets its own file and is not lost", "[log]") {
    const support::temp_directory directory;
    auto log = open(directory / "log", {.max_bytes = 5, .keep = 2});
    for (int i = 1; i <= 3; ++i) log.write(line(i));
    CHECK(read_file(directory / "log") == line(3));
    CHECK(read_file(directory / "log.1") == line(2));
    CHECK(read_file(directory / "log.2") == line(1));
    CHECK(log.lost_lines() == 0);
}

TEST_CASE("new options apply from the next line on", "[log]") {
    const support::temp_directory directory;
    auto log = open(directory / "log");
    for (int i = 1; i <= 5; ++i) log.write(line(i));
    CHECK(directory.names().size() == 1);
    log.set_options({.max_bytes = 10, .keep = 1});
    log.write(line(6));
    CHECK(read_file(directory / "log") == line(6));
    CHECK(read_file(directory / "log.1").size() == 50);
}

TEST_CASE("after the file was moved, reopen starts a new one", "[log]") {
    const support::temp_directory directory;
    auto log = open(directory / "log");
    log.write(line(1));
    std::filesystem::rename(directory / "log", directory / "moved");
    log.write(line(2)); // written to the moved file: no line is lost
    log.reopen();
    log.write(line(3));
    CHECK(read_file(directory / "moved") == line(1) + line(2));
    CHECK(read_file(directory / "log") == line(3));
    CHECK(support::mode_of(directory / "log") == 0600);
}

TEST_CASE("a reopen that fails keeps the open file", "[log]") {
    const support::temp_directory directory;
    auto log = open(directory / "log");
    std::filesystem::rename(directory / "log", directory / "moved");
    std::filesystem::create_directory(directory / "log");
    log.reopen();
    log.write(line(1));
    CHECK(read_file(directory / "moved") == line(1));
    CHECK(log.lost_lines() == 0);
}

TEST_CASE("a file that cannot be moved is truncated: the limit still holds", "[log]") {
    const support::temp_directory directory;
    std::filesystem::create_directories(directory / "log.1" / "not empty");
    auto log = open(directory / "log", {.max_bytes = 25, .keep = 1});
    for (int i = 1; i <= 5; ++i) log.write(line(i));
    CHECK(read_file(directory / "log") == line(5));
    CHECK(log.lost_lines() == 0);
}

TEST_CASE("a symlink is refused with ELOOP, at opening and at reopening, and its target is untouched", "[log]") {
    const support::temp_directory directory;
    support::write_file(directory / "target", "mine");
    std::filesystem::create_symlink(directory / "target", directory / "link");
    mato::failure why;
    auto refused = mato::file_log::open(directory / "link", {}, why);
    CHECK(why.code == std::error_code(ELOOP, std::system_category()));
    CHECK(why.step == "open log");
    CHECK(why.path == (directory / "link").native());
    refused.write(line(1));
    CHECK(refused.lost_lines() == 1);

    auto log = open(directory / "log");
    std::filesystem::rename(directory / "log", directory / "moved");
    std::filesystem::create_symlink(directory / "target", directory / "log");
    log.reopen();
    log.write(line(2));
    CHECK(read_file(directory / "moved") == line(2));
    CHECK(read_file(directory / "target") == "mine");
}

TEST_CASE("errors of open(2) are reported with the path", "[log]") {
    const support::temp_directory directory;
    mato::failure why;
    static_cast<void>(mato::file_log::open(directory / "none" / "log", {}, why));
    CHECK(why.code == std::error_code(ENOENT, std::system_category()));
    CHECK(why.message().find("none/log") != std::string::npos);
    static_cast<void>(mato::file_log::open(directory.path(), {}, why));
    CHECK(why.code == std::error_code(EISDIR, std::system_category()));
}

TEST_CASE("a log that was never opened counts lost lines", "[log]") {
    mato::basic_logger<> log;
    log.info("into nothing");
    log.debug("not even that");
    CHECK(log.sink().lost_lines() == 1);
}

TEST_CASE("on a full device lines are counted as lost, and nothing throws", "[log]") {
    auto log = open("/dev/full");
    for (int i = 0; i < 10; ++i) log.write(line(i));
    CHECK(log.lost_lines() == 10);
}

TEST_CASE("a disk that fills up loses the lines that do not fit, and logging resumes", "[log]") {
    const support::temp_directory directory;
    const std::filesystem::path path = directory / "log";
    CHECK(support::in_child([&] {
              ::signal(SIGXFSZ, SIG_IGN);
              struct ::rlimit size {
                  95, RLIM_INFINITY
              };
              if (::setrlimit(RLIMIT_FSIZE, &size) != 0) return 1;
              std::error_code why;
              mato::basic_logger<> log(mato::file_log::open(path, {}, why));
              if (why) return 2;
              for (int i = 1; i <= 20; ++i) log.sink().write(line(i));
              if (log.sink().lost_lines() != 11) return 3; // nine fit, one partially
              log.error("still alive");
              if (log.sink().lost_lines() != 12) return 4;
              std::string whole;
              for (int i = 1; i <= 9; ++i) whole += line(i);
              if (read_file(path) != whole) return 6; // without a part of the tenth
              std::filesystem::resize_file(path, 0);
              log.sink().write(line(21));
              return log.sink().lost_lines() == 12 ? 0 : 5;
          }) == 0);
    CHECK(read_file(path) == line(21));
}

TEST_CASE("a file log without a path is the standard error, never rotated and never reopened", "[log]") {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    const mato::unique_fd reader(ends[0]), writer(ends[1]);
    const support::temp_directory directory;
    CHECK(support::in_child([&] {
              if (::dup2(writer.get(), 2) != 2 || ::chdir(directory.path().c_str()) != 0) return 1;
              mato::failure why;
              auto log = mato::file_log::open({}, {.max_bytes = 1, .keep = 3}, why);
              if (why) return 2;
              for (int i = 1; i <= 3; ++i) log.write(line(i));
              log.reopen();
              log.write(line(4));
              return log.lost_lines() == 0 ? 0 : 3;
          }) == 0);
    char text[200];
    const auto got = ::read(reader.get(), text, sizeof text);
    REQUIRE(got > 0);
    CHECK(std::string_view(text, static_cast<std::size_t>(got)) == line(1) + line(2) + line(3) + line(4));
    CHECK(directory.names().empty());
    CHECK(support::in_child([] {
              ::close(2);
              mato::failure why;
              static_cast<void>(mato::file_log::open({}, {}, why));
              return why.code.value() == EBADF && why.path == "stderr" ? 0 : 1;
          }) == 0);
}

TEST_CASE("the stderr log writes the line unchanged, the null log writes nothing", "[log]") {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    const mato::unique_fd reader(ends[0]), writer(ends[1]);
    CHECK(support::in_child([&] {
              if (::dup2(writer.get(), 2) != 2) return 1;
              mato::basic_logger<mato::stderr_log>().error("to stderr");
              mato::basic_logger<mato::null_log>().error("to the null log");
              return 0;
          }) == 0);
    char text[200];
    REQUIRE(support::await_readable(reader.get()));
    const auto got = ::read(reader.get(), text, sizeof text);
    REQUIRE(got > 23);
    CHECK(std::string_view(text, static_cast<std::size_t>(got)).substr(23) == " error: to stderr\n");
}

TEST_CASE("rotating and reopening uses one descriptor, and none after the log is destroyed", "[log]") {
    const support::temp_directory directory;
    const auto before = support::open_descriptors();
    {
        auto log = open(directory / "log", {.max_bytes = 15, .keep = 2});
        for (int i = 0; i < 50; ++i) {
            log.write(line(i));
            log.reopen();
        }
        CHECK(support::open_descriptors().size() == before.size() + 1);
    }
    CHECK(support::open_descriptors() == before);
}

TEST_CASE("a line rate allows a number of lines per span, and counts the rest", "[log]") {
    using namespace std::chrono_literals;
    mato::line_rate rate(2, 1min);
    const mato::line_rate::time start(5s);
    CHECK(rate.takes(start));
    CHECK(rate.takes(start));
    for (int n = 0; n < 1000; ++n) CHECK_FALSE(rate.takes(start + 59s));
    CHECK(rate.take_left_out() == 1000);
    CHECK(rate.take_left_out() == 0);
    CHECK(rate.takes(start + 60s));
    CHECK(rate.takes(start + 119s));
    CHECK_FALSE(rate.takes(start + 119s));
}
