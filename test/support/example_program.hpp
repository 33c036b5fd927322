// SPDX-License-Identifier: MIT
/// @file example_program.hpp: an example program, run as a user runs it, and a client of its daemon.
#pragma once

#include <mato/client.hpp>

#include "catch.hpp"
#include "child_process.hpp"
#include "deadline.hpp"
#include "temp_directory.hpp"

#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unistd.h>
#include <utility>
#include <vector>

namespace support {

inline const std::string examples = EXAMPLES_DIRECTORY;

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
        const deadline until(limit);
        while (!contains(out, text)) {
            char buffer[4096];
            if (!await_readable(out_.read_end, std::chrono::milliseconds(until.milliseconds()))) return false;
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
inline result run(const std::vector<std::string>& words) {
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

} // namespace support
