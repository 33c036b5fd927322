// SPDX-License-Identifier: MIT
// Many viewers, slow and stopped ones, and many tabs: what they show, and what they cost the daemon.
// MATO_TEST_VIEWERS and MATO_TEST_TABS: how many; 1000 and 100 when they are not set.
#include "support/outer_terminal.hpp"
#include "support/program_output.hpp"

#include "client/remote.hpp"

#include <cstdlib>
#include <optional>
#include <sys/resource.h>

using namespace support;

namespace {

const std::string prefix = "\x1c"; // C-backslash

int number_of(const char* variable, int otherwise) {
    const char* const wanted = std::getenv(variable);
    return wanted ? std::max(1, std::atoi(wanted)) : otherwise;
}

/// For this process: many terminals and connections.
void raise_descriptor_limit() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

mux::remote connect(const mato_world& world) {
    mux::path_options socket;
    socket.socket = world.socket().native();
    mato::failure why;
    const auto paths = mux::resolve_paths(
        socket, [](const char*) { return std::optional<std::string>("/"); }, why);
    REQUIRE(!why);
    return mux::remote::open(paths, mux::start::never, mato::deadline::in(20s));
}

} // namespace

TEST_CASE("random output, sizes, stalls and re-attachments: when the output ends, every viewer shows the tab",
          "[mato][viewers]") {
    for (unsigned seed = 1; seed <= 3; ++seed) {
        INFO("seed " << seed);
        program_output from(seed, program_output::kind::plain);
        mato_world world;
        const int bursts = 12;
        for (int i = 0; i < bursts; ++i) {
            std::string bytes;
            for (int n = from.number(1, 200); n > 0; --n) bytes += from.burst();
            write_file(world.home() / std::to_string(i), bytes);
        }
        world.must({"new", "-d", "-x", "70", "-y", "20", "--", "stty raw -echo; while read -r n; do cat $n; done"});
        struct watcher {
            std::unique_ptr<outer_terminal> terminal;
            bool stalled = false;
        };
        std::vector<watcher> all(4);
        const auto attach = [&](std::size_t i) {
            std::vector<std::string> words{"attach", "1"};
            if (from.number(0, 1) == 0) words.push_back("--relay");
            if (i > 0) words.push_back("--ignore-size");
            const int columns = i == 3 ? from.number(1, 5) : from.number(20, 100), rows = i == 3 ? 1 : from.number(4, 30);
            all[i].terminal = std::make_unique<outer_terminal>(world, words, columns, rows);
        };
        for (std::size_t i = 0; i < all.size(); ++i) attach(i);
        for (int burst = 0; burst < bursts; ++burst) {
            world.must({"send", "1", "-l", std::to_string(burst) + "\n"});
            for (std::size_t i = 0; i < all.size(); ++i) {
                if (from.number(0, 3) == 0) all[i].stalled = !all[i].stalled;
                if (all[i].stalled) continue;
                all[i].terminal->look();
                if (from.number(0, 7) == 0) all[i].terminal->resize(from.number(10, 100), from.number(3, 30));
                if (from.number(0, 7) == 0) attach(i); // its terminal is closed, and another one attaches
            }
            if (burst % 4 != 3) continue;
            INFO("burst " << burst);
            for (watcher& each : all) {
                each.stalled = false;
                REQUIRE(each.terminal->comes_to_agree("1"));
            }
        }
    }
}

