// A program that runs once per directory. It uses only the lock of the toolkit, no daemon and no asio.
// Notice: a second instance prints the pid of the first and changes nothing. kill -9 frees the lock: the kernel holds it.
#include <mato/lock.hpp>

#include <cstdio>

int main(int argc, char** argv) {
    if (argc != 2) return 64;
    mato::failure why;
    auto attempt = mato::instance_lock::try_acquire(std::string(argv[1]) + "/app.lock", why);
    if (why) return std::fprintf(stderr, "%s\n", why.message().c_str()), 69;
    if (!attempt) return std::fprintf(stderr, "already running, pid %d\n", static_cast<int>(attempt.holder().pid)), 75;
    const mato::instance_lock lock = *std::move(attempt); // held until main returns or the process dies
    std::puts("this is the only instance; it ends at the end of its input");
    std::fflush(stdout);
    while (std::getchar() != EOF) {
    }
}
