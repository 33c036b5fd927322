// A daemon that starts only once, in the background, reports the result of its start, and echoes frames to any client.
// Notice: `run` returns when the daemon is ready, or with its error; a second start exits with 75 and prints the pid.
#include <mato/daemon.hpp>

struct policies : mato::default_policies {
    using detach = mato::double_fork;
};
using echo_daemon = mato::basic_daemon<policies>;

int main(int argc, char** argv) {
    if (argc != 2) return mato::exit_code::usage;
    mato::daemon_options options;
    options.paths = mato::daemon_paths::in(argv[1]); // a private directory, created if missing
    return echo_daemon::run(options, [](echo_daemon& daemon) {
        daemon.server().on.on_frame = [](const echo_daemon::session_ptr& session, std::string_view frame) {
            session->established(); // the handshake of this protocol is its first frame
            session->send(frame);
        };
    });
}
