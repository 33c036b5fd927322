// SPDX-License-Identifier: MIT
/// @file toolkit_bench.cpp: what the toolkit adds to the system calls it makes. Prints a table of ratios, for the README.
///
/// "bare" is the same deed with the same guarantees in plain system calls and nothing else: what a careful program would write
/// by hand. Pairs run in turns, many times; the table has the medians. Google Benchmark's options apply.
#include <mato/client.hpp>
#include <mato/daemon.hpp>

#include "support/temp_directory.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <map>
#include <string>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <vector>

namespace {

using namespace std::chrono_literals;
using benchmark::State;

[[noreturn]] void give_up(const char* step) {
    std::perror(step);
    std::_Exit(1);
}
int need(int result, const char* step) { return result == -1 ? give_up(step), 0 : result; }

const support::temp_directory& scratch() {
    static const support::temp_directory directory;
    return directory;
}

sockaddr_un address_of(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    return address;
}

// ---- lock: acquire and release ----

void lock_toolkit(State& state) {
    const auto path = scratch() / "toolkit.lock";
    for (auto _ : state) {
        mato::failure why;
        const auto lock = mato::instance_lock::acquire(path, why);
        if (why) give_up("lock");
    }
}

bool is_same_inode(int fd, const char* path) {
    struct ::stat opened {
    }, named{};
    return ::fstat(fd, &opened) == 0 && ::lstat(path, &named) == 0 && opened.st_dev == named.st_dev &&
           opened.st_ino == named.st_ino;
}
int bare_lock(const char* path) {
    const int fd = need(::open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600), "open");
    need(::flock(fd, LOCK_EX | LOCK_NB), "flock");
    if (!is_same_inode(fd, path)) give_up("inode");
    char text[16];
    const int size = std::snprintf(text, sizeof text, "%d\n", static_cast<int>(::getpid()));
    need(::ftruncate(fd, 0), "ftruncate");
    need(static_cast<int>(::pwrite(fd, text, static_cast<std::size_t>(size), 0)), "pwrite");
    return fd;
}
void lock_bare(State& state) {
    const std::string path = (scratch() / "bare.lock").native();
    for (auto _ : state) {
        const int fd = bare_lock(path.c_str());
        if (is_same_inode(fd, path.c_str())) ::unlink(path.c_str());
        ::flock(fd, LOCK_UN);
        ::close(fd);
    }
}

// ---- connect and hello ----

constexpr std::string_view greeting = "hello";
constexpr char framed_greeting[] = "\5\0\0\0hello"; // as length_prefixed<> sends it
constexpr std::size_t framed_bytes = sizeof framed_greeting - 1;

/// A server in a process of its own, for as long as the program runs.
class server_process {
public:
    template <class F> explicit server_process(F serve) : pid_(need(::fork(), "fork")) {
        if (pid_ != 0) return;
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        serve();
        std::_Exit(1);
    }
    server_process(const server_process&) = delete;
    ~server_process() {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }

private:
    pid_t pid_;
};

/// An epoll loop for any number of clients, as small as a correct one can be: asks who each is, ends it when its hello is late
/// (all have equally long, so the timer waits for the oldest, and rests when nobody is awaited), takes whole frames, answers.
class bare_loop {
public:
    explicit bare_loop(int listening)
        : listening_(listening), loop_(need(::epoll_create1(EPOLL_CLOEXEC), "epoll")),
          timer_(need(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), "timer")), clients_(1024) {
        watch(listening_), watch(timer_);
    }
    [[noreturn]] void run() {
        for (;;) {
            epoll_event ready[128];
            const int count = ::epoll_wait(loop_, ready, 128, -1);
            for (int i = 0; i < count; ++i)
                if (const int fd = ready[i].data.fd; fd == listening_)
                    accept_all();
                else if (fd == timer_)
                    end_late_ones();
                else
                    serve(fd);
        }
    }

