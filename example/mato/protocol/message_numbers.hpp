// SPDX-License-Identifier: MIT
/// @file message_numbers.hpp: the numbers of the messages, and the limits of what they carry.
/// Pure.  Test: test/mato/protocol_test.cpp.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mux {

inline constexpr std::uint32_t hello_magic = 0x6f74616d; ///< "mato": distinguishes a client from any other program
inline constexpr std::uint32_t oldest_version = 1;       ///< this program supports every version from this one
inline constexpr std::uint32_t newest_version = 1;       ///< to this one
inline constexpr std::uint32_t skippable = 0x8000'0000;
inline constexpr std::size_t input_window_bytes = 256u << 10; ///< sent but not yet read by the program, per client
inline constexpr std::size_t input_chunk_bytes = 32u << 10;   ///< of one `send` or `input`: a pty accepts 4 KiB at a time
inline constexpr std::size_t most_keys_of_send = 4096;        ///< named keys of one `send`: 48 KiB when encoded
inline constexpr std::size_t output_chunk_bytes = 32u << 10;  ///< of one `output`
inline constexpr std::size_t output_window_bytes = 8u
                                                   << 10; ///< sent to a terminal and not yet accepted: no new frame beyond this

enum class message : std::uint32_t {
    hello = 1,
    welcome = 2,
    refused = 3,
    done = 4,
    error = 5,
    new_tab = 16,
    tab_opened = 17,
    attach = 18,
    attached = 19,
    detach = 20,
    list_tabs = 21,
    tabs = 22,
    list_clients = 23,
    clients = 24,
    find_tab = 25,
    send = 26,
    sent = 27,
    cancel_send = 28,
    kill = 29,
    rename = 30,
    status = 31,
    status_report = 32,
    reload = 33,
    stop = 34,
    wait_exit = 35,
    exit_status = 36,
    input = 37,
    resize = 38,
    show = 39,
    hide = 40,
    output_taken = 41,
    capture = 42,
    captured = 43,
    wait_output = 44,
    output_came = 45,
    resize_tab = 46,
    record = 47,
    recording = 48,
    respawn = 49,
    move_tab = 50,
    follow_events = 51,
    switch_view = 52,
    upgrade = 53,
    upgrade_report = 54,
    read_text = 55,
    text_read = 56,
    undo_close = 57,
    set_state = 60,
    post_notice = 61,
    output = 64,
    tab_exited = 65,
    detached = 66,
    stopping = 67,
    input_taken = 68,
    terminal_lost = 69,
    suspend = 70,
    answered = 71,
    stream_output = 72,
    stream_screen = 73,
    stream_size = 74,
    stream_end = 75,
    event = 76,
    event_snapshot = 77,
    cursor_shaped = 78,
    switched = 79,
    restarting = 80,
    wait_change = 90,
    change_came = 91,
    find_output = 92,
    output_found = 93,
    list_ended = 120,
    ended_tabs = 121,
    run_instead = 122,
    list_buffers = 123,
    buffers = 124,
    set_buffer = 125,
    get_buffer = 126,
    buffer_text = 127,
    remove_buffer = 128,
    paste_buffer = 129,
    wait_channel = 130,
    signal_channel = 131,
};

} // namespace mux
