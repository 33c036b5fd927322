// SPDX-License-Identifier: MIT
#include "worker_arguments.hpp"

#include <charconv>
#include <limits>
#include <optional>

namespace mux {
namespace {

constexpr const char* command = "serve-next"; // no command of users
constexpr const char* version = "1";
constexpr const char* yes = "1";
constexpr const char* no = "0";

template <class Number> std::optional<Number> number_of(const std::string& text) {
    Number value{};
    const auto [rest, why] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (why != std::errc() || rest != text.data() + text.size()) return std::nullopt;
    return value;
}

} // namespace

std::vector<std::string> worker_arguments::encode() const {
    return {"mato",
            command,
            version,
            paths.daemon.socket,
            paths.config.native(),
            std::to_string(limits.umask),
            std::to_string(limits.descriptors.rlim_cur),
            std::to_string(limits.descriptors.rlim_max),
            stays_when_empty ? yes : no,
            is_managed ? yes : no};
}

worker_arguments worker_arguments::decode(const std::vector<std::string>& words, mato::error_out out) {
    constexpr const char* step = "take over";
    worker_arguments all;
    if (words.size() < 3 || words[1] != command || words[2] != version)
        return out.fail<worker_arguments>(mato::errc::version_mismatch, step, {},
                                          "the running daemon passes arguments in a format that this version does not know");
    const auto refuse = [&](const char* why) { return out.fail<worker_arguments>(mato::errc::malformed, step, {}, why); };
    if (words.size() != all.encode().size()) return refuse("the arguments are not complete");
    path_options named;
    named.socket = words[3];
    mato::failure why;
    all.paths = resolve_paths(
        named, [](const char*) { return std::optional<std::string>("/"); }, why);
    if (why) return out.fail<worker_arguments>(std::move(why));
    all.paths.config = words[4];
    const auto umask = number_of<mode_t>(words[5]);
    const auto soft = number_of<rlim_t>(words[6]), hard = number_of<rlim_t>(words[7]);
    if (!umask || *umask > 0777 || !soft || !hard) return refuse("a limit is not a number");
    all.limits.umask = *umask;
    all.limits.descriptors.rlim_cur = *soft, all.limits.descriptors.rlim_max = *hard;
    all.stays_when_empty = words[8] == yes;
    all.is_managed = words[9] == yes;
    return all;
}

} // namespace mux
