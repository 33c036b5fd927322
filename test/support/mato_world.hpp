// SPDX-License-Identifier: MIT
/// @file mato_world.hpp: an isolated mato: directories, environment, daemon; all removed at the end.
#pragma once

#include "catch.hpp"
#include "daemon_worker.hpp"
#include "deadline.hpp"
#include "process_facts.hpp"
#include "temp_directory.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <fcntl.h>
#include <functional>
#include <map>
#include <poll.h>
#include <stdexcept>
#include <string>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace support {

/// The result of a command. `exit_code` is the negative signal if one killed it, `timed_out` if the test had to kill it.
struct outcome {
    static constexpr int timed_out = -1000;
    int exit_code = timed_out;
    std::string out, err;
    std::chrono::milliseconds took{0};
    bool output_closed = false; ///< its stdout and stderr are closed
};

struct run_options {
    std::string input{};                            ///< its standard input; then end-of-file
    std::map<std::string, std::string> variables{}; ///< in addition to the world's own
    std::vector<std::string> unset{};               ///< of the world's own
    std::string directory{};                        ///< empty: the world's home
    std::function<void()> before_exec{};            ///< in the child; async-signal-safe calls only
    std::chrono::milliseconds limit = patience;
};

/// A started program with its output captured. The destructor kills and reaps it.
class running_program {
public:
    running_program(const std::vector<std::string>& argv, const std::vector<std::string>& environment,
                    const run_options& options)
        : input_(options.input), limit_(options.limit) {
        int in[2], out[2], err[2];
        if (::pipe2(in, O_CLOEXEC) || ::pipe2(out, O_CLOEXEC) || ::pipe2(err, O_CLOEXEC)) throw std::runtime_error("pipe2");
        std::vector<char*> words, variables;
        for (const auto& each : argv) words.push_back(const_cast<char*>(each.c_str()));
        for (const auto& each : environment) variables.push_back(const_cast<char*>(each.c_str()));
        words.push_back(nullptr), variables.push_back(nullptr);
        pid_ = ::fork();
        if (pid_ == 0) {
            for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
            ::dup2(in[0], 0), ::dup2(out[1], 1), ::dup2(err[1], 2);
            if (!options.directory.empty() && ::chdir(options.directory.c_str()) != 0) ::_exit(126);
            if (options.before_exec) options.before_exec();
            ::execve(words[0], words.data(), variables.data());
            ::_exit(127);
        }
        ::close(in[0]), ::close(out[1]), ::close(err[1]);
        if (pid_ == -1) throw std::runtime_error("fork");
        pidfd_ = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0U));
        in_ = in[1], out_ = out[0], err_ = err[0];
        for (const int fd : {in_, out_, err_}) ::fcntl(fd, F_SETFL, O_NONBLOCK);
        if (input_.empty()) close_input();
    }
    running_program(running_program&& other) noexcept
        : pid_(std::exchange(other.pid_, -1)), pidfd_(std::exchange(other.pidfd_, -1)), in_(std::exchange(other.in_, -1)),
          out_(std::exchange(other.out_, -1)), err_(std::exchange(other.err_, -1)), input_(std::move(other.input_)),
          limit_(other.limit_), result_(std::move(other.result_)), watch_(other.watch_) {}
    running_program(const running_program&) = delete;
    ~running_program() {
        if (pid_ > 0) {
            ::kill(pid_, SIGKILL);
            wait();
        }
        for (const int fd : {pidfd_, in_, out_, err_})
            if (fd != -1) ::close(fd);
    }

    [[nodiscard]] pid_t pid() const noexcept { return pid_; }
    void signal(int number) const { ::kill(pid_, number); }

    /// Whether its standard output contains `text` in time.
    [[nodiscard]] bool wait_for_output(std::string_view text, std::chrono::milliseconds limit = patience) {
        const deadline until(limit);
        while (!contains(result_.out, text))
            if (!turn(until.milliseconds()) || until.passed()) return contains(result_.out, text);
        return true;
    }

    outcome wait() {
        const deadline until(limit_);
        while (turn(until.milliseconds()) && !until.passed()) {
        }
        pollfd ended{pidfd_, POLLIN, 0};
        const bool in_time = ::poll(&ended, 1, until.milliseconds()) == 1;
        if (!in_time) ::kill(pid_, SIGKILL);
        int status = 0;
        while (::waitpid(pid_, &status, 0) == -1 && errno == EINTR) {
        }
        result_.took = watch_.elapsed();
        pid_ = -1;
        read_all();
        result_.output_closed = out_ == -1 && err_ == -1;
        if (in_time) result_.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
        return std::move(result_);
    }

