// SPDX-License-Identifier: MIT
#include "raw_store.hpp"

#include <algorithm>
#include <span>
#include <utility>

namespace mux {
namespace {

constexpr std::string_view raw_magic = "mato:raw";
constexpr std::uint32_t raw_version = 1;
constexpr std::size_t raw_version_at = 8, raw_size_at = 12, turns_at = 16, raw_unread_at = 24, raw_recorded_at = 32,
                      first_journal = 128;

/// The memory of journal 0 or 1, each of `size` bytes.
std::span<char> raw_journal_in(std::span<char> all, std::size_t size, std::size_t which) {
    return all.subspan(first_journal + which * size, size);
}

} // namespace

std::unique_ptr<raw_store> raw_store::create(std::size_t capacity, mato::error_out out) {
    using refused = std::unique_ptr<raw_store>;
    if (capacity == 0 || capacity > most_capacity)
        return out.fail<refused>(std::make_error_code(std::errc::invalid_argument), "keep the output of a tab", {},
                                 std::to_string(capacity) + " bytes were requested; 1 to " + std::to_string(most_capacity) +
                                     " are allowed");
    const std::size_t size = (kept_journal::memory_for(capacity) + 63) / 64 * 64;
    auto file = mato::memory_file::create("mato:raw", first_journal + 2 * size, out);
    if (!file) return nullptr;
    refused made(new raw_store(std::move(file)));
    const std::span<char> all = made->file_.bytes();
    mato::failure why;
    for (std::size_t i = 0; i < 2 && !why; ++i) made->journals_[i] = kept_journal::create(raw_journal_in(all, size, i), why);
    if (why) return out.fail<refused>(std::move(why));
    store_number(all.data() + raw_version_at, raw_version);
    store_number(all.data() + raw_size_at, static_cast<std::uint32_t>(size));
    raw_magic.copy(all.data(), raw_magic.size());
    return made;
}

std::unique_ptr<raw_store> raw_store::adopt(mato::unique_fd fd, mato::error_out out) {
    auto file = mato::memory_file::adopt(std::move(fd), out);
    return file ? adopt(std::move(file), out) : nullptr;
}

std::unique_ptr<raw_store> raw_store::adopt(mato::memory_file file, mato::error_out out) {
    using refused = std::unique_ptr<raw_store>;
    const std::span<char> all = file.bytes();
    const auto refuse = [&](std::error_code code, const char* why) {
        return out.fail<refused>(code, "restore the output of a tab", {}, why);
    };
    if (all.size() < first_journal || std::string_view(all.data(), raw_magic.size()) != raw_magic)
        return refuse(mato::errc::malformed, "the memory file has no output of a tab");
    if (load_number<std::uint32_t>(all.data() + raw_version_at) != raw_version)
        return refuse(mato::errc::version_mismatch, "the memory file is of another version");
    const std::size_t size = load_number<std::uint32_t>(all.data() + raw_size_at);
    if (size % 64 != 0 || size > (all.size() - first_journal) / 2)
        return refuse(mato::errc::malformed, "the journals lie outside the memory file");
    refused made(new raw_store(std::move(file)));
    made->turns_ = load_number<std::uint64_t>(all.data() + turns_at);
    mato::failure why;
    for (std::size_t i = 0; i < 2 && !why; ++i) made->journals_[i] = kept_journal::adopt(raw_journal_in(all, size, i), why);
    if (why) return out.fail<refused>(std::move(why));
    for (auto& each : made->journals_) each.recover();
    return made;
}

char* raw_store::arm() noexcept {
    if (newer().full()) {
        journals_[1 - (turns_ & 1)].checkpoint(); // its bytes are older than the newest `capacity`
        store_word(file_.bytes().data() + turns_at, ++turns_);
    }
    return newer().arm();
}

void raw_store::append(std::string_view bytes) noexcept {
    while (!bytes.empty()) {
        const auto part = bytes.substr(0, most_read);
        part.copy(arm(), part.size());
        commit(part.size());
        bytes.remove_prefix(part.size());
    }
}

std::string_view raw_store::from(std::uint64_t position, std::size_t most) const noexcept {
    const std::uint64_t all = end(), newest = all - newer().used();
    if (position >= all) return {};
    if (position >= newest) return newer().since_checkpoint().substr(static_cast<std::size_t>(position - newest), most);
    const std::uint64_t oldest = newest - older().used();
    return position < oldest ? std::string_view()
                             : older().since_checkpoint().substr(static_cast<std::size_t>(position - oldest), most);
}

std::string raw_store::all() const { return std::string(older().since_checkpoint()).append(newer().since_checkpoint()); }

void raw_store::input_waits(std::size_t bytes) noexcept { store_word(file_.bytes().data() + raw_unread_at, bytes); }

void raw_store::is_recorded(bool now) noexcept { store_word(file_.bytes().data() + raw_recorded_at, now ? 1 : 0); }

std::uint64_t raw_store::unread_input() const noexcept {
    return load_number<std::uint64_t>(file_.bytes().data() + raw_unread_at);
}

bool raw_store::was_recorded() const noexcept {
    return load_number<std::uint64_t>(file_.bytes().data() + raw_recorded_at) != 0;
}

} // namespace mux