private:
    struct client {
        mato::clock::time_point hello_until{};
        bool is_awaited = false, is_open = false;
        std::size_t size = 0;
        char bytes[256];
    };
    static constexpr std::chrono::seconds patience{5};

    void watch(int fd) {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.fd = fd;
        need(::epoll_ctl(loop_, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
    }
    void wake_in(std::chrono::nanoseconds span) { // 0: not at all
        itimerspec when{};
        when.it_value.tv_sec = span.count() / 1'000'000'000;
        when.it_value.tv_nsec = span.count() % 1'000'000'000;
        need(::timerfd_settime(timer_, 0, &when, nullptr), "timer");
    }
    void accept_all() {
        for (int fd; (fd = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)) != -1;) {
            ucred peer{};
            socklen_t size = sizeof peer;
            if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == -1 || peer.uid != ::geteuid() ||
                static_cast<std::size_t>(fd) >= clients_.size()) {
                ::close(fd);
                continue;
            }
            watch(fd);
            client& fresh = clients_[static_cast<std::size_t>(fd)];
            fresh.hello_until = mato::clock::now() + patience;
            fresh.is_awaited = fresh.is_open = true;
            fresh.size = 0;
            if (++awaited_ == 1) wake_in(patience);
        }
    }
    void await_no_more(client& its) {
        if (std::exchange(its.is_awaited, false) && --awaited_ == 0) wake_in({});
    }
    void end(int fd) {
        client& its = clients_[static_cast<std::size_t>(fd)];
        await_no_more(its);
        its.is_open = false;
        ::close(fd);
    }
    void serve(int fd) {
        client& its = clients_[static_cast<std::size_t>(fd)];
        const ssize_t got = ::recv(fd, its.bytes + its.size, sizeof its.bytes - its.size, 0);
        if (got == -1 && errno == EAGAIN) return;
        if (got <= 0) return end(fd);
        its.size += static_cast<std::size_t>(got);
        for (std::uint32_t size = 0; its.size >= sizeof size;) {
            std::memcpy(&size, its.bytes, sizeof size);
            const std::size_t whole = sizeof size + size;
            if (whole > sizeof its.bytes) return end(fd);
            if (its.size < whole) return;
            await_no_more(its);
            if (::send(fd, its.bytes, whole, MSG_NOSIGNAL) != static_cast<ssize_t>(whole)) return end(fd);
            its.size -= whole;
            std::memmove(its.bytes, its.bytes + whole, its.size);
        }
    }
    void end_late_ones() {
        std::uint64_t times = 0;
        need(static_cast<int>(::read(timer_, &times, sizeof times)), "timer");
        const auto now = mato::clock::now();
        auto next = mato::clock::time_point::max();
        for (std::size_t fd = 0; fd < clients_.size(); ++fd) {
            const client& its = clients_[fd];
            if (!its.is_open || !its.is_awaited) continue;
            if (its.hello_until <= now)
                end(static_cast<int>(fd));
            else
                next = std::min(next, its.hello_until);
        }
        if (awaited_ > 0) wake_in(next - now);
    }

    int listening_, loop_, timer_;
    std::vector<client> clients_; // by descriptor
    int awaited_ = 0;
};
const std::string& bare_server() {
    static const std::string path = (scratch() / "bare.sock").native();
    static const int listening = [] {
        const int fd = need(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket");
        const auto address = address_of(path);
        need(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), "bind");
        need(::listen(fd, 128), "listen");
        return fd;
    }();
    static const server_process server([] { bare_loop(listening).run(); });
    return path;
}

mato::daemon_options options_in(const std::filesystem::path& directory) {
    mato::daemon_options options;
    options.paths = mato::daemon_paths::in(directory);
    options.level = mato::log_level::error;
    return options;
}
const auto echo = [](auto& self) {
    self.server().on.on_frame = [](const auto& from, std::string_view frame) {
        from->established();
        from->send(frame);
    };
};
const std::string& toolkit_server() {
    static const auto options = options_in(scratch() / "serving");
    static const server_process server([] {
        mato::failure why;
        mato::daemon::serve(options, echo, why);
    });
    const std::string& path = options.paths.socket;
    while (!std::filesystem::exists(path)) mato::sys::sleep_ms(1);
    return path;
}

