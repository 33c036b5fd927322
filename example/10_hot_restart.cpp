// An echo daemon that counts its frames and survives `kill -9` of its process: the count goes on, and no client is refused.
// The frame "upgrade PATH" replaces the process by another program in the same way; the answer is the reason if that fails.
// Notice: one line of the bundle is the keeper. The count lies in memory that the keeper holds, and so does the socket: a
// client that connects while no worker lives waits for the next one. `kill -9` the worker, not the pid in the lock file: that
// is the keeper.
#include <mato/daemon.hpp>
#include <mato/keeper.hpp>

#include <cstdint>
#include <memory>

struct policies : mato::default_policies {
    using detach = mato::single_fork; // the keeper stays a child of the starter, which ends
    using handover = mato::keeper;
};
using counting_daemon = mato::basic_daemon<policies>;

/// A number in a memory file: of this process, and of the ones after it.
class counter {
public:
    explicit counter(mato::memory_file memory) : memory_(std::move(memory)) {}
    std::uint64_t next() { return ++*reinterpret_cast<std::uint64_t*>(memory_.bytes().data()); }

private:
    mato::memory_file memory_;
};

static void serve(counting_daemon& daemon) {
    mato::failure why;
    auto memory = daemon.kept().memory("count", sizeof(std::uint64_t), why); // of the generation before, or new
    if (why) throw mato::error(why);
    const auto count = std::make_shared<counter>(std::move(memory));
    daemon.server().on.on_frame = [&daemon, count](const counting_daemon::session_ptr& session, std::string_view frame) {
        session->established();
        if (frame.starts_with("upgrade ")) {
            mato::unique_fd program(mato::sys::open(std::string(frame.substr(8)).c_str(), O_RDONLY));
            const auto until = mato::deadline::in(std::chrono::seconds(10));
            return daemon.upgrade(std::move(program), until, [session](const mato::upgrade_outcome& outcome) {
                if (!outcome) session->send(outcome.why.message());
            });
        }
        const std::string number = std::to_string(count->next()) + " of generation ";
        session->send(number + std::to_string(daemon.generation().number) + ": " + std::string(frame));
    };
}

int main(int argc, char** argv) {
    if (argc != 2) return mato::exit_code::usage;
    mato::failure why;
    mato::daemon_options options;
    options.worker = mato::take_worker_environment(why); // empty, but in a program that replaces another
    options.paths = mato::daemon_paths::in(argv[1]);
    options.restarts.deaths = mato::unlimited; // it is killed for show; usually eight deaths in a minute are too many
    options.restarts.longest = mato::milliseconds(0);
    return counting_daemon::run(options, serve);
}
