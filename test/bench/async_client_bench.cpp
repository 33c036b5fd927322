// SPDX-License-Identifier: MIT
/// @file async_client_bench.cpp: the processor time of a request through mato::async_client, compared with asio by hand.
///
/// Both send numbered requests to one process that returns every byte, with a given number of requests in flight. "By hand" has
/// the same guarantees for a connection that never ends: a table of requests by number, a deadline each, one write at a time
/// with everything queued, answers as strings. It does not connect again, cannot be cancelled and has no limits. Rounds
/// alternate; the table has medians.
#include <mato/async_client.hpp>

#include "support/temp_directory.hpp"

#include <asio/buffer.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/steady_timer.hpp>
#include <asio/write.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <string>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <vector>

namespace {

using namespace std::chrono_literals;

double processor_seconds() {
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

/// Returns every byte of every connection, one connection after the other.
[[noreturn]] void echo(int listening) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    std::vector<char> buffer(256 << 10);
    for (;;) {
        const int client = ::accept(listening, nullptr, nullptr);
        for (;;) {
            const ssize_t got = ::recv(client, buffer.data(), buffer.size(), 0);
            if (got <= 0) break;
            for (ssize_t at = 0; at < got;) {
                const ssize_t sent = ::send(client, buffer.data() + at, static_cast<std::size_t>(got - at), MSG_NOSIGNAL);
                if (sent <= 0) break;
                at += sent;
            }
        }
        ::close(client);
    }
}

/// asio by hand.
class bare_client {
public:
    using handler = std::function<void(std::error_code, std::string)>;
    bare_client(asio::io_context& context, const std::string& path) : socket_(context), timer_(context) {
        socket_.connect(asio::local::stream_protocol::endpoint(path));
        read();
    }
    void request(std::string_view payload, handler done) {
        if (free_.empty()) {
            free_.push_back(slots_.size());
            slots_.emplace_back();
        }
        const std::size_t at = free_.back();
        free_.pop_back();
        const std::uint64_t number = ++serial_ << 24 | at;
        slots_[at] = {number, std::move(done), std::chrono::steady_clock::now() + 30s};
        if (!is_timed_) watch();
        const auto size = static_cast<std::uint32_t>(payload.size() + 8);
        char head[12];
        std::memcpy(head, &size, 4);
        std::memcpy(head + 4, &number, 8);
        queued_.append(head, sizeof head).append(payload);
        if (!is_due_ && sending_.empty()) {
            is_due_ = true;
            asio::post(socket_.get_executor(), [this] { write(); });
        }
    }

private:
    struct slot {
        std::uint64_t number = 0;
        handler done;
        std::chrono::steady_clock::time_point until{};
    };
    void write() {
        is_due_ = false;
        if (queued_.empty() || !sending_.empty()) return;
        sending_.swap(queued_);
        asio::async_write(socket_, asio::buffer(sending_), [this](std::error_code, std::size_t) {
            sending_.clear();
            write();
        });
    }
    void read() {
        if (end_ == buffer_.size()) buffer_.resize(2 * end_);
        socket_.async_read_some(asio::buffer(buffer_.data() + end_, buffer_.size() - end_),
                                [this](std::error_code why, std::size_t got) {
                                    if (why) return;
                                    end_ += got;
                                    take();
                                    read();
                                });
    }
    void take() {
        std::size_t at = 0;
        for (std::uint32_t size = 0; end_ - at >= 4; at += 4 + size) {
            std::memcpy(&size, buffer_.data() + at, 4);
            if (end_ - at < 4 + std::size_t{size}) break;
            std::uint64_t number = 0;
            std::memcpy(&number, buffer_.data() + at + 4, 8);
            slot& of = slots_[number & 0xff'ffff];
            if (of.number != number) continue;
            const handler done = std::move(of.done);
            of.number = 0;
            free_.push_back(number & 0xff'ffff);
            done({}, std::string(buffer_.data() + at + 12, size - 8));
        }
        std::memmove(buffer_.data(), buffer_.data() + at, end_ - at);
        end_ -= at;
    }
    void watch() {
        is_timed_ = true;
        timer_.expires_after(30s);
        timer_.async_wait([](std::error_code) {});
    }

    asio::local::stream_protocol::socket socket_;
    asio::steady_timer timer_;
    std::vector<slot> slots_;
    std::vector<std::size_t> free_;
    std::uint64_t serial_ = 0;
    std::string queued_, sending_, buffer_ = std::string(64 << 10, '\0');
    std::size_t end_ = 0;
    bool is_due_ = false, is_timed_ = false;
};

struct policies : mato::default_policies {
    using correlation = mato::numbered;
};

/// Keeps `window` requests in flight until `count` are answered. @returns processor time of a request, in ns.
template <class Ask> double measure(asio::io_context& context, std::size_t window, std::size_t count, Ask ask) {
    struct load {
        asio::io_context& context;
        Ask ask;
        std::size_t asked, answered, count;
        void next() {
            ++asked;
            ask([this](std::error_code why, const std::string&) {
                if (why) std::abort();
                if (++answered == count) return context.stop();
                if (asked < count) next();
            });
        }
    };
    load all{context, std::move(ask), 0, 0, count};
    const double begin = processor_seconds();
    for (std::size_t i = 0; i < window; ++i) all.next();
    context.run();
    return (processor_seconds() - begin) * 1e9 / static_cast<double>(count);
}

double median(std::vector<double> of) {
    std::ranges::sort(of);
    return of[of.size() / 2];
}

} // namespace

int main() {
    const support::temp_directory directory;
    const std::string path = directory / "s";
    struct proof {
        static bool is_held() { return true; }
    };
    std::error_code why;
    mato::owned_path endpoint(path);
    mato::unique_fd listening = endpoint.publish(proof{}, mato::publish_options{}, why);
    if (why) return std::fprintf(stderr, "listen: %s\n", why.message().c_str()), 1;
    ::fcntl(listening.get(), F_SETFL, 0);
    const pid_t server = ::fork();
    if (server == 0) echo(listening.get());

    std::printf("in flight | bytes | by hand, ns | async_client, ns | ratio\n");
    for (const std::size_t bytes : {std::size_t{16}, std::size_t{512}})
        for (const std::size_t window : {std::size_t{1}, std::size_t{64}, std::size_t{4096}}) {
            const std::size_t count = window == 1 ? 40'000 : 200'000;
            const std::string payload(bytes, 'x');
            std::vector<double> bare, toolkit;
            for (int round = 0; round < 9; ++round) {
                {
                    asio::io_context context(1);
                    bare_client client(context, path);
                    bare.push_back(
                        measure(context, window, count, [&](auto done) { client.request(payload, std::move(done)); }));
                }
                asio::io_context context(1);
                mato::basic_async_client<policies> client(context, mato::owned_path(path));
                toolkit.push_back(
                    measure(context, window, count, [&](auto done) { client.async_request(payload, std::move(done)); }));
            }
            const double ratio = median(toolkit) / median(bare);
            std::printf("%9zu | %5zu | %11.0f | %16.0f | %.2f\n", window, bytes, median(bare), median(toolkit), ratio);
        }
    ::kill(server, SIGKILL);
    ::waitpid(server, nullptr, 0);
    return 0;
}
