// SPDX-License-Identifier: MIT
/// @file replay_terminals.hpp: xterm and tmux as references for the effect of a stream of bytes on a user's terminal.
///
/// A real client's bytes are recorded, and written to each after the former contents of the user's screen. xterm runs under
/// Xvfb and is queried for its reports; tmux is asked about its pane. If one is not installed, the test fails.
#pragma once

#include "mato_world.hpp"

#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>

#include <memory>
#include <string>
#include <string_view>

namespace support {

class replay_terminal {
public:
    virtual ~replay_terminal() = default;
    [[nodiscard]] virtual std::string name() const = 0;
    /// Screen, cursor and modes of a new terminal of 80x24 after `bytes`; equal if they look and behave
    /// alike.
    [[nodiscard]] virtual std::string facts_after(std::string_view bytes) = 0;

protected:
    /// Writes everything, and appends the replies; then waits until `end` finds the end of them.
    template <class Ended> static std::string exchange(int fd_in, int fd_out, std::string_view bytes, Ended ended) {
        std::string answer;
        for (const deadline until(patience); !until.passed();) {
            pollfd ready[] = {{fd_in, POLLIN, 0}, {bytes.empty() ? -1 : fd_out, POLLOUT, 0}};
            ::poll(ready, 2, until.milliseconds());
            if (ready[1].revents) {
                const ssize_t took = ::write(fd_out, bytes.data(), std::min<std::size_t>(bytes.size(), 4096));
                if (took > 0) bytes.remove_prefix(static_cast<std::size_t>(took));
            }
            char buffer[4096];
            const ssize_t got = ready[0].revents ? ::read(fd_in, buffer, sizeof buffer) : 0;
            if (got > 0) answer.append(buffer, static_cast<std::size_t>(got));
            if (bytes.empty() && ended(answer)) return answer;
        }
        throw std::runtime_error("a terminal does not answer: " + answer);
    }

