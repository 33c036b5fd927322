// SPDX-License-Identifier: MIT
/// @file kept.hpp: descriptors and memory that a daemon's process gives to its keeper, and gets back after a crash.
/// Layer: 3 (mechanism; no asio).  Test: test/toolkit/kept_test.cpp, test/process/survive_process_test.cpp.
/// Threads: the daemon's thread alone.   Blocks: `keep`, `memory` and `listen_on` until the keeper has answered, at most
/// `patience`.
/// Fork: a child must not use it.   Exec: gone; what is kept stays with the keeper.
#pragma once

#include "clock.hpp"
#include "detail/keeper_link.hpp"
#include "detail/kept_table.hpp"
#include "handover.hpp"
#include "memory_file.hpp"
#include "readiness.hpp"
#include "upgrade.hpp"

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mato {
inline namespace MATO_ABI {

/// The options of `kept::keep`. By default only the descriptor is kept.
struct keep_options {
    pid_t child = 0; ///< a child of this process that belongs to the descriptor; its status is kept too
};

/// One of several items that `kept::keep` gives together. The name and the descriptor are the caller's until that call returns.
struct keep_request {
    std::string_view name;
    int fd = -1; ///< -1: the child alone
    keep_options options{};
};

/// A descriptor or child that an earlier generation kept. Returned by `kept::take_all`.
struct kept_item {
    std::string name;
    unique_fd descriptor;                 ///< close-on-exec; empty when only the child was kept
    pid_t child = 0;                      ///< now a child of the keeper: this process cannot wait for it
    std::optional<child_status> status{}; ///< of a child that has ended already
};

/// An item that an earlier generation kept and this one has not taken yet. Returned by `kept::look`; valid until the next call
/// of another function of that object.
struct kept_sight {
    std::string_view name;
    int descriptor = -1; ///< -1: only the child is kept
    pid_t child = 0;
    bool is_memory = false; ///< of `kept::memory`
};

/// The listening socket published by an endpoint. The keeper holds a copy of it for the next generation.
struct kept_listener {
    unique_fd socket;
    dev_t device = 0;
    ino_t inode = 0; ///< 0: it has no name of its own
};

/// The items that a daemon's process gives to its keeper, and gets back after a crash. A daemon returns it from `kept()`.
///
/// @threads only the daemon's thread.
/// @fork must not be used in a child.
/// @blocks `keep`, `memory` and `listen_on` until the keeper has answered, at most `patience`.
class kept {
public:
    static constexpr std::size_t most_items = detail::keeper_message::most_slots;
    static constexpr std::size_t most_name = detail::keeper_message::most_name; ///< bytes
    static constexpr milliseconds patience{5000};      ///< for an answer; a keeper that takes longer counts as lost
    static constexpr std::size_t most_unanswered = 16; ///< items: their answers fit into the socket

    kept() = default;
    kept(kept&&) = default;
    kept& operator=(kept&&) = default;

    /// Gives the keeper a copy of `fd`, or, with -1, the child alone. When it returns without error, no death of this process
    /// loses either. A name that is kept gets the new descriptor in place of the old one.
    /// @errors invalid_argument: no name, more than `most_name` bytes, a NUL in it, neither descriptor nor child · ENOSPC: more
    /// than `most_items` · EBADF · EMFILE: the keeper has no descriptor left · not_running: the keeper is gone · timed_out.
    void keep(std::string_view name, int fd, const keep_options& options, error_out out) {
        store(name, fd, options.child, fd < 0 ? detail::keep_no_descriptor : 0, out);
    }
    void keep(std::string_view name, int fd, error_out out) { keep(name, fd, {}, out); }
    /// Gives the keeper several items in this order, and waits once for all of them. After an error those before the refused
    /// one are kept, and those after it may be. @errors as for one, of the first that is refused.
    void keep(std::span<const keep_request> items, error_out out);

    /// The memory file of that name that an earlier generation left; else a new one, all zeroes, that is kept.
    /// @errors as `keep` and memory_file::create · file_exists: this process has it already · invalid_argument: the earlier
    /// one has another size.
    [[nodiscard]] memory_file memory(std::string_view name, std::size_t bytes, error_out out);

    /// What earlier generations left and this one has not taken yet, memory files excepted. The keeper still holds all of it.
    [[nodiscard]] std::vector<kept_item> take_all();

    /// The same items and the memory files, without taking them.
    [[nodiscard]] std::vector<kept_sight> look() const;

    /// The keeper closes its copy and forgets the child. No effect if nothing has that name.
    void drop(std::string_view name);

    [[nodiscard]] bool has(std::string_view name) const noexcept { return find(name) < table_.records().size(); }
    [[nodiscard]] pid_t keeper() const noexcept { return keeper_; } ///< its pid; 0: there is none any more

    // ---- for basic_daemon ----
    struct event {
        enum class kind { child, signal, keeper_lost, freeze, rolled_back } what;
        std::string name{};
        child_status status{};
        int signal = 0;
        failure why{}; ///< of rolled_back
    };
    [[nodiscard]] const generation& number() const noexcept { return generation_; }
    [[nodiscard]] bool must_stop() const noexcept { return must_stop_; } ///< the worker before died while it stopped
    [[nodiscard]] bool has_listener() const noexcept { return static_cast<bool>(listener_.socket); }
    [[nodiscard]] kept_listener take_listener() noexcept { return std::move(listener_); }
    /// Gives the keeper the listener. Its answer is for `await_listener`, so that other work is done in the meantime; no other
    /// request may come between the two.
    void listen_on(int socket, dev_t device, ino_t inode, int backlog, error_out out);
    void await_listener(error_out out); ///< from here on the credentials of clients' connections name the keeper
    void say_serving() {
        serve_now();
        say(detail::keeper_word::serving);
    }
    void say_stopping() { say(detail::keeper_word::stopping); } ///< the keeper closes its listener
    void stopped();                                             ///< returns once the lock is released
    void report(const failure& why);                            ///< the reason of an exit that follows
    /// Lets the keeper start `program` as the next worker. Its result comes as an event: freeze or rolled_back.
    /// @errors EACCES: not a program that this user may run · busy: an upgrade is under way · not_running: the keeper is gone ·
    /// any of memfd_create(2), fork(2).
    void upgrade(int program, deadline until, upgrade_purpose purpose, error_out out);
    /// After the event freeze: says that everything is in what is kept, or why not, and waits for the keeper's decision.
    /// @returns whether the new program has taken over; if so, end this process. `out`: why it has not; no error after a check
    /// that has succeeded.
    [[nodiscard]] bool stay_frozen(const failure& refusal, error_out out);
    /// In a program that a keeper started: receives what earlier generations left. @errors not_running: the keeper is gone ·
    /// EMFILE: no room for a descriptor.
    [[nodiscard]] static kept take_over(const worker_environment& from, error_out out);
    /// Before the first effect on anything outside: waits until the old worker is dead. @errors not_ready: rolled back.
    void await_go(error_out out);
    [[nodiscard]] bool is_program() const noexcept { return is_program_; } ///< a keeper started it from a file
    [[nodiscard]] int native_handle() const noexcept { return link_.native_handle(); }
    [[nodiscard]] std::optional<event> next();
    std::function<void()> on_event{}; ///< one was received while an answer was awaited; called re-entrantly

private:
    friend class keeper_process;
    void refuse(std::string_view name, std::string why, error_out out) const {
        out.set(std::make_error_code(std::errc::invalid_argument), "keep", name.substr(0, name.find('\0')), std::move(why));
    }
    void store(std::string_view name, int fd, pid_t child, std::uint64_t flags, error_out out);
    struct offer { // of an item that the keeper has not answered yet
        detail::keeper_message message{};
        bool is_new = false; // nothing had its name
    };
    [[nodiscard]] offer offer_item(std::string_view name, int fd, pid_t child, std::uint64_t flags, error_out out);
    void settle(const offer& offered, error_out out);
    void note_item(const detail::keeper_message& message);
    [[nodiscard]] std::size_t find(std::string_view name) const noexcept;
    void ask(const detail::keeper_message& message, int fd, std::string_view step, std::string_view name, error_out out) {
        ask(message, fd >= 0 ? std::span<const int>(&fd, 1) : std::span<const int>(), step, name, out);
    }
    void ask(const detail::keeper_message& message, std::span<const int> with, std::string_view step, std::string_view name,
             error_out out);
    void tell(const detail::keeper_message& message, std::span<const int> with, std::string_view step, std::string_view name,
              error_out out);
    void await_answer(std::uint32_t slot, std::string_view step, std::string_view name, error_out out);
    void lost(std::error_code code, std::string_view step, std::string_view name, error_out out);
    void take_given(bool& is_complete, error_out out);
    [[nodiscard]] failure why_rolled_back();
    [[nodiscard]] bool is_committed() const noexcept;
    void say(detail::keeper_word word);
    void serve_now() noexcept; ///< the generation's gap ends
    void note(const detail::keeper_message& message);
    void lose();

    detail::keeper_link link_;
    detail::kept_table table_;    // descriptors in it were inherited and not taken yet
    std::vector<event> events_;   // at most one for each child and signal
    std::size_t told_events_ = 0; // of them, from the first one on
    generation generation_;
    clock::time_point since_{}; // without a process that serves
    kept_listener listener_;
    unique_fd report_;
    pid_t keeper_ = 0;
    bool must_stop_ = false;
    static constexpr std::string_view listen_step = "keep the listening socket";
    std::uint32_t backlog_ = 0; // of the listener that was given last
    memory_file commit_;        // of the upgrade that is under way; the first word is 1 after the commit
    pid_t old_worker_ = 0;
    bool is_program_ = false;
};

// ---- implementation ----

namespace detail {
[[nodiscard]] inline child_status status_of(int status) noexcept {
    return WIFEXITED(status) ? child_status{WEXITSTATUS(status), 0} : child_status{-1, WTERMSIG(status)};
}
} // namespace detail

inline std::size_t kept::find(std::string_view name) const noexcept {
    const auto& records = table_.records();
    std::size_t slot = 0;
    while (slot < records.size() && (name.empty() || records[slot].name != name)) ++slot;
    return slot;
}

inline kept::offer kept::offer_item(std::string_view name, int fd, pid_t child, std::uint64_t flags, error_out out) {
    if (fd < 0 && child <= 1) return refuse(name, "it has neither a descriptor nor a child", out), offer();
    if (name.empty()) return refuse(name, "the name is empty", out), offer();
    if (name.find('\0') != std::string_view::npos) return refuse(name, "the name has a NUL inside", out), offer();
    if (name.size() > most_name)
        return refuse(name, "the name has " + std::to_string(name.size()) + " bytes, the most are " + std::to_string(most_name),
                      out),
               offer();
    if (fd >= 0 && sys::fcntl(fd, F_GETFD, 0) == -1) return out.set(last_error(), "keep", name), offer();
    std::size_t slot = find(name);
    if (slot == table_.records().size()) {
        slot = 0;
        while (slot < table_.records().size() && !table_.records()[slot].name.empty()) ++slot;
    }
    if (slot >= most_items)
        return out.set({ENOSPC, std::system_category()}, "keep", name, std::to_string(most_items) + " items are kept already"),
               offer();
    offer made{{detail::keeper_word::keep, static_cast<std::uint32_t>(slot), static_cast<std::uint64_t>(child > 0 ? child : 0),
                flags, name},
               !has(name)};
    tell(made.message, fd >= 0 ? std::span<const int>(&fd, 1) : std::span<const int>(), "keep", name, out);
    if (!out.failed() && made.is_new) note_item(made.message); // the next offer gets another slot
    return made;
}

/// The keeper's answer to it.
inline void kept::settle(const offer& offered, error_out out) {
    const auto& message = offered.message;
    await_answer(message.slot, "keep", message.name, out);
    if (!out.failed()) return note_item(message);
    std::vector<unique_fd> none;
    if (offered.is_new) static_cast<void>(table_.apply({detail::keeper_word::drop, message.slot, 0, 0, {}}, none));
}

/// In this process's copy of the table.
inline void kept::note_item(const detail::keeper_message& message) {
    std::vector<unique_fd> none;
    detail::keeper_message here = message;
    here.b = detail::keep_no_descriptor; // this process has the descriptor already
    static_cast<void>(table_.apply(here, none));
    table_.records()[message.slot].is_memory = message.b == detail::keep_memory;
    table_.records()[message.slot].is_taken = true;
}

inline void kept::store(std::string_view name, int fd, pid_t child, std::uint64_t flags, error_out out) {
    const offer made = offer_item(name, fd, child, flags, out);
    if (!out.failed()) settle(made, out);
}

inline void kept::keep(std::span<const keep_request> items, error_out out) {
    failure first;
    while (!items.empty() && !first) {
        const auto some = items.first(items.size() < most_unanswered ? items.size() : most_unanswered);
        items = items.subspan(some.size());
        offer offers[most_unanswered];
        std::size_t count = 0;
        for (const keep_request& each : some) {
            const std::uint64_t flags = each.fd < 0 ? detail::keep_no_descriptor : 0;
            offers[count] = offer_item(each.name, each.fd, each.options.child, flags, first);
            if (first) break;
            ++count;
        }
        failure answered; // before what this process refused itself
        for (std::size_t i = 0; i < count; ++i) {
            failure why;
            settle(offers[i], why);
            if (why && !answered) answered = std::move(why);
        }
        if (answered) first = std::move(answered);
    }
    if (first) out.set(std::move(first));
}

inline memory_file kept::memory(std::string_view name, std::size_t bytes, error_out out) {
    const std::size_t slot = find(name);
    if (slot == table_.records().size()) {
        auto made = memory_file::create(name, bytes, out);
        if (!out.failed()) store(name, made.native_handle(), 0, detail::keep_memory, out);
        return out.failed() ? memory_file() : std::move(made);
    }
    detail::kept_record& record = table_.records()[slot];
    if (!record.is_memory || !record.descriptor) {
        return out.fail<memory_file>(std::make_error_code(std::errc::file_exists), "keep", name,
                                     record.is_memory ? "this process has that memory file already"
                                                      : "a descriptor has that name");
    }
    struct ::stat about {};
    if (sys::fstat(record.descriptor.get(), &about) == -1) return out.fail<memory_file>(last_error(), "keep", name);
    if (static_cast<std::size_t>(about.st_size) != bytes)
        return refuse(name,
                      "an earlier generation left " + std::to_string(about.st_size) + " bytes, " + std::to_string(bytes) +
                          " were asked for",
                      out),
               memory_file();
    return memory_file::adopt(std::move(record.descriptor), out);
}

inline std::vector<kept_item> kept::take_all() {
    std::vector<kept_item> items;
    for (detail::kept_record& each : table_.records()) {
        if (each.name.empty() || each.is_memory || each.is_taken) continue;
        each.is_taken = true;
        items.push_back({each.name, std::move(each.descriptor), each.child,
                         each.has_ended ? std::optional(detail::status_of(each.status)) : std::nullopt});
    }
    return items;
}

inline std::vector<kept_sight> kept::look() const {
    std::vector<kept_sight> items;
    for (const detail::kept_record& each : table_.records()) {
        const bool is_left = !each.name.empty() && !each.is_taken && (!each.is_memory || each.descriptor);
        if (is_left) items.push_back({each.name, each.descriptor.get(), each.child, each.is_memory});
    }
    return items;
}

inline void kept::drop(std::string_view name) {
    const std::size_t slot = find(name);
    if (slot == table_.records().size()) return;
    const detail::keeper_message message{detail::keeper_word::drop, static_cast<std::uint32_t>(slot), 0, 0, {}};
    std::vector<unique_fd> none;
    static_cast<void>(table_.apply(message, none));
    std::error_code why;
    if (keeper_ != 0) link_.send(message, -1, deadline::in(patience), why);
    if (why) lose();
}

inline void kept::listen_on(int socket, dev_t device, ino_t inode, int backlog, error_out out) {
    backlog_ = static_cast<std::uint32_t>(backlog > 0 ? backlog : 0);
    tell({detail::keeper_word::listen, backlog_, device, inode, {}}, std::span<const int>(&socket, 1), listen_step, {}, out);
}

inline void kept::await_listener(error_out out) { await_answer(backlog_, listen_step, {}, out); }

inline void kept::serve_now() noexcept {
    if (generation_.number > 1) generation_.gap = std::chrono::duration_cast<milliseconds>(clock::now() - since_);
}

inline void kept::say(detail::keeper_word word) {
    std::error_code why;
    if (keeper_ != 0) link_.send({word, 0, 0, 0, {}}, -1, deadline::in(patience), why);
    if (why) lose();
}

inline void kept::stopped() {
    std::error_code ignored; // without a keeper the lock is this process's
    if (keeper_ != 0) ask({detail::keeper_word::stopped, 0, 0, 0, {}}, -1, "stop", {}, ignored);
}

/// @errors not_running, timed_out · what the keeper says.
inline void kept::ask(const detail::keeper_message& message, std::span<const int> with, std::string_view step,
                      std::string_view name, error_out out) {
    tell(message, with, step, name, out);
    if (!out.failed()) await_answer(message.slot, step, name, out);
}

inline void kept::lost(std::error_code code, std::string_view step, std::string_view name, error_out out) {
    lose();
    out.set(code, step, name, "the keeper is gone or does not answer; restart the daemon so that it is kept again");
}

inline void kept::tell(const detail::keeper_message& message, std::span<const int> with, std::string_view step,
                       std::string_view name, error_out out) {
    if (keeper_ == 0) return lost(errc::not_running, step, name, out);
    std::error_code why;
    link_.send(message, with, deadline::in(patience), why);
    if (why == std::errc::too_many_files_open || why.value() == ETOOMANYREFS) return out.set(why, step, name);
    if (why) lost(why == errc::timed_out ? why : make_error_code(errc::not_running), step, name, out);
}

inline void kept::await_answer(std::uint32_t slot, std::string_view step, std::string_view name, error_out out) {
    if (keeper_ == 0) return lost(errc::not_running, step, name, out);
    const auto until = deadline::in(patience);
    for (;;) {
        using received = detail::keeper_link::received;
        switch (link_.receive()) {
        case received::end: return lost(errc::not_running, step, name, out);
        case received::nothing:
            if (!link_.wait(until)) return lost(errc::timed_out, step, name, out);
            break;
        case received::message:
            if (link_.message.word == detail::keeper_word::answer && link_.message.slot == slot) {
                if (link_.message.a != 0) out.set({static_cast<int>(link_.message.a), std::system_category()}, step, name);
                return;
            }
            note(link_.message);
            if (on_event) on_event();
            break;
        case received::damaged: break;
        }
    }
}

inline void kept::note(const detail::keeper_message& message) {
    if (message.word == detail::keeper_word::signal)
        events_.push_back({event::kind::signal, {}, {}, static_cast<int>(message.a)});
    if (message.word == detail::keeper_word::freeze) events_.push_back({event::kind::freeze});
    if (message.word == detail::keeper_word::rolled_back)
        events_.push_back({event::kind::rolled_back, {}, {}, 0, why_rolled_back()});
    auto& records = table_.records();
    if (message.word != detail::keeper_word::child || message.slot >= records.size() || records[message.slot].name.empty())
        return;
    detail::kept_record& record = records[message.slot];
    record.has_ended = true;
    record.status = static_cast<int>(message.a);
    events_.push_back({event::kind::child, record.name, detail::status_of(record.status), 0});
}

inline void kept::lose() {
    if (std::exchange(keeper_, 0) == 0) return;
    events_.push_back({event::kind::keeper_lost, {}, {}, 0});
    if (on_event) on_event();
}

inline std::optional<kept::event> kept::next() {
    while (events_.empty() && keeper_ != 0) {
        const auto got = link_.receive();
        if (got == detail::keeper_link::received::nothing) break;
        if (got == detail::keeper_link::received::end) lose();
        if (got == detail::keeper_link::received::message) note(link_.message);
    }
    if (events_.empty()) return std::nullopt;
    auto first = std::move(events_[told_events_++]);
    if (told_events_ == events_.size()) events_.clear(), told_events_ = 0;
    return first;
}

inline void kept::report(const failure& why) {
    const std::string text = readiness_pipe::encode(why);
    if (report_) static_cast<void>(sys::write(report_.get(), text.data(), text.size()));
    report_.reset();
}

} // namespace MATO_ABI
} // namespace mato

#include "detail/kept_upgrade.hpp"
