// SPDX-License-Identifier: MIT
// A typical user's program, built in every supported way: a daemon, its client and its lock, in one run.
#include <mato/mato.hpp>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

namespace {

using upper_daemon = mato::basic_daemon<>;

void serve(upper_daemon& daemon) {
    daemon.server().on.on_frame = [&daemon](const upper_daemon::session_ptr& session, std::string_view frame) {
        session->established();
        if (frame == "stop") return daemon.request_stop();
        std::string answer(frame);
        for (char& c : answer) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
        session->send(answer);
    };
}

int failed(const char* what, const mato::failure& why = {}) {
    std::fprintf(stderr, "consumer: %s: %s\n", what, why.message().c_str());
    return 1;
}

} // namespace

int main() {
    using namespace std::chrono_literals;
    char name[] = "/tmp/mato-consumer-XXXXXX";
    if (!::mkdtemp(name)) return failed("mkdtemp");
    mato::daemon_options options;
    options.paths = mato::daemon_paths::in(name);

    mato::failure why;
#ifdef MATO_WITH_TOML
    struct settings {
        int answer = 0;
    };
    mato::config::schema<settings> keys;
    keys.field("answer", &settings::answer);
    if (keys.parse("answer = 42", "consumer.toml", {}, why).answer != 42) return failed("configuration", why);
#endif
    const auto until = mato::deadline::in(30s);
    auto client = mato::client::connect_or_start(
        options.paths, until, [&] { return upper_daemon::launch(options, serve); }, why);
    if (why) return failed("connect or start", why);
    client.send("hello", until, why);
    const auto answer = why ? std::nullopt : client.receive(until, why);
    if (why || *answer != "HELLO") return failed("ask", why);

    if (const auto attempt = mato::instance_lock::try_acquire(options.paths.lock, why); attempt || why)
        return failed("the daemon does not hold its lock", why);
    client.send("stop", until, why);
    if (!why) static_cast<void>(client.receive(until, why));
    if (why.code != mato::errc::closed) return failed("stop", why);
    mato::instance_lock lock = mato::instance_lock::acquire(options.paths.lock); // the daemon has stopped, and its lock is free
    lock.release();
    std::filesystem::remove(options.paths.log);
    if (!std::filesystem::remove(name)) return failed("something is left in the directory");
    std::puts("consumer: served and stopped, " MATO_VERSION_STRING);
}
