// SPDX-License-Identifier: MIT
/// @file pty_client.hpp: `mato …` in a real terminal, under a session leader that outlives it.
///
/// The leader acts as the shell. Without it the kernel would hang up the terminal when the client ends, and reset the
/// settings that the test compares.
#pragma once

#include "mato_world.hpp"

#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <termios.h>

namespace support {

/// Settings of a terminal; equal when every flag and key is.
struct terminal_settings {
    termios value{};
    [[nodiscard]] static terminal_settings of(int fd) {
        terminal_settings result;
        if (::tcgetattr(fd, &result.value) == -1) throw std::runtime_error("tcgetattr");
        return result;
    }
    bool operator==(const terminal_settings& other) const {
        return value.c_iflag == other.value.c_iflag && value.c_oflag == other.value.c_oflag &&
               value.c_cflag == other.value.c_cflag && value.c_lflag == other.value.c_lflag &&
               std::equal(std::begin(value.c_cc), std::end(value.c_cc), std::begin(other.value.c_cc));
    }
};

class pty_client {
public:
    struct options {
        unsigned short columns = 80, rows = 24;
        run_options run{};
    };

    pty_client(const mato_world& world, const std::vector<std::string>& arguments) : pty_client(world, arguments, options{}) {}
    pty_client(const mato_world& world, const std::vector<std::string>& arguments, const options& wanted) {
        master_ = ::open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
        int unlock = 0;
        if (master_ == -1 || ::ioctl(master_, TIOCSPTLCK, &unlock) == -1) throw std::runtime_error("ptmx");
        slave_ = ::ioctl(master_, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
        resize(wanted.columns, wanted.rows);
        before_ = terminal_settings::of(slave_);
        int report[2];
        if (slave_ == -1 || ::pipe2(report, O_CLOEXEC) == -1) throw std::runtime_error("terminal");

        std::vector<std::string> argv{world.executable()};
        argv.insert(argv.end(), arguments.begin(), arguments.end());
        const auto environment = world.environment_with(wanted.run);
        const std::string directory = wanted.run.directory.empty() ? world.home().native() : wanted.run.directory;
        leader_ = ::fork();
        if (leader_ == -1) throw std::runtime_error("fork");
        if (leader_ == 0) lead(argv, environment, directory, report[1], wanted.run.before_exec);
        ::close(report[1]);
        report_ = report[0];
        pollfd told{report_, POLLIN, 0};
        if (::poll(&told, 1, 10'000) != 1 || ::read(report_, &pid_, sizeof pid_) != sizeof pid_)
            throw std::runtime_error("no client");
    }
    pty_client(const pty_client&) = delete;
    ~pty_client() {
        if (status_ == not_ended) ::kill(pid_, SIGKILL);
        ::kill(leader_, SIGKILL);
        ::waitpid(leader_, nullptr, 0);
        for (const int fd : {master_, slave_, report_})
            if (fd != -1) ::close(fd);
    }

    [[nodiscard]] pid_t pid() const noexcept { return pid_; }
    void signal(int number) const { ::kill(pid_, number); }
    /// To the client's process group, which includes the processes that it started in this group.
    void signal_group(int number) const { ::kill(-pid_, number); }
    /// Kills the shell: the kernel hangs up the client's group.
    void end_session() const { ::kill(leader_, SIGKILL); }

    /// Whether the terminal shows `text` in time, after the text waited for before.
    [[nodiscard]] bool wait_for(std::string_view text, std::chrono::milliseconds limit = patience) {
        const deadline until(limit);
        for (;;) {
            if (const auto at = shown_.find(text, mark_); at != std::string::npos) {
                mark_ = at + text.size();
                return true;
            }
            if (until.passed()) return false;
            read_some(until.milliseconds());
        }
    }
    /// Whether `bytes` more are shown in time.
    [[nodiscard]] bool wait_for_bytes(std::size_t bytes, std::chrono::milliseconds limit = patience) {
        const deadline until(limit);
        const std::size_t wanted = shown_.size() + bytes;
        while (shown_.size() < wanted && !until.passed()) read_some(until.milliseconds());
        return shown_.size() >= wanted;
    }
    /// All output since the start.
    [[nodiscard]] const std::string& shown() const noexcept { return shown_; }

    void type(std::string_view bytes) {
        const deadline until(patience);
        while (!bytes.empty() && !until.passed()) {
            const ssize_t took = ::write(master_, bytes.data(), bytes.size());
            if (took > 0) bytes.remove_prefix(static_cast<std::size_t>(took));
            if (took == -1 && errno != EAGAIN) throw std::runtime_error("write to terminal");
            if (took == -1) read_some(5);
        }
    }

    /// Types the prefix and a key.
    void command(char key) { type(std::string{'\x1c', key}); }

    void resize(unsigned short columns, unsigned short rows) const {
        const winsize cells{rows, columns, 0, 0};
        ::ioctl(master_, TIOCSWINSZ, &cells);
    }
    /// Hangs up the terminal, as when the connection is lost.
    void hang_up() { ::close(std::exchange(master_, -1)); }

    /// The exit code, the negative signal, or outcome::timed_out. Its output is read to the end while waiting.
    int wait(std::chrono::milliseconds limit = patience) {
        const deadline until(limit);
        while (status_ == not_ended && !until.passed()) {
            pollfd ready[] = {{report_, POLLIN, 0}, {master_, POLLIN, 0}};
            ::poll(ready, 2, until.milliseconds());
            read_some(0);
            if (ready[0].revents && ::read(report_, &status_, sizeof status_) != sizeof status_) break;
        }
        // A guardian may write after it.
        while (master_ != -1 && status_ != not_ended && shown_.find(all_shown) == std::string::npos && !until.passed())
            read_some(until.milliseconds());
        if (const auto at = shown_.find(all_shown); at != std::string::npos) shown_.erase(at, all_shown.size());
        if (status_ == not_ended) return outcome::timed_out;
        return WIFEXITED(status_) ? WEXITSTATUS(status_) : -WTERMSIG(status_);
    }

    /// Settings of the outer terminal, before the client and now.
    [[nodiscard]] const terminal_settings& before() const noexcept { return before_; }
    [[nodiscard]] terminal_settings now() const { return terminal_settings::of(slave_); }

    [[nodiscard]] int slave() const noexcept { return slave_; }

    /// The last line shown, without its newline.
    [[nodiscard]] std::string last_line() const {
        std::string text = shown_;
        while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
        const auto line_end = text.find_last_of('\n');
        text = line_end == std::string::npos ? text : text.substr(line_end + 1);
        const auto escape = text.rfind('\033'); // the modes are reset right before it
        if (escape == std::string::npos) return text;
        const auto bracket = text.find('[', escape + 2);
        return bracket == std::string::npos ? text : text.substr(bracket);
    }
    [[nodiscard]] bool left_alternate_screen() const {
        const auto entered = shown_.rfind("\033[?1049h"), left = shown_.rfind("\033[?1049l");
        return entered != std::string::npos && left != std::string::npos && left > entered;
    }

private:
    static constexpr int not_ended = -1;
    static constexpr std::string_view all_shown = "\033]all shown\a"; ///< written by the leader, after the client's last byte

    [[noreturn]] void lead(const std::vector<std::string>& argv, const std::vector<std::string>& environment,
                           const std::string& directory, int report, const std::function<void()>& before_exec) const {
        for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        ::setsid();
        ::ioctl(slave_, TIOCSCTTY, 0);
        std::vector<char*> words, variables;
        for (const auto& each : argv) words.push_back(const_cast<char*>(each.c_str()));
        for (const auto& each : environment) variables.push_back(const_cast<char*>(each.c_str()));
        words.push_back(nullptr), variables.push_back(nullptr);
        const pid_t client = ::fork();
        if (client == 0) {
            ::signal(SIGTTOU, SIG_IGN);
            ::setpgid(0, 0); // its own job, in the foreground
            ::tcsetpgrp(slave_, ::getpid());
            ::signal(SIGTTOU, SIG_DFL);
            for (int fd = 0; fd < 3; ++fd) ::dup2(slave_, fd);
            if (before_exec) before_exec();
            if (::chdir(directory.c_str()) == 0) ::execve(words[0], words.data(), variables.data());
            ::_exit(127);
        }
        ::close(master_);
        for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGTSTP, SIGTTOU, SIGTTIN}) ::signal(number, SIG_IGN);
        int status = 0;
        if (::write(report, &client, sizeof client) == sizeof client && ::waitpid(client, &status, 0) == client)
            static_cast<void>(!::write(report, &status, sizeof status) || !::write(slave_, all_shown.data(), all_shown.size()));
        for (;;) ::pause();
    }

    /// At most a megabyte per call, so that a flood does not delay the caller past its deadline.
    void read_some(int timeout_ms) {
        if (master_ == -1) return;
        pollfd ready{master_, POLLIN, 0};
        if (::poll(&ready, 1, timeout_ms) != 1) return;
        char buffer[65'536];
        std::size_t total = 0;
        for (ssize_t got; total < 1'000'000 && (got = ::read(master_, buffer, sizeof buffer)) > 0;) {
            shown_.append(buffer, static_cast<std::size_t>(got));
            total += static_cast<std::size_t>(got);
        }
    }

    int master_ = -1, slave_ = -1, report_ = -1;
    pid_t leader_ = -1, pid_ = -1;
    int status_ = not_ended;
    terminal_settings before_;
    std::string shown_;
    std::size_t mark_ = 0;
};

} // namespace support
