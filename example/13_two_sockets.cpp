// A daemon with two sockets: a counter for every client, and its administration for root and the own user alone.
// Usage: 13_two_sockets DIRECTORY
// Notice: the second server publishes with the daemon's lock, so it has the same guarantee: no socket of a running daemon is
// replaced. Each session has its own data, and clients that send nothing for a minute are closed.
#include <mato/daemon.hpp>

#include <memory>

struct policies : mato::default_policies {
    using peer = mato::same_user_or_root;
};
using counter = mato::basic_daemon<policies>;
struct visits {
    int here = 0;
};

int main(int argc, char** argv) {
    if (argc != 2) return mato::exit_code::usage;
    mato::daemon_options options;
    options.paths = mato::daemon_paths::in(argv[1]);
    options.limits.idle = std::chrono::minutes(1);
    return counter::run(options, [](counter& daemon) {
        const auto total = std::make_shared<int>(0);
        daemon.server().on.on_frame = [total](const counter::session_ptr& session, std::string_view) {
            session->established();
            const int here = ++session->data<visits>().here; // this client's own
            session->send(std::to_string(here) + " of " + std::to_string(++*total));
        };
        const auto admin = std::make_shared<mato::server>(daemon.context());
        daemon.keep(admin);
        admin->on.on_frame = [&daemon, total](const mato::server::session_ptr& session, std::string_view command) {
            session->established();
            if (command == "reset") *total = 0;
            if (command == "stop") daemon.request_stop();
            session->send("clients " + std::to_string(daemon.server().size()) + ", total " + std::to_string(*total));
        };
        mato::failure why;
        const mato::publish_options publish;
        admin->listen(mato::owned_path(daemon.options().paths.file("admin.sock")), {}, daemon.lock(), publish, why);
        if (why) throw mato::error(why); // the start fails with it
    });
}
