// A worker with its own event loop that finishes its work when it is asked to stop. It uses only signals and shutdown, no asio.
// Notice: no code runs in a signal handler. Signals are read from a descriptor that poll(2) waits for together with others, so
// the code for them may allocate, lock and print. The first TERM or INT begins the stop; a second one, or the end of the grace
// period, forces it.
#include <mato/shutdown.hpp>
#include <mato/signals.hpp>

#include <cstdio>

using namespace std::chrono_literals;

static int say(const char* last_word, int exit_code) { return std::puts(last_word), exit_code; }

int main() {
    mato::failure why;
    auto signals = mato::default_signal_source::open(mato::make_signal_set({SIGTERM, SIGINT}), why);
    if (why) return std::fprintf(stderr, "%s\n", why.message().c_str()), 69;
    mato::graceful_then_force shutdown(5s);
    auto give_up = mato::deadline::in(24h);
    bool stopping = false, has_work = true; // the work: reading the input to its end
    std::puts("working");
    while (has_work || !stopping) {
        std::fflush(stdout);
        pollfd ready[] = {{signals.native_handle(), POLLIN, 0}, {has_work ? 0 : -1, POLLIN, 0}};
        mato::sys::poll(ready, 2, give_up.poll_timeout());
        while (signals.try_next()) switch (shutdown.requested()) {
            case mato::stop_action::begin:
                stopping = true;
                give_up = mato::deadline::in(shutdown.grace());
                std::puts("stopping when the work is done");
                break;
            case mato::stop_action::force: return say("forced", 1);
            case mato::stop_action::none: break;
            }
        if (stopping && give_up.passed()) return say("forced: the work took too long", 1);
        char line[256];
        if (ready[1].revents) has_work = mato::sys::read(0, line, sizeof line) > 0;
    }
    return say("stopped", 0);
}
