// SPDX-License-Identifier: MIT
// With `survive` each tab has a memory file as long as it lives, and where the system refuses one the tab opens without.
#include "support/mato_world.hpp"
#include "support/process_facts.hpp"

#include <sys/resource.h>

#include <algorithm>

using namespace support;

namespace {

std::ptrdiff_t memory_files_of(pid_t daemon, const std::string& kind = "tab") {
    const auto all = descriptors_of(daemon);
    return std::count_if(all.begin(), all.end(),
                         [&](const std::string& each) { return contains(each, "/memfd:mato:" + kind); });
}

void is_shown(const mato_world& world, const std::string& tab, const std::string& text) {
    CHECK(world.run({"wait", tab, "--text", text, "--timeout", "20s"}).exit_code == 0);
}

} // namespace

TEST_CASE("with `survive` a tab has a memory file, until it is closed", "[mato][survive]") {
    mato_world world;
    world.configure("survive = true\n");
    const std::string first = world.open_tab({"echo first; exec cat"}), second = world.open_tab({"echo second; exec cat"});
    is_shown(world, first, "first");
    is_shown(world, second, "second");
    CHECK(memory_files_of(world.daemon_pid()) == 2);
    // A flood, a resize, and a program that is started again: what is kept is what is shown.
    world.must({"send", first, "x", "Enter"});
    const std::string third = world.open_tab({"seq 30000; echo done; exec cat"});
    is_shown(world, third, "done");
    CHECK(contains(world.must({"capture", third}), "30000"));
    CHECK(memory_files_of(world.daemon_pid()) == 3);
    world.must({"kill", third});
    world.must({"kill", second});
    CHECK(memory_files_of(world.daemon_pid()) == 1);
    CHECK_FALSE(contains(world.log(), "does not survive"));
}

TEST_CASE("without an emulator a tab has a memory file of its output, and without `survive` it has none", "[mato][survive]") {
    mato_world world;
    world.configure("survive = true\nemulator = \"raw\"\nexit_empty = false\n");
    const std::string tab = world.open_tab({"exec cat"});
    CHECK(memory_files_of(world.daemon_pid()) == 0);
    CHECK(memory_files_of(world.daemon_pid(), "raw") == 1);
    world.must({"kill", tab});
    CHECK(memory_files_of(world.daemon_pid(), "raw") == 0);
    for (const char* emulator : {"vt", "raw"}) {
        mato_world without;
        without.configure(std::string("survive = false\nemulator = \"") + emulator + "\"\n");
        without.open_tab({"exec cat"});
        CHECK(memory_files_of(without.daemon_pid()) == 0);
        CHECK(memory_files_of(without.daemon_pid(), "raw") == 0);
    }
}

TEST_CASE("a tab whose memory file is refused opens, and the log says why it does not survive", "[mato][survive]") {
    mato_world world;
    world.configure("survive = true\n");
    run_options limited;
    limited.before_exec = [] {
        const rlimit limit{1 << 20, 1 << 20};
        ::setrlimit(RLIMIT_FSIZE, &limit);
        ::signal(SIGXFSZ, SIG_IGN);
    };
    world.must({"-q", "daemon"}, limited);
    const std::string tab = world.open_tab({"echo it runs; exec cat"});
    is_shown(world, tab, "it runs");
    CHECK(memory_files_of(world.daemon_pid()) == 0);
    INFO(world.log());
    CHECK(contains(world.log(), "does not survive the daemon: "));
    CHECK(contains(world.log(), "ulimit -f"));
}