void hello_from_bare(State& state, const std::string& path) {
    const auto address = address_of(path);
    for (auto _ : state) {
        const int fd = need(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket");
        need(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), "connect");
        ucred peer{};
        socklen_t size = sizeof peer;
        need(::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size), "getsockopt");
        if (peer.uid != ::geteuid()) give_up("peer");
        need(static_cast<int>(::send(fd, framed_greeting, framed_bytes, MSG_NOSIGNAL)), "send");
        char buffer[64];
        ssize_t got = ::recv(fd, buffer, sizeof buffer, 0);
        while (got == -1 && errno == EAGAIN) {
            pollfd readable{fd, POLLIN, 0};
            ::poll(&readable, 1, 10'000);
            got = ::recv(fd, buffer, sizeof buffer, 0);
        }
        if (got != static_cast<ssize_t>(framed_bytes)) give_up("recv");
        ::close(fd);
    }
}
void hello_from_toolkit(State& state, const std::string& path) {
    const mato::owned_path where(path);
    for (auto _ : state) {
        mato::failure why;
        const auto until = mato::deadline::in(10s);
        auto client = mato::client::connect(where, until, why);
        if (!why) client.send(greeting, until, why);
        if (why || client.receive(until, why) != greeting) give_up("hello");
    }
}
void client_toolkit(State& state) { hello_from_toolkit(state, bare_server()); }
void client_bare(State& state) { hello_from_bare(state, bare_server()); }
void server_toolkit(State& state) { hello_from_bare(state, toolkit_server()); }
void server_bare(State& state) { hello_from_bare(state, bare_server()); }

// ---- frames ----

constexpr std::size_t frame_bytes = 1024, frames_a_round = 32;

void encode_toolkit(State& state) {
    const std::string payload(frame_bytes, 'x');
    std::string out;
    for (auto _ : state) {
        out.clear();
        std::error_code why;
        for (std::size_t i = 0; i < frames_a_round; ++i) mato::length_prefixed<>::append(out, payload, why);
        benchmark::DoNotOptimize(out.data());
    }
}
void encode_bare(State& state) {
    const std::string payload(frame_bytes, 'x');
    std::string out(frames_a_round * (frame_bytes + 4), '\0');
    for (auto _ : state) {
        char* to = out.data();
        for (std::size_t i = 0; i < frames_a_round; ++i, to += frame_bytes + 4) {
            const auto size = static_cast<std::uint32_t>(payload.size());
            std::memcpy(to, &size, 4);
            std::memcpy(to + 4, payload.data(), payload.size());
        }
        benchmark::DoNotOptimize(out.data());
    }
}
std::string encoded() {
    std::string out;
    std::error_code why;
    for (std::size_t i = 0; i < frames_a_round; ++i) mato::length_prefixed<>::append(out, std::string(frame_bytes, 'x'), why);
    return out;
}
void decode_toolkit(State& state) {
    const std::string bytes = encoded();
    mato::frame_decoder<mato::length_prefixed<>> decoder;
    for (auto _ : state) {
        std::memcpy(decoder.prepare(bytes.size()).data(), bytes.data(), bytes.size());
        decoder.commit(bytes.size());
        std::error_code why;
        while (const auto frame = decoder.next(why)) benchmark::DoNotOptimize(frame->data());
    }
}
void decode_bare(State& state) {
    const std::string bytes = encoded();
    std::string buffer(bytes.size(), '\0');
    for (auto _ : state) {
        std::memcpy(buffer.data(), bytes.data(), bytes.size());
        for (std::size_t at = 0; at + 4 <= buffer.size();) {
            std::uint32_t size = 0;
            std::memcpy(&size, buffer.data() + at, 4);
            const char* payload = buffer.data() + at + 4;
            benchmark::DoNotOptimize(payload);
            at += 4 + size;
        }
    }
}

// ---- a signal, from kill(2) to the code that acts on it ----

void signal_toolkit(State& state) {
    mato::failure why;
    auto source = mato::signalfd_source::open(mato::make_signal_set({SIGUSR1}), why);
    for (auto _ : state) {
        ::kill(::getpid(), SIGUSR1);
        pollfd readable{source.native_handle(), POLLIN, 0};
        mato::sys::poll(&readable, 1, -1);
        if (source.try_next() != SIGUSR1) give_up("signal");
    }
}
void signal_bare(State& state) {
    sigset_t set, before;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    ::pthread_sigmask(SIG_SETMASK, &set, &before);
    const int fd = need(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), "signalfd");
    for (auto _ : state) {
        ::kill(::getpid(), SIGUSR1);
        pollfd readable{fd, POLLIN, 0};
        ::poll(&readable, 1, -1);
        signalfd_siginfo info;
        if (::read(fd, &info, sizeof info) != sizeof info || info.ssi_signo != SIGUSR1) give_up("signal");
    }
    ::close(fd);
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

