// SPDX-License-Identifier: MIT
#include "closed_tabs.hpp"

#include "protocol/names.hpp"
#include "tab/tab_record.hpp"
#include "vt/bytes.hpp"

#include <mato/sys_memory.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstring>
#include <utility>

namespace mux {
namespace {

constexpr std::string_view magic = "mato:cls";
constexpr std::uint32_t closed_version = 1; // also another one when tab_record::encode writes another form
constexpr std::size_t version_at = 8, size_at = 16, body_at = 64;
constexpr std::size_t most_body = closed_tabs::most_shown + tab_record::most_body + 4096;

/// The body but for what the tab showed.
std::string facts_of(const closed_tab& gone) {
    std::string buffer;
    vt::byte_writer to(buffer);
    to.number(
        static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(gone.at.time_since_epoch()).count()));
    to.flag(gone.by_key);
    to.text(gone.name.task), to.text(gone.name.name);
    to.text(tab_record::encode({gone.options, gone.name.task, gone.name.name}));
    return std::string(to.written());
}

/// @returns false: it was not written by closed_tab::write
bool read_facts(vt::byte_reader& from, closed_tab& gone) {
    gone.at = mato::clock::time_point(std::chrono::microseconds(from.bounded<std::int64_t>(~std::uint64_t{0} >> 12)));
    gone.by_key = from.flag();
    gone.name.task = from.text(most_body), gone.name.name = from.text(most_body);
    auto birth = tab_record::decode(from.text(most_body));
    if (!from.ok() || !birth) return false;
    gone.options = std::move(birth->options);
    gone.name.id = gone.options.id;
    return check_name(gone.name.task).empty() && check_name(gone.name.name).empty();
}

} // namespace

mapped_bytes::mapped_bytes(const mato::memory_file& of) noexcept {
    void* const at = mato::sys::mmap(nullptr, of.size(), PROT_READ, MAP_SHARED, of.native_handle(), 0);
    if (at != MAP_FAILED) at_ = at, size_ = of.size();
}

mapped_bytes::~mapped_bytes() {
    if (at_) mato::sys::munmap(at_, size_);
}

void closed_tab::close_descriptor() noexcept {
    if (!file) return;
    mapped = mapped_bytes(file);
    if (!mapped.bytes().empty()) file = {};
}

std::string_view closed_tab::text() const {
    const std::string_view all = file ? std::string_view(file.bytes().data(), file.size()) : mapped.bytes();
    if (all.empty()) return shown;
    vt::byte_reader from(all.substr(body_at));
    closed_tab ignored;
    return read_facts(from, ignored) ? from.text(closed_tabs::most_shown) : std::string_view();
}

void closed_tab::write(mato::error_out out) {
    std::string buffer;
    vt::byte_writer to(buffer);
    to.raw(facts_of(*this));
    to.text(shown);
    const std::string_view body = to.written();
    auto made = mato::memory_file::create("mato:closed", body_at + body.size(), out);
    if (!made) return;
    char* const all = made.bytes().data();
    const std::uint64_t size = body.size();
    body.copy(all + body_at, body.size());
    std::memcpy(all + version_at, &closed_version, sizeof closed_version);
    std::memcpy(all + size_at, &size, sizeof size);
    magic.copy(all, magic.size());
    file = std::move(made);
    std::string().swap(shown);
}

closed_tab closed_tab::read(mato::memory_file file, mato::error_out out) {
    constexpr std::string_view step = "read a closed tab";
    const std::string_view all(file.bytes().data(), file.size());
    if (all.size() < body_at || !all.starts_with(magic))
        return out.fail<closed_tab>(mato::errc::malformed, step, {}, "it is not a closed tab");
    std::uint32_t number = 0;
    std::uint64_t size = 0;
    std::memcpy(&number, all.data() + version_at, sizeof number);
    std::memcpy(&size, all.data() + size_at, sizeof size);
    if (number != closed_version)
        return out.fail<closed_tab>(mato::errc::version_mismatch, step, {}, "it is of another version");
    closed_tab gone;
    vt::byte_reader from(all.substr(body_at));
    if (size > all.size() - body_at || !read_facts(from, gone) ||
        (static_cast<void>(from.text(closed_tabs::most_shown)), !from.ok()))
        return out.fail<closed_tab>(mato::errc::malformed, step, {}, "it is damaged");
    gone.file = std::move(file);
    gone.close_descriptor();
    return gone;
}

closed_tab* closed_tabs::remember(closed_tab gone) {
    if (gone.shown.size() > most_shown) std::string().swap(gone.shown);
    const tab_id id = gone.name.id;
    forget(id);
    bytes_ += gone.text().size();
    tabs_.push_back(std::move(gone));
    while (tabs_.size() > most || bytes_ > most_bytes) drop_oldest();
    return tabs_.empty() || tabs_.back().name.id != id ? nullptr : &tabs_.back();
}

const closed_tab* closed_tabs::find(std::string_view target, tab_id current) const {
    if (target.empty()) return tabs_.empty() ? nullptr : &tabs_.back();
    tab_id id = target == "." ? current : 0;
    const char* const end = target.data() + target.size();
    if (target != ".")
        if (const auto read = std::from_chars(target.data(), end, id); read.ec != std::errc() || read.ptr != end) id = 0;
    const auto found = std::find_if(tabs_.rbegin(), tabs_.rend(), [&](const closed_tab& each) {
        if (id != 0) return each.name.id == id;
        return target == each.name.name || target == each.name.task + "/" + each.name.name;
    });
    return found == tabs_.rend() ? nullptr : &*found;
}

void closed_tabs::forget(tab_id id) {
    const auto at = std::ranges::find_if(tabs_, [id](const closed_tab& each) { return each.name.id == id; });
    if (at == tabs_.end()) return;
    bytes_ -= at->text().size();
    tabs_.erase(at);
    if (on_forgotten) on_forgotten(id);
}

void closed_tabs::forget_before(mato::clock::time_point when) {
    while (!tabs_.empty() && tabs_.front().at < when) drop_oldest();
}

std::optional<mato::clock::time_point> closed_tabs::oldest() const {
    if (tabs_.empty()) return std::nullopt;
    return tabs_.front().at;
}

void closed_tabs::drop_oldest() {
    const tab_id id = tabs_.front().name.id;
    bytes_ -= tabs_.front().text().size();
    tabs_.pop_front();
    if (on_forgotten) on_forgotten(id);
}

} // namespace mux
