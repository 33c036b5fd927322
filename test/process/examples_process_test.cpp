// SPDX-License-Identifier: MIT
/// @file examples_process_test.cpp: the example programs, run as a user runs them.
#include <mato/client.hpp>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/deadline.hpp"
#include "support/process_facts.hpp"
#include "support/temp_directory.hpp"

#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <string>
#include <unistd.h>
#include <vector>

using namespace std::chrono_literals;
using support::child_process;
using support::contains;
using support::temp_directory;

namespace {

const std::string examples = EXAMPLES_DIRECTORY;

/// A program whose three standard streams are connected to the test.
class program {
public:
    explicit program(const std::vector<std::string>& words)
        : process_([&] {
              ::dup2(in_.read_end, 0), ::dup2(out_.write_end, 1), ::dup2(err_.write_end, 2);
              std::vector<char*> argv;
              for (const auto& word : words) argv.push_back(const_cast<char*>(word.c_str()));
              argv.push_back(nullptr);
              ::execv((examples + "/" + words[0]).c_str(), argv.data());
              return 127;
          }) {
        in_.close_read(), out_.close_write(), err_.close_write();
    }

    /// Waits until its output contains `text`.
    bool says(std::string_view text, std::chrono::milliseconds limit = 20s) {
        const support::deadline until(limit);
        while (!contains(out, text)) {
            char buffer[4096];
            if (!support::await_readable(out_.read_end, std::chrono::milliseconds(until.milliseconds()))) return false;
            const ssize_t got = ::read(out_.read_end, buffer, sizeof buffer);
            if (got <= 0) return false;
            out.append(buffer, static_cast<std::size_t>(got));
        }
        return true;
    }
    void end_input() { in_.close_write(); }
    void signal(int number) const { process_.signal(number); }
    [[nodiscard]] pid_t pid() const { return process_.pid(); }
    /// Its exit code; `out` and `err` are complete then.
    int wait() {
        const int code = process_.wait();
        for (auto [fd, text] : {std::pair{out_.read_end, &out}, {err_.read_end, &err}}) {
            char buffer[4096];
            ::fcntl(fd, F_SETFL, O_NONBLOCK); // a daemon started by it may have the other end open
            for (ssize_t got; (got = ::read(fd, buffer, sizeof buffer)) > 0;)
                text->append(buffer, static_cast<std::size_t>(got));
        }
        return code;
    }

    std::string out, err;

private:
    struct pipe {
        int read_end = -1, write_end = -1;
        pipe() {
            int ends[2];
            if (::pipe2(ends, O_CLOEXEC) == -1) throw std::runtime_error("pipe2");
            read_end = ends[0], write_end = ends[1];
        }
        ~pipe() { close_read(), close_write(); }
        void close_read() { ::close(std::exchange(read_end, -1)); }
        void close_write() { ::close(std::exchange(write_end, -1)); }
    };
    pipe in_, out_, err_;
    child_process process_;
};

struct result {
    int exit_code;
    std::string out, err;
};
result run(const std::vector<std::string>& words) {
    program one(words);
    one.end_input();
    const int code = one.wait();
    return {code, one.out, one.err};
}

struct line_policies : mato::default_policies {
    using framing = mato::line<>;
};
struct raw_policies : mato::default_policies {
    using framing = mato::raw;
};

template <class Client> Client connect_to(const std::filesystem::path& directory) {
    mato::failure why;
    auto client = Client::connect(mato::owned_path(directory / "daemon.sock"), mato::deadline::in(10s), why);
    INFO(why.message());
    REQUIRE_FALSE(why);
    return client;
}
template <class Client> std::string receive(Client& client) {
    mato::failure why;
    const auto frame = client.receive(mato::deadline::in(10s), why);
    return frame ? std::string(*frame) : why.message();
}
template <class Client> std::string ask(Client& client, std::string_view text) {
    std::error_code ignored;
    client.send(text, mato::deadline::in(10s), ignored);
    return receive(client);
}

/// Stops the daemon of `directory` gracefully and waits until its socket is removed and its lock is free.
template <class Client = mato::client> void stop(const std::filesystem::path& directory) {
    const auto paths = mato::daemon_paths::in(directory);
    auto client = connect_to<Client>(directory);
    mato::failure why;
    REQUIRE(mato::instance_lock::signal_holder(paths.lock, SIGTERM, why) > 0);
    while (client.receive(mato::deadline::in(10s), why)) {
    }
    CHECK(why.code == mato::errc::closed); // last: everything else was removed before
    for (const auto& path : {paths.socket, paths.pid, paths.lock}) CHECK_FALSE(std::filesystem::exists(path));
}

} // namespace