// ---- start to ready, in the background ----

/// Ends the daemon whose pid is in `path`, and waits for it.
void end_daemon(const std::filesystem::path& path) {
    const pid_t pid = std::atoi(support::read_file(path).c_str());
    if (pid <= 1) give_up("pid");
    ::kill(pid, SIGTERM);
    need(::waitpid(pid, nullptr, 0), "waitpid");
}

void start_toolkit(State& state) {
    const auto options = options_in(scratch() / "started");
    for (auto _ : state) {
        const auto began = mato::clock::now();
        const auto outcome = mato::daemon::launch(options, echo);
        state.SetIterationTime(std::chrono::duration<double>(mato::clock::now() - began).count());
        if (!outcome) give_up(outcome.why.message().c_str());
        end_daemon(options.paths.pid);
    }
}

/// The daemon's half of a start by hand: what daemon.hpp promises, with an event loop's descriptors, and no event loop.
[[noreturn]] void be_bare_daemon(int lock, int ready, const std::string& base) {
    need(::chdir("/"), "chdir");
    const int null = need(::open("/dev/null", O_RDWR | O_CLOEXEC), "open");
    for (int fd = 0; fd < 3; ++fd) need(::dup2(null, fd), "dup2");
    ::close(null);
    ::umask(077);
    struct ::sigaction plain {};
    plain.sa_handler = SIG_DFL;
    for (int number = 1; number < NSIG; ++number) ::sigaction(number, &plain, nullptr);
    for (int fd = 3; fd < std::min(lock, ready); ++fd) ::close(fd);
    for (int fd = std::min(lock, ready) + 1; fd < std::max(lock, ready); ++fd) ::close(fd);
    ::syscall(SYS_close_range, static_cast<unsigned>(std::max(lock, ready) + 1), ~0U, 0U);
    const std::string pid = std::to_string(::getpid()) + "\n";
    need(::ftruncate(lock, 0), "ftruncate");
    need(static_cast<int>(::pwrite(lock, pid.data(), pid.size(), 0)), "pwrite");
    sigset_t set;
    sigemptyset(&set);
    for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGUSR1}) sigaddset(&set, number);
    ::pthread_sigmask(SIG_SETMASK, &set, nullptr);
    const int signals = need(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), "signalfd");
    need(::open((base + ".log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600), "log");
    const int loop = need(::epoll_create1(EPOLL_CLOEXEC), "epoll");
    epoll_event event{};
    event.events = EPOLLIN;
    for (const int fd : {::eventfd(0, EFD_CLOEXEC), ::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC), signals})
        need(::epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
    const std::string path = base + ".sock", hidden = path + "~";
    const int listening = need(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket");
    ::unlink(hidden.c_str());
    const auto address = address_of(hidden);
    need(::fchmod(listening, 0700), "fchmod");
    need(::bind(listening, reinterpret_cast<const sockaddr*>(&address), sizeof address), "bind");
    need(::chmod(hidden.c_str(), 0700), "chmod");
    need(::listen(listening, 128), "listen");
    need(::rename(hidden.c_str(), path.c_str()), "rename");
    need(::epoll_ctl(loop, EPOLL_CTL_ADD, listening, &event), "epoll_ctl");
    const std::string fresh = base + ".pid.new";
    const int file = need(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), "pid file");
    need(static_cast<int>(::write(file, pid.data(), pid.size())), "write");
    ::close(file);
    need(::rename(fresh.c_str(), (base + ".pid").c_str()), "rename");
    need(static_cast<int>(::write(ready, "R", 1)), "ready");
    ::close(ready);
    ::epoll_wait(loop, &event, 1, -1);
    for (const char* ending : {".pid", ".sock", ".lock"}) ::unlink((base + ending).c_str());
    ::_exit(0);
}
void start_bare(State& state) {
    const auto directory = scratch() / "by-hand";
    ::mkdir(directory.c_str(), 0700);
    const std::string base = (directory / "daemon").native();
    for (auto _ : state) {
        const auto began = mato::clock::now();
        struct ::stat found {};
        if (::lstat(directory.c_str(), &found) == -1 || !S_ISDIR(found.st_mode) || found.st_mode & 077) give_up("directory");
        const int lock = bare_lock((base + ".lock").c_str());
        int ends[2];
        need(::pipe2(ends, O_CLOEXEC), "pipe2");
        sigset_t all, before;
        sigfillset(&all);
        ::pthread_sigmask(SIG_SETMASK, &all, &before);
        const pid_t middle = need(::fork(), "fork");
        if (middle == 0) {
            ::setsid();
            if (::fork() != 0) ::_exit(0);
            be_bare_daemon(lock, ends[1], base);
        }
        ::waitpid(middle, nullptr, 0);
        ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
        ::close(ends[1]);
        ::close(lock);
        char word = 0;
        if (::read(ends[0], &word, 1) != 1 || word != 'R') give_up("not ready");
        ::close(ends[0]);
        state.SetIterationTime(std::chrono::duration<double>(mato::clock::now() - began).count());
        end_daemon(base + ".pid");
    }
}

// ---- the table ----

/// Collects each run's time an iteration, in place of printing it.
class collector : public benchmark::ConsoleReporter {
public:
    void ReportRuns(const std::vector<Run>& runs) override {
        ConsoleReporter::ReportRuns(runs);
        for (const Run& run : runs)
            if (run.run_type == Run::RT_Iteration)
                times_[run.run_name.function_name].push_back(run.GetAdjustedRealTime() /
                                                             benchmark::GetTimeUnitMultiplier(run.time_unit) * 1e9);
    }
    [[nodiscard]] double median(const std::string& name) {
        auto& all = times_[name];
        if (all.empty()) return 0;
        std::nth_element(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2), all.end());
        return all[all.size() / 2];
    }

private:
    std::map<std::string, std::vector<double>> times_;
};

struct pair {
    const char* name;
    const char* shown;
    void (*toolkit)(State&);
    void (*bare)(State&);
    bool manual = false; ///< takes its own time, and is too slow for many iterations
};
constexpr pair pairs[] = {
    {"lock", "lock, acquire and release", lock_toolkit, lock_bare},
    {"client", "connect and hello, the client's side", client_toolkit, client_bare},
    {"server", "connect and hello, the daemon's side", server_toolkit, server_bare},
    {"encode", "encode 32 frames of 1 KiB", encode_toolkit, encode_bare},
    {"decode", "decode 32 frames of 1 KiB", decode_toolkit, decode_bare},
    {"signal", "signal to the code that acts on it", signal_toolkit, signal_bare},
    {"start", "start to ready, in the background", start_toolkit, start_bare, true},
};

} // namespace

