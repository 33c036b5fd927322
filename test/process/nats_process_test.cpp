// SPDX-License-Identifier: MIT
/// @file nats_process_test.cpp: two local edges of one NATS subject, with a real server on the loopback interface.
#include <mato/client.hpp>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/deadline.hpp"
#include "support/temp_directory.hpp"

#include <cstdlib>
#include <fcntl.h>
#include <string>
#include <sys/prctl.h>
#include <unistd.h>
#include <vector>

using namespace std::chrono_literals;
using support::child_process;
using support::contains;
using support::temp_directory;

namespace {

/// A program that ends with its parent; its standard error goes to `log`.
child_process run(std::vector<std::string> words, const std::string& log) {
    return child_process([&] {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        const int file = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
        ::dup2(file, 1), ::dup2(file, 2);
        std::vector<char*> argv;
        for (auto& word : words) argv.push_back(word.data());
        argv.push_back(nullptr);
        ::execv(argv[0], argv.data());
        return 127;
    });
}

/// nats-server on a free port.
struct nats_server {
    temp_directory directory;
    child_process process =
        run({NATS_SERVER, "-a", "127.0.0.1", "-p", "-1", "--ports_file_dir", directory.path().native()}, directory / "log");
    std::string url;

    nats_server() {
        const auto file = directory / ("nats-server_" + std::to_string(process.pid()) + ".ports");
        const bool is_up = support::wait_until([&] {
            const std::string text = std::filesystem::exists(file) ? support::read_file(file) : std::string();
            const auto begin = text.find("nats://"), end = text.find('"', begin);
            if (begin == std::string::npos || end == std::string::npos) return false;
            url = text.substr(begin, end - begin);
            return true;
        });
        INFO(support::read_file(directory / "log"));
        REQUIRE(is_up);
    }
};

/// The daemon of one machine.
struct edge {
    temp_directory directory;
    child_process process;

    explicit edge(const nats_server& server, const std::string& subject = "prices")
        : process(run({NATS_EDGE, directory.path().native(), server.url, subject}, directory / "err")) {
        const bool is_up = support::wait_until([&] { return std::filesystem::exists(directory / "daemon.sock"); });
        INFO(support::read_file(directory / "err"));
        REQUIRE(is_up);
    }
    [[nodiscard]] mato::client client() const {
        mato::failure why;
        auto made = mato::client::connect(mato::owned_path(directory / "daemon.sock"), mato::deadline::in(20s), why);
        REQUIRE_FALSE(why);
        return made;
    }
};

std::string receive(mato::client& client) {
    mato::failure why;
    const auto frame = client.receive(mato::deadline::in(20s), why);
    return frame ? std::string(*frame) : why.message();
}
void send(mato::client& client, const std::string& text) {
    mato::failure why;
    client.send(text, mato::deadline::in(20s), why);
    CHECK_FALSE(why);
}
/// A client is subscribed when it gets what it sends.
void join(mato::client& client, const std::string& word) {
    send(client, word);
    while (receive(client) != word) {
    }
}

} // namespace

TEST_CASE("what a client of one edge sends, the clients of both edges get, in order", "[nats]") {
    const nats_server server;
    edge here(server), there(server);
    std::vector<mato::client> clients;
    for (const edge* each : {&here, &here, &there, &there}) {
        clients.push_back(each->client());
        join(clients.back(), "joined " + std::to_string(clients.size()));
    }
    const edge other(server, "weather");
    auto elsewhere = other.client();
    join(elsewhere, "another subject");
    for (int begin = 0; begin < 2000; begin += 50) {
        auto& sender = clients[static_cast<std::size_t>(begin / 50 % 4)];
        for (int i = begin; i < begin + 50; ++i) send(sender, "price " + std::to_string(i));
        for (auto& each : clients)
            for (int i = begin; i < begin + 50; ++i) {
                std::string got = receive(each);
                while (got.starts_with("joined ")) got = receive(each);
                REQUIRE(got == "price " + std::to_string(i));
            }
    }
    join(elsewhere, "end");
    here.process.signal(SIGTERM);
    CHECK(here.process.wait() == 0);
    CHECK_FALSE(std::filesystem::exists(here.directory / "daemon.sock"));
}

TEST_CASE("a client that reads late is told how much it lost, and the others lose nothing", "[nats]") {
    const nats_server server;
    const edge here(server), there(server);
    auto quick = there.client(), late = there.client(), sender = here.client();
    join(late, "late");
    join(quick, "quick");
    join(sender, "sender");
    while (receive(quick) != "sender") {
    }
    constexpr int count = 3000;
    const std::string body(1000, 'x');
    for (int i = 0; i < count; ++i) {
        send(sender, std::to_string(i) + body);
        REQUIRE(receive(quick) == std::to_string(i) + body);
        REQUIRE(receive(sender) == std::to_string(i) + body);
    }
    send(sender, "end");
    int got = 0, lost = 0, gaps = 0, next = 0;
    for (std::string text = receive(late); text != "end"; text = receive(late)) {
        if (text == "quick" || text == "sender") continue;
        if (text.starts_with("lost ")) {
            CHECK(text.ends_with(" here"));
            const int some = std::atoi(text.c_str() + 5);
            lost += some, next += some, ++gaps;
            continue;
        }
        REQUIRE(text == std::to_string(next++) + body);
        ++got;
    }
    CHECK(got + lost == count);
    CHECK(gaps >= 1); // 3 MB are more than its limit and the kernel's buffer
}

TEST_CASE("without a NATS server the edge does not start, and says where it looked", "[nats]") {
    const temp_directory directory;
    auto edge = run({NATS_EDGE, directory.path().native(), "nats://127.0.0.1:1", "prices"}, directory / "err");
    CHECK(edge.wait() == 69);
    CHECK(contains(support::read_file(directory / "err"), "subscribe at nats://127.0.0.1:1"));
}
