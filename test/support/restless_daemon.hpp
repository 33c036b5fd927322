// SPDX-License-Identifier: MIT
/// @file restless_daemon.hpp: a mato daemon whose keeper starts a worker after any number of deaths, without a pause. The usual
/// one rests after eight deaths in a minute.
#pragma once

#include "client/launch.hpp"
#include "daemon/multiplexer.hpp"

#include "child_process.hpp"
#include "mato_world.hpp"

#include <memory>
#include <utility>

namespace support {

/// A child process that becomes the keeper, with the configuration of `world`. `exit_empty` does not apply.
[[nodiscard]] inline child_process restless_daemon(const mato_world& world) {
    return child_process([&world] {
        mato::daemon_options options;
        options.paths = mato::daemon_paths::in(world.state().native());
        options.restarts = {mato::unlimited, mato::milliseconds(60'000), mato::milliseconds(0)};
        mato::failure why;
        const auto setup = [&](mux::multiplexer_daemon& host) {
            mux::set_process_title("mato: daemon");
            mato::config::reloadable<mux::settings> read(mux::settings_schema(), world.config_file().native());
            if (std::filesystem::exists(world.config_file())) read.reload(why);
            host.keep(std::make_shared<mux::multiplexer>(
                host, mux::multiplexer_options{std::move(read), world.environment_with({}), mux::own_limits(), true}));
        };
        const int code = mux::multiplexer_daemon::serve(options, setup, why);
        return why ? 1 : code;
    });
}

} // namespace support
