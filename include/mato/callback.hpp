// SPDX-License-Identifier: MIT
/// @file callback.hpp: a function set by the program, which may be replaced while it runs; an exception from it is reported
/// once. Layer: 1 (vocabulary).  Test: test/toolkit/callback_test.cpp. Threads: one object and its copies, one thread. Blocks:
/// never.
#pragma once

#include "detail/abi.hpp"
#include "detail/exceptions.hpp"
#include "scope_exit.hpp"

#include <cstddef>
#include <functional>
#include <type_traits>
#include <utility>

namespace mato {
inline namespace MATO_ABI {

template <class Signature> class callback;

/// Like std::function, but a call keeps its target alive: assigning to the callback, or destroying its owner, is safe inside
/// the call. Copies share one function, which need not be copyable.
///
/// @threads one object and its copies, one thread.
/// @blocks as the function.
///
/// @code
/// int lines = 0;
/// mato::callback<void(std::string_view)> on_line = [&](std::string_view text) {
///     std::printf("%.*s\n", static_cast<int>(text.size()), text.data());
///     if (++lines == 2) on_line = {}; // safe inside the call
/// };
/// for (const char* text : {"one", "two", "three"})
///     if (on_line) on_line(text); // "three" is not printed
/// @endcode
template <class R, class... A> class callback<R(A...)> {
public:
    callback() noexcept = default;
    callback(std::nullptr_t) noexcept {} // NOLINT(google-explicit-constructor)
    template <class F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, callback> && std::is_invocable_r_v<R, F&, A...>)
        callback(F function) { // NOLINT(google-explicit-constructor)
        if (!is_null(function)) shared_ = new holding<F>(std::move(function));
    }
    callback(const callback& other) noexcept : shared_(other.shared_) {
        if (shared_) ++shared_->owners;
    }
    callback(callback&& other) noexcept : shared_(std::exchange(other.shared_, nullptr)) {}
    callback& operator=(const callback& other) noexcept {
        callback taken(other);
        std::swap(shared_, taken.shared_);
        return *this;
    }
    /// Not by value: clang 14 does not destroy the parameter of `= {}` in a generic lambda.
    callback& operator=(callback&& other) noexcept {
        callback taken(std::move(other));
        std::swap(shared_, taken.shared_);
        return *this;
    }
    ~callback() {
        if (shared_ && --shared_->owners == 0) shared_->destroy(shared_);
    }

    /// Adds a function for the same event: it is called after those that are set, with the same arguments. If one throws, the
    /// later ones are not called. Assigning replaces them all.
    void add(callback next) requires std::is_void_v<R> &&(!std::is_rvalue_reference_v<A> && ...) {
        if (!shared_ || !next) return static_cast<void>(shared_ ? *this : *this = std::move(next));
        *this = callback([first = *this, next = std::move(next)](A... arguments) {
            first(arguments...);
            next(std::forward<A>(arguments)...);
        });
    }

    [[nodiscard]] explicit operator bool() const noexcept { return shared_ != nullptr; }
    /// @throws std::bad_function_call when there is no function · whatever the function throws.
    R operator()(A... arguments) const {
        const callback kept(*this);
        if (!kept) detail::raise(std::bad_function_call());
        return kept.shared_->call(*kept.shared_, std::forward<A>(arguments)...);
    }

private:
    struct shared {
        R (*call)(shared& self, A... arguments);
        void (*destroy)(shared* self) noexcept;
        std::size_t owners = 1;
    };
    template <class F> struct holding final : shared {
        explicit holding(F&& what) : shared{&call_as, &destroy_as}, function(std::move(what)) {}
        static R call_as(shared& self, A... arguments) {
            F& target = static_cast<holding&>(self).function;
            if constexpr (std::is_void_v<R>)
                static_cast<void>(std::invoke(target, std::forward<A>(arguments)...));
            else
                return std::invoke(target, std::forward<A>(arguments)...);
        }
        static void destroy_as(shared* self) noexcept { delete static_cast<holding*>(self); }
        F function;
    };
    /// A null pointer, or a function wrapper without a function.
    template <class F> static bool is_null(const F& function) noexcept {
        if constexpr (std::is_pointer_v<F> || std::is_member_pointer_v<F>)
            return function == nullptr;
        else if constexpr (std::is_constructible_v<F, std::nullptr_t> && requires { function.operator bool(); })
            return !static_cast<bool>(function);
        else
            return false;
    }
    shared* shared_ = nullptr;
};

namespace detail {

/// Calls a function that may throw and reports the exception. Calls may be nested: an exception from `tell` itself passes
/// through all of them without being reported again.
class exception_guard {
public:
    /// `tell()` runs inside the catch block.
    template <class Call, class Tell> void operator()(Call call, Tell tell) {
        ++depth_;
        const scope_exit leave([this] {
            if (--depth_ == 0) handed_on_ = false;
        });
        attempt([&] { call(); },
                [&] {
                    if (handed_on_) raise_again();
                    handed_on_ = true;
                    tell();
                    handed_on_ = false;
                });
    }

private:
    int depth_ = 0;
    bool handed_on_ = false;
};

} // namespace detail
} // namespace MATO_ABI
} // namespace mato
