// A supervisor: runs a program, starts it again when it fails, and ends it with itself. Clients see its state.
// Usage: 12_supervisor DIRECTORY PROGRAM [ARGUMENT...]
// Notice: the program starts with default signals, no descriptor of the daemon, and its own process group. It is awaited by a
// pidfd, so it does not matter what else the daemon's process has as children.
#include <mato/child.hpp>
#include <mato/daemon.hpp>

#include <memory>

static std::string state_of(const mato::child& program) {
    if (!program.is_running()) return "waits, started " + std::to_string(program.starts()) + " times";
    return "runs, pid " + std::to_string(program.pid()) + ", started " + std::to_string(program.starts()) + " times";
}

int main(int argc, char** argv) {
    if (argc < 3) return mato::exit_code::usage;
    mato::daemon_options options;
    options.paths = mato::daemon_paths::in(argv[1]);
    mato::spawn_options what{.program = argv[2], .arguments = {argv + 3, argv + argc}};
    return mato::daemon::run(options, [what](mato::daemon& daemon) {
        const mato::child_restart again{.when = mato::child_restart::kind::after_failure, .most = 10};
        const auto program = std::make_shared<mato::child>(daemon.context(), what, again);
        daemon.keep(program); // destroyed, and so killed, before the loop
        program->on.on_ended = [&daemon](const mato::child_status& how, std::optional<mato::milliseconds> wait) {
            daemon.log().warning("the program ended: exit code " + std::to_string(how.exit_code) + ", signal " +
                                 std::to_string(how.signal) + (wait ? "; it is started again" : ""));
            if (!wait && !daemon.is_stopping()) daemon.request_stop();
        };
        program->on.on_gave_up = [&daemon](const mato::failure& why) { daemon.log().error(why.message()); };
        daemon.on.on_stop = [&daemon, part = program.get()] {
            part->stop(std::chrono::seconds(5), [&daemon] { daemon.stopped(); }); // SIGTERM, then SIGKILL
        };
        daemon.server().on.on_frame = [part = program.get()](const mato::daemon::session_ptr& session, std::string_view) {
            session->established();
            session->send(state_of(*part));
        };
        mato::failure why;
        program->start(why);
        if (why) throw mato::error(why); // the start of the daemon fails with it
    });
}
