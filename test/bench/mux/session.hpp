// SPDX-License-Identifier: MIT
/// @file session.hpp: an isolated multiplexer: private directories, a script in it, clients; all removed at the
/// end.
#pragma once

#include "../support/progress.hpp"
#include "../support/scratch.hpp"
#include "outer_terminal.hpp"

#include <cstdlib>
#include <dirent.h>
#include <fstream>
#include <functional>
#include <sstream>
#include <sys/stat.h>

namespace bench {

/// The commands of a multiplexer. `s`: the directory for its files; `script`: a program's path.
struct multiplexer {
    using words = std::vector<std::string>;
    std::string name, version;
    std::function<words(const std::string& s, const std::string& script)> start; ///< a session that runs it, shown
    std::function<words(const std::string& s)> attach{};                         ///< one more client; empty: not supported
    std::function<words(const std::string& s, const std::string& script)>
        more{};                                          ///< one more tab, not shown; empty: not supported
    std::function<words(const std::string& s)> stop{};   ///< empty: ends with its script
    std::function<words(const std::string& s)> server{}; ///< prints its server's pid
    std::string configuration{};                         ///< mato's config.toml
};

class session {
public:
    explicit session(const multiplexer& of) : of_(of) {
        for (const char* each : {"state", "config", "run", "screens"}) ::mkdir(path(each).c_str(), 0700);
        marker_ = "MATO_BENCH=" + scratch_.path();
        ::mkdir(path("config/mato").c_str(), 0700);
        std::ofstream(path("config/mato/config.toml")) << of.configuration;
        std::ofstream(path("tmux.conf")) << "set -g status off\nset -g history-limit 10000\n";
        std::ofstream(path("screenrc")) << "startup_message off\ndefscrollback 10000\naltscreen on\n";
    }
    session(const session&) = delete;
    session& operator=(const session&) = delete;
    ~session() {
        if (of_.stop && started_) run(of_.stop(scratch_.path()));
        clients_.clear();
        // Every process with the marker was started here.
        for (int round = 0; round < 20; ++round) {
            const auto left = processes();
            if (left.empty()) break;
            for (const pid_t each : left) ::kill(each, SIGKILL);
            let_pass(milliseconds(5));
        }
    }

    [[nodiscard]] std::string path(const std::string& name) const { return scratch_.path() + "/" + name; }
    /// An executable file with these lines.
    [[nodiscard]] std::string script(const std::string& lines) {
        const std::string at = path("script" + std::to_string(++scripts_));
        std::ofstream(at) << "#!/bin/sh\n" << lines;
        ::chmod(at.c_str(), 0755);
        return at;
    }
    outer_terminal& start(const std::string& with_script, outer_terminal::size cells = {}) {
        started_ = true;
        clients_.emplace_back(of_.start(scratch_.path(), with_script), environment(), cells);
        return clients_.back();
    }
    outer_terminal attach(outer_terminal::size cells = {}) { return {of_.attach(scratch_.path()), environment(), cells}; }
    void more(const std::string& with_script) { run(of_.more(scratch_.path(), with_script)); }
    [[nodiscard]] pid_t server() { return std::atoi(run(of_.server(scratch_.path())).c_str()); }

