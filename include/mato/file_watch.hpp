// SPDX-License-Identifier: MIT
/// @file file_watch.hpp: tells when the file at a path has changed: written, replaced by rename, created, removed.
/// Layer: 3 (asio).  Test: test/toolkit/file_watch_test.cpp.
/// Threads: the thread that runs the io_context.   Blocks: as stat(2) of the path.
/// Fork: create it after the last fork.   Source: inotify(7), path_resolution(7).
///
/// A watch of the file itself is lost when the file is replaced, which is how editors and configuration managers write it. So
/// every directory on the way is watched for the one name that leads on, symbolic links included. Where the system has no
/// inotify, or refuses more watches, the path is looked at once a second.
#pragma once

#include "callback.hpp"
#include "clock.hpp"
#include "detail/asio_descriptor.hpp"
#include "detail/asio_loop.hpp"
#include "detail/extremes.hpp"
#include "detail/loop_member.hpp"
#include "sys.hpp"
#include "sys_watch.hpp"
#include "unique_fd.hpp"

#include <climits>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mato {
inline namespace MATO_ABI {

/// Watches one path; `file_watch` is the one for asio::io_context. `changed` is called on the loop after the file was written
/// and closed, replaced, created or removed, and when a symbolic link or directory on the way leads elsewhere: once for all
/// changes within `settle`. It is not called for the state at the beginning, nor if the file is the same again. It may destroy
/// the watch; an exception from it leaves run(), as from any handler on the loop, and the watch continues.
///
/// @threads only the thread that runs the io_context.
/// @fork create it after the last fork; it must not be used in a child.
/// @blocks as stat(2) of the path.
///
/// @code
/// mato::file_watch watch(context, paths.file("config.toml"), [&] {
///     std::printf("read the configuration again\n"); // in a daemon: daemon.reload(why)
/// });
/// @endcode
template <class Loop> class basic_file_watch {
public:
    static constexpr milliseconds settle{20};       ///< several changes in a row are one; a program that writes takes less
    static constexpr milliseconds look_again{1000}; ///< without inotify, and while a directory on the way is missing

    /// A relative `path` is resolved now. A path that does not exist is watched until it does.
    basic_file_watch(Loop& context, std::string path, callback<void()> changed);
    basic_file_watch(const basic_file_watch&) = delete;
    basic_file_watch& operator=(const basic_file_watch&) = delete;
    ~basic_file_watch();

    /// False: the system has no inotify, or refused a watch; the path is looked at once a second.
    [[nodiscard]] bool is_notified() const noexcept;

private:
    class core;
    std::shared_ptr<core> core_;
};

/// basic_file_watch on an io_context: the contract is the same. That one is a template, so a program that does not use it
/// compiles none of it.
class file_watch : public basic_file_watch<asio::io_context> {
public:
    using basic_file_watch<asio::io_context>::basic_file_watch;
};

/// A reload policy: a daemon also reloads when the file `daemon_options::config` has changed, in any way that `file_watch`
/// notices, and at the earliest file_watch::settle after the change. What `reload` does is the same as for SIGHUP: on_reload is
/// called, its result is logged, and after an error nothing has changed.
///
/// The state of the file at the start of `setup` is the first one. A stopping daemon does not reload.
///
/// @threads the daemon's thread.
/// @blocks as file_watch.
///
/// @code
/// struct policies : mato::default_policies {
///     using reload = mato::reload_on_change; // and options.config = options.paths.file("config.toml");
/// };
/// @endcode
struct reload_on_change {
    using watch = file_watch;
    static constexpr bool watches = true;
};

// ---- implementation ----

/// The state of a watch. Handlers of the loop keep it alive, so a watch may be destroyed inside its callback.
template <class L> class basic_file_watch<L>::core final : public std::enable_shared_from_this<core>,
                                                           private detail::loop_member {
public:
    core(L& context, std::string path, callback<void()> changed)
        : loop_member(context), path_(std::move(path)), changed_(std::move(changed)), events_(std::in_place, context),
          timer_(std::in_place, context) {}

    void begin();
    void end() noexcept {
        changed_ = {};
        if (!timer_) return;
        detail::asio_code ignored; // it is not open without inotify
        timer_->cancel();
        events_->cancel(ignored);
    }
    [[nodiscard]] bool is_notified() const noexcept { return is_complete_; }

private:
    /// What tells one state of the file from another. All zero: there is no such file.
    struct state {
        dev_t device = 0;
        ino_t inode = 0;
        off_t size = 0;
        std::int64_t written = 0, changed = 0; // nanoseconds
        bool operator==(const state&) const = default;
    };
    /// A directory on the way, and the name in it that leads on.
    struct step {
        int watch = -1;
        std::string name;
    };
    enum class leads_to { another, the_file };
    static constexpr int most_links = 40; // as the kernel follows

    [[nodiscard]] state look() const noexcept;
    void watch_the_way();
    void watch(const std::string& directory, std::string name, leads_to what);
    void forget_the_way() noexcept;
    void wait();
    [[nodiscard]] bool take_events();
    void look_in(milliseconds span);
    void compare();
    void loop_ends() noexcept override {
        changed_ = {};
        events_.reset();
        timer_.reset();
    }

    std::string path_;
    callback<void()> changed_;
    std::optional<asio::posix::stream_descriptor> events_; // empty: the loop was destroyed
    std::optional<asio::steady_timer> timer_;
    std::vector<step> way_;
    state seen_{};
    clock::time_point next_look_ = clock::time_point::max();
    bool is_complete_ = false; // every directory on the way is watched
};

template <class L> basic_file_watch<L>::basic_file_watch(L& context, std::string path, callback<void()> changed) {
    if (!path.starts_with('/')) {
        char here[PATH_MAX];
        if (sys::getcwd(here, sizeof here)) path = std::string(here).append("/").append(path);
    }
    core_ = std::make_shared<core>(context, std::move(path), std::move(changed));
    core_->begin();
}

template <class L> basic_file_watch<L>::~basic_file_watch() { core_->end(); }
template <class L> bool basic_file_watch<L>::is_notified() const noexcept { return core_->is_notified(); }

template <class L> void basic_file_watch<L>::core::begin() {
#if MATO_HAS_INOTIFY
    detail::asio_code why;
    if (unique_fd queue(sys::inotify()); queue) {
        events_->assign(queue.get(), why);
        if (!why) static_cast<void>(queue.release());
    }
#endif
    watch_the_way(); // first: what changes after the look is an event
    seen_ = look();
    if (events_->is_open()) wait();
    if (!is_complete_) look_in(look_again);
}

template <class L> auto basic_file_watch<L>::core::look() const noexcept -> state {
    struct ::stat found {};
    if (sys::stat(path_.c_str(), &found) == -1) return {};
    const auto nanoseconds = [](const timespec& at) {
        return static_cast<std::int64_t>(at.tv_sec) * 1'000'000'000 + static_cast<std::int64_t>(at.tv_nsec);
    };
    const auto state_of = [&](const auto& file) -> state {
        if constexpr (requires { file.st_mtim; })
            return {file.st_dev, file.st_ino, file.st_size, nanoseconds(file.st_mtim), nanoseconds(file.st_ctim)};
        else // macOS
            return {file.st_dev, file.st_ino, file.st_size, nanoseconds(file.st_mtimespec), nanoseconds(file.st_ctimespec)};
    };
    return state_of(found);
}

// Follows the path as the kernel does, and watches each directory for the next name.
template <class L> void basic_file_watch<L>::core::watch_the_way() {
    forget_the_way();
    is_complete_ = events_->is_open();
    std::string directory = "/", rest = path_;
    for (int links = 0; is_complete_;) {
        const auto begin = rest.find_first_not_of('/');
        if (begin == std::string::npos) return;
        const auto end = detail::least(rest.find('/', begin), rest.size());
        std::string name = rest.substr(begin, end - begin);
        rest.erase(0, end);
        if (name == ".") continue;
        if (name == "..") {
            directory.erase(directory.rfind('/', directory.size() - 2) + 1); // it ends with a slash
            continue;
        }
        watch(directory, name, rest.find_first_not_of('/') == std::string::npos ? leads_to::the_file : leads_to::another);
        const std::string here = directory + name;
        char target[PATH_MAX];
        const ssize_t size = sys::readlink(here.c_str(), target, sizeof target);
        if (size > 0) {
            if (++links > most_links) return; // a loop: any change of it is seen
            rest.insert(0, "/").insert(0, target, static_cast<std::size_t>(size));
            if (target[0] == '/') directory = "/";
        } else {
            directory = here + '/';
        }
        struct ::stat found {};
        if (sys::lstat(here.c_str(), &found) == -1) return; // when it is created, that is an event
    }
}

template <class L> void basic_file_watch<L>::core::watch(const std::string& directory, std::string name, leads_to what) {
#if MATO_HAS_INOTIFY
    constexpr std::uint32_t of_names = IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF;
    const std::uint32_t events = what == leads_to::the_file ? of_names | IN_CLOSE_WRITE | IN_ATTRIB : of_names;
    const int number = sys::inotify_add_watch(events_->native_handle(), directory.c_str(), events | IN_ONLYDIR | IN_MASK_ADD);
    if (number != -1) return way_.push_back({number, std::move(name)});
#else
    static_cast<void>(directory), static_cast<void>(name), static_cast<void>(what);
#endif
    is_complete_ = false;
}

template <class L> void basic_file_watch<L>::core::forget_the_way() noexcept {
#if MATO_HAS_INOTIFY
    for (const step& each : way_) sys::inotify_rm_watch(events_->native_handle(), each.watch);
#endif
    way_.clear();
}

template <class L> void basic_file_watch<L>::core::wait() {
    events_->async_wait(asio::posix::stream_descriptor::wait_read, [held = this->weak_from_this()](std::error_code why) {
        const auto self = held.lock();
        if (why || !self || !self->events_ || !self->changed_) return;
        const bool is_about_it = self->take_events();
        self->wait();
        if (is_about_it) self->look_in(settle);
    });
}

/// @returns whether one of them may be about the file.
template <class L> bool basic_file_watch<L>::core::take_events() {
    bool is_about_it = false;
#if MATO_HAS_INOTIFY
    alignas(inotify_event) char buffer[4096];
    for (ssize_t got = 0; (got = sys::read(events_->native_handle(), buffer, sizeof buffer)) > 0;)
        for (const char* at = buffer; at < buffer + got;) {
            inotify_event event;
            std::memcpy(&event, at, sizeof event);
            const std::string_view name(event.len > 0 ? at + sizeof event : "");
            at += sizeof event + event.len;
            if (event.mask & IN_Q_OVERFLOW) is_about_it = true;
            for (const step& each : way_)
                if (each.watch == event.wd && (name.empty() || name == each.name)) is_about_it = true;
        }
#endif
    return is_about_it;
}

template <class L> void basic_file_watch<L>::core::look_in(milliseconds span) {
    const auto at = deadline::in(span).at();
    if (at >= next_look_) return; // that look will see this change too
    next_look_ = at;
    timer_->expires_at(at);
    timer_->async_wait([held = this->weak_from_this()](std::error_code cancelled) {
        const auto self = held.lock();
        if (!cancelled && self && self->changed_) self->compare();
    });
}

template <class L> void basic_file_watch<L>::core::compare() {
    next_look_ = clock::time_point::max();
    watch_the_way(); // it may lead elsewhere now
    if (!is_complete_) look_in(look_again);
    const state now = look();
    if (now == seen_) return;
    seen_ = now;
    const auto changed = changed_; // last: it may destroy the watch
    changed();
}

} // namespace MATO_ABI
} // namespace mato
