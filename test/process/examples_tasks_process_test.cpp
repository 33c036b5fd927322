// SPDX-License-Identifier: MIT
/// @file examples_tasks_process_test.cpp: the example programs from 09 on, each for one task: a log for many, a restart without
/// a gap, a system service, a supervisor, two sockets.
#include "support/catch.hpp"
#include "support/example_program.hpp"
#include "support/process_facts.hpp"

#include <csignal>
#include <fstream>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using support::ask;
using support::child_process;
using support::connect_to;
using support::contains;
using support::examples;
using support::line_policies;
using support::program;
using support::receive;
using support::result;
using support::run;
using support::stop;
using support::temp_directory;

TEST_CASE("09: a log is sent to clients that join late, and ends with its input", "[examples]") {
    const support::temp_directory directory;
    int input[2], output[2];
    REQUIRE(::pipe(input) == 0);
    REQUIRE(::pipe(output) == 0);
    const std::string program = examples + "/09_log_fan_out";
    support::child_process server([&] {
        ::dup2(input[0], STDIN_FILENO);
        mato::sys::close_from(3);
        ::execl(program.c_str(), "09_log_fan_out", directory.path().c_str(), nullptr);
        return 127;
    });
    std::string lines;
    for (int i = 1; i <= 1000; ++i) lines += "line " + std::to_string(i) + "\n";
    REQUIRE(::write(input[1], lines.data(), lines.size()) == static_cast<ssize_t>(lines.size()));
    const auto until = mato::deadline::in(20s);
    mato::failure why;
    const mato::owned_path where(directory.path() / "daemon.sock");
    auto follower = mato::basic_client<line_policies>::connect(where, until, why);
    while (why.code == mato::cond::not_running && !until.passed())
        follower = mato::basic_client<line_policies>::connect(where, until, why);
    REQUIRE_FALSE(why);
    follower.send("3", until,
                  why); // the daemon reads its input and its clients in turn: ask until it has read all of its input
    std::string last(follower.receive(until, why).value_or(""));
    while (!why && last != "line 1000") last = follower.receive(until, why).value_or("");
    REQUIRE(last == "line 1000");

    support::child_process late([&] {
        ::dup2(output[1], STDOUT_FILENO);
        mato::sys::close_from(3);
        ::execl(program.c_str(), "09_log_fan_out", directory.path().c_str(), "follow", "2", nullptr);
        return 127;
    });
    const auto read_line = [&] {
        std::string line;
        for (char c; support::await_readable(output[0]) && ::read(output[0], &c, 1) == 1 && c != '\n';) line += c;
        return line;
    };
    CHECK(read_line() == "line 999");
    CHECK(read_line() == "line 1000");
    REQUIRE(::write(input[1], "news\n", 5) == 5);
    CHECK(read_line() == "news");
    CHECK(follower.receive(until, why).value_or("") == "news");
    for (int fd : {input[0], input[1]}) ::close(fd); // the input ends
    CHECK_FALSE(follower.receive(until, why));
    CHECK(why.code == mato::errc::closed);
    CHECK(late.wait() == 0);
    CHECK(server.wait() == 0);
    for (int fd : output) ::close(fd);
    CHECK_FALSE(std::filesystem::exists(directory.path() / "daemon.sock"));
}

TEST_CASE("09: the log may be a file: all of it arrives, and the program ends at its end", "[examples]") {
    const support::temp_directory directory;
    constexpr int lines = 20'000;             // with the first, less than the queue of a client
    constexpr std::size_t long_line = 80'000; // a frame is at most 64 KiB of it
    const std::filesystem::path file = directory.path() / "log";
    {
        std::ofstream out(file);
        out << std::string(long_line, 'x') << '\n';
        for (int i = 1; i < lines; ++i) out << i << '\n';
        out << lines; // no newline
    }
    const auto serve = [&](const std::filesystem::path& input, const std::string& where) {
        return support::child_process([&, where] {
            ::dup2(::open(input.c_str(), O_RDONLY), STDIN_FILENO);
            mato::sys::close_from(3);
            ::execl((examples + "/09_log_fan_out").c_str(), "09_log_fan_out", where.c_str(), nullptr);
            return 127;
        });
    };
    const auto until = mato::deadline::in(30s);
    bool in_order = true;
    std::size_t of_long_line = 0;
    int expected = 0;
    for (int attempt = 0; expected == 0 && !until.passed(); ++attempt) { // it may have read everything before a client connects
        const std::string where = directory.path() / std::to_string(attempt);
        auto server = serve(file, where);
        mato::failure why;
        const mato::owned_path socket(std::filesystem::path(where) / "daemon.sock");
        auto follower = mato::basic_client<line_policies>::connect(socket, until, why);
        for (const auto soon = mato::deadline::in(2s); why.code == mato::cond::not_running && !soon.passed();)
            follower = mato::basic_client<line_policies>::connect(socket, until, why);
        if (!why) follower.send("100000000", until, why);
        while (const auto line = why ? std::nullopt : follower.receive(until, why)) {
            const std::string text(*line);
            if (text[0] == 'x') {
                of_long_line += text.size();
                continue;
            }
            in_order = in_order && std::stoi(text) == std::max(expected, 1);
            expected = std::stoi(text) + 1;
        }
        CHECK(server.wait() == 0);
    }
    CHECK(of_long_line == long_line);
    CHECK(in_order);
    CHECK(expected == lines + 1); // including its last line, which has no newline
    CHECK(serve("/dev/null", directory.path() / "nothing").wait() == 0);
}