    /// Runs a command for at most ten seconds. @returns its output.
    std::string run(const multiplexer::words& argv) {
        std::string out;
        int ends[2];
        if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
        child command(child::any_core, [&] {
            const int nowhere = ::open("/dev/null", O_RDWR);
            ::dup2(nowhere, 0), ::dup2(ends[1], 1), ::dup2(nowhere, 2);
            std::vector<char*> words, variables;
            const auto all = environment();
            for (const auto& each : argv) words.push_back(const_cast<char*>(each.c_str()));
            for (const auto& each : all) variables.push_back(const_cast<char*>(each.c_str()));
            words.push_back(nullptr), variables.push_back(nullptr);
            ::execvpe(words[0], words.data(), variables.data());
        });
        ::close(ends[1]);
        char buffer[4096];
        pollfd ready{ends[0], POLLIN, 0};
        for (ssize_t got; ::poll(&ready, 1, 10'000) == 1 && (got = ::read(ends[0], buffer, sizeof buffer)) > 0;)
            out.append(buffer, static_cast<std::size_t>(got));
        ::close(ends[0]);
        command.end(milliseconds(10'000));
        return out;
    }

private:
    [[nodiscard]] std::vector<std::string> environment() const {
        const char* const search = std::getenv("PATH");
        return {std::string("PATH=") + (search ? search : "/usr/bin:/bin"),
                "TERM=xterm-256color",
                "LC_ALL=C.UTF-8",
                "SHELL=/bin/sh",
                "HOME=" + scratch_.path(),
                "XDG_STATE_HOME=" + path("state"),
                "XDG_CONFIG_HOME=" + path("config"),
                "XDG_RUNTIME_DIR=" + path("run"),
                "SCREENDIR=" + path("screens"),
                "TMUX_TMPDIR=" + path("run"),
                "ABDUCO_SOCKET_DIR=" + path("run"),
                marker_};
    }
    [[nodiscard]] std::vector<pid_t> processes() const {
        std::vector<pid_t> found;
        DIR* const table = ::opendir("/proc");
        while (const dirent* entry = table ? ::readdir(table) : nullptr) {
            const pid_t pid = std::atoi(entry->d_name);
            if (pid <= 0 || pid == ::getpid()) continue;
            std::ostringstream all;
            all << std::ifstream("/proc/" + std::to_string(pid) + "/environ").rdbuf();
            if (all.str().find(marker_) != std::string::npos) found.push_back(pid);
        }
        if (table) ::closedir(table);
        return found;
    }

    const multiplexer& of_;
    scratch_directory scratch_;
    std::string marker_;
    std::vector<outer_terminal> clients_;
    int scripts_ = 0;
    bool started_ = false;
};

/// A build of mato. @param name its column · @param program its path · @param configuration its config.toml
[[nodiscard]] inline multiplexer mato_as(std::string name, const std::string& program, std::string configuration) {
    using words = multiplexer::words;
    multiplexer m{std::move(name), first_line_of(("'" + program + "' --version").c_str()),
                  [program](const std::string&, const std::string& p) {
                      return words{program, "new", "--", p};
                  }};
    m.attach = [program](const std::string&) { return words{program, "attach", "1"}; };
    m.more = [program](const std::string&, const std::string& p) { return words{program, "new", "-d", "--", p}; };
    m.stop = [program](const std::string&) { return words{program, "stop", "--now"}; };
    m.server = [](const std::string& s) { return words{"cat", s + "/state/mato/daemon.pid"}; };
    m.configuration = std::move(configuration);
    return m;
}

/// The installed multiplexers. @param mato the program · @param self this benchmark, which is also the hop
[[nodiscard]] inline std::vector<multiplexer> all_multiplexers(const std::string& mato, const std::string& self) {
    using words = multiplexer::words;
    std::vector<multiplexer> all;
    all.push_back({"bare", "pty", [](const std::string&, const std::string& p) { return words{p}; }});
    all.push_back({"hop", "two ptys", [self](const std::string&, const std::string& p) { return words{self, "--hop", p}; }});
    const auto installed = [](const char* ask) { return first_line_of(ask); };
    if (auto version = installed("dtach --version 2>&1"); version.find("dtach") == 0) {
        multiplexer m{"dtach", version.substr(0, version.find(',')), [](const std::string& s, const std::string& p) {
                          return words{"dtach", "-c", s + "/d", "-z", p};
                      }};
        m.attach = [](const std::string& s) { return words{"dtach", "-a", s + "/d", "-z"}; };
        all.push_back(std::move(m));
    }
    if (auto version = installed("abduco -v 2>/dev/null"); !version.empty()) {
        multiplexer m{"abduco", version.substr(0, version.find(" ©")), [](const std::string& s, const std::string& p) {
                          return words{"abduco", "-c", s + "/a", p};
                      }};
        m.attach = [](const std::string& s) { return words{"abduco", "-a", s + "/a"}; };
        all.push_back(std::move(m));
    }
    if (auto version = installed("screen --version 2>/dev/null"); !version.empty()) {
        multiplexer m{"screen", version.substr(0, version.find(" (")), [](const std::string& s, const std::string& p) {
                          return words{"screen", "-c", s + "/screenrc", "-S", "b", p};
                      }};
        m.attach = [](const std::string& s) { return words{"screen", "-c", s + "/screenrc", "-x", "b"}; };
        m.stop = [](const std::string&) { return words{"screen", "-S", "b", "-X", "quit"}; };
        all.push_back(std::move(m));
    }
    if (auto version = installed("tmux -V 2>/dev/null"); !version.empty()) {
        const auto with = [](const std::string& s, words more) {
            words all_words{"tmux", "-L", "b", "-f", s + "/tmux.conf"};
            all_words.insert(all_words.end(), more.begin(), more.end());
            return all_words;
        };
        multiplexer m{"tmux", version, [with](const std::string& s, const std::string& p) {
                          return with(s, {"new-session", p});
                      }};
        m.attach = [with](const std::string& s) { return with(s, {"attach"}); };
        m.more = [with](const std::string& s, const std::string& p) { return with(s, {"new-window", "-d", p}); };
        m.stop = [with](const std::string& s) { return with(s, {"kill-server"}); };
        m.server = [with](const std::string& s) { return with(s, {"display", "-p", "#{pid}"}); };
        all.push_back(std::move(m));
    }
    all.push_back(mato_as("mato", mato, ""));
    return all;
}

} // namespace bench
