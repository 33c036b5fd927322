// SPDX-License-Identifier: MIT
// What an attached terminal shows and sends.
#include "support/pty_client.hpp"

using namespace support;

namespace {

const std::string prefix = "\x1c"; // C-backslash

void detach(pty_client& client) {
    client.type(prefix + "d");
    CHECK(client.wait() == 0);
    CHECK(client.last_line() == "[detached]");
}

std::size_t attached(const mato_world& world) { return count_of(world.must({"clients"}), "tab "); }

} // namespace

TEST_CASE("without a command: a shell in Task 1, and later the same tab with its last output", "[mato][attach]") {
    mato_world world;
    {
        pty_client client(world, {});
        REQUIRE(client.wait_for("\033[?1049h"));
        client.type("echo one$((1+1))\r");
        CHECK(client.wait_for("one2\r\n"));
        detach(client);
    }
    const std::string tabs = world.must({"ls"});
    CHECK(contains(tabs, "Task 1\n"));
    CHECK(count_of(tabs, "running") == 1);
    pty_client again(world, {});
    CHECK(again.wait_for("one2\r\n"));
    again.type("echo two$((1+2))\r");
    CHECK(again.wait_for("two3\r\n"));
    again.type("exit 6\r");
    CHECK(again.wait() == 0);
    // The end of the last tab also ends the daemon: the client may see either first, but the user caused the exit.
    CHECK(again.last_line() == "[exited 6]");
    CHECK(wait_until([&] { return world.is_clean(); }));
}

TEST_CASE("the prefix typed twice is passed on once, an unknown key is told, ? shows the keys and Escape returns",
          "[mato][attach]") {
    mato_world world;
    pty_client client(world, {"new", "--", "stty raw -echo; printf ready; exec cat -v"});
    REQUIRE(client.wait_for("ready"));
    client.type("a" + prefix + prefix + "b\n");
    CHECK(client.wait_for("a^\\b"));
    client.type(prefix + "Z");
    CHECK(client.wait_for("no key C-\\ Z; C-\\ ? shows all keys"));
    client.type(prefix + "\x1b[A"); // an arrow
    CHECK(client.wait_for("no key C-\\ Up"));
    client.type(prefix + "?");
    CHECK(client.wait_for("detach; programs go on"));
    CHECK(client.wait_for("Esc back"));
    CHECK_FALSE(contains(client.shown().substr(client.shown().rfind("Esc back")), "ready"));
    client.type("z"); // no key of the list: not for the program either
    client.type("\x1b");
    CHECK(client.wait_for("ready"));
    CHECK(client.wait_for("a^\\b"));
    client.type("y\n");
    CHECK(client.wait_for("y"));
    CHECK_FALSE(contains(client.shown().substr(client.shown().rfind("ready")), "z"));
    client.type(prefix + "?qv\n"); // keys after the one that leaves the list, in the same read, are the program's
    CHECK(client.wait_for("v"));
    const std::size_t before = client.shown().size();
    client.type(prefix); // a user who waits after the prefix gets a hint
    CHECK(wait_until([&] { return client.wait_for_bytes(1, 20ms) && contains(client.shown().substr(before), " detach"); }));
    client.type("?d"); // a key in the list does its work
    CHECK(client.wait() == 0);
    CHECK(client.last_line() == "[detached]");
}

TEST_CASE("the program gets the terminal's size at its start and after a resize", "[mato][attach]") {
    mato_world world;
    pty_client client(world, {"new", "--", "stty size; while read -r line; do stty size; done"}, {.columns = 91, .rows = 33});
    REQUIRE(client.wait_for("33 91"));
    client.resize(120, 40);
    REQUIRE(wait_until([&] { return contains(world.must({"ls"}), "120x40"); }));
    client.type("\r");
    CHECK(client.wait_for("40 120"));
    // Another terminal with another size: the last used one decides.
    pty_client other(world, {"attach"}, {.columns = 60, .rows = 20});
    REQUIRE(wait_until([&] { return contains(world.must({"ls"}), "60x20"); }));
    client.type("\r");
    REQUIRE(wait_until([&] { return contains(world.must({"ls"}), "120x40"); }));
    // One with --ignore-size, and one that is read-only.
    pty_client ignored(world, {"attach", "--ignore-size"}, {.columns = 50, .rows = 10});
    pty_client reader(world, {"attach", "-r"}, {.columns = 40, .rows = 10});
    REQUIRE(wait_until([&] { return attached(world) == 4; }));
    CHECK(contains(world.must({"ls"}), "120x40"));
    other.type("\r");
    REQUIRE(wait_until([&] { return contains(world.must({"ls"}), "60x20"); }));
    detach(other);
    REQUIRE(wait_until([&] { return contains(world.must({"ls"}), "120x40"); }));
    detach(client);
}

