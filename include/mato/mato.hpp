// SPDX-License-Identifier: MIT
/// @file mato.hpp: the whole toolkit; a table of contents.
/// Layer: 4 (composition).
/// To compile faster, include single headers: layers 0 to 2 (except config.hpp) need neither asio nor toml++.
/// Define `MATO_WITH_TOML` before the include to add config.hpp, which needs toml++.
#pragma once

#include "version.hpp"

// 1: vocabulary
#include "callback.hpp"
#include "clock.hpp"
#include "error.hpp"
#include "printable.hpp"
#include "scope_exit.hpp"
#include "sys.hpp"
#include "sys_memory.hpp"
#include "sys_process.hpp"
#include "sys_watch.hpp"
#include "unique_fd.hpp"
#include "unix_address.hpp"
#include "upgrade.hpp"

// 2: policies
#include "correlation.hpp"
#include "detach.hpp"
#include "endpoint.hpp"
#include "framing.hpp"
#include "handover.hpp"
#include "lock.hpp"
#include "log.hpp"
#include "overflow.hpp"
#include "peer.hpp"
#include "pid_file.hpp"
#include "readiness.hpp"
#include "retry.hpp"
#include "shutdown.hpp"
#include "signals.hpp"
#include "status.hpp"
#ifdef MATO_WITH_TOML
#include "config.hpp"
#endif

// 3: mechanisms
#include "broadcast.hpp"
#include "child.hpp"
#include "connection.hpp"
#include "descriptors.hpp"
#include "fan_out.hpp"
#include "file_watch.hpp"
#include "frame_ring.hpp"
#include "keeper.hpp"
#include "kept.hpp"
#include "key_index.hpp"
#include "listener.hpp"
#include "memory_file.hpp"
#include "orphan_reaper.hpp"
#include "outbox.hpp"
#include "partial_frames.hpp"
#include "privileges.hpp"
#include "read_journal.hpp"
#include "read_limits.hpp"
#include "selection.hpp"
#include "server.hpp"
#include "session.hpp"
#include "shared_path.hpp"
#include "spawn.hpp"
#include "subscriber.hpp"
#include "subscription.hpp"
#include "system_log.hpp"
#include "two_slots.hpp"

// 4: composition
#include "async_client.hpp"
#include "client.hpp"
#include "daemon.hpp"
#include "policies.hpp"
#include "service.hpp"
