// SPDX-License-Identifier: MIT
/// @file sys_test.cpp: what sys.hpp adds to system calls: close-on-exec, retries, no SIGPIPE.
#include <mato/sys.hpp>
#include <mato/sys_memory.hpp>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/descriptor_census.hpp"
#include "support/temp_directory.hpp"

#include <mato/unique_fd.hpp>

#include <chrono>
#include <sys/mman.h>
#include <sys/time.h>

using mato::unique_fd;
namespace sys = mato::sys;

namespace {
bool closes_on_exec(int fd) { return (::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0; }
bool is_nonblocking(int fd) { return (::fcntl(fd, F_GETFL) & O_NONBLOCK) != 0; }

sockaddr_un address_of(const std::filesystem::path& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.native().copy(address.sun_path, sizeof address.sun_path - 1);
    return address;
}

// A signal that interrupts system calls repeatedly while in scope.
class interruptions {
public:
    interruptions() {
        struct ::sigaction count {};
        count.sa_handler = [](int) { seen = seen + 1; }; // and no SA_RESTART
        ::sigaction(SIGALRM, &count, &before_);
        const itimerval often{{0, 2000}, {0, 2000}};
        ::setitimer(ITIMER_REAL, &often, nullptr);
    }
    ~interruptions() {
        const itimerval never{};
        ::setitimer(ITIMER_REAL, &never, nullptr);
        ::sigaction(SIGALRM, &before_, nullptr);
    }
    static inline volatile sig_atomic_t seen = 0;

private:
    struct ::sigaction before_ {};
};
} // namespace

TEST_CASE("every descriptor is created close-on-exec", "[sys]") {
    const support::temp_directory directory;
    const unique_fd file(sys::open((directory / "file").c_str(), O_RDWR | O_CREAT, 0600));
    int ends[2];
    REQUIRE(sys::pipe(ends, O_NONBLOCK) == 0);
    const unique_fd read_end(ends[0]), write_end(ends[1]);
    const unique_fd blocking(sys::unix_socket(sys::waiting::blocking)), server(sys::unix_socket(sys::waiting::nonblocking)),
        client(sys::unix_socket(sys::waiting::nonblocking));
    for (const int fd : {file.get(), ends[0], ends[1], blocking.get(), server.get()}) CHECK(closes_on_exec(fd));
    for (const int fd : {ends[0], ends[1], server.get()}) CHECK(is_nonblocking(fd));
    for (const int fd : {file.get(), blocking.get()}) CHECK_FALSE(is_nonblocking(fd));

    const auto address = address_of(directory / "socket");
    const auto* name = reinterpret_cast<const sockaddr*>(&address);
    REQUIRE(sys::bind(server.get(), name, sizeof address) == 0);
    REQUIRE(sys::listen(server.get(), 1) == 0);
    CHECK(sys::accept(server.get()) == -1);
    CHECK(errno == EAGAIN);
    REQUIRE(sys::connect(client.get(), name, sizeof address) == 0);
    const unique_fd accepted(sys::accept(server.get()));
    CHECK(closes_on_exec(accepted.get()));
    CHECK(is_nonblocking(accepted.get()));

#if MATO_HAS_SIGNALFD
    sigset_t none;
    sigemptyset(&none);
    const unique_fd signals(sys::signalfd(&none));
    CHECK(closes_on_exec(signals.get()));
    CHECK(is_nonblocking(signals.get()));
#endif
#if MATO_HAS_MEMFD
    const unique_fd memory(sys::memfd_create("memory"));
    CHECK(closes_on_exec(memory.get()));
#endif
#if MATO_HAS_PIDFD
    const unique_fd process(sys::pidfd_open(::getpid()));
    CHECK(closes_on_exec(process.get()));
#endif
}

TEST_CASE("reading, locking and waiting continue after a signal", "[sys]") {
    int ends[2];
    REQUIRE(sys::pipe(ends) == 0);
    const unique_fd read_end(ends[0]), write_end(ends[1]);
    interruptions::seen = 0;
    const interruptions while_here;
    support::child_process writer([&] { // writes after its own timer has fired ten times
        const interruptions own;
        interruptions::seen = 0;
        while (interruptions::seen < 10) ::pause();
        return sys::write(ends[1], "x", 1) == 1 ? 7 : 1;
    });
    char byte = 0;
    CHECK(sys::read(ends[0], &byte, 1) == 1);
    CHECK(byte == 'x');
    int status = 0;
    CHECK(sys::waitpid(writer.pid(), &status, 0) == writer.pid());
    CHECK(WEXITSTATUS(status) == 7);
    CHECK(interruptions::seen > 0);
}

TEST_CASE("poll is not repeated, because the caller has the deadline", "[sys]") {
    const interruptions while_here;
    CHECK(sys::poll(nullptr, 0, 10'000) == -1);
    CHECK(errno == EINTR);
}

TEST_CASE("a sleep lasts its span, whatever signals arrive", "[sys]") {
    const interruptions while_here;
    const auto before = std::chrono::steady_clock::now();
    sys::sleep_ms(20);
    CHECK(std::chrono::steady_clock::now() - before >= std::chrono::milliseconds(20));
    sys::sleep_ms(0);
    sys::sleep_ms(-5);
}

TEST_CASE("sending to a closed peer is an error, without SIGPIPE", "[sys]") {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    const unique_fd mine(ends[0]);
    char byte = 0;
    REQUIRE(sys::send(ends[1], "x", 1) == 1);
    CHECK(sys::recv(ends[0], &byte, 1) == 1);
    sys::close(ends[1]);
    CHECK(sys::send(mine.get(), "x", 1) == -1);
    CHECK(errno == EPIPE);
}

TEST_CASE("close_from closes that number and all above", "[sys]") {
    CHECK(support::in_child([] {
              const int low = ::open("/dev/null", O_RDONLY);
              const int high = ::fcntl(low, F_DUPFD, 900);
              sys::close_from(low + 1);
              return ::fcntl(low, F_GETFD) != -1 && ::fcntl(high, F_GETFD) == -1 ? 0 : 1;
          }) == 0);
}

TEST_CASE("inherited dispositions are reset", "[sys]") {
    CHECK(support::in_child([] {
              ::signal(SIGPIPE, SIG_IGN);
              ::signal(SIGHUP, SIG_IGN);
              ::signal(SIGTERM, [](int) {});
              sys::default_dispositions();
              for (const int signal : {SIGPIPE, SIGHUP, SIGTERM}) {
                  struct ::sigaction now {};
                  if (::sigaction(signal, nullptr, &now) == -1 || now.sa_handler != SIG_DFL) return 1;
              }
              return 0;
          }) == 0);
}

TEST_CASE("a mask error arrives as errno", "[sys]") {
    sigset_t none;
    sigemptyset(&none);
    CHECK(sys::signal_mask(12345, &none, nullptr) == -1);
    CHECK(errno == EINVAL);
    CHECK(sys::signal_mask(SIG_BLOCK, &none, nullptr) == 0);
}

#if MATO_HAS_PIDFD
TEST_CASE("a pidfd signals the process that it was opened for", "[sys]") {
    support::child_process child([] { return ::pause(); });
    const unique_fd process(sys::pidfd_open(child.pid()));
    REQUIRE(process);
    CHECK(sys::pidfd_send_signal(process.get(), SIGTERM) == 0);
    CHECK(child.wait() == -SIGTERM);
    CHECK(sys::pidfd_send_signal(process.get(), SIGTERM) == -1); // ended, and its pid may be reused
    CHECK(errno == ESRCH);
    CHECK(sys::pidfd_open(0) == -1);
    CHECK(errno == EINVAL);
}
#endif

TEST_CASE("files are read and written at an offset", "[sys]") {
    const support::temp_directory directory;
    const auto before = support::open_descriptors();
    {
        const unique_fd file(sys::open((directory / "file").c_str(), O_RDWR | O_CREAT, 0600));
        char text[4];
        CHECK(sys::pwrite(file.get(), "abcd", 4, 2) == 4);
        CHECK(sys::ftruncate(file.get(), 5) == 0);
        CHECK(sys::pread(file.get(), text, 4, 3) == 2);
        CHECK(std::string_view(text, 2) == "bc");
        CHECK(sys::fsync(file.get()) == 0);
        CHECK(sys::fcntl(file.get(), F_GETFD, 0) == FD_CLOEXEC);
        CHECK(sys::rename((directory / "file").c_str(), (directory / "moved").c_str()) == 0);
        CHECK(sys::unlink((directory / "moved").c_str()) == 0);
    }
    CHECK(support::open_descriptors() == before);
}
