// A daemon with a configuration that can be reloaded and a status that can be requested, and its client:
//   06_reload_and_status DIRECTORY start | status | reload | stop | NAME
// Notice: an invalid file changes nothing, and the client that requested the reload gets line, column and reason.
#include <mato/client.hpp>
#include <mato/config.hpp>
#include <mato/daemon.hpp>
#include <mato/status.hpp>

struct settings {
    std::string greeting = "hello";
    int most = 100;
};

static int report(const mato::failure& why) {
    if (why) std::fprintf(stderr, "%s\n", why.message().c_str());
    return mato::exit_code_for(why.code);
}

static int start(const mato::daemon_options& options) {
    mato::config::schema<settings> keys;
    keys.field("greeting", &settings::greeting).field("most", &settings::most);
    auto config = std::make_shared<mato::config::reloadable<settings>>(keys, options.paths.file("config.toml"));
    mato::failure invalid;
    config->reload(invalid); // in the starter, so that the user sees errors on the terminal
    if (invalid) return report(invalid);
    const auto outcome = mato::daemon::launch(options, [config](mato::daemon& self) {
        self.on.on_reload = [config](mato::error_out out) { config->reload(out); }; // also called for SIGHUP
        self.server().on.on_frame = [&self, config, age = mato::usage_meter<>(), greeted = 0](auto& client, auto word) mutable {
            client->established(); // the first frame is the handshake of this protocol
            std::string answer = "enough";
            if (word == "stop") return self.request_stop();
            if (word == "reload") {
                mato::failure why;
                self.reload(why);
                answer = why ? why.message() : "reloaded";
            } else if (word == "status") {
                answer = mato::format_duration(age.ask().uptime) + ", greeted " + std::to_string(greeted);
            } else if (greeted < (*config)->most) {
                answer = (*config)->greeting + ", " + std::string(word);
                ++greeted;
            }
            client->send(answer);
        };
    });
    return report(outcome.why);
}

int main(int argc, char** argv) {
    if (argc != 3) return mato::exit_code::usage;
    mato::daemon_options options;
    options.paths = mato::daemon_paths::in(argv[1]);
    if (std::string_view(argv[2]) == "start") return start(options);
    mato::failure why;
    const auto until = mato::deadline::in(std::chrono::seconds(5));
    auto daemon = mato::client::connect(mato::owned_path(options.paths.socket), until, why);
    if (!why) daemon.send(argv[2], until, why);
    if (const auto answer = why ? std::nullopt : daemon.receive(until, why)) std::printf("%s\n", std::string(*answer).c_str());
    return why.code == mato::errc::closed ? 0 : report(why); // closed: the daemon has stopped
}
