// SPDX-License-Identifier: MIT
// expect: policies::lock is not a lock mechanism, see lock.hpp
// expect: policies::pid is not a pid registry, see pid_file.hpp
// expect: policies::signals is not a signal source, see signals.hpp
// expect: policies::shutdown is not a shutdown policy, see shutdown.hpp
// expect: policies::detach is not a detach policy, see detach.hpp
// expect: policies::handover is not a handover policy, see handover.hpp
// expect: policies::endpoint is not an endpoint policy, see endpoint.hpp
// expect: policies::framing is not a framing policy, see framing.hpp
// expect: policies::correlation is not a correlation policy, see correlation.hpp
// expect: policies::overflow is not an overflow policy, see overflow.hpp
// expect: policies::log is not a log sink, see log.hpp
// expect: policies::backoff is not a backoff policy, see retry.hpp
#include <mato/policies.hpp>

#ifdef FIXED
#define WRONG(right) mato::right
#else
#define WRONG(right) int
#endif
// Each line has one wrong policy; `peer` is tested in bundle_wrong_peer.cpp, through the client.
struct bad_lock : mato::default_policies {
    using lock = WRONG(null_lock);
};
struct bad_pid : mato::default_policies {
    using pid = WRONG(no_pid_file);
};
struct bad_signals : mato::default_policies {
    using signals = WRONG(manual_source);
};
struct bad_shutdown : mato::default_policies {
    using shutdown = WRONG(immediate);
};
struct bad_detach : mato::default_policies {
    using detach = WRONG(double_fork);
};
struct bad_handover : mato::default_policies {
    using handover = WRONG(no_handover);
};
struct bad_endpoint : mato::default_policies {
    using endpoint = WRONG(owned_path);
};
struct bad_framing : mato::default_policies {
    using framing = WRONG(line<>);
};
struct bad_correlation : mato::default_policies {
    using correlation = WRONG(numbered);
};
struct bad_overflow : mato::default_policies {
    using overflow = WRONG(disconnect);
};
struct bad_log : mato::default_policies {
    using log = WRONG(null_log);
};
struct bad_backoff : mato::default_policies {
    using backoff = WRONG(exponential_backoff);
};

template struct mato::detail::require_policies<bad_lock>;
template struct mato::detail::require_policies<bad_pid>;
template struct mato::detail::require_policies<bad_signals>;
template struct mato::detail::require_policies<bad_shutdown>;
template struct mato::detail::require_policies<bad_detach>;
template struct mato::detail::require_policies<bad_handover>;
template struct mato::detail::require_policies<bad_endpoint>;
template struct mato::detail::require_policies<bad_framing>;
template struct mato::detail::require_policies<bad_correlation>;
template struct mato::detail::require_policies<bad_overflow>;
template struct mato::detail::require_policies<bad_log>;
template struct mato::detail::require_policies<bad_backoff>;
