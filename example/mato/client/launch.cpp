// SPDX-License-Identifier: MIT
#include "launch.hpp"

#include "cli.hpp"
#include "daemon/multiplexer.hpp"
#include "protocol/process_title.hpp"

#include <unistd.h>

#include <memory>
#include <utility>

namespace mux {
namespace {

mato::daemon_options daemon_options_for(const program_paths& paths, const settings& configured) {
    mato::daemon_options options;
    options.paths = paths.daemon;
    options.level = configured.log_level;
    options.log = {configured.log_max_bytes, configured.log_keep};
    options.survive = configured.survive;
    return options;
}

/// Read while the user can still see an error. @errors as config::schema::load.
mato::config::reloadable<settings> read_configuration(const program_paths& paths, mato::error_out out) {
    mato::config::reloadable<settings> configuration(settings_schema(), paths.config);
    if (!paths.config.empty()) configuration.reload(out);
    return configuration;
}

template <class Options> auto setup_with(Options options) {
    return [options = std::move(options)](multiplexer_daemon& host) mutable {
        if (has_keeper(host)) set_process_title("mato: daemon"); // it was forked from the keeper, with its name
        host.keep(std::make_shared<multiplexer>(host, std::move(options)));
    };
}

} // namespace

std::vector<std::string> own_environment() {
    std::vector<std::string> result;
    for (char** each = environ; each && *each; ++each) result.emplace_back(*each);
    return result;
}

mato::start_outcome launch_daemon(const program_paths& paths, const std::function<void()>& meanwhile) {
    mato::start_outcome outcome;
    auto configuration = read_configuration(paths, outcome.why);
    if (outcome.why) return outcome;
    const auto options = daemon_options_for(paths, *configuration);
    auto setup = setup_with(multiplexer_options{std::move(configuration), own_environment(), own_limits(), false});
    auto named_setup = [setup = std::move(setup)](multiplexer_daemon& host) mutable {
        set_process_title("mato: daemon"); // it was forked from a client, with its command line
        setup(host);
    };
    return multiplexer_daemon::launch(options, std::move(named_setup), [&] {
        if (meanwhile) meanwhile();
    });
}

int serve_in_foreground(const program_paths& paths) {
    mato::failure why;
    auto configuration = read_configuration(paths, why);
    if (why) throw command_failure{mato::exit_code_for(why.code), why.message()};
    auto options = daemon_options_for(paths, *configuration);
    options.service = mato::take_service_environment(why); // before the environment for tabs is copied
    if (why) throw command_failure{mato::exit_code_for(why.code), why.message()};
    if (options.service) { // the service manager knows the pid and keeps stderr
        options.paths.pid.clear();
        options.paths.log.clear();
    }
    const int code = multiplexer_daemon::serve(
        options, setup_with(multiplexer_options{std::move(configuration), own_environment(), own_limits(), true}), why);
    if (why) throw command_failure{mato::exit_code_for(why.code), why.message()};
    return code;
}

} // namespace mux
