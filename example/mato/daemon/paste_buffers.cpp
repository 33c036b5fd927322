// SPDX-License-Identifier: MIT
#include "paste_buffers.hpp"

#include "protocol/names.hpp"
#include "protocol/short_text.hpp"

#include <algorithm>
#include <utility>

namespace mux {
namespace {

constexpr std::size_t begin_bytes = 60; // of a buffer's text in the list

} // namespace

std::size_t paste_buffers::bytes_without(std::string_view name) const noexcept {
    std::size_t sum = 0;
    for (const buffer& each : all_)
        if (each.name != name) sum += each.text.size();
    return sum;
}

void paste_buffers::put(std::string_view name, std::string text) {
    remove(name);
    all_.push_back({std::string(name), std::move(text)});
}

std::string paste_buffers::set(std::string_view name, std::string text) {
    const std::string which = "buffer '" + std::string(name) + "'";
    if (const std::string problem = check_name(name); !problem.empty()) return which + ": " + problem;
    if (text.size() > most_text) return which + ": the text has more than " + std::to_string(most_text >> 10) + " KiB";
    if (!find(name) && all_.size() >= most)
        return "there are " + std::to_string(most) + " buffers already; remove one with 'mato buffer rm NAME'";
    if (bytes_without(name) + text.size() > most_in_all)
        return "all buffers may have " + std::to_string(most_in_all >> 20) +
               " MiB together; remove one with 'mato buffer rm NAME'";
    put(name, std::move(text));
    return {};
}

void paste_buffers::copy(std::string text) {
    remove(copied);
    while (!all_.empty() && (all_.size() >= most || bytes_without(copied) + text.size() > most_in_all))
        all_.erase(all_.begin());
    put(copied, std::move(text));
}

const std::string* paste_buffers::find(std::string_view name) const noexcept {
    const auto at = std::find_if(all_.begin(), all_.end(), [&](const buffer& each) { return each.name == name; });
    return at == all_.end() ? nullptr : &at->text;
}

bool paste_buffers::remove(std::string_view name) noexcept {
    return std::erase_if(all_, [&](const buffer& each) { return each.name == name; }) > 0;
}

buffer_list paste_buffers::list() const {
    buffer_list list;
    for (auto at = all_.rbegin(); at != all_.rend(); ++at)
        list.buffers.push_back({at->name, at->text.size(), short_text(at->text, begin_bytes)});
    return list;
}

} // namespace mux
