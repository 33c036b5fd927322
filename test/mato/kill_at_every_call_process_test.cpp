// SPDX-License-Identifier: MIT
/// @file kill_at_every_call_process_test.cpp: a process of the daemon is killed before and after each of its system calls, and
/// after each of its stores into memory that is kept, while tabs are opened, flooded, resized and ended, and the program is
/// replaced. Nothing is lost or there twice.
///
/// MATO_TEST_ROUNDS: how many of these moments; 24 and 12 without. They are spread over the whole scenario.
#include "support/chosen_death.hpp"
#include "support/daemon_worker.hpp"
#include "support/numbered_lines.hpp"

#include <algorithm>
#include <memory>

using namespace support;

namespace {

/// A daemon that can be killed at chosen calls.
class mortal_world {
public:
    mortal_world() {
        world.configure("survive = true\nremain_on_exit = \"on\"\nhistory_lines = 4000\n");
        const std::string path = (world.root() / "death").native();
        death = chosen_death::map(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC);
        REQUIRE(death != nullptr);
        world.must({"daemon"}, {.variables = {{chosen_death::variable, path}}});
        keeper = world.daemon_pid();
        REQUIRE(keeper > 1);
    }
    mortal_world(const mortal_world&) = delete;
    ~mortal_world() { ::munmap(death, sizeof *death); }

    enum class victim { worker, keeper };
    /// From here on calls count, those named `only` or all.
    void arm(victim who, int call, chosen_death::moment when, const char* only = "", int again = 0) const {
        std::strncpy(death->only, only, sizeof death->only - 1);
        death->count = 0;
        death->when = when, death->again = again, death->at = call;
        (who == victim::worker ? death->parent : death->self) = keeper;
    }
    [[nodiscard]] std::string what_happened() const {
        return std::to_string(death->deaths) + " deaths, the last one at " + death->name + ", of " +
               std::to_string(death->count) + " calls";
    }

    mato_world world{MATO_KILLABLE_EXECUTABLE};
    chosen_death* death = nullptr;
    pid_t keeper = 0;
};

/// Runs a command. It may fail if a process died; then `is_done` tells whether its effect is there, and if not it is run again.
template <class IsDone> void must_in_the_end(const mortal_world& m, const std::vector<std::string>& words, IsDone is_done) {
    for (int attempt = 0; attempt < 4; ++attempt) { // two deaths at most
        const outcome went = m.world.run(words);
        INFO(words.front() << ": " << went.exit_code << " " << went.out << went.err << m.what_happened());
        if (went.exit_code == 0) return;
        CHECK(m.death->deaths > 0); // nothing fails without a death
        CHECK_FALSE(went.err.empty());
        if (is_done()) return;
    }
    FAIL("the command has failed again and again: " << words.front());
}

/// Types a line, and another one if it was lost: of what a process had read when it was killed nothing is promised but that it
/// does not come twice.
void type_until_answered(const mortal_world& m, const std::string& line) {
    for (const std::string suffix : {"", "1", "2"}) { // two deaths at most
        static_cast<void>(m.world.run({"send", "asks", line + suffix, "Enter"}));
        const char* const limit = m.death->deaths > 0 && suffix != "2" ? "3s" : "60s";
        const std::string answer = "^got " + line + "[0-9]*$";
        if (m.world.run({"wait", "asks", "--text", answer, "--timeout", limit}, {.limit = 70s}).exit_code == 0) return;
    }
    FAIL("what was typed never arrived: " << line << ", " << m.what_happened());
}

/// Open, flood, resize, type, replace, end; then all must be there.
void live_through(const mortal_world& m, mortal_world::victim who) {
    const mato_world& world = m.world;
    const std::string end = (world.root() / "end").native();
    const auto exists = [&](const std::string& name) { return world.run({"has", name}).exit_code == 0; };
    const auto open = [&](const std::string& name, const std::string& program) {
        must_in_the_end(m, {"new", "-d", "-n", name, "--", program}, [&] { return exists(name); });
    };
    open("flood", numbered_lines(end, 150, "sleep 0.01; "));
    open("asks", "while read -r x; do echo got $x; case $x in end*) exit 7;; esac; done");
    open("ends", "echo last words; exit 3");
    CHECK(world.run({"wait", "ends", "--exit"}).exit_code == 3);
    const auto never = [] { return false; };
    must_in_the_end(m, {"rename", "ends", "renamed"}, [&] { return exists("renamed"); });
    must_in_the_end(m, {"resize", "asks", "90x20"}, never);
    type_until_answered(m, "first");
    const outcome upgraded = world.run({"restart"});
    INFO(upgraded.out << upgraded.err);
    if (upgraded.exit_code != 0) CHECK((m.death->deaths > 0 && !upgraded.err.empty()));
    if (who == mortal_world::victim::worker) must_in_the_end(m, {"restart"}, never);
    type_until_answered(m, "second");
    must_in_the_end(m, {"resize", "asks", "70x21"}, never);
    type_until_answered(m, "end");
    // With the keeper and with the process that started the program its exit status is lost: 255 says that it is unknown.
    const int code = world.run({"wait", "asks", "--exit"}).exit_code;
    const bool may_be_unknown = who == mortal_world::victim::keeper && contains(world.log(), "the new program takes over");
    CHECK((code == 7 || (may_be_unknown && code == 255)));
    write_file(end, "");
    m.death->at = 0; // the judges are left alone
    CHECK(check_all_numbered_lines(world, "flood") > 0);
    INFO(m.what_happened() << "\n" << world.log());
    const std::string asked = world.must({"capture", "-S", "1000", "asks"});
    INFO(asked);
    for (const std::string each : {"first", "second", "end"})
        for (const std::string suffix : {"", "1", "2"}) CHECK(count_of(asked, "got " + each + suffix + "\n") <= 1);
    CHECK(contains(world.must({"capture", "renamed"}), "last words"));
    const std::string tabs = world.must({"ls"});
    INFO(tabs);
    for (const std::string each : {"flood", "asks", "renamed"}) CHECK(count_of(tabs, "  " + each + "  ") == 1);
    CHECK(contains(world.must({"ls", "--json"}), "\"cols\": 70, \"rows\": 21"));
}

int rounds_of(int usual) {
    const char* const asked = std::getenv("MATO_TEST_ROUNDS");
    return asked ? std::max(1, std::atoi(asked)) : usual;
}

/// Kills `who` at moments that are spread over all of its calls.
void kill_at_calls(mortal_world::victim who, int rounds) {
    int calls = 0;
    {
        const mortal_world m;
        m.arm(who, 0, chosen_death::before);
        live_through(m, who);
        calls = m.death->count;
        CHECK(calls > 20);
        m.world.must({"stop"});
    }
    rounds = std::min(rounds, 2 * calls);
    int deaths = 0;
    for (int round = 0; round < rounds; ++round) {
        const int moment = static_cast<int>(static_cast<long>(round) * 2 * calls / rounds);
        const auto when = moment % 2 == 0 ? chosen_death::before : chosen_death::after;
        const mortal_world m;
        // In every third round the next one dies too, while it takes back what was left.
        m.arm(who, 1 + moment / 2, when, "", who == mortal_world::victim::worker && round % 3 == 2 ? 1 + round * 7 % 60 : 0);
        INFO("killed " << (when == chosen_death::before ? "before" : "after") << " call " << 1 + moment / 2);
        live_through(m, who);
        INFO(m.what_happened());
        deaths += m.death->deaths;
        static_cast<void>(m.world.run({"stop"})); // the world checks that nothing is left
    }
    WARN(deaths << " deaths in " << rounds << " rounds, at moments of " << calls << " calls");
    CHECK(deaths > 0);
}

} // namespace

