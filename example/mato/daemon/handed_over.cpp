// SPDX-License-Identifier: MIT
#include "handed_over.hpp"

#include "vt/bytes.hpp"

#include <algorithm>
#include <cstring>

namespace mux {
namespace {

constexpr std::string_view handed_magic = "mato:hnd";
constexpr std::uint32_t version_number = 1;
constexpr std::size_t handed_version_at = 8, handed_size_at = 16, handed_body_at = 64;
constexpr std::uint64_t most_id = ~std::uint64_t{0} >> 1;
constexpr std::size_t most_count = 1u << 20; // of tabs, and of variables

} // namespace

mato::memory_file handed_over::write(mato::error_out out) const {
    std::string buffer;
    vt::byte_writer to(buffer);
    to.text(version);
    to.number(variables.size());
    for (const std::string& each : variables) to.text(each);
    to.number(tabs.size());
    for (const tab_part& each : tabs) to.number(each.id), to.text(each.typed), to.text(each.output), to.number(each.idle_since);
    to.number(recorded.size());
    for (const recorded_part& each : recorded) to.number(each.id), to.number(each.offset), to.text(each.output);
    const std::string_view body = to.written();
    if (body.size() > most_body)
        return out.fail<mato::memory_file>(std::make_error_code(std::errc::file_too_large), "hand over the tabs", {},
                                           "their unread input and output have " + std::to_string(body.size()) +
                                               " bytes, and at most " + std::to_string(most_body) + " can be handed over");
    auto file = mato::memory_file::create("mato:handover", handed_body_at + body.size(), out);
    if (!file) return {};
    char* const all = file.bytes().data();
    const std::uint64_t size = body.size();
    body.copy(all + handed_body_at, body.size());
    std::memcpy(all + handed_version_at, &version_number, sizeof version_number);
    std::memcpy(all + handed_size_at, &size, sizeof size);
    handed_magic.copy(all, handed_magic.size());
    return file;
}

handed_over handed_over::read(const mato::memory_file& file, mato::error_out out) {
    const std::string_view all(file.bytes().data(), file.bytes().size());
    const auto refuse = [&](std::error_code code, const char* why) {
        return out.fail<handed_over>(code, "read what was handed over", {}, why);
    };
    if (all.size() < handed_body_at || !all.starts_with(handed_magic))
        return refuse(mato::errc::malformed, "it does not hold tabs");
    std::uint32_t number = 0;
    std::uint64_t size = 0;
    std::memcpy(&number, all.data() + handed_version_at, sizeof number);
    std::memcpy(&size, all.data() + handed_size_at, sizeof size);
    if (number != version_number) return refuse(mato::errc::version_mismatch, "it is of another version");
    if (size > all.size() - handed_body_at) return refuse(mato::errc::malformed, "it is truncated");
    vt::byte_reader from(all.substr(handed_body_at, size));
    handed_over got;
    got.version = from.text(most_body);
    for (auto left = from.bounded<std::size_t>(most_count); left > 0 && from.ok(); --left)
        got.variables.emplace_back(from.text(most_body));
    for (auto left = from.bounded<std::size_t>(most_count); left > 0 && from.ok(); --left) {
        tab_part each;
        each.id = from.bounded<tab_id>(most_id);
        each.typed = from.text(most_body), each.output = from.text(most_body);
        each.idle_since = from.number();
        if (from.ok()) got.tabs.push_back(std::move(each));
    }
    for (auto left = from.at_end() ? 0 : from.bounded<std::size_t>(most_count); left > 0 && from.ok(); --left) {
        recorded_part each;
        each.id = from.bounded<tab_id>(most_id), each.offset = from.number(), each.output = from.text(most_body);
        if (from.ok()) got.recorded.push_back(std::move(each));
    }
    if (!from.ok()) return refuse(mato::errc::malformed, "it is damaged");
    return got;
}

const handed_over::tab_part* handed_over::find(tab_id id) const noexcept {
    const auto at = std::ranges::find(tabs, id, &tab_part::id);
    return at == tabs.end() ? nullptr : &*at;
}

const handed_over::recorded_part* handed_over::find_recorded(tab_id id) const noexcept {
    const auto at = std::ranges::find(recorded, id, &recorded_part::id);
    return at == recorded.end() ? nullptr : &*at;
}

} // namespace mux
