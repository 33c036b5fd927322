// A daemon that starts once, in the background, tells the truth about starting, and echoes frames to any number of clients.
// Notice: `run` returns only when the daemon serves, or with its own error; a second start exits 75 and names the pid.
#include <mato/daemon.hpp>

struct policies : mato::default_policies {
    using detach = mato::double_fork;
};
using echo_daemon = mato::basic_daemon<policies>;

int main(int argc, char** argv) {
    if (argc != 2) return mato::exit_code::usage;
    mato::daemon_options options;
    options.paths = mato::daemon_paths::in(argv[1]); // a private directory, made if missing
    return echo_daemon::run(options, [](echo_daemon& daemon) {
        daemon.server().on.on_frame = [](const echo_daemon::session_ptr& session, std::string_view frame) {
            session->established(); // the handshake of this protocol is its first frame
            session->send(frame);
        };
    });
}