private:
    void close_input() { ::close(std::exchange(in_, -1)); }

    static void take(int& fd, std::string& to) {
        char buffer[65'536];
        while (fd != -1) {
            const ssize_t got = ::read(fd, buffer, sizeof buffer);
            if (got > 0)
                to.append(buffer, static_cast<std::size_t>(got));
            else if (got == -1 && errno == EINTR)
                continue;
            else if (got == -1 && errno == EAGAIN)
                return;
            else
                ::close(std::exchange(fd, -1));
        }
    }
    void read_all() { take(out_, result_.out), take(err_, result_.err); }

    /// Writes input and reads output once. @returns false when it has ended.
    bool turn(int timeout_ms) {
        pollfd ready[] = {{pidfd_, POLLIN, 0}, {out_, POLLIN, 0}, {err_, POLLIN, 0}, {in_, POLLOUT, 0}};
        ::poll(ready, 4, timeout_ms);
        read_all();
        if (in_ != -1 && ready[3].revents) {
            const ssize_t took = ::write(in_, input_.data(), input_.size());
            if (took > 0) input_.erase(0, static_cast<std::size_t>(took));
            if ((took == -1 && errno != EAGAIN) || input_.empty()) close_input();
        }
        return !(ready[0].revents & POLLIN);
    }

    pid_t pid_ = -1;
    int pidfd_ = -1, in_ = -1, out_ = -1, err_ = -1;
    std::string input_;
    std::chrono::milliseconds limit_;
    outcome result_;
    stopwatch watch_;
};

/// Private directories and an isolated environment that marks its processes. The destructor stops the daemon and checks
/// that no process, socket, pid or lock file is left.
class mato_world {
public:
    explicit mato_world(std::string executable = default_executable())
        : executable_(std::move(executable)), mark_("MATO_TEST_WORLD=" + directory_.path().filename().native()) {
        static const auto ignored = std::signal(SIGPIPE, SIG_IGN); // a program may not read all of its input
        static_cast<void>(ignored);
        for (const char* name : {"home", "state", "config"}) std::filesystem::create_directory(directory_ / name);
        configure("");
        variables_ = {{"HOME", (directory_ / "home").native()},
                      {"XDG_STATE_HOME", (directory_ / "state").native()},
                      {"XDG_CONFIG_HOME", (directory_ / "config").native()},
                      {"PATH", "/usr/local/bin:/usr/bin:/bin"},
                      {"SHELL", "/bin/sh"},
                      {"TERM", "xterm-256color"},
                      {"LC_ALL", "C.UTF-8"},
                      {"PS1", "$ "},
                      {mark_.substr(0, mark_.find('=')), mark_.substr(mark_.find('=') + 1)}};
        for (const char* name : {"ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS"})
            if (const char* const value = std::getenv(name)) variables_[name] = value;
    }
    mato_world(const mato_world&) = delete;
    ~mato_world() {
        for (const pid_t each : processes()) ::kill(each, SIGCONT);
        run({"stop"}, {.limit = 15s});
        const bool failing = std::uncaught_exceptions() > 0;
        const bool gone = wait_until([&] { return processes().empty(); }, failing ? 0ms : 10s);
        if (!failing) {
            std::string left;
            for (const pid_t each : processes()) left += describe_process(each) + "\n";
            INFO(left);
            CHECK(gone);
            CHECK(runtime_files() == std::vector<std::string>());
        }
        for (const pid_t each : processes()) ::kill(each, SIGKILL);
        static_cast<void>(wait_until([&] { return processes().empty(); }, 5s));
    }

    /// Starts `mato ARGUMENTS…`.
    [[nodiscard]] running_program start(const std::vector<std::string>& arguments, run_options options = {}) const {
        std::vector<std::string> argv{executable_};
        argv.insert(argv.end(), arguments.begin(), arguments.end());
        const auto environment = environment_with(options);
        if (options.directory.empty()) options.directory = home().native();
        return running_program(argv, environment, options);
    }
    outcome run(const std::vector<std::string>& arguments, const run_options& options = {}) const {
        return start(arguments, options).wait();
    }
    /// As `run`, for a command that must succeed. @returns its standard output.
    std::string must(const std::vector<std::string>& arguments, const run_options& options = {}) const {
        const outcome went = run(arguments, options);
        INFO("mato " << arguments.front() << ": " << went.out << went.err);
        REQUIRE(went.exit_code == 0);
        return went.out;
    }
    /// `new -d -- PROGRAM…`. @returns the tab's id.
    std::string open_tab(const std::vector<std::string>& program = {"exec cat"}) const {
        std::vector<std::string> arguments{"new", "-d", "--"};
        arguments.insert(arguments.end(), program.begin(), program.end());
        std::string id = must(arguments);
        id.pop_back();
        return id;
    }

