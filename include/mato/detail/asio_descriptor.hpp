// SPDX-License-Identifier: MIT
/// @file asio_descriptor.hpp: waiting for descriptors with standalone asio or Boost.Asio.
/// Layer: 3 (asio).  Test: test/matrix.sh.
/// Threads: as asio.   Blocks: never.
#pragma once

#include "abi.hpp"
#include "needs_asio.hpp"

#if MATO_HAS_BOOST_ASIO
#include <boost/asio/posix/stream_descriptor.hpp>
#else
#include <asio/posix/stream_descriptor.hpp>
#endif