TEST_CASE("kill_at_every_call: the serving process is killed at its calls, and nothing is lost or there twice",
          "[mato][survive][rounds]") {
    kill_at_calls(mortal_world::victim::worker, rounds_of(24));
}

TEST_CASE("kill_at_every_call: the keeper is killed at its calls, and the serving process goes on", "[mato][survive][rounds]") {
    kill_at_calls(mortal_world::victim::keeper, rounds_of(12));
}

TEST_CASE("survive_crash_points: the process dies once at each step of a read, a checkpoint, an end and a take-back",
          "[mato][survive]") {
    // Of a journal: the pattern, armed, the count, disarmed, forgotten; of slots: the head, the body, published; and the words.
    const std::vector<std::string> stores{"journal 0", "journal 1", "journal 2", "journal 3", "journal 4",
                                          "slots 0",   "slots 1",   "slots 2",   "word 0"};
    // Reads of terminals and signals, what is given to the keeper, sizes, a new program, exit statuses.
    const std::vector<std::string> calls{"read", "sendmsg", "ioctl", "vfork", "waitid", "waitpid", "memfd_create"};
    int deaths = 0;
    const auto die_at = [&](const std::string& name, chosen_death::moment when, int nth) {
        INFO(name << ", " << (when == chosen_death::before ? "before" : "after") << " number " << nth);
        const mortal_world m;
        m.arm(mortal_world::victim::worker, nth, when, name.c_str());
        live_through(m, mortal_world::victim::worker);
        CHECK(m.death->deaths == 1);
        deaths += m.death->deaths;
        static_cast<void>(m.world.run({"stop"}));
    };
    for (const std::string& each : stores) die_at(each, chosen_death::after, each == "word 0" ? 9 : 2);
    for (const std::string& each : calls)
        for (const auto when : {chosen_death::before, chosen_death::after}) die_at(each, when, 1);
    // In the replay of the next process, and in its first checkpoint.
    for (const std::string& each : stores) {
        if (each == "journal 0" || each == "journal 1") continue; // a read: none comes before the process serves
        INFO("taking back, " << each);
        const mortal_world m;
        const std::string end = (m.world.root() / "end").native();
        m.world.must({"new", "-d", "-n", "before", "--", numbered_lines(end, 150, "sleep 0.01; ")});
        REQUIRE(m.world.run({"wait", "before", "--text", "line [0-9]+", "--timeout", "30s"}).exit_code == 0);
        const pid_t first = worker_of(m.keeper);
        ::kill(first, SIGSTOP);
        REQUIRE(wait_until([&] { return process_state(first) == 'T'; }));
        m.arm(mortal_world::victim::worker, 1, chosen_death::after, each.c_str());
        ::kill(first, SIGKILL);
        live_through(m, mortal_world::victim::worker);
        if (each != "journal 2") CHECK(m.death->deaths == 1); // only if a read was under way
        CHECK(check_all_numbered_lines(m.world, "before") > 0);
        static_cast<void>(m.world.run({"stop"}));
    }
    CHECK(deaths == static_cast<int>(stores.size() + 2 * calls.size()));
}
