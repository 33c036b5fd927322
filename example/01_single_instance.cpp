// A program that runs once per directory: the lock alone, without daemon, asio or anything else of the toolkit.
// Notice: the loser is told who won and changes nothing; kill -9 frees the lock, for it is the kernel's, not the file's.
#include <mato/lock.hpp>

#include <cstdio>

int main(int argc, char** argv) {
    if (argc != 2) return 64;
    mato::failure why;
    auto attempt = mato::instance_lock::try_acquire(std::string(argv[1]) + "/app.lock", why);
    if (why) return std::fprintf(stderr, "%s\n", why.message().c_str()), 69;
    if (!attempt) return std::fprintf(stderr, "already running, pid %d\n", static_cast<int>(attempt.holder().pid)), 75;

    const mato::instance_lock lock = *std::move(attempt); // until the end of main, or of the process
    std::puts("the only one; end my input to end me");
    std::fflush(stdout);
    while (std::getchar() != EOF) {
    }
}
