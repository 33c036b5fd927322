// A daemon of a service account that serves the members of a group, and its client.
// Usage: 11_shared_service DIRECTORY GROUP serve | ask ACCOUNT'S-UID
// Notice: the directory and the socket's mode decide who can connect at all; the peer policy decides by the kernel's
// credentials who is served; and the client checks the account, because another user may have been first under that path.
#include <mato/client.hpp>
#include <mato/daemon.hpp>
#include <mato/shared_path.hpp>

#include <cstdio>
#include <cstdlib>
#include <cstring>

struct service : mato::default_policies {
    using endpoint = mato::shared_path;
    using peer = mato::either<mato::same_user_or_root, mato::group_member>; // set_peer names the group
};
using time_daemon = mato::basic_daemon<service>;

static int ask(const mato::daemon_paths& paths, uid_t account) {
    mato::failure why;
    const auto until = mato::deadline::in(std::chrono::seconds(5));
    const mato::shared_path where(paths.socket);
    auto daemon = mato::basic_client<service>::connect(where, mato::uid_set{{account}}, until, why);
    if (!why) daemon.send("time", until, why);
    const auto answer = why ? std::nullopt : daemon.receive(until, why);
    if (!answer) return std::fprintf(stderr, "%s\n", why.message().c_str()), mato::exit_code_for(why.code);
    std::printf("%s\n", std::string(*answer).c_str());
    return mato::exit_code::ok;
}

int main(int argc, char** argv) {
    if (argc < 4) return mato::exit_code::usage;
    mato::daemon_options options;
    options.paths = mato::daemon_paths::in(argv[1]); // root's or the account's, open to others: mode 0755, or 0750
    if (argc == 5 && std::strcmp(argv[3], "ask") == 0) return ask(options.paths, static_cast<uid_t>(std::atoi(argv[4])));

    mato::failure why;
    const gid_t clients = mato::group_named(argv[2], why);
    if (why) return std::fprintf(stderr, "%s\n", why.message().c_str()), mato::exit_code::usage;
    options.publish = {.mode = 0660, .group = clients};
    return time_daemon::run(options, [clients](time_daemon& daemon) {
        daemon.set_peer({{}, {clients}});
        daemon.server().on.on_frame = [](const time_daemon::session_ptr& session, std::string_view) {
            session->established();
            session->send("uid " + std::to_string(session->peer().uid) + " asked at " + std::to_string(std::time(nullptr)));
        };
    });
}