TEST_CASE("a read-only client sees and does not type", "[mato][attach]") {
    mato_world world;
    pty_client writer(world, {"new", "--", "stty -echo; printf ready; exec cat"});
    REQUIRE(writer.wait_for("ready"));
    pty_client reader(world, {"attach", "-r"});
    REQUIRE(reader.wait_for("ready"));
    CHECK(contains(world.must({"clients"}), "read-only"));
    reader.type("not for you\r");
    writer.type("for both\r");
    CHECK(reader.wait_for("for both"));
    CHECK(writer.wait_for("for both"));
    CHECK_FALSE(contains(writer.shown(), "not for you"));
    detach(reader);
    CHECK(attached(world) == 1);
}

TEST_CASE("attach -d detaches the others; detach: one, the current, or all", "[mato][attach]") {
    mato_world world;
    pty_client first(world, {"new", "--", "printf ready; exec cat"});
    REQUIRE(first.wait_for("ready"));
    pty_client second(world, {"attach", "-d"});
    REQUIRE(second.wait_for("ready"));
    CHECK(first.wait() == 0);
    CHECK(first.last_line() == "[detached]");
    CHECK(first.now() == first.before());
    pty_client third(world, {"attach"});
    REQUIRE(third.wait_for("ready"));

    CHECK(world.run({"detach"}).exit_code == 1); // which one?
    CHECK(world.run({"detach", "-c", "nonsense"}).exit_code == 64);
    CHECK(world.run({"detach", "-c", "4711"}).exit_code == 1);
    CHECK(world.run({"detach", "4711"}).exit_code == 1);
    CHECK(world.run({"detach", "--others"}).exit_code == 64); // outside of a tab
    const std::string clients = world.must({"clients"});
    world.must({"detach", "-c", clients.substr(0, clients.find(' '))});
    CHECK(second.wait() == 0);
    CHECK(attached(world) == 1);
    world.must({"detach"});
    CHECK(third.wait() == 0);
    CHECK(third.last_line() == "[detached]");

    pty_client fourth(world, {"attach"});
    REQUIRE(fourth.wait_for("ready"));
    pty_client fifth(world, {"attach"});
    REQUIRE(fifth.wait_for("ready"));
    world.must({"detach", "-a"});
    CHECK(fourth.wait() == 0);
    CHECK(fifth.wait() == 0);
    CHECK(attached(world) == 0);
    CHECK(world.run({"detach"}).exit_code == 1);
    world.must({"detach", "-a"});
}

TEST_CASE("detach: the clients of a tab, of a task, all others; -E runs a command in their place", "[mato][attach]") {
    mato_world world;
    const std::string inside = "env -u XDG_STATE_HOME " + world.executable() + " ";
    world.must({"new", "-d", "-t", "a", "-n", "one", "--", "printf ONE; read x; " + inside + "detach --others; exec cat"});
    world.must({"new", "-d", "-t", "b", "-n", "two", "--", "printf TWO; exec cat"});
    pty_client first(world, {"attach", "one"}), second(world, {"attach", "two"});
    REQUIRE(first.wait_for("ONE"));
    REQUIRE(second.wait_for("TWO"));
    CHECK(world.run({"detach", "-t", "nothing"}).exit_code == 1);
    world.must({"detach", "two", "-E", "echo \"in $0's place\"; exit 5"});
    CHECK(second.wait() == 5);
    CHECK(contains(second.shown(), "[detached]\r\nin /bin/sh's place\r\n"));
    CHECK(second.now() == second.before());
    CHECK(world.run({"detach", "two"}).exit_code == 1); // none shows it

    pty_client third(world, {"attach", "--relay", "two"});
    REQUIRE(third.wait_for("TWO"));
    world.must({"detach", "-t", "b", "-E", "echo relayed"});
    CHECK(third.wait() == 0);
    CHECK(contains(third.shown(), "[detached]\r\nrelayed\r\n"));

    pty_client fourth(world, {"attach", "two"});
    REQUIRE(fourth.wait_for("TWO"));
    first.type("\r"); // detaches the others
    CHECK(fourth.wait() == 0);
    CHECK(attached(world) == 1);
    world.must({"detach", "one", "-P"}); // its parent, the leader of the terminal's session, gets SIGHUP
    static_cast<void>(first.wait());
    CHECK(attached(world) == 0);
}

