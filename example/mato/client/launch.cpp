// SPDX-License-Identifier: MIT
#include "launch.hpp"

#include "cli.hpp"
#include "daemon/multiplexer.hpp"
#include "daemon/recovery.hpp"
#include "protocol/process_title.hpp"

#include <unistd.h>

#include <memory>
#include <utility>

namespace mux {
namespace {

/// A service manager knows the pid and keeps stderr.
void let_manager_keep(mato::daemon_paths& paths) {
    paths.pid.clear();
    paths.log.clear();
}

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
    auto options = daemon_options_for(paths, *configuration);
    options.upgrade.arguments = worker_arguments{paths, own_limits(), false, false}.encode();
    auto setup = setup_with(multiplexer_options{std::move(configuration), own_environment(), own_limits(), false});
    auto named_setup = [setup = std::move(setup)](multiplexer_daemon& host) mutable {
        set_process_title("mato: daemon"); // it was forked from a client, with its command line
        setup(host);
    };
    return multiplexer_daemon::launch(options, std::move(named_setup), [&] {
        if (meanwhile) meanwhile();
    });
}

int serve_next(const worker_arguments& how, const mato::worker_environment& from, mato::error_out out) {
    mato::failure wrong; // after a crash the defaults are better than no daemon
    auto configuration = read_configuration(how.paths, wrong);
    const bool may_refuse = from.commit >= 0;
    if (wrong && may_refuse) {
        mato::refuse_to_take_over(from, wrong);
        return out.set(std::move(wrong)), mato::exit_code::bad_config;
    }
    auto options = daemon_options_for(how.paths, *configuration);
    options.survive = true;
    options.worker = from;
    options.service = mato::take_service_environment(out);
    if (out.failed()) return mato::exit_code::usage;
    if (how.is_managed) let_manager_keep(options.paths);
    multiplexer_options wanted{std::move(configuration), own_environment(), how.limits, how.stays_when_empty};
    auto serve = [wanted = std::move(wanted)](multiplexer_daemon& host) mutable {
        set_process_title("mato: daemon");
        auto begin = [&host, wanted = std::move(wanted)]() mutable {
            host.keep(std::make_shared<multiplexer>(host, std::move(wanted)));
        };
        if (host.generation().reason != mato::generation::why::upgraded) return begin();
        mato::failure why; // until this program has taken over, it changes nothing
        try_to_take_back(host, why);
        if (why) throw mato::error(why);
        host.on.on_taken_over = std::move(begin);
    };
    return multiplexer_daemon::serve(options, std::move(serve), out);
}

int serve_in_foreground(const program_paths& paths) {
    mato::failure why;
    auto configuration = read_configuration(paths, why);
    if (why) throw command_failure{mato::exit_code_for(why.code), why.message()};
    auto options = daemon_options_for(paths, *configuration);
    options.service = mato::take_service_environment(why); // before the environment for tabs is copied
    if (why) throw command_failure{mato::exit_code_for(why.code), why.message()};
    const bool is_managed = static_cast<bool>(options.service);
    if (is_managed) let_manager_keep(options.paths);
    options.upgrade.arguments = worker_arguments{paths, own_limits(), true, is_managed}.encode();
    const int code = multiplexer_daemon::serve(
        options, setup_with(multiplexer_options{std::move(configuration), own_environment(), own_limits(), true}), why);
    if (why) throw command_failure{mato::exit_code_for(why.code), why.message()};
    return code;
}

} // namespace mux
