// SPDX-License-Identifier: MIT
/// @file asio_local.hpp: Unix stream sockets of standalone asio or Boost.Asio.
/// Layer: 3 (asio).  Test: test/matrix.sh.
/// Threads: as asio.   Blocks: never.
#pragma once

#include "abi.hpp"
#include "needs_asio.hpp"

#if MATO_HAS_BOOST_ASIO
#include <boost/asio/local/stream_protocol.hpp>
#else
#include <asio/local/stream_protocol.hpp>
#endif
