// SPDX-License-Identifier: MIT
/// @file completion.hpp: the completion handler of one request, with its type erased.
/// Layer: 3 (asio).  Test: test/toolkit/completion_test.cpp, async_client_tokens_test.cpp.
/// Threads: the thread of the loop; the handler runs on its own executor.   Blocks: never.
///
/// A handler is stored in one of two types: handler_on_loop if its executor is the loop's, which is the usual case and needs
/// only the handler itself; else handler_elsewhere, with its executor.
#pragma once

#include "abi.hpp"
#include "asio_loop.hpp"
#include "asio_token.hpp"

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

namespace mato {
inline namespace MATO_ABI {
namespace detail {

/// What a handler is called with.
enum class completes_with { code_alone, code_and_answer };

template <completes_with Arguments, class Handler>
void complete(Handler& handler, const std::error_code& why, std::string&& answer) {
    if constexpr (Arguments == completes_with::code_alone)
        std::move(handler)(why);
    else
        std::move(handler)(why, std::move(answer));
}

template <completes_with Arguments, class Handler> struct handler_on_loop {
    Handler handler;

    void run(std::string&& answer) { complete<Arguments>(handler, {}, std::move(answer)); }
    void post(asio::io_context& loop, const std::error_code& why) {
        asio::post(loop, [handler = std::move(handler), why]() mutable { complete<Arguments>(handler, why, {}); });
    }
};

template <completes_with Arguments, class Handler> struct handler_elsewhere {
    using executor = asio::associated_executor_t<Handler, asio::io_context::executor_type>;

    asio::executor_work_guard<executor> guard; // its context must not run out of work while the answer is awaited
    Handler handler;

    void run(std::string&& answer) {
        asio::dispatch(guard.get_executor(), [handler = std::move(handler), text = std::move(answer)]() mutable {
            complete<Arguments>(handler, {}, std::move(text));
        });
    }
    // Through the loop: a post to asio's system executor, which a future has, would start threads.
    void post(asio::io_context& loop, const std::error_code& why) {
        asio::post(loop, [guard = std::move(guard), handler = std::move(handler), why]() mutable {
            asio::dispatch(guard.get_executor(),
                           [handler = std::move(handler), why]() mutable { complete<Arguments>(handler, why, {}); });
        });
    }
};

/// Called at most once. Destroyed without a call when the loop is destroyed, as asio does with its own operations. A handler
/// that is small, as most are, is stored in this object; another one in memory of its associated allocator.
class completion {
public:
    completion() noexcept = default;
    completion(completion&& other) noexcept { take(other); }
    completion& operator=(completion&& other) noexcept {
        if (this == &other) return *this;
        destroy();
        take(other);
        return *this;
    }
    ~completion() { destroy(); }
    void set(completion&& other) noexcept { take(other); } ///< @pre this one is empty

    template <completes_with Arguments, class Handler> static completion of(asio::io_context& loop, Handler handler) {
        using loop_executor = asio::io_context::executor_type;
        const auto where = asio::get_associated_executor(handler, loop.get_executor());
        if constexpr (std::is_same_v<std::remove_const_t<decltype(where)>, loop_executor>)
            if (where == loop.get_executor()) return completion(handler_on_loop<Arguments, Handler>{std::move(handler)});
        using elsewhere = handler_elsewhere<Arguments, Handler>;
        return completion(elsewhere{asio::executor_work_guard<typename elsewhere::executor>(where), std::move(handler)});
    }

    [[nodiscard]] explicit operator bool() const noexcept { return what_ != nullptr; }
    /// Calls the handler: immediately if its executor allows that, which the loop's does. An exception from it passes through.
    /// The memory of the handler is free when it is called: it may make the next request. @pre there is one
    void run(std::string&& answer) && { std::exchange(what_, nullptr)->run(room_, std::move(answer)); }
    /// Calls the handler later, never inside this call. @pre there is one
    void post(asio::io_context& loop, const std::error_code& why) && { std::exchange(what_, nullptr)->post(room_, loop, why); }

private:
    static constexpr std::size_t room_bytes = 48; // a function with five or six pointers; an entry of the table has 96 bytes

    struct operations {                              // of a stored type
        void (*move)(void* from, void* to) noexcept; // null: its bytes are copied
        void (*destroy)(void* room) noexcept;        // null: nothing needs to be done
        void (*run)(void* room, std::string&& answer);
        void (*post)(void* room, asio::io_context& loop, const std::error_code& why);
    };
    template <class Stored>
    static constexpr bool is_in_place = sizeof(Stored) <= room_bytes &&
                                        alignof(Stored) <= alignof(void*) && std::is_nothrow_move_constructible_v<Stored>;

    template <class Stored> explicit completion(Stored&& what) {
        static_assert(!std::is_reference_v<Stored>);
        if constexpr (is_in_place<Stored>) {
            ::new (static_cast<void*>(room_)) Stored(std::move(what));
        } else {
            auto memory = allocator_of(what);
            Stored* const made = std::allocator_traits<decltype(memory)>::allocate(memory, 1);
            try {
                ::new (static_cast<void*>(made)) Stored(std::move(what));
            } catch (...) {
                std::allocator_traits<decltype(memory)>::deallocate(memory, made, 1);
                throw;
            }
            std::memcpy(room_, &made, sizeof made);
        }
        what_ = &operations_of<Stored>;
    }

    template <class Stored> static auto allocator_of(const Stored& what) {
        using given = asio::associated_allocator_t<decltype(what.handler)>;
        return
            typename std::allocator_traits<given>::template rebind_alloc<Stored>(asio::get_associated_allocator(what.handler));
    }
    template <class Stored> static Stored& stored(void* room) noexcept {
        if constexpr (is_in_place<Stored>) return *std::launder(static_cast<Stored*>(room));
        Stored* made = nullptr;
        std::memcpy(&made, room, sizeof made);
        return *made;
    }
    template <class Stored> static void destroy_as(void* room) noexcept {
        Stored& what = stored<Stored>(room);
        if constexpr (is_in_place<Stored>) {
            what.~Stored();
        } else {
            auto memory = allocator_of(what);
            what.~Stored();
            std::allocator_traits<decltype(memory)>::deallocate(memory, &what, 1);
        }
    }
    /// Moves it out and frees its memory.
    template <class Stored> static Stored taken(void* room) {
        struct destroyed {
            void* room;
            ~destroyed() { destroy_as<Stored>(room); }
        } const at_end{room};
        return std::move(stored<Stored>(room));
    }
    template <class Stored> static void run_as(void* room, std::string&& answer) { taken<Stored>(room).run(std::move(answer)); }
    template <class Stored> static void post_as(void* room, asio::io_context& loop, const std::error_code& why) {
        taken<Stored>(room).post(loop, why);
    }
    template <class Stored> static void move_as(void* from, void* to) noexcept {
        ::new (to) Stored(std::move(stored<Stored>(from)));
        stored<Stored>(from).~Stored();
    }
    template <class Stored> static constexpr operations operations_of = {
        !is_in_place<Stored> || std::is_trivially_copyable_v<Stored> ? nullptr : &move_as<Stored>,
        is_in_place<Stored>&& std::is_trivially_destructible_v<Stored> ? nullptr : &destroy_as<Stored>,
        &run_as<Stored>,
        &post_as<Stored>,
    };

    void take(completion& other) noexcept {
        what_ = std::exchange(other.what_, nullptr);
        if (!what_) return;
        if (what_->move)
            what_->move(other.room_, room_);
        else
            std::memcpy(room_, other.room_, room_bytes);
    }
    void destroy() noexcept {
        if (const operations* const what = std::exchange(what_, nullptr); what && what->destroy) what->destroy(room_);
    }

    const operations* what_ = nullptr;
    alignas(void*) unsigned char room_[room_bytes]; // NOLINT: valid if what_ is set
};

} // namespace detail
} // namespace MATO_ABI
} // namespace mato
