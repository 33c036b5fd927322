// A client on an event loop, with any number of requests in flight. If no daemon runs, it starts one.
// Usage: 14_async_client DIRECTORY DAEMON COUNT, for example 14_async_client /tmp/echo ./04_echo_daemon 1000
// Notice: every request completes exactly once, with its answer or with an error, also when the daemon is killed meanwhile.
#include <mato/async_client.hpp>
#include <mato/child.hpp>

#include <cstdio>
#include <cstdlib>

int main(int argc, char** argv) {
    if (argc != 4) return mato::exit_code::usage;
    const auto paths = mato::daemon_paths::in(argv[1]);
    asio::io_context context;
    mato::async_client client(context, mato::owned_path(paths.socket));
    mato::child starter(context, {.program = argv[2], .arguments = {argv[1]}}); // ends when the daemon serves
    client.start_with(paths, [&](const mato::start_reply& reply) {
        starter.on.on_ended = [reply](const mato::child_status& how, auto) {
            if (how.exit_code == 0) return reply({});
            reply({mato::errc::not_ready, "start the daemon", {}, "exit code " + std::to_string(how.exit_code)});
        };
        mato::failure why;
        starter.start(why);
        if (why) reply(why);
    });

    mato::failure lost;
    client.on.on_disconnected = [&](const mato::failure& why) { lost = why; };
    const int count = std::atoi(argv[3]);
    int answered = 0, failed = 0;
    for (int i = 0; i < count; ++i)
        client.async_request("request " + std::to_string(i), [&](std::error_code why, const std::string&) {
            ++(why ? failed : answered);
            if (answered + failed == count) client.close(); // without a connection run() returns
        });
    context.run();
    std::printf("answered %d, failed %d\n", answered, failed);
    if (lost) std::fprintf(stderr, "%s\n", lost.message().c_str());
    return failed == 0 ? 0 : mato::exit_code_for(lost.code);
}
