// Going to the background with the separate parts: lock, detach, readiness and pid file. daemon.hpp combines them for you.
// Notice: the starter waits for the daemon's report and exits with it: 0 for ready, or the daemon's own error. A daemon that
// dies before it is ready sends no report, and that is never taken for success.
#include <mato/policies.hpp>

#include <cstdio>

using namespace std::chrono_literals;

static int report(const mato::failure& why) {
    if (why) std::fprintf(stderr, "%s\n", why.message().c_str());
    return mato::exit_code_for(why.code);
}

int main(int argc, char** argv) {
    if (argc != 2) return mato::exit_code::usage;
    const auto paths = mato::daemon_paths::in(argv[1], "app"); // absolute, because the daemon's working directory is "/"
    mato::failure why;
    mato::reserve_standard_descriptors(why);
    if (!why) mato::make_private_directory(paths.directory(), why);
    if (why) return report(why);
    auto lock = mato::instance_lock::acquire(paths.lock, why);
    if (why) return report(why);
    auto pipe = mato::readiness_pipe::open(why);
    if (why) return report(why);

    const int keep[] = {lock.native_handle(), pipe.starter_fd(), pipe.daemon_fd()};
    if (mato::double_fork::detach({keep}, why) == mato::detach_role::starter) {
        pipe.become_starter(); // closes the write end, so that the daemon's death is noticed
        lock.abandon();        // the daemon owns it now
        if (!why) pipe.wait(mato::deadline::in(10s), why);
        return report(why);
    }

    pipe.become_daemon();
    mato::default_signal_source signals;
    mato::pid_file pid;
    if (!why) lock.adopt(why);
    if (!why) signals = mato::default_signal_source::open(mato::make_signal_set({SIGTERM}), why);
    if (!why) pid = mato::pid_file::create(paths.pid, why);
    if (why) return pipe.fail(why), 1;
    pipe.ready();
    for (pollfd ready{signals.native_handle(), POLLIN, 0}; !signals.try_next();) mato::sys::poll(&ready, 1, -1);
} // destroyed in reverse order: pid file, signals, lock
