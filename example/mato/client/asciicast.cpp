// SPDX-License-Identifier: MIT
#include "asciicast.hpp"

#include "json.hpp"
#include "protocol/utf8_length.hpp"

#include <algorithm>
#include <cstdio>

namespace mux {

void asciicast_writer::begin(const asciicast_header& header, std::uint64_t at) {
    begin_ = at;
    last_ = 0;
    json::object all, environment;
    all.add("version", 2).add("width", header.size.columns).add("height", header.size.rows);
    all.add("timestamp", static_cast<std::int64_t>(header.started));
    if (!header.title.empty()) all.add("title", header.title);
    if (!header.command.empty()) all.add("command", header.command);
    for (const auto& [name, value] : header.environment) environment.add(name, value);
    if (!header.environment.empty()) all.add("env", environment.done());
    to_ += all.done().text;
    to_ += '\n';
}

void asciicast_writer::output(std::uint64_t at, std::string_view bytes) {
    std::string joined;
    if (!unfinished_.empty()) bytes = joined = std::exchange(unfinished_, {}).append(bytes);
    const std::size_t whole = bytes.size() - utf8_unfinished(bytes);
    unfinished_ = bytes.substr(whole);
    if (whole > 0) event(at, 'o', bytes.substr(0, whole));
}

void asciicast_writer::resize(std::uint64_t at, vt::screen_size size) {
    std::string text = std::to_string(size.columns);
    text += 'x';
    event(at, 'r', text += std::to_string(size.rows));
}

void asciicast_writer::marker(std::uint64_t at, std::string_view label) { event(at, 'm', label); }

void asciicast_writer::cut(std::uint64_t at) {
    if (!unfinished_.empty()) event(at, 'o', std::exchange(unfinished_, {}));
}

void asciicast_writer::event(std::uint64_t at, char code, std::string_view text) {
    last_ = std::max(last_, at < begin_ ? 0 : at - begin_);
    char head[64];
    const int size =
        std::snprintf(head, sizeof head, "[%llu.%06llu, \"%c\", ", static_cast<unsigned long long>(last_ / 1'000'000),
                      static_cast<unsigned long long>(last_ % 1'000'000), code);
    to_.append(head, static_cast<std::size_t>(size)).append(json::quote(text)).append("]\n");
}

} // namespace mux
