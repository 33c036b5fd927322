// SPDX-License-Identifier: MIT
#include "past_tabs.hpp"

#include "protocol/names.hpp"
#include "vt/bytes.hpp"

#include <mato/endpoint.hpp>
#include <mato/sys.hpp>
#include <mato/unique_fd.hpp>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <set>
#include <utility>

namespace mux {
namespace {

namespace sys = mato::sys;

constexpr std::string_view tab_magic = "mato:pst", layout_magic = "mato:pla", reading = "read a saved tab";
constexpr std::uint32_t past_version = 1; // also another one when tab_record::encode writes another form
constexpr std::size_t past_version_at = 8, past_size_at = 16, sum_at = 24, past_body_at = 32;
constexpr std::uint64_t most_saved_number = ~std::uint64_t{0} >> 1;

/// Finds damage, not forgery. Eight bytes at a time, for a mebibyte takes a part of a millisecond only.
std::uint64_t sum_of(std::string_view bytes) noexcept {
    constexpr std::uint64_t prime = 0x9e3779b97f4a7c15;
    std::uint64_t sum = bytes.size();
    while (!bytes.empty()) {
        std::uint64_t word = 0;
        const std::size_t size = std::min(bytes.size(), sizeof word);
        std::memcpy(&word, bytes.data(), size);
        bytes.remove_prefix(size);
        sum = (sum ^ word) * prime;
        sum ^= sum >> 32;
    }
    return sum;
}

std::string as_file(std::string_view magic, std::string_view body) {
    std::string file(past_body_at, '\0');
    const std::uint64_t size = body.size(), sum = sum_of(body);
    magic.copy(file.data(), magic.size());
    std::memcpy(file.data() + past_version_at, &past_version, sizeof past_version);
    std::memcpy(file.data() + past_size_at, &size, sizeof size);
    std::memcpy(file.data() + sum_at, &sum, sizeof sum);
    return file.append(body);
}

/// @errors malformed, version_mismatch
std::string_view body_in(std::string_view file, std::string_view magic, mato::error_out out) {
    const auto refuse = [&](std::error_code code, std::string why) {
        return out.fail<std::string_view>(code, reading, {}, std::move(why));
    };
    if (file.size() < past_body_at || !file.starts_with(magic))
        return refuse(mato::errc::malformed, "it is empty or another kind of file");
    std::uint32_t found = 0;
    std::uint64_t size = 0, sum = 0;
    std::memcpy(&found, file.data() + past_version_at, sizeof found);
    std::memcpy(&size, file.data() + past_size_at, sizeof size);
    std::memcpy(&sum, file.data() + sum_at, sizeof sum);
    if (found != past_version)
        return refuse(mato::errc::version_mismatch, "it has version " + std::to_string(found) +
                                                        ", and this mato reads version " + std::to_string(past_version) +
                                                        "; use the mato that has written it");
    const std::string_view body = file.substr(past_body_at);
    if (body.size() != size || sum_of(body) != sum) return refuse(mato::errc::malformed, "it is damaged");
    return body;
}

/// A regular file that only this user can have written. @errors of the system calls · permission_denied · file_too_large
std::string read_own(const std::string& path, mato::error_out out) {
    const mato::unique_fd file(sys::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
    struct ::stat about {};
    if (!file || sys::fstat(file.get(), &about) == -1) return out.fail<std::string>(mato::last_error(), reading, path);
    const auto refuse = [&](std::errc code, std::string why) {
        return out.fail<std::string>(std::make_error_code(code), reading, path, std::move(why));
    };
    if (!S_ISREG(about.st_mode)) return refuse(std::errc::permission_denied, "it is not a regular file");
    if (about.st_uid != sys::geteuid()) return refuse(std::errc::permission_denied, "it belongs to another user");
    if (about.st_mode & 077)
        return refuse(std::errc::permission_denied, "it is open to group or others; remove it, or close it with chmod 600");
    const auto size = static_cast<std::uint64_t>(std::max<off_t>(about.st_size, 0));
    if (size > past_tabs::most_file)
        return refuse(std::errc::file_too_large, "it has " + std::to_string(size) + " bytes, and at most " +
                                                     std::to_string(past_tabs::most_file) + " are read");
    std::string bytes(size, '\0');
    std::size_t done = 0;
    while (done < bytes.size()) {
        const ssize_t got = sys::read(file.get(), bytes.data() + done, bytes.size() - done);
        if (got < 0) return out.fail<std::string>(mato::last_error(), reading, path);
        if (got == 0) break;
        done += static_cast<std::size_t>(got);
    }
    bytes.resize(done);
    return bytes;
}

bool can_be_started(const spawn_request& program) {
    return !program.program.empty() && !program.argv.empty() && program.directory.starts_with('/');
}

} // namespace

std::string past_tabs::path_next_to(const std::string& socket) {
    return std::filesystem::path(socket).replace_extension(".past.tabs").native();
}

std::string past_tabs::path_of(tab_id id) const { return directory_ + "/tab-" + std::to_string(id); }

// ---- formats ----

std::string past_tabs::encode(const past_tab& one) {
    std::string buffer;
    vt::byte_writer to(buffer);
    to.number(static_cast<std::uint64_t>(std::max<std::time_t>(one.saved, 0)));
    to.text(tab_record::encode(one.birth));
    to.text(one.text);
    return as_file(tab_magic, to.written());
}

past_tab past_tabs::decode(std::string_view file, mato::error_out out) {
    const std::string_view body = body_in(file, tab_magic, out);
    if (out.failed()) return {};
    vt::byte_reader from(body);
    past_tab one;
    one.saved = from.bounded<std::time_t>(most_saved_number);
    auto birth = tab_record::decode(from.text(most_file));
    one.text = from.text(most_text);
    if (!from.ok() || !from.at_end() || !birth || !can_be_started(birth->options.program))
        return out.fail<past_tab>(mato::errc::malformed, reading, {}, "it is damaged");
    one.birth = std::move(*birth);
    one.place.id = one.birth.options.id;
    return one;
}

std::string past_tabs::encode_layout(const std::vector<past_place>& places) {
    std::string buffer;
    vt::byte_writer to(buffer);
    for (const past_place& each : places)
        to.number(each.id), to.text(each.task), to.text(each.name), to.number(each.used), to.number(each.touched);
    return as_file(layout_magic, to.written());
}

std::vector<past_place> past_tabs::decode_layout(std::string_view file, mato::error_out out) {
    const auto refuse = [&](const char* why) {
        return out.fail<std::vector<past_place>>(mato::errc::malformed, reading, {}, why);
    };
    const std::string_view body = body_in(file, layout_magic, out);
    if (out.failed()) return {};
    vt::byte_reader from(body);
    std::vector<past_place> all;
    std::set<tab_id> seen;
    while (from.ok() && !from.at_end()) {
        past_place each;
        each.id = from.bounded<tab_id>(most_saved_number);
        each.task = from.text(most_file), each.name = from.text(most_file);
        each.used = from.bounded<std::uint64_t>(most_saved_number),
        each.touched = from.bounded<std::uint64_t>(most_saved_number);
        if (each.id == 0 || !check_name(each.task).empty() || !check_name(each.name).empty()) from.fail();
        if (from.ok() && seen.insert(each.id).second) all.push_back(std::move(each));
        if (all.size() > most_tabs) return refuse("it has too many tabs");
    }
    return from.ok() ? all : refuse("it is damaged");
}

// ---- files ----

void past_tabs::save(const past_tab& one, mato::error_out out) const {
    replace(path_of(one.birth.options.id), encode(one), out);
}

void past_tabs::save_layout(const std::vector<past_place>& places, mato::error_out out) const {
    replace(directory_ + "/layout", encode_layout(places), out);
}

/// A crash at any point leaves a whole file under one of the names that `load` looks for.
void past_tabs::replace(const std::string& path, std::string_view bytes, mato::error_out out) const {
    constexpr std::string_view saving = "save what a tab shows";
    if (bytes.size() > most_file)
        return out.set(std::make_error_code(std::errc::file_too_large), saving, path,
                       "it has " + std::to_string(bytes.size()) + " bytes, and at most " + std::to_string(most_file) +
                           " are saved");
    mato::make_private_directory(directory_, out);
    if (out.failed()) return;
    const std::string fresh = path + ".new", before = path + ".before";
    sys::unlink(fresh.c_str()); // of a process that died here
    const auto give_up = [&](const std::string& where) {
        out.set(mato::last_error(), saving, where);
        sys::unlink(fresh.c_str());
    };
    {
        const mato::unique_fd file(sys::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
        if (!file) return out.set(mato::last_error(), saving, fresh);
        while (!bytes.empty()) {
            const ssize_t took = sys::write(file.get(), bytes.data(), bytes.size());
            if (took <= 0) return give_up(fresh);
            bytes.remove_prefix(static_cast<std::size_t>(took));
        }
    }
    if (sys::rename(path.c_str(), before.c_str()) == -1 && errno != ENOENT) return give_up(before);
    if (sys::rename(fresh.c_str(), path.c_str()) == -1) give_up(path);
}

void past_tabs::forget(tab_id id) const noexcept {
    for (const char* const ending : {"", ".before", ".new"}) sys::unlink((path_of(id) + ending).c_str());
}

/// `is_there`: one of the two files is.
template <class Value> Value past_tabs::read_newest(const std::string& path, Value (*read)(std::string_view, mato::error_out),
                                                    std::vector<mato::failure>& refused, bool& is_there) const {
    is_there = false;
    for (const std::string& each : {path, path + ".before"}) {
        mato::failure why;
        const std::string file = read_own(each, why);
        if (why.code == std::errc::no_such_file_or_directory) continue;
        is_there = true;
        Value found{};
        if (!why) found = read(file, why);
        if (!why) return found;
        if (why.path.empty()) why.path = each;
        refused.push_back(std::move(why));
    }
    return {};
}

std::vector<past_tab> past_tabs::load(std::vector<mato::failure>& refused) const {
    std::vector<past_tab> all;
    mato::failure why;
    mato::check_private_directory(directory_, why);
    if (why && why.code != std::errc::no_such_file_or_directory) refused.push_back(std::move(why));
    if (why || !refused.empty()) return all;
    bool is_there = false;
    for (past_place& place : read_newest(directory_ + "/layout", &past_tabs::decode_layout, refused, is_there)) {
        const std::string path = path_of(place.id);
        past_tab one = read_newest(path, &past_tabs::decode, refused, is_there);
        const auto refuse = [&](std::error_code code, const char* detail) {
            refused.push_back({code, std::string(reading), path, detail});
        };
        if (!is_there) refuse(std::make_error_code(std::errc::no_such_file_or_directory), "it was not saved yet");
        if (one.place.id == 0) continue;
        if (one.place.id != place.id) {
            refuse(mato::errc::malformed, "it belongs to another tab");
            continue;
        }
        one.place = std::move(place);
        all.push_back(std::move(one));
    }
    return all;
}

} // namespace mux
