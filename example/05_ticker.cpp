// A daemon that sends a counter to any number of clients: each tick is encoded and stored once, for all of them.
// Notice: a client that stops reading does not affect the others. Its queue is bounded; when it is full, the client is closed.
#include <mato/broadcast.hpp>
#include <mato/daemon.hpp>

using namespace std::chrono_literals;
using namespace mato::literals;

struct policies : mato::default_policies {
    using detach = mato::double_fork;
    using framing = mato::line<>; // so that `socat - UNIX-CONNECT:…` can be a client
};
using ticker_daemon = mato::basic_daemon<policies>;

class ticker {
public:
    explicit ticker(ticker_daemon& daemon) : timer_(daemon.context()), watchers_(daemon.context(), 256_KiB) {
        daemon.server().on.on_opened = [this](const ticker_daemon::session_ptr& session) {
            session->established(); // clients need not send anything
            mato::disconnect slow;
            slow.hard = 64_KiB; // limit of ticks that the client has not read
            watchers_.subscribe(session, slow);
        };
        tick();
    }

private:
    void tick() {
        watchers_.publish("tick " + std::to_string(++count_));
        timer_.expires_after(10ms);
        timer_.async_wait([this](std::error_code cancelled) {
            if (!cancelled) tick();
        });
    }

    asio::steady_timer timer_;
    mato::basic_broadcast<ticker_daemon::session> watchers_;
    long count_ = 0;
};

int main(int argc, char** argv) {
    if (argc != 2) return mato::exit_code::usage;
    mato::daemon_options options;
    options.paths = mato::daemon_paths::in(argv[1]);
    return ticker_daemon::run(options, [](ticker_daemon& daemon) { daemon.keep(std::make_shared<ticker>(daemon)); });
}
