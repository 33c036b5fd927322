// SPDX-License-Identifier: MIT
/// @file needs_asio.hpp: one sentence for a compiler that cannot find asio.
/// Layer: 0 (platform).  Test: test/consume/run.sh.
/// Threads: none.   Blocks: never.
///
/// A header includes it before the first header of asio; else the compiler's own message comes first.
#pragma once

#include "platform.hpp"

#if MATO_HAS_BOOST_ASIO && !__has_include(<boost/asio/io_context.hpp>)
#error "mato: Boost.Asio was not found, install it (Debian: libboost-dev) or add -I; MATO_HAS_BOOST_ASIO=0 uses standalone asio"
#endif
#if !MATO_HAS_BOOST_ASIO && !__has_include(<asio/io_context.hpp>)
#error "mato: asio was not found, install it (Debian: libasio-dev) or add -I; headers of layers 0 to 2 do not need it"
#endif
