// SPDX-License-Identifier: MIT
/// @file asio_token.hpp: completion tokens and handlers of standalone asio or Boost.Asio.
/// Layer: 3 (asio).  Test: test/matrix.sh.
/// Threads: as asio.   Blocks: never.
#pragma once

#include "abi.hpp"
#include "needs_asio.hpp"

#if MATO_HAS_BOOST_ASIO
#include <boost/asio/associated_allocator.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#else
#include <asio/associated_allocator.hpp>
#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/dispatch.hpp>
#include <asio/executor_work_guard.hpp>
#endif

#if MATO_HAS_BOOST_ASIO
#if __has_include(<boost/asio/associated_cancellation_slot.hpp>)
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#endif
#elif __has_include(<asio/associated_cancellation_slot.hpp>)
#include <asio/associated_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#endif

#include "asio_loop.hpp"

namespace mato {
inline namespace MATO_ABI {
namespace detail {

#if MATO_HAS_BOOST_ASIO ? __has_include(<boost/asio/cancellation_signal.hpp>) : __has_include(<asio/cancellation_signal.hpp>)
using cancellation_slot = asio::cancellation_slot;
using cancellation_kind = asio::cancellation_type;
template <class Handler> [[nodiscard]] auto slot_of(const Handler& handler) noexcept {
    return asio::get_associated_cancellation_slot(handler);
}
#else // before asio 1.20 and Boost 1.77 a handler has no slot
enum class cancellation_kind {};
struct cancellation_slot {
    [[nodiscard]] static bool is_connected() noexcept { return false; }
    template <class Function> void assign(Function) noexcept {}
};
template <class Handler> [[nodiscard]] cancellation_slot slot_of(const Handler&) noexcept { return {}; }
#endif

} // namespace detail
} // namespace MATO_ABI
} // namespace mato
