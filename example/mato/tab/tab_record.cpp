// SPDX-License-Identifier: MIT
#include "tab_record.hpp"

#include "memory_words.hpp"
#include "vt/bytes.hpp"

#include <cstring>
#include <utility>

namespace mux {
namespace {

constexpr std::string_view magic = "mato:rec";
constexpr std::uint32_t version = 1;
constexpr std::size_t version_at = 8, size_at = 12, end_at = 16, closing_at = 24, quarantined_at = 32, past_at = 40,
                      remains_at = 48, body_at = 64;
constexpr std::uint64_t most_number = ~std::uint64_t{0} >> 1;
constexpr int most_cells = 1 << 16;

void write_list(vt::byte_writer& to, const std::vector<std::string>& list) {
    to.number(list.size());
    for (const std::string& each : list) to.text(each);
}

std::vector<std::string> read_list(vt::byte_reader& from) {
    std::vector<std::string> list;
    for (auto left = from.bounded<std::size_t>(tab_record::most_body); left > 0 && from.ok(); --left)
        list.emplace_back(from.text(tab_record::most_body));
    return list;
}

void write_size(vt::byte_writer& to, const terminal_size& size) {
    for (const int each : {size.cells.rows, size.cells.columns, size.cell.width, size.cell.height})
        to.number(static_cast<std::uint64_t>(each));
}

terminal_size read_size(vt::byte_reader& from) {
    terminal_size size;
    for (int* const each : {&size.cells.rows, &size.cells.columns, &size.cell.width, &size.cell.height})
        *each = from.bounded(most_cells);
    return size;
}

std::string_view write_birth(std::string& buffer, const tab_record::birth& opened) {
    vt::byte_writer to(buffer);
    const tab_options& o = opened.options;
    const spawn_request& p = o.program;
    to.number(o.id), to.text(opened.task), to.text(opened.name), to.text(o.command);
    write_size(to, o.size);
    to.flag(o.emulator == emulator_kind::raw);
    to.number(o.history_lines), to.number(o.replay_bytes), to.number(o.input_bytes);
    to.flag(o.clipboard), to.flag(o.survive);
    to.text(p.program), write_list(to, p.argv), write_list(to, p.environment), to.text(p.directory);
    to.number(p.limits.umask), to.number(p.limits.descriptors.rlim_cur), to.number(p.limits.descriptors.rlim_max);
    return to.written();
}

bool read_birth(std::string_view body, tab_record::birth& opened) {
    constexpr std::size_t most = tab_record::most_body;
    vt::byte_reader from(body);
    tab_options& o = opened.options;
    spawn_request& p = o.program;
    o.id = from.bounded<tab_id>(most_number);
    opened.task = from.text(most), opened.name = from.text(most), o.command = from.text(most);
    o.size = p.size = read_size(from);
    o.emulator = from.flag() ? emulator_kind::raw : emulator_kind::vt;
    o.history_lines = from.bounded<std::size_t>(most_number), o.replay_bytes = from.bounded<std::size_t>(most_number);
    o.input_bytes = from.bounded<std::size_t>(most_number);
    o.clipboard = from.flag(), o.survive = from.flag();
    p.program = from.text(most), p.argv = read_list(from), p.environment = read_list(from), p.directory = from.text(most);
    p.limits.umask = from.bounded<mode_t>(07777);
    p.limits.descriptors.rlim_cur = from.number(), p.limits.descriptors.rlim_max = from.number();
    return from.ok() && o.id != 0 && o.size.cells.rows > 0 && o.size.cells.columns > 0;
}

} // namespace

std::string tab_record::encode(const birth& opened) {
    std::string buffer;
    return std::string(write_birth(buffer, opened));
}

std::optional<tab_record::birth> tab_record::decode(std::string_view body) {
    birth opened;
    return read_birth(body, opened) ? std::optional(std::move(opened)) : std::nullopt;
}

tab_record tab_record::create(const birth& opened, mato::error_out out) {
    std::string buffer;
    const std::string_view body = write_birth(buffer, opened);
    if (body.size() > most_body) {
        out.set(std::make_error_code(std::errc::file_too_large), "record tab", {},
                "its command and environment have " + std::to_string(body.size()) + " bytes");
        return {};
    }
    auto file = mato::memory_file::create("mato:record", body_at + body.size(), out);
    if (!file) return {};
    tab_record made(std::move(file));
    char* const all = made.file_.bytes().data();
    body.copy(all + body_at, body.size());
    store_number(all + version_at, version);
    store_number(all + size_at, static_cast<std::uint32_t>(body.size()));
    made.store(remains_at, opened.options.remains ? 1 : 0);
    magic.copy(all, magic.size());
    return made;
}

tab_record tab_record::adopt(mato::unique_fd fd, birth& opened, mato::error_out out) {
    auto file = mato::memory_file::adopt(std::move(fd), out);
    return file ? adopt(std::move(file), opened, out) : tab_record();
}

tab_record tab_record::adopt(mato::memory_file file, birth& opened, mato::error_out out) {
    constexpr std::string_view step = "read the record of a tab";
    const std::string_view all(file.bytes().data(), file.bytes().size());
    const auto refuse = [&](std::error_code code, const char* why) { return out.set(code, step, {}, why), tab_record(); };
    if (all.size() < body_at || !all.starts_with(magic)) return refuse(mato::errc::malformed, "it is not a tab's record");
    if (load_number<std::uint32_t>(all.data() + version_at) != version)
        return refuse(mato::errc::version_mismatch, "the record is of another version");
    const std::size_t size = load_number<std::uint32_t>(all.data() + size_at);
    if (size > all.size() - body_at || !read_birth(all.substr(body_at, size), opened))
        return refuse(mato::errc::malformed, "the record is damaged");
    tab_record found(std::move(file));
    opened.options.remains = found.load(remains_at) != 0;
    return found;
}

void tab_record::store(std::size_t at, std::uint64_t value) noexcept {
    if (file_) store_word(file_.bytes().data() + at, value);
}

std::uint64_t tab_record::load(std::size_t at) const noexcept {
    return file_ ? __atomic_load_n(reinterpret_cast<const std::uint64_t*>(file_.bytes().data() + at), __ATOMIC_SEQ_CST) : 0;
}

void tab_record::ended(int exit_code) noexcept { store(end_at, 1 + static_cast<std::uint64_t>(exit_code & 0xff)); }
void tab_record::runs() noexcept {
    store(past_at, 0);
    store(end_at, 0);
}
void tab_record::set_past() noexcept { store(past_at, 1); }
bool tab_record::is_past() const noexcept { return load(past_at) != 0; }
void tab_record::closes() noexcept { store(closing_at, 1); }
void tab_record::set_quarantine(quarantine cause) noexcept { store(quarantined_at, static_cast<std::uint64_t>(cause)); }
quarantine tab_record::cause() const noexcept {
    const std::uint64_t word = load(quarantined_at);
    return word == 0 ? quarantine::none : word == 2 ? quarantine::unreadable : quarantine::poison;
}

std::optional<int> tab_record::exit_code() const noexcept {
    const std::uint64_t end = load(end_at);
    if (end == 0 || end > 0x100) return std::nullopt;
    return static_cast<int>(end) - 1;
}

bool tab_record::is_closing() const noexcept { return load(closing_at) != 0; }

} // namespace mux