TEST_CASE("10: killed fifty times under 3 000 connects, it refuses no client, and the count never goes back", "[examples]") {
    const temp_directory directory;
    REQUIRE(run({"10_hot_restart", directory.path()}).exit_code == 0);
    const pid_t keeper = std::atoi(support::read_file(directory / "daemon.pid").c_str());
    constexpr int kills = 50, connects_each = 60;
    int refused = 0, back = 0, unanswered = 0;
    unsigned long long last = 0;
    for (int number = 0; number < kills * connects_each; ++number) {
        if (number % connects_each == connects_each / 2) {
            pid_t victim = 0;
            REQUIRE(support::wait_until([&] {
                const auto workers = support::children_of(keeper);
                victim = workers.empty() ? 0 : workers[0];
                return victim > 1 && support::is_running(victim);
            }));
            ::kill(victim, SIGKILL);
        }
        mato::failure why;
        auto client =
            mato::client::connect(mato::owned_path((directory / "daemon.sock").native()), mato::deadline::in(10s), why);
        if (why) {
            ++refused;
            continue;
        }
        const std::string answer = ask(client, "x");
        if (!contains(answer, " of generation ")) {
            ++unanswered; // its worker was killed
            continue;
        }
        const auto count = std::stoull(answer);
        if (count <= last) ++back;
        last = count;
    }
    CHECK(refused == 0);
    CHECK(back == 0);
    CHECK(unanswered <= 2 * kills);
    auto client = connect_to<mato::client>(directory.path());
    CHECK(contains(ask(client, "x"), " of generation " + std::to_string(kills + 1) + ": x"));
    CHECK(last + static_cast<unsigned>(unanswered) >= static_cast<unsigned>(kills * connects_each));
    ::kill(keeper, SIGTERM);
    mato::failure why;
    while (client.receive(mato::deadline::in(10s), why)) {
    }
    CHECK(why.code == mato::errc::closed);
    CHECK(directory.names() == std::vector<std::string>{"daemon.log"});
}

TEST_CASE("11: a service asks for a group that exists, serves its own user, and its client checks the account", "[examples]") {
    const temp_directory directory;
    const std::string run_directory = directory / "run", own = std::to_string(::geteuid());
    CHECK(contains(run({"11_shared_service", run_directory, "no such group", "serve"}).err, "create it with groupadd"));
    CHECK(run({"11_shared_service", run_directory, "root", "ask", own}).exit_code == mato::exit_code::unavailable);
    const std::string group = ::getegid() == 0 ? "root" : "users";
    program service({"11_shared_service", run_directory, group, "serve"});
    result answer{};
    const bool served = support::wait_until([&] {
        answer = run({"11_shared_service", run_directory, group, "ask", own});
        return answer.exit_code == 0;
    });
    if (::getegid() == 0) {
        CHECK(served);
        CHECK(contains(answer.out, "uid " + own + " asked at "));
        CHECK(support::mode_of(run_directory) == 0755);
        CHECK(support::mode_of(run_directory + "/daemon.sock") == 0660);
        const auto distrusted = run({"11_shared_service", run_directory, group, "ask", "4242"});
        CHECK(distrusted.exit_code == mato::exit_code::not_permitted);
        CHECK(contains(distrusted.err, "server not trusted"));
        service.signal(SIGTERM);
        CHECK(service.wait() == 0);
        CHECK(std::filesystem::is_empty(run_directory) == false); // its log
    } else {
        CHECK(service.wait() != 0); // no member of the group
    }
}

