// SPDX-License-Identifier: MIT
/// @file messages.hpp: which body and which answer belong to the number of a message.
/// Pure.  Test: test/mato/messages_test.cpp.
///
/// Code names a message by its number. The types of its body and of its answer follow from the number, so a message cannot be
/// encoded, decoded or awaited as another one.
#pragma once

#include "protocol.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace mux {

/// A body without a struct: `encode_bytes` writes it, and `header::body` has it.
struct raw_body;

/// A message's body and the messages that may answer it, apart from `error`. Without answers it is one-way or an answer itself.
template <class Body, message... Answers> struct message_kind {
    using body = Body;
    static constexpr bool is_answered_by(message type) noexcept { return ((type == Answers) || ...); }
    static constexpr message first_answer() noexcept {
        constexpr message all[] = {Answers..., message{}};
        return all[0];
    }
};

template <message Number> struct kind_of;
template <> struct kind_of<message::hello> : message_kind<hello, message::welcome> {};
template <> struct kind_of<message::welcome> : message_kind<welcome> {};
template <> struct kind_of<message::refused> : message_kind<refusal> {};
template <> struct kind_of<message::done> : message_kind<nothing> {};
template <> struct kind_of<message::error> : message_kind<refusal> {};
template <> // the answer depends on `then`
struct kind_of<message::new_tab> : message_kind<new_tab, message::tab_opened, message::attached, message::exit_status> {};
template <> struct kind_of<message::tab_opened> : message_kind<tab_name> {};
template <> struct kind_of<message::attach> : message_kind<attach_request, message::attached> {};
template <> struct kind_of<message::attached> : message_kind<attachment_info> {};
template <> struct kind_of<message::detach> : message_kind<detach_request, message::done> {};
template <> struct kind_of<message::list_tabs> : message_kind<nothing, message::tabs> {};
template <> struct kind_of<message::tabs> : message_kind<tab_list> {};
template <> struct kind_of<message::list_clients> : message_kind<nothing, message::clients> {};
template <> struct kind_of<message::clients> : message_kind<client_list> {};
template <> struct kind_of<message::find_tab> : message_kind<target, message::done> {};
template <> struct kind_of<message::send> : message_kind<send_request, message::sent> {};
template <> struct kind_of<message::sent> : message_kind<sent> {};
template <> struct kind_of<message::cancel_send> : message_kind<nothing, message::sent> {};
template <> struct kind_of<message::kill> : message_kind<kill_request, message::done> {};
template <> struct kind_of<message::rename> : message_kind<rename_request, message::done> {};
template <> struct kind_of<message::status> : message_kind<nothing, message::status_report> {};
template <> struct kind_of<message::status_report> : message_kind<status_report> {};
template <> struct kind_of<message::reload> : message_kind<nothing, message::done> {};
template <> struct kind_of<message::stop> : message_kind<stop_request, message::done> {};
template <> struct kind_of<message::wait_exit> : message_kind<target, message::exit_status> {};
template <> struct kind_of<message::exit_status> : message_kind<exit_status> {};
template <> struct kind_of<message::input> : message_kind<raw_body> {};
template <> struct kind_of<message::resize> : message_kind<resized_terminal> {};
template <> struct kind_of<message::show> : message_kind<show_request> {};
template <> struct kind_of<message::hide> : message_kind<nothing, message::done> {};
template <> struct kind_of<message::output_taken> : message_kind<bytes_taken> {};
template <> struct kind_of<message::capture> : message_kind<capture_request, message::captured> {};
template <> struct kind_of<message::captured> : message_kind<captured> {};
template <> struct kind_of<message::read_text> : message_kind<read_request, message::text_read> {};
template <> struct kind_of<message::text_read> : message_kind<text_read> {};
template <> struct kind_of<message::wait_output> : message_kind<wait_output, message::output_came> {};
template <> struct kind_of<message::output_came> : message_kind<nothing> {};
template <> struct kind_of<message::wait_change> : message_kind<change_wait, message::change_came> {};
template <> struct kind_of<message::change_came> : message_kind<tab_changed> {};
template <> struct kind_of<message::find_output> : message_kind<output_request, message::output_found> {};
template <> struct kind_of<message::output_found> : message_kind<output_found> {};
template <> struct kind_of<message::list_ended> : message_kind<nothing, message::ended_tabs> {};
template <> struct kind_of<message::ended_tabs> : message_kind<ended_list> {};
template <> struct kind_of<message::run_instead> : message_kind<after_detaching> {};
template <> struct kind_of<message::list_buffers> : message_kind<nothing, message::buffers> {};
template <> struct kind_of<message::buffers> : message_kind<buffer_list> {};
template <> struct kind_of<message::set_buffer> : message_kind<buffer_content, message::done> {};
template <> struct kind_of<message::get_buffer> : message_kind<name_only, message::buffer_text> {};
template <> struct kind_of<message::buffer_text> : message_kind<buffer_content> {};
template <> struct kind_of<message::remove_buffer> : message_kind<name_only, message::done> {};
template <> struct kind_of<message::paste_buffer> : message_kind<paste_request, message::done> {};
template <> struct kind_of<message::wait_channel> : message_kind<name_only, message::done> {};
template <> struct kind_of<message::signal_channel> : message_kind<name_only, message::done> {};
template <> struct kind_of<message::resize_tab> : message_kind<resize_request, message::done> {};
template <> struct kind_of<message::record> : message_kind<record_request, message::recording> {};
template <> struct kind_of<message::recording> : message_kind<recording_info> {};
template <> struct kind_of<message::respawn> : message_kind<respawn_request, message::done> {};
template <> struct kind_of<message::move_tab> : message_kind<move_request, message::done> {};
template <> struct kind_of<message::follow_events> : message_kind<follow_request, message::done> {};
template <> struct kind_of<message::switch_view> : message_kind<switch_request, message::done> {};
template <> struct kind_of<message::upgrade> : message_kind<upgrade_request, message::upgrade_report> {};
template <> struct kind_of<message::upgrade_report> : message_kind<upgrade_report> {};
template <> struct kind_of<message::undo_close> : message_kind<target, message::tab_opened> {}; // no name: closed last
template <> struct kind_of<message::set_state> : message_kind<state_request, message::done> {};
template <> struct kind_of<message::post_notice> : message_kind<notice_request, message::done> {};
template <> struct kind_of<message::output> : message_kind<raw_body> {};
template <> struct kind_of<message::tab_exited> : message_kind<exit_status> {};
template <> struct kind_of<message::detached> : message_kind<nothing> {};
template <> struct kind_of<message::stopping> : message_kind<nothing> {};
template <> struct kind_of<message::input_taken> : message_kind<bytes_taken> {};
template <> struct kind_of<message::terminal_lost> : message_kind<nothing> {};
template <> struct kind_of<message::suspend> : message_kind<nothing> {};
template <> struct kind_of<message::answered> : message_kind<nothing> {};
template <> struct kind_of<message::stream_output> : message_kind<stream_output> {};
template <> struct kind_of<message::stream_screen> : message_kind<stream_screen> {};
template <> struct kind_of<message::stream_size> : message_kind<stream_size> {};
template <> struct kind_of<message::stream_end> : message_kind<stream_end> {};
template <> struct kind_of<message::event> : message_kind<daemon_event> {};
template <> struct kind_of<message::event_snapshot> : message_kind<event_snapshot> {};
template <> struct kind_of<message::cursor_shaped> : message_kind<cursor_style> {};
template <> struct kind_of<message::switched> : message_kind<shown_tab> {};
template <> struct kind_of<message::restarting> : message_kind<restart_notice> {};

template <message Number> using body_of = typename kind_of<Number>::body;
/// The message that answers a request. Of several possible answers: the first one.
template <message Number> inline constexpr message answer_to = kind_of<Number>::first_answer();
/// `Reply` is a message that may answer `Number`.
template <message Number, message Reply> concept answers = kind_of<Number>::is_answered_by(Reply);

/// The payload of a message.
template <message Number> [[nodiscard]] std::string encode(std::uint32_t id, body_of<Number> body) {
    return encode_body(Number, id, std::move(body));
}
template <message Number> [[nodiscard]] std::string encode(std::uint32_t id) {
    static_assert(std::is_same_v<body_of<Number>, nothing>, "mato: this message has fields; pass its body");
    return encode_bytes(Number, id, {});
}
/// The body of a frame. Empty if the frame is another message, or its body is truncated or invalid.
template <message Number> [[nodiscard]] std::optional<body_of<Number>> read_as(const header& frame) {
    return frame.type == Number ? decode<body_of<Number>>(frame.body) : std::nullopt;
}

} // namespace mux
