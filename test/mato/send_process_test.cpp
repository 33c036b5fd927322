// SPDX-License-Identifier: MIT
// Large input for programs that read it, and for one that does not.
#include "support/mato_world.hpp"

#include <cstdint>

using namespace support;

namespace {

constexpr std::size_t ten_megabytes = 10'000'000;

/// Text without control characters, which a terminal would execute; lines short enough for a canonical terminal.
std::string text_of(std::size_t size) {
    std::string text;
    text.reserve(size + 80);
    for (std::uint32_t line = 0; text.size() < size; ++line) {
        std::uint32_t mixed = line * 2654435761u;
        for (int n = 0; n < 60; ++n, mixed = mixed * 1664525u + 1013904223u)
            text += static_cast<char>('!' + (mixed >> 24) % 94);
        text += '\n';
    }
    text.resize(size - 1);
    return text + "\n";
}

std::uint64_t checksum(std::string_view text) { // FNV-1a
    std::uint64_t sum = 14695981039346656037u;
    for (const char c : text) sum = (sum ^ static_cast<unsigned char>(c)) * 1099511628211u;
    return sum;
}

} // namespace

TEST_CASE("ten megabytes into a program that does not read: reported, bounded, and others are served", "[mato][send]") {
    mato_world world;
    const std::string deaf = world.open_tab({"stty raw -echo; touch up; exec sleep 1000"});
    REQUIRE(wait_until([&] { return std::filesystem::exists(world.home() / "up"); }));
    const std::string other = world.open_tab();
    const pid_t daemon = world.serving_pid();
    const long before = memory_kib(daemon);
    REQUIRE(before > 0);

    auto sender = world.start({"send", deaf, "-"}, {.input = text_of(ten_megabytes), .limit = 60s});
    // It only occupies the queue while it sends: it gives up after some seconds without progress.
    std::chrono::milliseconds fastest = 10s, slowest = 0s;
    long peak = before;
    int asked = 0;
    for (; asked < 60 && is_running(sender.pid()); ++asked) {
        const outcome went = world.run({"has", other});
        CHECK(went.exit_code == 0);
        fastest = std::min(fastest, went.took), slowest = std::max(slowest, went.took);
        peak = std::max(peak, memory_kib(daemon));
    }
    CHECK(asked == 60);
    const outcome told = sender.wait();
    CHECK(told.exit_code == 1);
    INFO(told.err);
    CHECK(contains(told.err, " of 10000000 bytes were typed: the program in tab " + deaf + " does not read its input"));
    CHECK(std::atol(told.err.c_str() + told.err.find("only ") + 5) > 0);
    if (!sanitized) CHECK(peak - before < 4096);
    if (!sanitized) CHECK(memory_kib(daemon, "VmHWM") - before < 4096);
    CHECK(fastest < (sanitized ? 1000ms : 100ms)); // a whole process each; the slowest includes the machine's other work
    CHECK(slowest < 2s);
    WARN("requests meanwhile: " << fastest.count() << " to " << slowest.count() << " ms; memory grew by " << peak - before
                                << " KiB; " << told.err);
    world.must({"kill", deaf}); // its queue goes with it
    world.must({"send", other, "alive", "Enter"});
}

TEST_CASE("ten megabytes of lines into cat: every byte arrives", "[mato][send]") {
    mato_world world;
    const std::string id = world.open_tab({"stty -echo; touch up; exec cat > got"});
    REQUIRE(wait_until([&] { return std::filesystem::exists(world.home() / "up"); }));
    const std::string text = text_of(ten_megabytes);
    const outcome went = world.run({"send", id, "-"}, {.input = text, .limit = 90s});
    INFO(went.err);
    CHECK(went.exit_code == 0);
    CHECK(wait_until([&] { return std::filesystem::file_size(world.home() / "got") == text.size(); }));
    CHECK(checksum(read_file(world.home() / "got")) == checksum(text));
    WARN("ten megabytes of lines in " << went.took.count() << " ms");
}

