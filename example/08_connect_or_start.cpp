// A client that connects to its daemon, or starts it first, and sends one request. Others may do the same at the same time.
// Notice: `launch` is called under a lock, after a second attempt to connect, so a hundred such clients start one daemon.
#include <mato/client.hpp>
#include <mato/daemon.hpp>

#include <cctype>

using namespace std::chrono_literals;
using upper_daemon = mato::basic_daemon<>;

static void serve(upper_daemon& daemon) {
    daemon.server().on.on_frame = [](const upper_daemon::session_ptr& session, std::string_view frame) {
        std::string answer(frame);
        for (char& c : answer) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
        session->established();
        session->send(answer);
    };
}

int main(int argc, char** argv) {
    if (argc != 3) return mato::exit_code::usage;
    mato::daemon_options options;
    options.paths = mato::daemon_paths::in(argv[1]);

    mato::failure why;
    const auto until = mato::deadline::in(10s);
    auto client = mato::client::connect_or_start(
        options.paths, until, [&] { return upper_daemon::launch(options, serve); }, why);
    if (!why) client.send(argv[2], until, why);
    if (const auto answer = why ? std::nullopt : client.receive(until, why)) std::printf("%s\n", std::string(*answer).c_str());
    if (!why) return 0;
    std::fprintf(stderr, "%s\n", why.message().c_str());
    return mato::exit_code_for(why.code);
}