    /// The environment of a program, as execve(2) wants it.
    [[nodiscard]] std::vector<std::string> environment_with(const run_options& options) const {
        auto all = variables_;
        for (const std::string& name : options.unset) all.erase(name);
        for (const auto& [name, value] : options.variables) all[name] = value;
        std::vector<std::string> items;
        for (const auto& [name, value] : all) items.push_back(name + "=" + value);
        return items;
    }

    /// Writes the configuration file. Unless it has a table `bar`, there is no bar: tabs have all rows of their terminals.
    void configure(std::string_view toml) const {
        std::string all(toml);
        if (all.find("[bar]") == all.npos) all += "\n[bar]\nshow = \"never\"\n";
        std::filesystem::create_directories(config_file().parent_path());
        write_file(config_file(), all);
    }

    /// The program of this build; MATO_TEST_EXECUTABLE names another, such as an installed one.
    [[nodiscard]] static std::string default_executable() {
        const char* const other = std::getenv("MATO_TEST_EXECUTABLE");
        return other ? other : MATO_EXECUTABLE;
    }
    [[nodiscard]] const std::string& executable() const noexcept { return executable_; }
    [[nodiscard]] const temp_directory& root() const noexcept { return directory_; }
    [[nodiscard]] std::filesystem::path home() const { return directory_ / "home"; }
    [[nodiscard]] std::filesystem::path state() const { return directory_ / "state/mato"; }
    [[nodiscard]] std::filesystem::path config_file() const { return directory_ / "config/mato/config.toml"; }
    [[nodiscard]] std::filesystem::path socket() const { return state() / "daemon.sock"; }
    [[nodiscard]] std::string log() const { return read_file(state() / "daemon.log"); }
    /// From the pid file; 0 if there is none.
    [[nodiscard]] pid_t daemon_pid() const { return static_cast<pid_t>(std::atol(read_file(state() / "daemon.pid").c_str())); }
    /// The process that serves: the worker of the daemon's keeper, or the daemon itself with `survive = false`.
    [[nodiscard]] pid_t serving_pid() const {
        const pid_t daemon = daemon_pid(), worker = worker_of(daemon);
        return worker != 0 ? worker : daemon;
    }
    /// The clients that the daemon has a connection to. Its other sockets are the listener's, and the keeper's.
    [[nodiscard]] std::size_t connected() const {
        const pid_t serving = serving_pid();
        const std::size_t sockets = socket_count(serving), others = serving == daemon_pid() ? 1 : 2;
        return sockets > others ? sockets - others : 0;
    }
    /// SIGKILL to the daemon's processes, without a chance for one to replace the other.
    void kill_daemon() const {
        const pid_t daemon = daemon_pid();
        REQUIRE(daemon > 1);
        ::kill(daemon, SIGSTOP);
        const pid_t serving = serving_pid();
        ::kill(serving, SIGKILL);
        ::kill(daemon, SIGKILL);
    }
    /// Every running process that was started in this world.
    [[nodiscard]] std::vector<pid_t> processes() const { return processes_with(mark_); }
    /// The existing ones of the files that a stopped daemon must remove.
    [[nodiscard]] std::vector<std::string> runtime_files() const {
        std::vector<std::string> result;
        std::error_code none;
        for (std::filesystem::directory_iterator at(state(), none), end; !none && at != end; at.increment(none)) {
            const auto ending = at->path().extension();
            if (ending != ".log" && ending != ".tabs") result.push_back(at->path().filename().native());
        }
        std::sort(result.begin(), result.end());
        return result;
    }
    [[nodiscard]] bool is_clean() const { return processes().empty() && runtime_files().empty(); }

private:
    temp_directory directory_;
    std::string executable_, mark_;
    std::map<std::string, std::string> variables_;
};

[[nodiscard]] inline std::size_t count_of(std::string_view text, std::string_view part) {
    std::size_t count = 0;
    for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + part.size())) ++count;
    return count;
}

} // namespace support