TEST_CASE("01: the second instance prints the pid of the first, which ends with its input or by a signal", "[examples]") {
    const temp_directory directory;
    program first({"01_single_instance", directory.path()});
    REQUIRE(first.says("this is the only instance"));
    const auto second = run({"01_single_instance", directory.path()});
    CHECK(second.exit_code == 75);
    CHECK(second.err == "already running, pid " + std::to_string(first.pid()) + "\n");
    first.signal(SIGKILL);
    CHECK(first.wait() == -SIGKILL);
    program third({"01_single_instance", directory.path()}); // files left by the killed one do not matter
    REQUIRE(third.says("this is the only instance"));
    third.end_input();
    CHECK(third.wait() == 0);
    CHECK(directory.names().empty());
    CHECK(contains(run({"01_single_instance", directory / "missing"}).err, "No such file or directory"));
}

TEST_CASE("02: the first signal stops gracefully, the second by force", "[examples]") {
    const bool polite = GENERATE(true, false);
    program worker({"02_graceful_stop"});
    REQUIRE(worker.says("working"));
    worker.signal(polite ? SIGTERM : SIGINT);
    REQUIRE(worker.says("stopping when the work is done"));
    if (polite)
        worker.end_input();
    else
        worker.signal(SIGTERM);
    CHECK(worker.wait() == (polite ? 0 : 1));
    CHECK(contains(worker.out, polite ? "stopped" : "forced"));
}

TEST_CASE("03: the start returns when the daemon is ready, with 0 or the daemon's error", "[examples]") {
    const temp_directory directory;
    CHECK(run({"03_background", directory.path()}).exit_code == 0);
    mato::failure why;
    const pid_t pid = mato::pid_file::read(directory / "app.pid", why);
    REQUIRE(pid > 1);
    const auto second = run({"03_background", directory.path()});
    CHECK(second.exit_code == mato::exit_code::already_running);
    CHECK(contains(second.err, "already running, pid " + std::to_string(pid)));
    CHECK(mato::instance_lock::signal_holder(directory / "app.lock", SIGTERM, why) == pid);
    CHECK(support::wait_until([&] { return directory.names().empty(); }));

    std::filesystem::create_directory(directory / "app.pid"); // it detaches, and then cannot write its pid file
    std::filesystem::create_directory(directory / "app.pid/x");
    const auto failed = run({"03_background", directory.path()});
    CHECK(failed.exit_code == mato::exit_code::unavailable);
    CHECK(contains(failed.err, "rename pid file " + (directory / "app.pid").native()));
    CHECK(support::wait_until([&] { return directory.names() == std::vector<std::string>{"app.pid"}; }));
}

TEST_CASE("04: the echo daemon serves when its start returns, starts only once, echoes, and leaves no file", "[examples]") {
    const temp_directory directory;
    REQUIRE(run({"04_echo_daemon", directory.path()}).exit_code == mato::exit_code::ok);
    CHECK(run({"04_echo_daemon", directory.path()}).exit_code == mato::exit_code::already_running);
    auto client = connect_to<mato::client>(directory.path());
    CHECK(ask(client, "to and fro") == "to and fro");
    stop(directory.path());
}

TEST_CASE("04: the echo daemon reports to its starter why it cannot start", "[examples]") {
    const temp_directory directory;
    std::filesystem::permissions(directory.path(), std::filesystem::perms::all);
    const auto open_to_all = run({"04_echo_daemon", directory.path()});
    CHECK(open_to_all.exit_code == mato::exit_code::not_permitted);
    CHECK(contains(open_to_all.err, "chmod 700"));
    std::filesystem::permissions(directory.path(), std::filesystem::perms::owner_all);
    const auto too_long = run({"04_echo_daemon", directory / std::string(120, 'x')});
    CHECK(too_long.exit_code == mato::exit_code::unavailable);
    CHECK(contains(too_long.err, "use 1 to 107 bytes"));
}

