// SPDX-License-Identifier: MIT
#include "settings.hpp"

#include "protocol/key_names.hpp"

#include <array>
#include <functional>
#include <string_view>
#include <type_traits>

namespace mux {
namespace {

/// The names of an enum's values in the file, in the order of the values.
template <class Enum> struct words;
template <> struct words<window_size> {
    static constexpr std::array<std::string_view, 4> all{"latest", "smallest", "largest", "manual"};
};
template <> struct words<mouse_use> { static constexpr std::array<std::string_view, 3> all{"off", "wheel", "select"}; };
template <> struct words<bar_use> { static constexpr std::array<std::string_view, 3> all{"never", "auto", "always"}; };
template <> struct words<attention_use> { static constexpr std::array<std::string_view, 3> all{"off", "mark", "pass"}; };
template <> struct words<command_end_use> { static constexpr std::array<std::string_view, 2> all{"mark", "notice"}; };
template <> struct words<restore_when> { static constexpr std::array<std::string_view, 3> all{"off", "show", "run"}; };
template <> struct words<remain_on_exit> { static constexpr std::array<std::string_view, 3> all{"off", "on", "failed"}; };
template <> struct words<mato::log_level> {
    static constexpr std::array<std::string_view, 4> all{"error", "warning", "info", "debug"};
};

std::function<std::string(const std::uint32_t&)> between(std::uint32_t least, std::uint32_t most) {
    return [=](const std::uint32_t& value) -> std::string {
        if (value >= least && value <= most) return {};
        return "must be from " + std::to_string(least) + " to " + std::to_string(most);
    };
}

} // namespace
} // namespace mux

template <class Enum>
requires requires { mux::words<Enum>::all; }
struct mato::config::value_reader<Enum> {
    static std::optional<Enum> read(const toml::node& node) {
        if constexpr (std::is_same_v<Enum, mux::mouse_use>) // the older boolean form of the setting
            if (const auto on = node.value_exact<bool>()) return *on ? mux::mouse_use::wheel : mux::mouse_use::off;
        const auto word = node.value_exact<std::string>();
        for (std::size_t i = 0; word && i < mux::words<Enum>::all.size(); ++i)
            if (*word == mux::words<Enum>::all[i]) return static_cast<Enum>(i);
        return std::nullopt;
    }
    static std::string expected() {
        std::string text = "one of";
        for (const auto word : mux::words<Enum>::all) text += " \"" + std::string(word) + "\"";
        return text;
    }
};

template <> struct mato::config::value_reader<mux::key_list> {
    static std::optional<mux::key_list> read(const toml::node& node) {
        if (auto one = value_reader<std::string>::read(node)) return mux::key_list{{std::move(*one)}};
        auto all = value_reader<std::vector<std::string>>::read(node);
        return all ? std::optional(mux::key_list{std::move(*all)}) : std::nullopt;
    }
    static std::string expected() { return "the name of a key, or an array of names"; }
};

namespace mux {

key_changes changes_of(const std::map<std::string, key_list>& keys) {
    key_changes all;
    for (const auto& [action, each] : keys) all.emplace(action, each.names);
    return all;
}

mato::config::schema<settings> settings_schema() {
    using keys = mato::config::schema<settings>;
    const auto text = [](auto check) { return std::function<std::string(const std::string&)>(check); };
    const auto span = [](auto check) { return std::function<std::string(const mato::milliseconds&)>(check); };
    keys bar;
    bar.field("show", &settings::bar);
    keys notify;
    notify.field("bell", &settings::notify_bell);
    notify.field("notice", &settings::notify_notice);
    notify.field("command", &settings::notify_command, span([](const mato::milliseconds& value) -> std::string {
                     return value <= mato::milliseconds(86'400'000) ? "" : "must not be longer than a day";
                 }));
    notify.field("command_ended", &settings::notify_command_ended);
    notify.field("silence", &settings::notify_silence, span([](const mato::milliseconds& value) -> std::string {
                     const bool fits = value == mato::milliseconds(0) || value >= mato::milliseconds(1000);
                     return fits && value <= mato::milliseconds(86'400'000) ? "" : "must be 0s, or from a second to a day";
                 }));
    keys restore;
    restore.field("when", &settings::restore);
    restore.field("save_every", &settings::restore_save_every, span([](const mato::milliseconds& value) -> std::string {
                      const bool fits = value >= mato::milliseconds(1000) && value <= mato::milliseconds(86'400'000);
                      return fits ? "" : "must be from a second to a day";
                  }));
    restore.field("lines", &settings::restore_lines, between(0, 10'000));
    restore.field("run", &settings::restore_run);
    keys limits;
    limits.field("clients", &settings::max_clients, between(1, 100'000));
    limits.field("client_queue_bytes", &settings::client_queue_bytes, between(64 << 10, 1 << 30));
    limits.field("paste_bytes", &settings::paste_bytes, between(4 << 10, 1 << 30));
    limits.field("frame_bytes", &settings::frame_bytes, between(64 << 10, 1 << 20));
    keys log;
    log.field("level", &settings::log_level);
    log.field("max_bytes", &settings::log_max_bytes, between(4 << 10, 1 << 30));
    log.field("keep", &settings::log_keep, between(0, 100));
    keys all;
    all.field("emulator", &settings::emulator, text([](const std::string& value) -> std::string {
                  return value == "vt" || value == "raw" ? "" : "must be \"vt\" or \"raw\", not \"" + value + "\"";
              }));
    all.field("raw_replay_bytes", &settings::raw_replay_bytes, between(4 << 10, 64 << 20));
    all.field("shell", &settings::shell, text([](const std::string& value) -> std::string {
                  return value.starts_with('/') ? "" : "must be an absolute path";
              }));
    all.field("history_lines", &settings::history_lines, between(0, 10'000'000));
    all.field("survive", &settings::survive);
    all.field("reconnect", &settings::reconnect, span([](const mato::milliseconds& value) -> std::string {
                  return value <= mato::milliseconds(3'600'000) ? "" : "must not be longer than an hour";
              }));
    all.field("mouse", &settings::mouse);
    all.field("clipboard", &settings::clipboard);
    all.field("shell_marks", &settings::shell_marks);
    all.field("window_size", &settings::window_size);
    all.field("prefix", &settings::prefix, text([](const std::string& value) -> std::string {
                  return parse_prefix(value) ? "" : "must be a control key such as \"C-\\\\\" or \"C-b\"";
              }));
    all.field("remain_on_exit", &settings::remain_on_exit);
    all.field("undo_close", &settings::undo_close, span([](const mato::milliseconds& value) -> std::string {
                  return value <= mato::milliseconds(86'400'000) ? "" : "must not be longer than a day";
              }));
    all.field("exit_empty", &settings::exit_empty);
    all.field("stop_grace", &settings::stop_grace, span([](const mato::milliseconds& value) -> std::string {
                  return value <= mato::milliseconds(60'000) ? "" : "must not be longer than a minute";
              }));
    all.field("update_environment", &settings::update_environment);
    all.entries<key_list>("keys", &settings::keys, [](const std::string& action, const key_list& wanted, const auto& before) {
        return key_map::problem_of(action, wanted.names, changes_of(before));
    });
    all.table("bar", std::move(bar))
        .table("notify", std::move(notify))
        .table("restore", std::move(restore))
        .table("limits", std::move(limits))
        .table("log", std::move(log));
    return all;
}

} // namespace mux
