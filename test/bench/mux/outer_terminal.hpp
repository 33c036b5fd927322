// SPDX-License-Identifier: MIT
/// @file outer_terminal.hpp: a user's terminal: a pty with a program in it, read as fast as a terminal can.
#pragma once

#include "../support/child.hpp"

#include <algorithm>
#include <fcntl.h>
#include <pty.h>
#include <string>
#include <string_view>
#include <sys/ioctl.h>
#include <vector>

namespace bench {

/// Removes escape and control sequences (ECMA-48 §5.4) from text, across reads.
class text_filter {
public:
    void take(std::string_view bytes, std::string& text) {
        for (const char c : bytes) {
            switch (state_) {
            case state::text:
                if (c == '\033')
                    state_ = state::escape;
                else if (static_cast<unsigned char>(c) >= 0x20)
                    text += c;
                break;
            case state::escape:
                state_ = c == '['                                       ? state::control
                         : c == ']' || c == 'P' || c == '_' || c == '^' ? state::string
                         : c >= 0x20 && c <= 0x2f                       ? state::escape
                                                                        : state::text;
                break;
            case state::control:
                if (c >= 0x40 && c <= 0x7e) state_ = state::text;
                break;
            case state::string:
                if (c == '\a') state_ = state::text;
                if (c == '\033') state_ = state::escape; // of the string's end
                break;
            }
        }
    }

private:
    enum class state : unsigned char { text, escape, control, string } state_ = state::text;
};

class outer_terminal {
public:
    struct size {
        unsigned short columns = 80, rows = 24;
    };

    outer_terminal(const std::vector<std::string>& argv, const std::vector<std::string>& environment, size cells)
        : buffer_(128 * 1024) {
        std::vector<char*> words, variables;
        for (const auto& each : argv) words.push_back(const_cast<char*>(each.c_str()));
        for (const auto& each : environment) variables.push_back(const_cast<char*>(each.c_str()));
        words.push_back(nullptr), variables.push_back(nullptr);
        const winsize window{cells.rows, cells.columns, 0, 0};
        pid_ = ::forkpty(&fd_, nullptr, nullptr, &window);
        if (pid_ == -1) throw std::runtime_error("forkpty");
        if (pid_ == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGHUP);
            ::execvpe(words[0], words.data(), variables.data());
            ::_exit(127);
        }
        ::fcntl(fd_, F_SETFD, FD_CLOEXEC);
        ::fcntl(fd_, F_SETFL, O_NONBLOCK);
    }
    outer_terminal(outer_terminal&& other) noexcept
        : fd_(std::exchange(other.fd_, -1)), pid_(std::exchange(other.pid_, -1)), buffer_(std::move(other.buffer_)),
          tail_(std::move(other.tail_)), total_(other.total_) {}
    outer_terminal& operator=(outer_terminal&&) = delete;
    /// Like closing the window: the program is hung up, then killed.
    ~outer_terminal() {
        if (pid_ <= 0) return;
        ::kill(pid_, SIGCONT);
        ::kill(pid_, SIGHUP);
        ::close(fd_);
        if (wait_until(milliseconds(2000), [this] { return ::waitpid(pid_, nullptr, WNOHANG) != 0; })) return;
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }

    [[nodiscard]] int fd() const noexcept { return fd_; }
    [[nodiscard]] pid_t pid() const noexcept { return pid_; }
    [[nodiscard]] std::uint64_t total() const noexcept { return total_; } ///< bytes read

    /// Reads once, and waits at most this long. The view is valid until the next call.
    std::string_view read(int timeout_ms) {
        pollfd ready{fd_, POLLIN, 0};
        if (::poll(&ready, 1, timeout_ms) != 1) return {};
        const ssize_t got = ::read(fd_, buffer_.data(), buffer_.size());
        if (got <= 0) {
            if (got == -1 && errno == EAGAIN) return {};
            throw std::runtime_error("the client ended");
        }
        total_ += static_cast<std::size_t>(got);
        return {buffer_.data(), static_cast<std::size_t>(got)};
    }
    /// Whether `mark` is in the next read, or across it and the previous one.
    bool read_sees(std::string_view mark, int timeout_ms) {
        const std::string_view part = read(timeout_ms);
        if (part.find(mark) != std::string_view::npos) return true;
        tail_.append(part.substr(0, std::min(part.size(), mark.size())));
        const bool across = tail_.find(mark) != std::string::npos;
        tail_.assign(part.size() >= mark.size() ? std::string(part.substr(part.size() - mark.size())) : tail_);
        if (tail_.size() > mark.size()) tail_.erase(0, tail_.size() - mark.size());
        return across;
    }
    /// Reads until `mark` is shown. @throws std::runtime_error after `patience`.
    void until(std::string_view mark, milliseconds patience) {
        tail_.clear();
        for (const auto end = clock_type::now() + patience; !read_sees(mark, 100);)
            if (clock_type::now() > end) throw std::runtime_error("never showed " + std::string(mark));
    }
    /// Reads until nothing has arrived for this long, at most five seconds.
    void quiet(int silence_ms) {
        for (const auto end = clock_type::now() + milliseconds(5000); clock_type::now() < end;)
            if (read(silence_ms).empty()) return;
    }
    void send(std::string_view keys) const {
        if (::write(fd_, keys.data(), keys.size()) != static_cast<ssize_t>(keys.size())) throw std::runtime_error("type");
    }

private:
    int fd_ = -1;
    pid_t pid_ = -1;
    std::vector<char> buffer_;
    std::string tail_;
    std::uint64_t total_ = 0;
};

} // namespace bench
