// SPDX-License-Identifier: MIT
/// @file upgradable_daemon.cpp: a counting daemon with a keeper, whose next program fails as the file "behaviour" in its
/// directory says. DIRECTORY is its argument.
#include <mato/daemon.hpp>
#include <mato/keeper.hpp>

#include <asio/post.hpp>

#include <csignal>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <string>

namespace {

struct policies : mato::default_policies {
    using detach = mato::double_fork;
    using handover = mato::keeper;
};
using counting = mato::basic_daemon<policies>;

[[noreturn]] void hang() {
    for (;;) ::pause();
}
[[noreturn]] void die() {
    ::kill(::getpid(), SIGKILL);
    hang();
}

std::string behaviour_in(const std::string& directory) {
    std::ifstream file(directory + "/behaviour");
    std::string line;
    std::getline(file, line);
    return line;
}

/// What the new program does in its setup.
void misbehave(counting& self, const std::string& behaviour) {
    mato::failure why;
    if (behaviour == "setup throws")
        throw mato::error({mato::errc::invalid_config, "restore", "/state", "format 7 is not known"});
    if (behaviour == "setup hangs") hang();
    if (behaviour == "setup dies") die();
    if (behaviour == "setup keeps and throws") {
        static_cast<void>(self.kept().memory("of the new program", 8, why));
        self.kept().drop("extra");
        throw mato::error({mato::errc::busy, why ? "keep" : "after it kept", {}, {}});
    }
    if (behaviour == "setup replaces") {
        self.kept().keep("extra", STDIN_FILENO, why);
        throw mato::error(why);
    }
    if (behaviour == "dies after the commit") asio::post(self.context(), [] { die(); });
}

void serve(counting& self, const std::string& directory) {
    mato::failure why;
    const auto memory = std::make_shared<mato::memory_file>(self.kept().memory("count", 8, why));
    if (!why && self.generation().number == 1) self.kept().keep("extra", STDIN_FILENO, why);
    if (why) throw mato::error(why);
    if (self.generation().reason == mato::generation::why::upgraded) misbehave(self, behaviour_in(directory));
    const auto taken_over = std::make_shared<bool>(false);
    self.on.on_taken_over = [taken_over, directory] {
        if (behaviour_in(directory) == "throws once it has taken over") throw std::runtime_error("the disk is full");
        *taken_over = true;
    };
    const auto thaws = std::make_shared<int>(0);
    self.on.on_thaw = [thaws] { ++*thaws; };
    self.on.on_freeze = [directory](mato::error_out out) {
        if (behaviour_in(directory) == "old refuses") out.set(mato::errc::busy, "freeze", {}, "not now");
        if (behaviour_in(directory) == "old dies") die();
    };
    self.server().on.on_frame = [&self, memory, thaws, taken_over](const counting::session_ptr& session,
                                                                   std::string_view frame) {
        session->established();
        if (frame == "thaws") return session->send(std::to_string(*thaws));
        if (frame == "has taken over") return session->send(*taken_over ? "yes" : "no");
        if (frame == "extra")
            return session->send(self.kept().has("extra") && !self.kept().has("of the new program") ? "yes" : "no");
        const bool is_check = frame.substr(0, 6) == "check ";
        if (is_check || frame.substr(0, 8) == "upgrade ") { // upgrade MILLISECONDS PATH
            const std::string rest(frame.substr(is_check ? 6 : 8));
            const auto end = rest.find(' ');
            mato::unique_fd program(mato::sys::open(rest.c_str() + end + 1, O_RDONLY));
            const auto until = mato::deadline::in(mato::milliseconds(std::stol(rest)));
            const auto answer = [session, is_check](const mato::upgrade_outcome& outcome) {
                session->send(!outcome ? outcome.why.message() : is_check ? "it could" : "upgraded");
            };
            return is_check ? self.check_upgrade(std::move(program), until, answer)
                            : self.upgrade(std::move(program), until, answer);
        }
        std::uint64_t count = 0;
        std::memcpy(&count, memory->bytes().data(), 8);
        ++count;
        std::memcpy(memory->bytes().data(), &count, 8);
        session->send(std::to_string(count) + " of " + std::to_string(self.generation().number));
    };
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 2) return mato::exit_code::usage;
    const std::string directory = argv[1];
    mato::failure why;
    mato::daemon_options options;
    options.worker = mato::take_worker_environment(why);
    if (why) return mato::exit_code::usage;
    if (options.worker.state >= 0) {
        const auto behaviour = behaviour_in(directory);
        if (behaviour == "cannot be the keeper") return 3;
        if (behaviour == "dies as the keeper" && !options.worker.is_check) die();
        if (behaviour == "hangs as the keeper" && options.worker.is_check) hang();
        if (behaviour == "knows no renewal") options.worker = {};
    } else if (options.worker) {
        const auto behaviour = behaviour_in(directory);
        if (behaviour == "exits") return 3;
        if (behaviour == "hangs") hang();
        if (behaviour == "dies") die();
        if (behaviour == "knows no upgrade") options.worker = {};
    }
    options.paths = mato::daemon_paths::in(directory);
    options.restarts.deaths = mato::unlimited;
    options.restarts.longest = mato::milliseconds(0);
    return counting::run(options, [directory](counting& self) { serve(self, directory); });
}