TEST_CASE("12: a supervisor starts its program again when it fails, and ends it with itself", "[examples]") {
    const temp_directory directory;
    program supervisor({"12_supervisor", directory.path(), "/bin/sh", "-c", "trap '' TERM; exec sleep 1000"});
    REQUIRE(support::wait_until([&] { return std::filesystem::exists(directory / "daemon.sock"); }));
    auto client = connect_to<mato::client>(directory.path());
    const std::string first = ask(client, "state");
    REQUIRE(first.starts_with("runs, pid "));
    const int pid = std::atoi(first.c_str() + 10);
    REQUIRE(pid > 1);
    ::kill(pid, SIGKILL);
    std::string second;
    CHECK(support::wait_until([&] {
        second = ask(client, "state");
        return second.starts_with("runs, pid ") && second != first;
    }));
    CHECK(contains(second, "started 2 times"));
    const int next = std::atoi(second.c_str() + 10);
    supervisor.signal(SIGTERM);
    CHECK(supervisor.wait() == 0);
    CHECK((::kill(next, 0) == -1 && errno == ESRCH));
    const auto failed = run({"12_supervisor", directory.path(), "/no/such/program"});
    CHECK(failed.exit_code == mato::exit_code::unavailable);
    CHECK(contains(failed.err, "execute /no/such/program"));
    const auto ends = run({"12_supervisor", directory.path(), "true"});
    CHECK(ends.exit_code == 0); // a success is not started again, and ends the supervisor
}

TEST_CASE("14: an async client starts the daemon, and each of its requests is answered", "[examples]") {
    const temp_directory directory;
    const auto first = run({"14_async_client", directory / "made", examples + "/04_echo_daemon", "1000"});
    CHECK(first.out == "answered 1000, failed 0\n");
    CHECK(first.exit_code == 0);
    const int pid = std::atoi(support::read_file(directory / "made/daemon.pid").c_str());
    CHECK(pid > 1);
    const auto second = run({"14_async_client", directory / "made", "/no/such/program", "10000"}); // nothing is started
    CHECK(second.out == "answered 10000, failed 0\n");
    if (pid > 1) ::kill(pid, SIGTERM);
    CHECK(support::wait_until([&] { return !std::filesystem::exists(directory / "made/daemon.sock"); }));
    const auto third = run({"14_async_client", directory / "other", "/no/such/program", "3"});
    CHECK(third.out == "answered 0, failed 3\n");
    CHECK(contains(third.err, "execute /no/such/program"));
    CHECK(third.exit_code == mato::exit_code::unavailable);
}

TEST_CASE("13: two sockets of one daemon, with data of each session", "[examples]") {
    const temp_directory directory;
    program daemon({"13_two_sockets", directory.path()});
    REQUIRE(support::wait_until([&] { return std::filesystem::exists(directory / "daemon.sock"); }));
    auto one = connect_to<mato::client>(directory.path()), other = connect_to<mato::client>(directory.path());
    CHECK(ask(one, "x") == "1 of 1");
    CHECK(ask(other, "x") == "1 of 2");
    CHECK(ask(one, "x") == "2 of 3");
    mato::failure why;
    auto admin = mato::client::connect(mato::owned_path(directory / "admin.sock"), mato::deadline::in(10s), why);
    CHECK(ask(admin, "reset") == "clients 2, total 0");
    CHECK(ask(one, "x") == "3 of 1");
    CHECK(ask(admin, "stop") == "clients 2, total 1");
    CHECK(daemon.wait() == 0);
    CHECK(directory.names() == std::vector<std::string>{"daemon.log"});
}

TEST_CASE("the daemon of open files passes each file with its answer", "[examples]") {
    const support::temp_directory directory, folder;
    support::write_file(folder / "one", "first\n");
    support::write_file(folder / "two", "second\n");
    std::filesystem::create_symlink("one", folder / "link");
    program daemon({"16_open_files", directory.path(), "serve", folder.path()});
    REQUIRE(support::wait_until([&] { return std::filesystem::exists(directory / "daemon.sock"); }));
    const auto got = run({"16_open_files", directory.path(), "read", "two", "none", "../one", "link", "one"});
    CHECK(got.exit_code == 0);
    CHECK(got.out.starts_with("second\nnone: open "));
    CHECK(contains(got.out, "../one: not a name\n"));
    CHECK(contains(got.out, "link: open "));
    CHECK(got.out.ends_with("first\n"));
    daemon.signal(SIGTERM);
    CHECK(daemon.wait() == 0);
    CHECK(run({"16_open_files", directory.path(), "read", "one"}).exit_code == mato::exit_code::unavailable);
}