int main(int argc, char** argv) {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1); // the started daemons are this process's to wait for
    static_cast<void>(bare_server(), toolkit_server());
    for (const pair& each : pairs)
        for (const auto& [suffix, function] : {std::pair{"/toolkit", each.toolkit}, {"/bare", each.bare}}) {
            auto* const made = benchmark::RegisterBenchmark((each.name + std::string(suffix)).c_str(), function);
            if (each.manual) made->UseManualTime()->Iterations(20);
        }
    std::vector<char*> arguments(argv, argv + argc);
    std::string defaults[] = {"--benchmark_enable_random_interleaving=true", "--benchmark_repetitions=15",
                              "--benchmark_min_time=0.05"};
    for (auto& each : defaults) arguments.insert(arguments.begin() + 1, each.data());
    int count = static_cast<int>(arguments.size());
    benchmark::Initialize(&count, arguments.data());
    if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 64;
    collector times;
    benchmark::RunSpecifiedBenchmarks(&times);
    std::printf("\n| | bare, µs | over bare |\n|---|---:|---:|\n");
    for (const pair& each : pairs) {
        const double toolkit = times.median(std::string(each.name) + "/toolkit");
        const double bare = times.median(std::string(each.name) + "/bare");
        if (bare > 0) std::printf("| %s | %.3g | %.2f |\n", each.shown, bare / 1000, toolkit / bare);
    }
}
