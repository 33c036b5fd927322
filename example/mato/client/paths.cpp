// SPDX-License-Identifier: MIT
#include "paths.hpp"

#include <charconv>

namespace mux {
namespace {

/// `$XDG/mato`, or else `$HOME/fallback/mato`.
std::filesystem::path base_directory(const environment_lookup& environment, const char* xdg, const char* fallback,
                                     mato::error_out out) {
    const auto refuse = [&](const std::string& why) {
        return out.fail<std::filesystem::path>(std::make_error_code(std::errc::invalid_argument), "find directory", {}, why);
    };
    for (const auto& [name, below] : {std::pair<const char*, const char*>{xdg, ""}, {"HOME", fallback}}) {
        const auto value = environment(name);
        if (!value || value->empty()) continue;
        const std::filesystem::path base(*value);
        if (!base.is_absolute()) return refuse(std::string(name) + " is '" + *value + "'; it must be an absolute path");
        return (base / below / "mato").lexically_normal();
    }
    return refuse("neither " + std::string(xdg) + " nor HOME is set; set one, or name a socket with -S");
}

} // namespace

program_paths resolve_paths(const path_options& options, const environment_lookup& environment, mato::error_out out) {
    program_paths result;
    const auto enclosing = parse_enclosing_tab(environment("MATO").value_or(""));
    std::string socket = options.socket;
    if (socket.empty() && options.label.empty() && enclosing) socket = enclosing->socket;
    if (!socket.empty()) {
        const auto path = std::filesystem::absolute(socket).lexically_normal();
        // Only ".sock" is dropped: the lock of "a.lock" is "a.lock.lock", so all four file names differ.
        const std::string stem = (path.extension() == ".sock" ? path.stem() : path.filename()).native();
        result.daemon = mato::daemon_paths::in(path.parent_path(), stem);
        result.daemon.socket = path;
    } else {
        if (options.label.find('/') != std::string::npos || options.label == "." || options.label == "..") {
            out.set(std::make_error_code(std::errc::invalid_argument), "label", options.label,
                    "a label must be a single name without '/'");
            return result;
        }
        const auto state = base_directory(environment, "XDG_STATE_HOME", ".local/state", out);
        if (out.failed()) return result;
        result.daemon = mato::daemon_paths::in(options.label.empty() ? state : state / options.label);
    }
    if (!options.config.empty()) {
        result.config = std::filesystem::absolute(options.config);
    } else {
        std::error_code none; // without a configuration directory the defaults apply
        const auto directory = base_directory(environment, "XDG_CONFIG_HOME", ".config", none);
        if (!directory.empty()) result.config = directory / "config.toml";
    }
    return result;
}

std::optional<enclosing_tab> parse_enclosing_tab(const std::string& text) {
    const auto last = text.rfind(',');
    const auto first = last == std::string::npos || last == 0 ? std::string::npos : text.rfind(',', last - 1);
    if (first == std::string::npos || first == 0) return std::nullopt;
    enclosing_tab result;
    result.socket = text.substr(0, first);
    const auto whole = [](std::string_view digits, auto& value) {
        const auto [rest, why] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
        return why == std::errc() && rest == digits.data() + digits.size() && value > 0;
    };
    const std::string_view view(text);
    if (!whole(view.substr(first + 1, last - first - 1), result.daemon_pid) || !whole(view.substr(last + 1), result.tab))
        return std::nullopt;
    return result;
}

} // namespace mux