TEST_CASE("ten megabytes of every byte into a raw terminal: every byte arrives", "[mato][send]") {
    mato_world world;
    const std::string id = world.open_tab({"stty raw -echo; touch up; exec cat > got"});
    REQUIRE(wait_until([&] { return std::filesystem::exists(world.home() / "up"); }));
    std::string bytes = text_of(ten_megabytes);
    for (std::size_t at = 0; at < bytes.size(); at += 3) bytes[at] = static_cast<char>(at / 3);
    const outcome went = world.run({"send", id, "-"}, {.input = bytes, .limit = 90s});
    INFO(went.err);
    CHECK(went.exit_code == 0);
    CHECK(wait_until([&] { return std::filesystem::file_size(world.home() / "got") == bytes.size(); }));
    CHECK(checksum(read_file(world.home() / "got")) == checksum(bytes));
    WARN("ten megabytes of every byte in " << went.took.count() << " ms");
}

TEST_CASE("when a program ends during a send, the sender is told", "[mato][send]") {
    mato_world world;
    world.open_tab();
    const std::string id = world.open_tab({"stty raw -echo; touch up; exec head -c 100000 > got"});
    REQUIRE(wait_until([&] { return std::filesystem::exists(world.home() / "up"); }));
    const outcome went = world.run({"send", id, "-"}, {.input = text_of(1'000'000)});
    CHECK(went.exit_code == 1);
    INFO(went.err);
    CHECK((contains(went.err, "ended") || contains(went.err, "no tab " + id)));
    CHECK(read_file(world.home() / "got") == text_of(1'000'000).substr(0, 100'000));
}

TEST_CASE("two senders at once: the chunks of each stay complete, and none is lost", "[mato][send]") {
    mato_world world;
    const std::string id = world.open_tab({"stty raw -echo; touch up; exec cat > got"});
    REQUIRE(wait_until([&] { return std::filesystem::exists(world.home() / "up"); }));
    auto first = world.start({"send", id, "-"}, {.input = std::string(300'000, 'a')});
    auto second = world.start({"send", id, "-"}, {.input = std::string(300'000, 'b')});
    CHECK(first.wait().exit_code == 0);
    CHECK(second.wait().exit_code == 0);
    CHECK(wait_until([&] { return std::filesystem::file_size(world.home() / "got") == 600'000; }));
    const std::string got = read_file(world.home() / "got");
    CHECK(std::count(got.begin(), got.end(), 'a') == 300'000);
}

TEST_CASE("key names are keys, other words are text, and with -l all words are text", "[mato][send]") {
    mato_world world;
    const std::string id = world.open_tab({"stty raw -echo; touch up; exec cat > got"});
    REQUIRE(wait_until([&] { return std::filesystem::exists(world.home() / "up"); }));
    const auto expect = [&](const std::string& all) {
        CHECK(wait_until([&] { return read_file(world.home() / "got") == all; }));
    };
    world.must({"send", id, "ls -l", "Space", "é", "Enter"});
    expect("ls -l é\r");
    world.must({"send", id, "C-c", "Up", "M-x", "Escape"});
    expect("ls -l é\r\x03\033[A\033x\033");
    world.must({"send", id, "-l", "Enter", "C-c"});
    expect("ls -l é\r\x03\033[A\033x\033EnterC-c");
    world.must({"send", id, "--", "-l"});
    expect("ls -l é\r\x03\033[A\033x\033EnterC-c-l");
    world.must({"send", id, "", ""});
    CHECK(world.run({"send", "99", "x"}).exit_code == 1);
    CHECK(world.run({"send", id}).exit_code == 64);
}

TEST_CASE("keys are encoded in the program's modes, at their place in the text", "[mato][send]") {
    mato_world world;
    const std::string id =
        world.open_tab({"stty raw -echo; printf '\\033[?1h\\033='; printf 'one\\r\\n'; touch up; exec cat > got"});
    REQUIRE(wait_until([&] { return std::filesystem::exists(world.home() / "up"); }));
    world.must({"wait", id, "--text", "one"});
    world.must({"send", id, "a", "Up", "Home", "b", "S-Up", "KP0", "c", "é"});
    CHECK(wait_until([&] { return read_file(world.home() / "got") == "a\033OA\033OHb\033[1;2A\033Opcé"; }));
    const outcome in_control = world.run({"control"}, {.input = "send " + id + " Up x Down\n"});
    CHECK(contains(in_control.out, "\"bytes\": 7"));
    CHECK(wait_until([&] { return read_file(world.home() / "got").ends_with("cé\033OAx\033OB"); }));

    const std::string raw = world.must({"new", "-d", "--emulator", "raw", "--", "stty raw -echo; touch up2; exec cat > got2"});
    REQUIRE(wait_until([&] { return std::filesystem::exists(world.home() / "up2"); }));
    world.must({"send", raw.substr(0, raw.size() - 1), "Up"});
    CHECK(wait_until([&] { return read_file(world.home() / "got2") == "\033[A"; }));
}

TEST_CASE("ten thousand keys and much text in one send keep their order", "[mato][send]") {
    mato_world world;
    const std::string id = world.open_tab({"stty raw -echo; touch up; exec cat > got"});
    REQUIRE(wait_until([&] { return std::filesystem::exists(world.home() / "up"); }));
    std::vector<std::string> words{"send", id};
    std::string expected;
    const std::string piece(50'000, 'x');
    for (int n = 0; n < 10'000; ++n) {
        words.push_back(n % 2 == 0 ? "Up" : "C-c");
        expected += n % 2 == 0 ? "\033[A" : "\003";
        if (n % 2500 == 7) words.push_back(piece), expected += piece;
    }
    world.must(words);
    CHECK(wait_until([&] { return read_file(world.home() / "got").size() == expected.size(); }));
    CHECK(read_file(world.home() / "got") == expected);
}

TEST_CASE("a word that resembles a key's name is a usage error, and nothing is typed", "[mato][send]") {
    mato_world world;
    const std::string id = world.open_tab({"stty raw -echo; touch up; exec cat > got"});
    REQUIRE(wait_until([&] { return std::filesystem::exists(world.home() / "up"); }));
    const outcome wrong = world.run({"send", id, "x", "Esc"});
    CHECK(wrong.exit_code == 64);
    CHECK(wrong.err == "mato: 'Esc' is not a key: did you mean Escape? (use send -l to type it as text)\n");
    const outcome no_encoding = world.run({"send", id, "x", "C-1"}); // only with modifyOtherKeys
    CHECK(no_encoding.exit_code == 64);
    CHECK(contains(no_encoding.err, "'C-1'"));
    CHECK(contains(world.run({"control"}, {.input = "send " + id + " Return\n"}).out, "did you mean Enter?"));
    world.must({"send", id, "-l", "Esc"});
    CHECK(wait_until([&] { return read_file(world.home() / "got") == "Esc"; }));
}

TEST_CASE("the log contains nothing that was typed", "[mato][send]") {
    mato_world world;
    world.configure("[log]\nlevel = \"debug\"\n");
    const std::string id = world.open_tab({"exec cat > got"});
    world.must({"send", id, "-l", "my secret word"});
    world.must({"send", id, "Enter"});
    CHECK(wait_until([&] { return read_file(world.home() / "got") == "my secret word\n"; }));
    world.must({"new", "-W", "-e", "TOKEN=secret", "--", "echo secret"});
    CHECK(world.run({"rename", id, "secret/"}).exit_code == 64);
    CHECK(world.run({"new", "-d", "--", "/no/secret", "secret"}).exit_code != 0);
    world.must({"kill", id});
    REQUIRE(wait_until([&] { return world.is_clean(); }));
    std::string log = world.log();
    CHECK_FALSE(contains(log, "my secret word"));
    CHECK_FALSE(contains(log, "TOKEN"));
    CHECK(contains(log, "stopped"));
}
