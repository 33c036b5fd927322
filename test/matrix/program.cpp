// SPDX-License-Identifier: MIT
/// @file program.cpp: a daemon, its clients and a broadcast on one loop; compiled with many compilers and libraries by
/// test/matrix.sh. It names asio only as mato::asio, so Boost.Asio may be in its place.
#include <mato/mato.hpp>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <unistd.h>

namespace {

struct policies : mato::default_policies {
    using correlation = mato::numbered;
    using log = mato::stderr_log;
    using reload = mato::reload_on_change;
};
using daemon_type = mato::basic_daemon<policies>;

void must(const char* what, bool is_right) {
    if (is_right) return;
    std::fprintf(stderr, "%s is wrong\n", what);
    std::exit(1);
}

} // namespace

int main() {
    ::alarm(60); // whatever waits for ever is wrong
    char name[] = "/tmp/mato-matrix-XXXXXX";
    must("mkdtemp", ::mkdtemp(name) != nullptr);
    const std::string directory = name;
    mato::daemon_options options;
    options.paths = mato::daemon_paths::in(directory);
    options.level = mato::log_level::error;
    mato::asio::io_context context(1);
    std::string answer, published, ended;
    mato::failure why;
    const int code = daemon_type::serve_on(
        context, options,
        [&](daemon_type& self) {
            const auto hub = std::make_shared<mato::basic_broadcast<daemon_type::session>>(self.context());
            self.keep(hub);
            self.server().on.on_frame = [hub](const auto& session, std::string_view frame) {
                session->established();
                std::error_code malformed;
                const auto asked = mato::numbered::read(frame, malformed);
                if (asked.body == "subscribe") hub->subscribe(session);
                session->send(mato::numbered::answer(asked.number, asked.body));
                if (asked.body == "subscribe") hub->publish(mato::numbered::answer(0, "news"));
            };
            const auto client =
                std::make_shared<mato::basic_async_client<policies>>(self.context(), mato::owned_path(options.paths.socket));
            self.keep(client);
            client->on.on_frame = [&](std::string_view text) {
                published = text;
                self.request_stop();
            };
            client->async_request("hello", [&, client](std::error_code failed, const std::string& text) {
                answer = failed ? failed.message() : text;
                client->async_request("subscribe", [](std::error_code, const std::string&) {});
            });
            const auto child = std::make_shared<mato::child>(self.context(), mato::spawn_options{.program = "/bin/true"});
            self.keep(child);
            child->on.on_ended = [&](const mato::child_status& how, auto) { ended = std::to_string(how.exit_code); };
            mato::failure refused;
            child->start(refused);
        },
        why);
    if (why) std::fprintf(stderr, "%s\n", why.message().c_str());
    must("the exit code", code == 0 && !why);
    must("the answer", answer == "hello");
    must("what was published", published == "news");
    ::rmdir(name);
    std::printf("right\n");
}
