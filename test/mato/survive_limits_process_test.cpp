// SPDX-License-Identifier: MIT
/// @file survive_limits_process_test.cpp: under limits of the system tabs open as without a keeper, and `status` tells which of
/// them do not survive. What is kept survives.
#include "support/json_reader.hpp"
#include "support/mato_world.hpp"

#include <sys/resource.h>

using namespace support;

namespace {

struct limit_case {
    const char* name;
    int resource;
    rlim_t most;
    std::string why;
};

/// Starts the daemon under the limit. The clients have none.
void start_under(const mato_world& world, const limit_case& of) {
    run_options limited;
    limited.before_exec = [&of] {
        const rlimit limit{of.most, of.most};
        ::setrlimit(of.resource, &limit);
    };
    world.must({"-q", "daemon"}, limited);
}

void wait_for_text(const mato_world& world, const std::string& tab, const std::string& text) {
    INFO("tab " << tab << ", " << text);
    CHECK(world.run({"wait", tab, "--text", text, "--timeout", "20s"}).exit_code == 0);
}

/// Of `status`: "Kept: N of M tabs".
std::string kept_line(const mato_world& world) {
    const std::string status = world.must({"status"});
    const auto at = status.find("Kept: ");
    return at == std::string::npos ? status : status.substr(at, status.find('\n', at) - at);
}

} // namespace

TEST_CASE("a tab whose memory file is refused opens, and status tells why it does not survive", "[mato][survive]") {
    // AddressSanitizer needs more address space than any limit that refuses a tab.
    auto cases = std::vector<limit_case>{{"-f", RLIMIT_FSIZE, 1u << 20, "exceed this process's file size limit"}};
    if (!sanitized) cases.push_back({"-v", RLIMIT_AS, 160u << 20, "no address space"});
    for (const limit_case& of : cases) {
        INFO("ulimit " << of.name);
        mato_world world;
        start_under(world, of);
        const std::string tab = world.open_tab({"echo it runs; read -r a; echo got $a; exec cat"});
        wait_for_text(world, tab, "it runs");
        CHECK(kept_line(world) == "Kept: 0 of 1 tab");
        CHECK(contains(world.must({"status"}), "\n  tab " + tab + " is not: "));
        const std::string json = json_reader::compact(world.must({"status", "--json"}));
        INFO(json);
        CHECK(contains(json, "\"kept\":0,\"not_kept\":[{\"tab\":" + tab + ",\"why\":\""));
        CHECK(contains(json, of.why));
        CHECK(contains(json, std::string("(ulimit ") + of.name + ")"));
        CHECK(contains(world.log(), "tab " + tab + " does not survive the daemon: "));
        kill_worker(world.daemon_pid()); // its terminal was kept: the program goes on, without what it had shown
        world.must({"send", tab, "abc", "Enter"});
        wait_for_text(world, tab, "got abc");
        CHECK(contains(world.must({"capture", tab}), "what this tab showed before is lost"));
        CHECK(kept_line(world) == "Kept: 0 of 1 tab");
        world.must({"kill", tab});
    }
}

TEST_CASE("at the limit of descriptors tabs open without being kept, and the next worker can start", "[mato][survive]") {
    mato_world world;
    world.configure("exit_empty = false\n");
    start_under(world, {"-n", RLIMIT_NOFILE, 40, {}});
    std::vector<std::string> tabs;
    for (int n = 0; n < 40; ++n) {
        const outcome went = world.run({"new", "-d", "--", "echo up; read -r a; echo got $a; exec cat"});
        if (went.exit_code != 0) {
            CHECK(contains(went.err, "Too many open files"));
            break;
        }
        tabs.push_back(went.out.substr(0, went.out.size() - 1));
        wait_for_text(world, tabs.back(), "up");
    }
    const std::string kept = kept_line(world);
    const std::size_t count = static_cast<std::size_t>(std::atoi(kept.c_str() + 6));
    INFO(kept);
    CHECK(count >= 1);
    CHECK(count < tabs.size());
    CHECK(contains(world.must({"status"}), " is not: keep "));
    const auto keeper = world.daemon_pid();
    for (int round = 0; round < 2; ++round) {
        kill_worker(keeper);
        CHECK(kept_line(world) ==
              "Kept: " + std::to_string(count) + " of " + std::to_string(count) + (count == 1 ? " tab" : " tabs"));
    }
    for (std::size_t n = 0; n < count; ++n) {
        world.must({"send", tabs[n], "abc", "Enter"});
        wait_for_text(world, tabs[n], "up\\nabc\\ngot abc");
    }
    CHECK(contains(world.must({"status"}), "Generation: 3\n"));
    CHECK(world.daemon_pid() == keeper);
    CHECK_FALSE(world.open_tab().empty());
}
