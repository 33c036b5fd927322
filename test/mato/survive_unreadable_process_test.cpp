// SPDX-License-Identifier: MIT
/// @file survive_unreadable_process_test.cpp: the memory file of one tab is damaged when the daemon's process dies: that tab is
/// quarantined, and the others go on.
#include "support/daemon_worker.hpp"
#include "support/mato_world.hpp"
#include "support/pty_client.hpp"

#include <cstring>

using namespace support;

namespace {

bool shows(const mato_world& world, const std::string& tab, const std::string& text) {
    return world.run({"wait", tab, "--text", text, "--timeout", "30s"}).exit_code == 0;
}

/// The keeper's memory file of the tab that has written `text`: opened for reading and writing.
int memory_file_with(pid_t keeper, const std::string& text) {
    const std::string all = "/proc/" + std::to_string(keeper) + "/fd/";
    for (std::filesystem::directory_iterator at(all), end; at != end; ++at) {
        std::error_code gone;
        if (!contains(std::filesystem::read_symlink(at->path(), gone).native(), "/memfd:mato:tab")) continue;
        const int fd = ::open(at->path().c_str(), O_RDWR | O_CLOEXEC);
        std::uint32_t journal = 0; // where it begins: tab_store.hpp
        std::string start(4096, '\0');
        if (fd != -1 && ::pread(fd, &journal, sizeof journal, 16) == sizeof journal &&
            ::pread(fd, start.data(), start.size(), journal) > 0 && contains(start, text))
            return fd;
        if (fd != -1) ::close(fd);
    }
    return -1;
}

void overwrite(int fd, off_t at, std::string_view bytes) {
    REQUIRE(::pwrite(fd, bytes.data(), bytes.size(), at) == static_cast<ssize_t>(bytes.size()));
}

/// Makes that part of a tab's memory file one that cannot be restored.
void damage(int fd, const std::string& part) {
    std::uint32_t begins[3] = {}; // slots, journal, blocks: tab_store.hpp
    REQUIRE(::pread(fd, begins, sizeof begins, 12) == sizeof begins);
    const std::string noise(48, '\x5a');
    if (part == "head") return overwrite(fd, 0, noise.substr(0, 8));
    if (part == "journal") return overwrite(fd, begins[1] + 64, noise); // its counts: read_journal.hpp
    std::uint64_t capacity = 0;                                         // of a slot: two_slots.hpp
    REQUIRE(::pread(fd, &capacity, sizeof capacity, begins[0] + 16) == sizeof capacity);
    for (const off_t slot : {off_t{128}, static_cast<off_t>(128 + 64 + capacity)})
        overwrite(fd, begins[0] + slot + 64 + 8, noise); // the beginning of the body
}

} // namespace

TEST_CASE("survive_unreadable: a tab whose state is damaged is quarantined, and the others lose nothing", "[mato][survive]") {
    const std::string part = GENERATE("slot", "journal", "head");
    INFO(part);
    mato_world world;
    world.configure("survive = true\n");
    const std::string before = world.open_tab({"echo first; exec cat"});
    const std::string bad = world.open_tab({"echo damaged tab; while read -r x; do echo \"got $x\" | tee -a got; done"});
    const std::string after = world.open_tab({"seq 500; exec cat"});
    REQUIRE(shows(world, before, "first"));
    REQUIRE(shows(world, bad, "damaged tab"));
    REQUIRE(shows(world, after, "500"));
    const std::string screen = world.must({"capture", "-S", "1000", after});
    const pid_t keeper = world.daemon_pid(), victim = worker_of(keeper);
    ::kill(victim, SIGSTOP);
    const int fd = memory_file_with(keeper, "damaged tab");
    REQUIRE(fd != -1);
    damage(fd, part);
    ::close(fd);
    ::kill(victim, SIGKILL);

    REQUIRE(wait_until([&] { return contains(world.run({"ls"}).out, "quarantined"); }));
    CHECK(count_of(world.must({"ls"}), "quarantined") == 1);
    CHECK(world.must({"capture", "-S", "1000", after}) == screen);
    CHECK(contains(world.must({"capture", before}), "first"));
    CHECK(contains(world.log(), "tab " + bad + " is quarantined: "));
    world.must({"send", bad, "one", "Enter"}); // its program goes on
    const auto got = world.home() / "got";
    CHECK(wait_until([&] { return contains(read_file(got), "got one\n"); }));
    {
        pty_client viewer(world, {"attach", bad});
        CHECK(viewer.wait_for("what this tab showed could not be restored"));
        CHECK(viewer.wait_for("mato respawn -k " + bad));
        CHECK(viewer.wait_for("got one"));
        viewer.command('d');
        CHECK(viewer.wait() == 0);
    }
    kill_worker(keeper); // it stays so, with what it has shown since
    CHECK(contains(world.must({"ls"}), "quarantined"));
    world.must({"upgrade"}); // does not make it readable, and is not refused
    CHECK(contains(world.must({"ls"}), "quarantined"));
    CHECK(world.must({"capture", "-S", "1000", after}) == screen);
    world.must({"send", bad, "two", "Enter"});
    CHECK(wait_until([&] { return contains(read_file(got), "got two\n"); }));
    {
        pty_client viewer(world, {"attach", bad});
        CHECK(viewer.wait_for("got one"));
        CHECK(viewer.wait_for("got two"));
        viewer.command('d');
        CHECK(viewer.wait() == 0);
    }
    world.must({"respawn", "-k", bad});
    CHECK_FALSE(contains(world.must({"ls"}), "quarantined"));
    REQUIRE(shows(world, bad, "damaged tab"));
    kill_worker(keeper);
    CHECK(shows(world, bad, "damaged tab"));
    CHECK_FALSE(contains(world.must({"ls"}), "quarantined"));
    CHECK(contains(world.must({"status"}), "Kept: 3 of 3 tabs\n"));
}
