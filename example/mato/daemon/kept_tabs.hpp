// SPDX-License-Identifier: MIT
/// @file kept_tabs.hpp: what the next process of the daemon needs to take back the tabs, given to the keeper.
/// Threads: the io_context's.   Blocks: until the keeper has answered, see mato/kept.hpp.
/// Test: test/mato/survive_kill_process_test.cpp.
///
/// Of each tab the keeper holds `tab/N`, the terminal with the program's pid, `store/N` (tab_store.hpp) or, without
/// an emulator, `ring/N` (raw_store.hpp), and `record/N` (tab_record.hpp); of a closed tab `closed/N` (closed_tabs.hpp). The
/// memory file `daemon` has the tasks with the names and the order of their tabs, the exit codes of ended tabs, and the number
/// of the last event; its head has the version of its format. Without a keeper all functions do nothing.
#pragma once

#include "client_table.hpp"
#include "closed_tabs.hpp"
#include "event_feed.hpp"
#include "multiplexer_daemon.hpp"
#include "protocol/ended_tabs.hpp"
#include "returning_clients.hpp"
#include "tab/memory_words.hpp"
#include "tab/tab_record.hpp"
#include "tab_table.hpp"

#include <cstdint>
#include <ctime>
#include <map>
#include <string>
#include <vector>

namespace mux {

/// Where a tab is listed, and what its entry has besides.
struct tab_place {
    tab_id id = 0;
    std::string task, name;
    bool has_fixed_size = false, has_rung = false;
    std::uint64_t used = 0, touched = 0;
    vt::screen_size size{}; ///< a size that is applied later is not the terminal's yet
    said_state said = said_state::none;
    std::string note{};
};

class kept_tabs {
public:
    static constexpr const char* list_name = "daemon"; ///< of that memory file

    kept_tabs(multiplexer_daemon& host, tab_table& tabs, client_table& clients, ended_tabs& ended, event_feed& events)
        : host_(host), tabs_(tabs), clients_(clients), ended_(ended), events_(events) {}

    /// Takes the memory file of the processes before this one, or makes it. @returns the tabs in their order
    /// @param clients those that showed tabs
    std::vector<tab_place> open(returning_clients& clients);
    /// Whether `open` could read that file. @errors version_mismatch · malformed.
    static void check(const mato::memory_file& file, mato::error_out out);
    /// Keeps a tab whose program runs, or a tab of the past.
    /// @errors as kept::keep and tab_record::create: the tab goes on, but no other process will have it.
    void keep(const tab& opened, const tab_record::birth& birth, mato::error_out out);
    /// Another program runs in the tab. @errors as kept::keep.
    void keep_program(const tab& again, mato::error_out out);
    /// A process before this one has kept it.
    void take_back(tab_id id, tab_record record) { records_.insert_or_assign(id, std::move(record)); }

    void program_ended(tab_id id, int exit_code) noexcept;
    void closes(tab_id id) noexcept;
    void set_quarantine(tab_id id, quarantine cause) noexcept;
    /// The tab has left its quarantine, and has another store. @errors as kept::keep.
    void keep_store(const tab& again, mato::error_out out);
    /// The tab was taken back without a ring that can be read, and has another one. @errors as kept::keep.
    void keep_ring(const tab& again, mato::error_out out);
    void drop_ring(tab_id id);
    /// The program has ended, and all its output is in the store or the ring. The tab remains.
    void drop_program(tab_id id);
    void drop(tab_id id);
    /// A closed tab that can be brought back, as `closed/N`. @errors as kept::keep and memory_file::create: only this process
    /// has it.
    void keep_closed(closed_tab& gone, mato::error_out out);
    void drop_closed(tab_id id);

    /// Writes names, order and entries of all tabs, and who shows them, if they have changed.
    void save();
    /// Writes the exit codes of ended tabs.
    void save_ended();

    [[nodiscard]] std::time_t started() const noexcept { return started_; } ///< of the first process
    /// That tab's terminal or output is not kept, or no longer: the next death of this process loses that.
    void note_missing(tab_id id, const mato::failure& why) { missing_.insert_or_assign(id, why.message()); }
    /// The tabs that do not survive, and why.
    [[nodiscard]] const std::map<tab_id, std::string>& missing() const noexcept { return missing_; }

private:
    void log_failure(const std::string& what, const mato::failure& why);

    multiplexer_daemon& host_;
    tab_table& tabs_;
    client_table& clients_;
    ended_tabs& ended_;
    event_feed& events_;
    mato::memory_file file_;
    kept_slots layout_, codes_;
    std::map<tab_id, tab_record> records_;
    std::map<tab_id, std::string> missing_;
    std::uint64_t saved_ = ~std::uint64_t{0}; // the revision of the table
    std::time_t started_ = std::time(nullptr);
    std::string buffer_;
};

} // namespace mux