TEST_CASE("on a slow line a key in a quiet tab is echoed immediately while another tab floods", "[mato][viewers]") {
    mato_world world;
    world.must({"new", "-d", "-n", "flood", "--", "exec base64 /dev/urandom"});
    outer_terminal slow(world, {"new", "-n", "quiet", "--", "stty raw -echo; printf ready; exec cat -u"});
    pty_client watching(world, {"attach", "flood"});
    REQUIRE(watching.wait_for_bytes(2000));
    REQUIRE(slow.comes_to_show("ready"));
    REQUIRE(slow.comes_to_agree("quiet"));
    for (int i = 0; i < 20; ++i) {
        const std::size_t before = slow.client().shown().size();
        slow.type(std::string(1, static_cast<char>('a' + i)));
        REQUIRE(slow.client().wait_for_bytes(1));
        REQUIRE(slow.comes_to_show("ready" + std::string("abcdefghijklmnopqrst").substr(0, static_cast<std::size_t>(i) + 1)));
        CHECK(slow.client().shown().size() - before < 50); // only the key's echo
        REQUIRE(watching.wait_for_bytes(2000));            // the flood continues
    }
    // From a flood's backlog into the quiet tab: before the key's echo come the line's buffer and a frame or two.
    slow.type(prefix + "p");
    REQUIRE(slow.client().wait_for_bytes(2000));
    const std::size_t before = slow.client().shown().size();
    REQUIRE(watching.wait_for_bytes(100'000)); // meanwhile the slow one accepts nothing
    slow.type(prefix + "n");
    slow.type("!");
    REQUIRE(slow.comes_to_show("readyabcdefghijklmnopqrst!"));
    const std::size_t in_front = slow.client().shown().size() - before;
    WARN("bytes in front of the key: " << in_front);
    CHECK(in_front < 100'000);
}

TEST_CASE("a viewer stopped during a flood costs no memory, and is correct after one frame when it continues",
          "[mato][viewers]") {
    const std::string path = GENERATE("direct", "relayed");
    mato_world world;
    world.must(
        {"new", "-d", "--",
         "stty -echo; printf ready; while read -r n; do head -c 3000000 /dev/urandom | base64; printf \"done $n\"; done"});
    std::vector<std::string> words{"attach", "1"};
    if (path == "relayed") words.push_back("--relay");
    outer_terminal stopped(world, words);
    outer_terminal live(world, {"attach", "1"});
    REQUIRE(stopped.comes_to_show("ready"));
    live.type("1\n");
    REQUIRE(live.comes_to_show("done 1")); // history, queues and rings are full
    REQUIRE(stopped.comes_to_agree("1"));
    stopped.client().signal(SIGSTOP); // and its terminal is not read
    REQUIRE(wait_until([&] { return process_state(stopped.client().pid()) == 'T'; }));
    const long before = memory_kib(world.serving_pid());
    for (const char* again : {"2", "3", "4"}) {
        live.type(std::string(again) + "\n");
        REQUIRE(live.comes_to_show(std::string("done ") + again));
        CHECK(contains(world.must({"ls"}), "running")); // others are served
    }
    const long grown = memory_kib(world.serving_pid()) - before;
    const std::size_t shown = stopped.client().shown().size();
    stopped.client().signal(SIGCONT);
    REQUIRE(stopped.comes_to_agree("1"));
    const std::size_t backlog = stopped.client().shown().size() - shown;
    WARN(path << ": daemon grown by " << grown << " KiB, backlog of the stopped one " << backlog << " bytes");
    if (!sanitized) CHECK(grown < 2048);
    CHECK(backlog < 100'000); // the kernel's buffers and a frame: not the twelve megabytes written
}

TEST_CASE("strings for a stopped viewer's terminal are bounded too: of clipboards only the newest is kept", "[mato][viewers]") {
    mato_world world;
    world.must({"new", "-d", "--",
                "printf ready; read -r go; text=$(head -c 300000 /dev/zero | base64 -w 0); i=0;"
                " while [ $i -lt 80 ]; do printf '\033]52;c;%s\007' \"$text\"; i=$((i+1)); done; printf done; exec sleep 600"});
    outer_terminal stopped(world, {"attach", "1"}), live(world, {"attach", "1"});
    REQUIRE(stopped.comes_to_show("ready"));
    stopped.client().signal(SIGSTOP); // and its terminal is not read
    REQUIRE(wait_until([&] { return process_state(stopped.client().pid()) == 'T'; }));
    const long before = memory_kib(world.serving_pid());
    live.type("\n");
    REQUIRE(live.comes_to_show("done"));
    const long grown = memory_kib(world.serving_pid()) - before;
    WARN("daemon grown by " << grown << " KiB for 32 MB of clipboards");
    if (!sanitized) CHECK(grown < 24 * 1024);
    stopped.client().signal(SIGCONT);
    CHECK(stopped.comes_to_agree("1"));
}

TEST_CASE("a thousand viewers of one tab all show it, and leave nothing", "[mato][viewers]") {
    const int count = number_of("MATO_TEST_VIEWERS", 1000);
    raise_descriptor_limit();
    mato_world world;
    world.configure("[limits]\nclients = " + std::to_string(count + 24) + "\n");
    world.must({"new", "-d", "-x", "80", "-y", "24", "--", "stty raw -echo; printf ready; exec cat -u"});
    const pid_t daemon = world.serving_pid();
    const std::size_t descriptors = descriptor_count(daemon);
    const long memory = memory_kib(daemon);
    struct watcher { // a terminal of this process, and the client's part of an attachment
        mux::remote daemon;
        mato::unique_fd master, slave;
        std::string shown{};
    };
    std::vector<watcher> all;
    for (int i = 0; i < count; ++i) {
        watcher each{connect(world), mato::unique_fd(::open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)), {}};
        int unlock = 0, release_pipe[2];
        REQUIRE(::ioctl(each.master.get(), TIOCSPTLCK, &unlock) == 0);
        each.slave = mato::unique_fd(::ioctl(each.master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
        REQUIRE(::pipe2(release_pipe, O_CLOEXEC) == 0);
        termios raw{};
        ::cfmakeraw(&raw);
        REQUIRE(::tcsetattr(each.slave.get(), TCSANOW, &raw) == 0);
        const mato::unique_fd ours(release_pipe[0]), theirs(release_pipe[1]);
        mux::attach_request request;
        request.which.name = "1";
        request.view.passes_terminal = true;
        const int passed[] = {each.slave.get(), theirs.get()};
        const auto until = mato::deadline::in(20s);
        const auto id = each.daemon.post_with<mux::message::attach>(request, passed, until);
        REQUIRE(each.daemon.await<mux::message::attached>(id, until).direct);
        each.daemon.post_as<mux::message::show>(0, mux::show_request{});
        mato::failure why;
        each.daemon.connection().flush(why);
        all.push_back(std::move(each));
    }
    const auto all_show = [&](const std::string& text) {
        return wait_until([&] {
            std::size_t right = 0;
            for (watcher& each : all) {
                char buffer[4096];
                for (ssize_t got; (got = ::read(each.master.get(), buffer, sizeof buffer)) > 0;)
                    each.shown.append(buffer, static_cast<std::size_t>(got));
                right += contains(each.shown, text) ? 1 : 0;
            }
            return right == all.size();
        });
    };
    CHECK(all_show("ready"));
    world.must({"send", "1", "-l", "for all"});
    CHECK(all_show("for all"));
    const std::string typed = "typed by the last";
    CHECK(::write(all.back().master.get(), typed.data(), typed.size()) == static_cast<ssize_t>(typed.size()));
    CHECK(all_show("typed by"));
    CHECK(count_of(world.must({"clients"}), "tab ") == all.size());
    const long each_kib = (memory_kib(daemon) - memory) / count;
    WARN(count << " viewers: " << each_kib << " KiB of the daemon's memory each");
    if (!sanitized) CHECK(each_kib < 128); // O(screen)
    all.clear();
    CHECK(wait_until([&] { return world.must({"clients"}).empty() && descriptor_count(daemon) <= descriptors; }));
}

TEST_CASE("a hundred idle tabs cost 64 KiB each", "[mato][viewers]") {
    const int count = number_of("MATO_TEST_TABS", 100);
    mato_world world;
    world.open_tab();
    const long before = memory_kib(world.serving_pid());
    mux::remote daemon = connect(world);
    mux::new_tab wanted;
    wanted.argv = {"/bin/sleep", "1000"};
    wanted.cwd = "/";
    for (int i = 0; i < count; ++i) static_cast<void>(daemon.ask<mux::message::new_tab, mux::message::tab_opened>(wanted));
    CHECK(count_of(world.must({"ls"}), "running") == static_cast<std::size_t>(count) + 1);
    const long each_kib = (memory_kib(world.serving_pid()) - before) / count;
    WARN(count << " idle tabs: " << each_kib << " KiB each");
    if (!sanitized) CHECK(each_kib <= 64);
}