    /// `command` of a shell, with the searched PATH.
    [[nodiscard]] static running_program run(const std::string& command, const std::vector<std::string>& variables,
                                             std::function<void()> before_exec = {}) {
        std::vector<std::string> environment{"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C.UTF-8", "HOME=/tmp"};
        environment.insert(environment.end(), variables.begin(), variables.end());
        run_options options;
        options.before_exec = std::move(before_exec);
        return running_program({"/bin/sh", "-c", command}, environment, options);
    }
};

/// xterm in its slave mode (-S): it shows bytes written to a pty of this process, and replies there.
class xterm_replay final : public replay_terminal {
public:
    xterm_replay() : server_(start_server()), xterm_(start_xterm()) {
        // It first writes its window's number.
        exchange(slave_, slave_, {}, [](const std::string& all) { return all.ends_with('\n'); });
    }
    ~xterm_replay() override {
        for (const int fd : {master_, slave_}) ::close(fd);
        server_.signal(SIGTERM); // it removes its lock file
        static_cast<void>(server_.wait());
    }
    [[nodiscard]] std::string name() const override { return "xterm"; }
    [[nodiscard]] std::string facts_after(std::string_view bytes) override {
        std::string all = "\033c\033[1 q"; // libvterm's default cursor, which was reported to the client
        all += bytes;
        all += "\030\033[6n"           // where the cursor is
               "\033P$q q\033\\"       // its style
               "\033P$qm\033\\"        // the pen
               "\033P$qr\033\\"        // the region
               "\033[1;1;1;1;24;80*y"; // a checksum of the page
        for (const int mode : {1, 5, 6, 7, 12, 25, 66, 69, 1000, 1002, 1003, 1004, 1005, 1006, 1015, 1016, 1049, 2004})
            all.append("\033[?").append(std::to_string(mode)).append("$p");
        // The bytes may query device attributes too: the report before this reply identifies it.
        all += "\033[4$p\033[c";
        std::string facts = exchange(slave_, slave_, all, [](const std::string& answer) {
            const auto last = answer.rfind("\033[4;");
            return last != std::string::npos && answer.find('c', last) != std::string::npos;
        });
        facts.erase(0, facts.rfind("\033[", facts.rfind("R\033P"))); // replies to queries in the bytes come before
        return readable(std::move(facts));
    }

private:
    running_program start_server() {
        int number[2];
        if (::pipe2(number, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
        running_program server =
            run("exec Xvfb -displayfd 19 -screen 0 1024x768x24 -nolisten tcp", {}, [fd = number[1]] { pass(fd); });
        ::close(number[1]);
        std::string display;
        pollfd ready{number[0], POLLIN, 0};
        for (char each = 0; ::poll(&ready, 1, 20'000) == 1 && ::read(number[0], &each, 1) == 1 && each != '\n';)
            display += each;
        ::close(number[0]);
        if (display.empty()) throw std::runtime_error("Xvfb (Debian: xvfb) does not start: " + server.wait().err);
        display_ = "DISPLAY=:" + display;
        return server;
    }
    running_program start_xterm() {
        master_ = ::open("/dev/ptmx", O_RDWR | O_NOCTTY);
        int unlock = 0, number = 0;
        if (master_ == -1 || ::ioctl(master_, TIOCSPTLCK, &unlock) == -1 || ::ioctl(master_, TIOCGPTN, &number) == -1)
            throw std::runtime_error("ptmx");
        slave_ = ::ioctl(master_, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
        termios raw{};
        ::tcgetattr(slave_, &raw);
        ::cfmakeraw(&raw);
        ::tcsetattr(slave_, TCSANOW, &raw);
        return run("exec xterm -geometry 80x24 -ti vt420 -xrm 'XTerm*allowWindowOps: true' -S" + std::to_string(number) + "/19",
                   {display_}, [fd = master_] { pass(fd); });
    }
    static void pass(int fd) {
        ::dup2(fd, 19);
        ::fcntl(19, F_SETFD, 0); // also if it had this number already
    }
    static std::string readable(std::string text) {
        for (char& each : text)
            if (each == '\033') each = '\n';
        return text;
    }

    std::string display_;
    int master_ = -1, slave_ = -1;
    running_program server_, xterm_;
};

class tmux_replay final : public replay_terminal {
public:
    tmux_replay() {
        for (const char* name : {"in", "out"})
            if (::mkfifo((directory_ / name).c_str(), 0600) != 0) throw std::runtime_error("mkfifo");
        in_ = ::open((directory_ / "in").c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK);
        out_ = ::open((directory_ / "out").c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK);
        const auto began = tmux("-f /dev/null new-session -d -x 80 -y 24 'stty raw -echo; cat </dev/tty >in & exec cat out'");
        if (began.exit_code != 0) throw std::runtime_error("tmux (Debian: tmux) does not start: " + began.err);
    }
    ~tmux_replay() override {
        tmux("kill-server");
        for (const int fd : {in_, out_}) ::close(fd);
    }
    [[nodiscard]] std::string name() const override { return "tmux"; }
    [[nodiscard]] std::string facts_after(std::string_view bytes) override {
        std::string all = "\033c";
        all += bytes;
        all += "\030\033[5n"; // replied with "\033[0n"
        exchange(in_, out_, all, [](const std::string& answer) { return answer.ends_with("\033[0n"); });
        return tmux("display -p 'cursor #{cursor_x} #{cursor_y} #{cursor_flag} alternate #{alternate_on} region "
                    "#{scroll_region_upper} #{scroll_region_lower} origin #{origin_flag} insert #{insert_flag} wrap "
                    "#{wrap_flag} "
                    "keys #{keypad_cursor_flag} #{keypad_flag} mouse #{mouse_any_flag} #{mouse_sgr_flag} #{mouse_utf8_flag}'")
                   .out +
               tmux("capture-pane -p -e").out;
    }

private:
    outcome tmux(const std::string& command) const {
        return run("cd '" + directory_.path().native() + "' && exec tmux -L replay " + command,
                   {"TERM=xterm-256color", "SHELL=/bin/sh", "TMUX_TMPDIR=" + directory_.path().native()})
            .wait();
    }

    temp_directory directory_;
    int in_ = -1, out_ = -1;
};

/// Started once for a test program, and ended with it.
[[nodiscard]] inline const std::vector<std::unique_ptr<replay_terminal>>& replay_terminals() {
    static const auto all = [] {
        std::vector<std::unique_ptr<replay_terminal>> made;
        made.push_back(std::make_unique<xterm_replay>());
        made.push_back(std::make_unique<tmux_replay>());
        return made;
    }();
    return all;
}

} // namespace support
