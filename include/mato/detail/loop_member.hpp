// SPDX-License-Identifier: MIT
/// @file loop_member.hpp: tells objects that the io_context which they use is being destroyed, so that they may outlive it.
/// Layer: 3 (asio).  Test: test/toolkit/connection_end_test.cpp, server_exception_test.cpp.
/// Threads: the thread of the loop.   Blocks: never.
#pragma once

#include "abi.hpp"
#include "asio_loop.hpp"

namespace mato {
inline namespace MATO_ABI {
namespace detail {

class loop_members;

/// Base of an object with sockets or timers. When the io_context is destroyed first, `loop_ends` must destroy them: their
/// destructors call services of the io_context.
class loop_member {
public:
    loop_member(const loop_member&) = delete;
    loop_member& operator=(const loop_member&) = delete;

protected:
    explicit loop_member(asio::io_context& context);
    ~loop_member() { leave(); }
    virtual void loop_ends() noexcept = 0;

private:
    friend class loop_members;
    inline void leave() noexcept;

    loop_members* all_ = nullptr; // null after the loop's end
    loop_member *before_ = nullptr, *after_ = nullptr;
};

/// The members of one io_context. A service of asio, because services learn of the end before anything is freed.
class loop_members final : public asio::execution_context::service {
public:
    static inline asio::execution_context::id id; // NOLINT: asio finds the service by its address

    explicit loop_members(asio::execution_context& owner) : service(owner) {}
    void join(loop_member& fresh) noexcept {
        fresh.all_ = this;
        fresh.after_ = first_;
        if (first_) first_->before_ = &fresh;
        first_ = &fresh;
    }

private:
    friend class loop_member;
    void shutdown() override {
        while (loop_member* const each = first_) {
            each->leave();
            each->loop_ends(); // may destroy other members
        }
    }

    loop_member* first_ = nullptr;
};

inline loop_member::loop_member(asio::io_context& context) { asio::use_service<loop_members>(context).join(*this); }

inline void loop_member::leave() noexcept {
    if (!all_) return;
    (before_ ? before_->after_ : all_->first_) = after_;
    if (after_) after_->before_ = before_;
    all_ = nullptr;
    before_ = after_ = nullptr;
}

} // namespace detail
} // namespace MATO_ABI
} // namespace mato
