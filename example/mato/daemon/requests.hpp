// SPDX-License-Identifier: MIT
/// @file requests.hpp: checks and carries out the requests in clients' messages.
/// Threads: the io_context's.   Blocks: as tab_programs.   Fails: a truncated message ends its client's connection; a request
/// that fails is answered with the reason.   Test: test/mato/cli_process_test.cpp, test/mato/hostile_peer_process_test.cpp.
///
/// Every request is answered before `handle` returns, except those that wait.
#pragma once

#include "inventory.hpp"
#include "tab_programs.hpp"
#include "upgrading.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace mux {

class requests {
public:
    requests(daemon_state& state, views& screens, tab_programs& tabs, inventory& there, upgrading& next) noexcept
        : state_(state), views_(screens), tabs_(tabs), inventory_(there), upgrading_(next) {}

    /// @pre `from` has been greeted
    void handle(client& from, const header& frame);

private:
    /// Carries out a request: reads its body and calls the function that handles it.
    template <message Number>
    void with(client& from, const header& frame, void (requests::*act)(client&, std::uint32_t, const body_of<Number>&));

    // terminals
    void attach(client& from, std::uint32_t id, const attach_request& wanted);
    void detach(client& from, std::uint32_t id, const detach_request& wanted);
    void input(client& from, std::string_view bytes);
    void output_taken(client& from, std::uint32_t id, const bytes_taken& taken);
    void resize(client& from, std::uint32_t id, const resized_terminal& now);
    void show(client& from, std::uint32_t id, const show_request& wanted);
    void hide(client& from, std::uint32_t id);

    void switch_view(client& from, std::uint32_t id, const switch_request& wanted);

    // tabs
    void open_tab(client& from, std::uint32_t id, const new_tab& wanted);
    void undo_close(client& from, std::uint32_t id, const target& wanted);
    void find_tab(client& from, std::uint32_t id, const target& wanted);
    void kill(client& from, std::uint32_t id, const kill_request& wanted);
    void rename(client& from, std::uint32_t id, const rename_request& wanted);
    void respawn(client& from, std::uint32_t id, const respawn_request& wanted);
    void move(client& from, std::uint32_t id, const move_request& wanted);
    void resize_tab(client& from, std::uint32_t id, const resize_request& wanted);

    void list_buffers(client& from, std::uint32_t id) { reply<message::buffers>(from, id, state_.buffers.list()); }
    void set_buffer(client& from, std::uint32_t id, const buffer_content& wanted);
    void get_buffer(client& from, std::uint32_t id, const name_only& wanted);
    void remove_buffer(client& from, std::uint32_t id, const name_only& wanted);
    void paste_buffer(client& from, std::uint32_t id, const paste_request& wanted);
    void wait_for_channel(client& from, std::uint32_t id, const name_only& wanted);
    void signal_channel(client& from, std::uint32_t id, const name_only& wanted);

    void set_state(client& from, std::uint32_t id, const state_request& wanted);
    void post_notice(client& from, std::uint32_t id, const notice_request& wanted);

    // input and output
    void send_keys(client& from, std::uint32_t id, const send_request& wanted);
    void cancel_send(client& from, std::uint32_t id);
    void capture(client& from, std::uint32_t id, const capture_request& wanted);
    void read_text(client& from, std::uint32_t id, const read_request& wanted);
    void find_output(client& from, std::uint32_t id, const output_request& wanted);
    void wait_for_output(client& from, std::uint32_t id, const wait_output& wanted);
    void wait_for_change(client& from, std::uint32_t id, const change_wait& wanted);
    void wait_for_exit(client& from, std::uint32_t id, const target& wanted);
    void record(client& from, std::uint32_t id, const record_request& wanted);
    void follow_events(client& from, std::uint32_t id, std::string_view body);

    // the daemon
    void reload(client& from, std::uint32_t id);
    void stop(client& from, std::uint32_t id, const stop_request& wanted);
    void upgrade(client& from, std::uint32_t id, const upgrade_request& wanted) { upgrading_.begin(from, id, wanted); }

    template <message Number> void reply(client& to, std::uint32_t id, body_of<Number> body) {
        state_.clients.reply<Number>(to, id, std::move(body));
    }
    /// As `reply`, with the answer that belongs to the request `Number`.
    template <message Number> void answer(client& to, std::uint32_t id, body_of<answer_to<Number>> body) {
        reply<answer_to<Number>>(to, id, std::move(body));
    }
    void done(client& to, std::uint32_t id) { reply<message::done>(to, id, nothing{}); }
    void refuse(client& to, std::uint32_t id, std::string why, int exit_code = 1) {
        state_.clients.refuse(to, id, std::move(why), exit_code);
    }
    [[nodiscard]] client* viewer_of(client& from, std::uint32_t id, tab_id current);
    [[nodiscard]] client* viewer_to_switch(client& from, std::uint32_t id, const switch_request& wanted);
    [[nodiscard]] std::vector<client*> clients_to_detach(client& from, std::uint32_t id, const detach_request& wanted);
    [[nodiscard]] std::vector<std::shared_ptr<tab>> tabs_to_kill(client& from, std::uint32_t id, const kill_request& wanted);
    [[nodiscard]] tab_entry* resolve(client& from, std::uint32_t id, const target& wanted);
    [[nodiscard]] tab_entry* resolve_tab_or_task(client& from, std::uint32_t id, const target& wanted);
    [[nodiscard]] const tab_entry* resolve_with_screen(client& from, std::uint32_t id, const target& wanted);
    [[nodiscard]] const ended_tab* find_ended(const target& wanted) const;
    [[nodiscard]] std::string task_for(const new_tab& wanted) const;

    daemon_state& state_;
    views& views_;
    tab_programs& tabs_;
    inventory& inventory_;
    upgrading& upgrading_;
};

} // namespace mux
