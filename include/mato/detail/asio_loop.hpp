// SPDX-License-Identifier: MIT
/// @file asio_loop.hpp: the event loop, timers and errors of standalone asio or Boost.Asio, as mato::asio.
/// Layer: 3 (asio).  Test: test/matrix.sh.
/// Threads: as asio.   Blocks: never.
#pragma once

#include "abi.hpp"
#include "needs_asio.hpp"

#if MATO_HAS_BOOST_ASIO
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#else
#include <asio/error.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#endif

#include <system_error>

namespace mato {
#if MATO_HAS_BOOST_ASIO
namespace asio = ::boost::asio; ///< what the toolkit uses; programs may name it too
#else
namespace asio = ::asio; ///< what the toolkit uses; programs may name it too
#endif

inline namespace MATO_ABI {
namespace detail {

/// std::error_code, or that of Boost.System, which converts to it.
using asio_code = decltype(asio::error::make_error_code(asio::error::operation_aborted));

[[nodiscard]] inline std::error_code operation_aborted() noexcept {
    return asio::error::make_error_code(asio::error::operation_aborted);
}

} // namespace detail
} // namespace MATO_ABI
} // namespace mato
