// SPDX-License-Identifier: MIT
/// @file keeper_state.hpp: what a keeper knows, in a memory file for the program that is executed in its place.
/// Layer: 3 (mechanism; no asio).  Test: test/toolkit/keeper_state_test.cpp.
/// Threads: values.   Blocks: never.
///
/// The process stays: pid, children, subreaper, signal mask and descriptors are the same after exec(2). All else is here. The
/// memory: a head of kept_memory.hpp, one word that a checking program sets when it could go on from here, the checksum, then
/// numbers of eight bytes, and texts with their length before them.
#pragma once

#include "../memory_file.hpp"
#include "../upgrade.hpp"
#include "crc32c.hpp"
#include "kept_memory.hpp"
#include "kept_table.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mato {
inline namespace MATO_ABI {
namespace detail {

struct keeper_state {
    struct item {
        std::uint64_t slot = 0;
        std::string name{};
        int descriptor = -1;
        pid_t child = 0;
        bool is_memory = false, has_ended = false, is_told = true;
        int status = 0;
        bool operator==(const item&) const = default;
    };

    std::uint64_t generation = 0; ///< of the worker
    pid_t worker = 0;
    int link = -1, report = -1, program = -1, lock = -1, listener = -1; ///< descriptors
    std::uint64_t device = 0, inode = 0;                                ///< of the listener's name
    std::uint64_t started_at = 0, died_at = 0;                          ///< nanoseconds of the clock
    int last_signal = 0;
    upgrade_start start{};
    std::vector<item> items{};

    /// @errors as memory_file::create.
    [[nodiscard]] memory_file write(error_out out) const;
    /// @errors malformed · version_mismatch.
    [[nodiscard]] static keeper_state read(const memory_file& from, error_out out);
    /// Said by a program that has read it and could go on.
    static void accept(const memory_file& in) noexcept { store_word(in.bytes().data() + accepted_word, 1); }
    [[nodiscard]] static bool is_accepted(const memory_file& in) noexcept {
        return in && load_word(in.bytes().data() + accepted_word) == 1;
    }

private:
    static constexpr kept_kind kind{"matokeep", "a keeper's state", 1, 0};
    static constexpr std::size_t accepted_word = kept_words, sum_at = kept_words + 8;
    static constexpr std::uint64_t most_texts = 65'536; ///< arguments, or variables
    class writer;
    class reader;
};

// ---- implementation ----

class keeper_state::writer {
public:
    void number(std::uint64_t n) {
        char bytes[8];
        store_number(bytes, n);
        all.append(bytes, sizeof bytes);
    }
    void signed_number(std::int64_t n) { number(static_cast<std::uint64_t>(n)); }
    void text(std::string_view t) { number(t.size()), all.append(t); }
    void texts(const std::vector<std::string>& many) {
        number(many.size());
        for (const std::string& each : many) text(each);
    }
    std::string all;
};

class keeper_state::reader {
public:
    explicit reader(std::string_view from) noexcept : left_(from) {}
    [[nodiscard]] std::uint64_t number() noexcept {
        if (left_.size() < 8) return is_good_ = false, left_ = {}, 0;
        const auto n = load_number<std::uint64_t>(left_.data());
        left_.remove_prefix(8);
        return n;
    }
    /// Outside of these limits nothing that follows is read.
    [[nodiscard]] std::uint64_t number(std::uint64_t least, std::uint64_t most) noexcept {
        const std::uint64_t n = number();
        return n >= least && n <= most ? n : (is_good_ = false, left_ = {}, least);
    }
    [[nodiscard]] int signed_number(int least) noexcept {
        const auto n = static_cast<std::int64_t>(number());
        const bool fits = n >= least && n <= 0x7fffffff;
        return fits ? static_cast<int>(n) : (is_good_ = false, left_ = {}, least);
    }
    [[nodiscard]] bool flag() noexcept { return number(0, 1) == 1; }
    [[nodiscard]] std::string text() {
        const std::uint64_t size = number();
        if (size > left_.size()) return is_good_ = false, left_ = {}, std::string();
        std::string got(left_.substr(0, static_cast<std::size_t>(size)));
        left_.remove_prefix(got.size());
        return got;
    }
    [[nodiscard]] std::vector<std::string> texts() {
        std::vector<std::string> many;
        for (auto left = number(0, most_texts); left > 0 && is_good_; --left) many.push_back(text());
        return many;
    }
    [[nodiscard]] bool is_whole() const noexcept { return is_good_ && left_.empty(); }
    [[nodiscard]] bool is_good() const noexcept { return is_good_; }

private:
    std::string_view left_;
    bool is_good_ = true;
};

inline memory_file keeper_state::write(error_out out) const {
    writer to;
    to.number(generation), to.signed_number(worker);
    for (const int fd : {link, report, program, lock, listener}) to.signed_number(fd);
    to.number(device), to.number(inode), to.number(started_at), to.number(died_at), to.signed_number(last_signal);
    to.texts(start.arguments), to.texts(start.variables);
    to.number(items.size());
    for (const item& each : items) {
        to.number(each.slot), to.text(each.name), to.signed_number(each.descriptor), to.signed_number(each.child);
        to.number(each.is_memory ? 1 : 0), to.number(each.has_ended ? 1 : 0), to.number(each.is_told ? 1 : 0);
        to.signed_number(each.status);
    }
    auto file = memory_file::create("mato:keeper", kept_content + to.all.size(), out);
    if (out.failed()) return {};
    char* const at = file.bytes().data();
    std::memcpy(at + kept_content, to.all.data(), to.all.size());
    store_number(at + sum_at, crc32c(to.all));
    write_kept_head(at, kind, to.all.size());
    return file;
}

inline keeper_state keeper_state::read(const memory_file& file, error_out out) {
    const std::size_t begin = check_kept_head(file.bytes(), kind, out);
    if (begin == 0) return {};
    const auto refuse = [&](const char* why) { return out.fail<keeper_state>(errc::malformed, "go on as keeper", {}, why); };
    const char* const at = file.bytes().data();
    const auto size = load_number<std::uint64_t>(at + 16);
    if (size > file.size() - begin) return refuse("the state is truncated");
    const std::string_view body(at + begin, static_cast<std::size_t>(size));
    if (load_number<std::uint32_t>(at + sum_at) != crc32c(body)) return refuse("the state is damaged: its checksum differs");
    reader from(body);
    keeper_state got;
    got.generation = from.number(1, 0xffffffff), got.worker = from.signed_number(2);
    for (int* const fd : {&got.link, &got.report, &got.program, &got.lock, &got.listener}) *fd = from.signed_number(-1);
    got.device = from.number(), got.inode = from.number(), got.started_at = from.number(), got.died_at = from.number();
    got.last_signal = from.signed_number(0);
    got.start.arguments = from.texts(), got.start.variables = from.texts();
    for (auto left = from.number(0, keeper_message::most_slots); left > 0 && from.is_good(); --left) {
        item each;
        each.slot = from.number(0, keeper_message::most_slots - 1);
        each.name = from.text(), each.descriptor = from.signed_number(-1), each.child = from.signed_number(0);
        each.is_memory = from.flag(), each.has_ended = from.flag(), each.is_told = from.flag();
        each.status = from.signed_number(0);
        if (each.name.empty() || each.name.size() > keeper_message::most_name) return refuse("an item has no valid name");
        got.items.push_back(std::move(each));
    }
    if (!from.is_whole()) return refuse("the state is not complete");
    if (got.link < 0 || got.program < 0) return refuse("it has no worker, or no program");
    return got;
}

} // namespace detail
} // namespace MATO_ABI
} // namespace mato