TEST_CASE("inside a tab: the same daemon is found, and showing a tab in itself is refused", "[mato][attach]") {
    mato_world world;
    pty_client client(world, {"new", "--", "exec sh -i"}, {.columns = 250});
    REQUIRE(client.wait_for("$ "));
    const std::string mato = "env -u XDG_STATE_HOME " + world.executable();
    client.type(mato + " attach; echo code=$?\r");
    CHECK(client.wait_for("there is no other tab"));
    CHECK(client.wait_for("code=1"));
    client.type(mato + "; echo code=$?\r");
    CHECK(client.wait_for("already shows tab 1"));
    CHECK(client.wait_for("code=1"));
    client.type(mato + " attach --nest 1; echo code=$?\r");
    CHECK(client.wait_for("cannot show itself"));
    CHECK(client.wait_for("code=1"));
    client.type(mato + " has . && " + mato + " rename . here; echo code=$?\r");
    CHECK(client.wait_for("code=0"));
    CHECK(contains(world.must({"ls"}), "  here  "));
    client.type("echo $MATO_TAB,$TERM,$COLORTERM,$MATO.\r");
    CHECK(client.wait_for("1,xterm-256color,truecolor," + world.socket().native() + "," + std::to_string(world.daemon_pid()) +
                          ",1."));
    client.type(mato + " new -d -- cat\r"); // in the same task
    REQUIRE(wait_until([&] { return count_of(world.must({"ls"}), "running") == 2; }));
    CHECK(count_of(world.must({"ls"}), "Task ") == 1);
    client.type(mato + " detach\r");
    CHECK(client.wait() == 0);
    CHECK(client.last_line() == "[detached]");
}

TEST_CASE("attach needs a terminal and a tab", "[mato][attach]") {
    mato_world world;
    world.open_tab();
    const outcome went = world.run({"attach"});
    CHECK(went.exit_code == 1);
    CHECK(contains(went.err, "must be a terminal"));
    pty_client none(world, {"attach", "no-such"});
    CHECK(none.wait() == 1);
    CHECK(contains(none.shown(), "no tab 'no-such'"));
    CHECK_FALSE(contains(none.shown(), "\033[?1049h"));
    CHECK(none.now() == none.before());
}

TEST_CASE("a stopped viewer delays no other viewer during a flood, and shows the end after it continues", "[mato][attach]") {
    mato_world world;
    pty_client stopped(world, {"new", "--", "printf ready; read -r go; seq 1000000000"});
    REQUIRE(stopped.wait_for("ready"));
    pty_client live(world, {"attach"});
    REQUIRE(live.wait_for("ready"));
    const std::string other = world.open_tab({"exec cat > got"});
    const pid_t daemon = world.serving_pid();
    stopped.signal(SIGSTOP);
    REQUIRE(wait_until([&] { return process_state(stopped.pid()) == 'T'; }));
    live.type("\r");
    REQUIRE(live.wait_for("000"));
    // Once the queues and the ring are full, memory is flat.
    const stopwatch watch;
    REQUIRE(wait_until([&] { return live.wait_for_bytes(2000) && watch.elapsed() > 1s; }));
    const long before = memory_kib(daemon);
    std::chrono::milliseconds fastest = 10s, slowest = 0s;
    REQUIRE(wait_until([&] {
        const outcome went = world.run({"has", other});
        CHECK(went.exit_code == 0);
        fastest = std::min(fastest, went.took), slowest = std::max(slowest, went.took);
        return live.wait_for_bytes(2000) && watch.elapsed() > 4s;
    }));
    const long after = memory_kib(daemon);
    WARN("requests meanwhile: " << fastest.count() << " to " << slowest.count() << " ms; memory " << before << " to " << after
                                << " KiB; shown " << live.shown().size() / 1000 << " KB");
    if (!sanitized) CHECK(after - before < 1024);
    CHECK(fastest < (sanitized ? 1000ms : 100ms));
    CHECK(slowest < 3s);
    world.must({"send", other, "alive", "Enter"});
    CHECK(wait_until([&] { return read_file(world.home() / "got") == "alive\n"; }));
    world.must({"kill", other}); // otherwise its viewers would switch to it
    live.type("\x03");           // ends the flood, and with it the tab
    CHECK(live.wait() == 0);
    CHECK(live.last_line() == "[exited 130]");
    stopped.signal(SIGCONT);
    CHECK(stopped.wait() == 0);
    CHECK(stopped.last_line() == "[exited 130]");
    CHECK(stopped.now() == stopped.before());
}

TEST_CASE("with an idle attached client, no timer of the daemon is due within a minute", "[mato][attach]") {
    mato_world world;
    world.must({"new", "-d", "--", "printf ready; exec sleep 600"});
    REQUIRE(wait_until([&] { return contains(world.must({"capture", "1"}), "ready"); }));
    pty_client client(world, {"attach"});
    REQUIRE(client.wait_for("ready"));
    const auto next_timer = [pid = world.serving_pid()] { // seconds, by proc(5) fdinfo of its timerfd_create(2)
        std::string text;
        std::error_code gone;
        for (std::filesystem::directory_iterator at("/proc/" + std::to_string(pid) + "/fdinfo", gone), end; !gone && at != end;
             at.increment(gone))
            if (contains(read_file(at->path()), "it_value")) text = read_file(at->path());
        const auto value = text.find("it_value: (");
        return value == std::string::npos ? -1 : std::atol(text.c_str() + value + 11);
    };
    CHECK(wait_until([&] { return next_timer() > 60; }, 3s)); // sooner than a handshake's deadline
}
