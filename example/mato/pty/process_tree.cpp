// SPDX-License-Identifier: MIT
#include "process_tree.hpp"

#include <mato/sys.hpp>
#include <mato/unique_fd.hpp>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>

namespace mux {
namespace {

namespace sys = mato::sys;

using process = process_table::process;

/// The next word; `text` continues after it.
std::string_view next_field(std::string_view& text) {
    text.remove_prefix(std::min(text.find_first_not_of(" \n"), text.size()));
    const std::string_view field = text.substr(0, text.find_first_of(" \n"));
    text.remove_prefix(field.size());
    return field;
}

template <class Number> bool take_number(std::string_view& text, Number& to) {
    const std::string_view field = next_field(text);
    const auto [end, problem] = std::from_chars(field.data(), field.data() + field.size(), to);
    return problem == std::errc() && end == field.data() + field.size() && !field.empty();
}

/// proc(5) /proc/pid/stat: "pid (name) state ppid pgrp session …"; the name may contain any byte, so it ends at the last ')'.
std::optional<process> read_process(pid_t pid) {
    const mato::unique_fd fd(sys::open(("/proc/" + std::to_string(pid) + "/stat").c_str(), O_RDONLY));
    if (!fd) return std::nullopt;
    char buffer[1024];
    const ssize_t got = sys::read(fd.get(), buffer, sizeof buffer);
    if (got <= 0) return std::nullopt;
    const std::string_view text(buffer, static_cast<std::size_t>(got));
    const auto name_end = text.rfind(')');
    if (name_end == std::string_view::npos) return std::nullopt;
    std::string_view rest = text.substr(name_end + 1);
    process result;
    result.id.pid = pid;
    const std::string_view state = next_field(rest);
    if (state.empty()) return std::nullopt;
    result.state = state[0];
    bool is_whole = take_number(rest, result.parent);
    static_cast<void>(next_field(rest)); // the group
    is_whole = take_number(rest, result.session) && is_whole;
    for (int field = 7; field < 22; ++field) static_cast<void>(next_field(rest));
    is_whole = take_number(rest, result.id.start_time) && is_whole;
    return is_whole ? std::optional(result) : std::nullopt;
}

std::vector<process> all_processes() {
    std::vector<process> result;
    std::error_code why;
    for (std::filesystem::directory_iterator at("/proc", why), end; !why && at != end; at.increment(why)) {
        const std::string name = at->path().filename().native();
        pid_t pid = 0;
        const auto [rest, problem] = std::from_chars(name.data(), name.data() + name.size(), pid);
        if (problem != std::errc() || rest != name.data() + name.size()) continue;
        if (auto found = read_process(pid); found && found->state != 'Z' && found->state != 'X') result.push_back(*found);
    }
    return result;
}

/// `roots` and all their descendants.
std::vector<process_id> with_descendants(const std::vector<process>& all, std::unordered_set<pid_t> roots) {
    for (bool grew = true; grew;) {
        grew = false;
        for (const process& each : all)
            if (roots.contains(each.parent) && roots.insert(each.id.pid).second) grew = true;
    }
    std::vector<process_id> result;
    for (const process& each : all)
        if (roots.contains(each.id.pid)) result.push_back(each.id);
    return result;
}

} // namespace

std::vector<process_id> members_of_session(pid_t leader) { return still_running({}, leader); }

std::vector<process_id> still_running(const std::vector<process_id>& known, pid_t leader) {
    process_table now;
    now.look(mato::clock::now());
    return now.members_of(leader, known);
}

void process_table::look(mato::clock::time_point not_before) {
    if (looked_ >= not_before) return;
    looked_ = mato::clock::now();
    all_ = all_processes();
    cost_ = mato::clock::now() - looked_;
}

std::vector<process_id> process_table::members_of(pid_t leader, const std::vector<process_id>& known) const {
    std::unordered_set<pid_t> roots;
    for (const process& each : all_)
        if (each.session == leader || std::find(known.begin(), known.end(), each.id) != known.end()) roots.insert(each.id.pid);
    if (roots.empty()) return {};
    return with_descendants(all_, std::move(roots));
}

void signal_each(const std::vector<process_id>& processes, int signal) {
    for (const process_id& each : processes) {
        const mato::unique_fd pinned(sys::pidfd_open(each.pid));
        const auto now = read_process(each.pid);
        if (!now || now->id != each) continue;
        // Some sandboxes refuse pidfd signals but not kill(2). The number was checked just before.
        if (!pinned || (sys::pidfd_send_signal(pinned.get(), signal) == -1 && errno != ESRCH)) sys::kill(each.pid, signal);
    }
}

std::string working_directory(pid_t pid) {
    std::error_code why;
    const auto target = std::filesystem::read_symlink("/proc/" + std::to_string(pid) + "/cwd", why);
    return why ? std::string() : target.native();
}

} // namespace mux