TEST_CASE("05: every client gets every tick from its first on, and a late one can join", "[examples]") {
    const temp_directory directory;
    REQUIRE(run({"05_ticker", directory.path()}).exit_code == mato::exit_code::ok);
    using watcher = mato::basic_client<line_policies>;
    std::vector<watcher> watchers;
    for (int i = 0; i < 10; ++i) {
        watchers.push_back(connect_to<watcher>(directory.path()));
        CHECK(contains(receive(watchers.back()), "tick "));
    }
    for (auto& each : watchers) {
        long last = 0;
        for (int i = 0; i < 5; ++i) {
            const std::string said = receive(each);
            REQUIRE(said.starts_with("tick "));
            const long tick = std::atol(said.c_str() + 5);
            CHECK((last == 0 || tick == last + 1)); // none is lost
            last = tick;
        }
    }
    stop<watcher>(directory.path());
}

// The statements of docs/daemon.md about configuration, reload, errors and exit codes.
TEST_CASE("06: a daemon with a reloadable configuration and a status command", "[examples]") {
    const temp_directory directory;
    const auto command = [&](const std::string& word) { return run({"06_reload_and_status", directory.path(), word}); };
    const auto configure = [&](std::string_view text) { support::write_file(directory / "config.toml", text); };

    CHECK(command("status").exit_code == mato::exit_code::unavailable); // no daemon yet
    configure("greeting = 7\n");
    const auto broken = command("start");
    CHECK(broken.exit_code == mato::exit_code::bad_config); // in the starter
    CHECK(contains(broken.err, "config.toml:1:12: "));

    configure("greeting = \"good day\"\n");
    REQUIRE(command("start").exit_code == 0);
    CHECK(command("start").exit_code == mato::exit_code::already_running);
    CHECK(command("Ada").out == "good day, Ada\n");
    CHECK(contains(command("status").out, "greeted 1\n"));

    configure("greeting = \"hi\"\nmost = 2\n");
    CHECK(command("reload").out == "reloaded\n");
    CHECK(command("Bob").out == "hi, Bob\n");
    configure("greeting = \"hey\"\nmots = 3\n");
    const auto refused = command("reload");
    CHECK(contains(refused.out, "config.toml:2:"));
    CHECK(contains(refused.out, "mots"));
    CHECK(command("Eve").out == "enough\n"); // two were greeted: the old limit applies
    mato::failure why;
    configure("most = 3\n");
    CHECK(mato::instance_lock::signal_holder(directory / "daemon.lock", SIGHUP, why) > 0);
    CHECK(support::wait_until([&] { return command("Eve").out == "hello, Eve\n"; }));

    CHECK(command("stop").exit_code == 0);
    CHECK(directory.names() == std::vector<std::string>{"config.toml", "daemon.log"});
}

TEST_CASE("07: a user's framing works for any split of the bytes, and invalid bytes end the connection", "[examples]") {
    const temp_directory directory;
    REQUIRE(run({"07_own_policy", directory.path()}).exit_code == 0);
    using bytes = mato::basic_client<raw_policies>;
    auto client = connect_to<bytes>(directory.path());
    CHECK(ask(client, "5:hello,") == "5:olleh,");
    std::error_code ignored;
    for (const char* piece : {"1", "0", ":", "netstr", "ings", ","}) client.send(piece, mato::deadline::in(10s), ignored);
    CHECK(receive(client) == "10:sgnirtsten,");
    CHECK(ask(client, "0:,") == "0:,");
    for (const char* wrong : {"x", "5hello,", "5:hello!", "99999:", "-1:", ":,"}) {
        auto other = connect_to<bytes>(directory.path());
        CHECK(contains(ask(other, wrong), "closed"));
    }
    stop<bytes>(directory.path());
}

TEST_CASE("08: many clients at a time start exactly one daemon", "[examples]") {
    const temp_directory directory;
    std::vector<std::unique_ptr<program>> clients;
    for (int i = 0; i < 20; ++i)
        clients.push_back(std::make_unique<program>(std::vector<std::string>{"08_connect_or_start", directory.path(), "word"}));
    for (auto& each : clients) {
        CHECK(each->wait() == 0);
        CHECK(each->out == "WORD\n");
    }
    stop(directory.path());
}

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
    struct line_policies : mato::default_policies {
        using framing = mato::line<>;
    };
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
    struct line_policies : mato::default_policies {
        using framing = mato::line<>;
    };
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
