// SPDX-License-Identifier: MIT
/// @file completion.hpp: the completion handler of one request, with its type erased.
/// Layer: 3 (asio).  Test: test/toolkit/async_client_test.cpp.
/// Threads: the thread of the loop; the handler runs on its own executor.   Blocks: never.
#pragma once

#include "abi.hpp"
#include "needs_asio.hpp"

#include <asio/associated_executor.hpp>
#include <asio/dispatch.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>

#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

namespace mato {
inline namespace MATO_ABI {
namespace detail {

/// Called at most once. Destroyed without a call when the loop is destroyed, as asio does with its own operations.
class completion {
public:
    completion() = default;
    completion(const completion&) = delete;
    completion& operator=(const completion&) = delete;
    virtual ~completion() = default;

    /// Calls the handler: immediately if its executor allows that, which the loop's does. An exception from it passes through.
    static void run(std::unique_ptr<completion> what, std::string answer) { what.release()->run_and_end(std::move(answer)); }
    /// Calls the handler later, never inside this call.
    static void post(std::unique_ptr<completion> what, const std::error_code& why) { what.release()->post_and_end(why); }

private:
    virtual void run_and_end(std::string&& answer) = 0;
    virtual void post_and_end(const std::error_code& why) = 0;
};

/// What a handler is called with.
enum class completes_with { code_alone, code_and_answer };

template <completes_with Arguments, class Handler> class completion_of final : public completion {
    using loop_executor = asio::io_context::executor_type;
    using executor = asio::associated_executor_t<Handler, loop_executor>;

public:
    completion_of(asio::io_context& loop, Handler handler)
        : loop_(loop), where_(asio::get_associated_executor(handler, loop.get_executor())), handler_(std::move(handler)) {
        if (!is_of_loop()) guard_.emplace(where_);
    }

private:
    [[nodiscard]] bool is_of_loop() const noexcept {
        if constexpr (std::is_same_v<executor, loop_executor>)
            return where_ == loop_.get_executor();
        else
            return false;
    }
    static void call(Handler& handler, const std::error_code& why, std::string&& answer) {
        if constexpr (Arguments == completes_with::code_alone)
            std::move(handler)(why);
        else
            std::move(handler)(why, std::move(answer));
    }
    void run_and_end(std::string&& answer) override {
        std::unique_ptr<completion_of> self(this);
        if (is_of_loop()) {
            Handler handler(std::move(handler_));
            self.reset(); // first: the handler may make the next request
            return call(handler, {}, std::move(answer));
        }
        asio::dispatch(where_, [handler = std::move(handler_), text = std::move(answer)]() mutable {
            call(handler, {}, std::move(text));
        });
    }
    // Through the loop also for other executors: a post to asio's system executor, which a future has, would start threads.
    void post_and_end(const std::error_code& why) override {
        std::unique_ptr<completion_of> self(this);
        asio::post(loop_, [self = std::move(self), why]() mutable {
            Handler handler(std::move(self->handler_));
            if (self->is_of_loop()) {
                self.reset();
                return call(handler, why, {});
            }
            const executor where = self->where_;
            const auto guard = std::move(self->guard_);
            self.reset();
            asio::dispatch(where, [handler = std::move(handler), why]() mutable { call(handler, why, {}); });
        });
    }

    asio::io_context& loop_;
    executor where_;
    // Another executor's context must not run out of work while the answer is awaited; the loop itself has the connection.
    std::optional<asio::executor_work_guard<executor>> guard_;
    Handler handler_;
};

} // namespace detail
} // namespace MATO_ABI
} // namespace mato
