// SPDX-License-Identifier: MIT
/// @file kept_table.hpp: what a keeper holds for its workers, by slot.
/// Layer: 3 (mechanism; no asio).  Test: test/toolkit/keeper_message_test.cpp, test/fuzz/keeper_message_fuzz.cpp.
/// Threads: one object, one thread.   Blocks: never.
/// Fork: the worker gets the table and its descriptors under the same numbers.
#pragma once

#include "../unique_fd.hpp"
#include "exceptions.hpp"
#include "keeper_message.hpp"

#include <new>
#include <string>
#include <utility>
#include <vector>

namespace mato {
inline namespace MATO_ABI {
namespace detail {

struct kept_record {
    std::string name{}; ///< empty: the slot is free
    unique_fd descriptor{};
    pid_t child = 0;
    bool is_memory = false;
    bool has_ended = false; ///< the child, with `status`
    bool is_told = true;    ///< its end, to the worker
    bool is_taken = false;  ///< in the worker: the program has it
    int status = 0;         ///< as waitpid(2) says it
    // while a new program restores
    bool is_provisional = false; ///< kept by the new program: forgotten if it does not take over
    bool awaits_drop = false;    ///< dropped by the new program: forgotten when it takes over
    bool is_given_ended = false; ///< the new program knows the status
};

class kept_table {
public:
    /// `keep` and `drop`. @returns 0 or the errno of a refusal; then nothing has changed.
    [[nodiscard]] int apply(const keeper_message& message, std::vector<unique_fd>& descriptors);
    /// A child of this process has ended. @returns whether it is kept.
    bool ended(pid_t child, int status) noexcept;

    /// `keep` and `drop` of a program that has not taken over yet. Nothing that the old worker kept changes.
    [[nodiscard]] int apply_provisionally(const keeper_message& message, std::vector<unique_fd>& descriptors);
    /// The program took over, or did not.
    void resolve(bool took_over) noexcept;

    /// What a keeper had before another program was executed in its place. @pre the slot is free, and the name not empty
    void restore(std::size_t slot, std::string name, unique_fd descriptor, pid_t child) {
        if (slot >= records_.size()) records_.resize(slot + 1);
        records_[slot].name = std::move(name);
        records_[slot].descriptor = std::move(descriptor);
        records_[slot].child = child;
        ++used_;
    }

    [[nodiscard]] const std::vector<kept_record>& records() const noexcept { return records_; }
    [[nodiscard]] std::vector<kept_record>& records() noexcept { return records_; }
    [[nodiscard]] bool empty() const noexcept { return used_ == 0; }

private:
    int keep(const keeper_message& message, std::vector<unique_fd>& descriptors);
    void forget(kept_record& record) noexcept {
        record = {};
        --used_;
    }

    std::vector<kept_record> records_;
    std::size_t used_ = 0;
};

// ---- implementation ----

inline int kept_table::apply(const keeper_message& message, std::vector<unique_fd>& descriptors) {
    if (message.word == keeper_word::keep) return attempt([&] { return keep(message, descriptors); }, [] { return ENOMEM; });
    if (message.word != keeper_word::drop || !descriptors.empty()) return EBADMSG;
    if (message.slot >= records_.size() || records_[message.slot].name.empty()) return ENOENT;
    forget(records_[message.slot]);
    return 0;
}

inline int kept_table::keep(const keeper_message& message, std::vector<unique_fd>& descriptors) {
    const std::size_t expected = message.b == keep_no_descriptor ? 0 : 1;
    if (message.slot >= keeper_message::most_slots) return ENOSPC;
    if (descriptors.size() < expected) return EMFILE; // the kernel left it out: no number was free
    if (descriptors.size() > expected) return EBADMSG;
    if (message.slot < records_.size() && !records_[message.slot].name.empty() && records_[message.slot].name != message.name)
        return EEXIST;
    std::string name(message.name);
    if (message.slot >= records_.size()) records_.resize(message.slot + 1);
    kept_record& record = records_[message.slot];
    if (record.name.empty()) ++used_;
    record = {};
    record.name = std::move(name);
    if (expected == 1) record.descriptor = std::move(descriptors.front());
    record.child = static_cast<pid_t>(message.a);
    record.is_memory = message.b == keep_memory;
    return 0;
}

inline int kept_table::apply_provisionally(const keeper_message& message, std::vector<unique_fd>& descriptors) {
    const bool is_old =
        message.slot < records_.size() && !records_[message.slot].name.empty() && !records_[message.slot].is_provisional;
    if (is_old && message.word == keeper_word::keep) return EBUSY;
    if (is_old && message.word == keeper_word::drop) return records_[message.slot].awaits_drop = true, 0;
    const int why = apply(message, descriptors);
    if (why == 0 && message.word == keeper_word::keep) records_[message.slot].is_provisional = true;
    return why;
}

inline void kept_table::resolve(bool took_over) noexcept {
    for (kept_record& each : records_) {
        if (each.name.empty()) continue;
        if (took_over ? each.awaits_drop : each.is_provisional) {
            forget(each);
            continue;
        }
        if (took_over && each.has_ended) each.is_told = each.is_given_ended;
        each.is_provisional = each.awaits_drop = each.is_given_ended = false;
    }
}

inline bool kept_table::ended(pid_t child, int status) noexcept {
    for (kept_record& each : records_) {
        if (each.child != child || each.has_ended) continue;
        each.has_ended = true;
        each.is_told = false;
        each.status = status;
        return true;
    }
    return false;
}

} // namespace detail
} // namespace MATO_ABI
} // namespace mato
