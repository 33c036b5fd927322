// SPDX-License-Identifier: MIT
/// @file protocol.hpp: the messages between client and daemon, as structs and as bytes.
/// Pure.  Test: test/mato/protocol_test.cpp, test/fuzz/protocol_fuzz.cpp.
///
/// A frame's payload: u32 type, u32 request id, fields; all numbers little-endian. Requests carry an id other than 0 and get
/// exactly one answer with that id (`done`, `error`, or their own reply); id 0 is one-way. Rules that every version keeps:
///   - the first frame is `hello`; its answer is `welcome` or `refused`, both of which every version can parse;
///   - a version may append fields to a message: a reader ignores unknown bytes at its end;
///   - an unknown type with the bit `skippable` is ignored, any other is answered by `error`.
#pragma once

#include "view/features.hpp"
#include "vt/geometry.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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
};
/// Bit of `welcome::features`: a client that loses the connection without a reason can attach again to the same tab: the
/// daemon's next process has it.
inline constexpr std::uint64_t tabs_survive = 1;

/// `fields` lists all members of a message once, for both directions.
struct hello {
    std::uint32_t magic = hello_magic, min_version = oldest_version, max_version = newest_version;
    std::uint64_t features = 0;
    std::uint32_t pid = 0;
    std::string tty, program;
    void fields(auto& f) { f(magic, min_version, max_version, features, pid, tty, program); }
};
struct welcome {
    std::uint32_t version = newest_version;
    std::uint64_t features = 0;
    std::uint32_t pid = 0;
    std::uint64_t client = 0;
    std::string program;
    std::vector<std::string> update_environment; ///< names of the variables that the client should send
    void fields(auto& f) { f(version, features, pid, client, program, update_environment); }
};
// Exit codes of commands, in addition to mato::exit_code.
inline constexpr int cannot_be_answered = 65; ///< EX_DATAERR: the tab has no emulator
inline constexpr int not_in_time = 124;       ///< as timeout(1)

/// `refused` and `error`: the reason, and the exit code for the command.
struct refusal {
    std::int32_t exit_code = 1;
    std::string text;
    void fields(auto& f) { f(exit_code, text); }
};
/// A tab as the user named it. `current` is the tab in which the command runs (0: none); "." and an empty target mean it.
struct target {
    std::string name;
    std::uint64_t current = 0;
    void fields(auto& f) { f(name, current); }
};
/// The client's terminal has another size.
struct resized_terminal {
    vt::screen_size size;
    void fields(auto& f) { f(size); }
};
struct view_options {
    vt::screen_size size;
    terminal_features terminal;
    /// The frame comes with two descriptors: the terminal, and one that is closed once the daemon has released it. If false,
    /// `input` and `output` are used.
    bool passes_terminal = false;
    bool readonly = false, detach_others = false, ignore_size = false;
    std::vector<std::string> environment; ///< "NAME=value", or "NAME" alone if it is not set in the client
    void fields(auto& f) { f(size, terminal, passes_terminal, readonly, detach_others, ignore_size, environment); }
};
/// `switch_viewer`: the terminal that shows the current tab switches to the new one.
enum class after_opening : std::uint8_t { nothing, attach, wait, switch_viewer };
struct new_tab {
    std::string task, name, cwd, emulator;
    std::uint64_t current = 0;
    std::vector<std::string> argv, environment; ///< "NAME=value"
    view_options view;
    after_opening then = after_opening::nothing;
    bool may_fall_back = false; ///< a `cwd` that cannot be entered is replaced by HOME, or else by /
    void fields(auto& f) { f(task, name, cwd, emulator, current, argv, environment, view, then, may_fall_back); }
};
/// Switches the terminal that shows the current tab to another tab. Empty name: to the one it showed before.
struct switch_request {
    target which;
    bool detach_others = false;
    void fields(auto& f) { f(which, detach_others); }
};
struct tab_name {
    std::uint64_t id = 0;
    std::string task, name;
    void fields(auto& f) { f(id, task, name); }
};
/// The terminal is neither read nor written before the client's `show`, nor after `hide`.
struct attachment_info {
    tab_name tab;
    bool direct = false; ///< the daemon uses the terminal directly; the client only guards it
    void fields(auto& f) { f(tab, direct); }
};
/// An empty `target` means the tab used last.
struct attach_request {
    target which;
    view_options view;
    void fields(auto& f) { f(which, view); }
};
struct detach_request {
    bool all = false;
    std::uint64_t client = 0, current = 0; ///< a client, or else the latest client of the current tab
    void fields(auto& f) { f(all, client, current); }
};
struct tab_info {
    std::uint64_t id = 0;
    std::string task, name, title, command, cwd, emulator;
    std::int32_t pid = 0;
    vt::screen_size size;
    std::uint32_t clients = 0;
    bool running = true, bell = false;
    std::int32_t exit_code = 0;
    std::uint64_t idle_ms = 0, history_lines = 0, memory_bytes = 0;
    void fields(auto& f) {
        f(id, task, name, title, command, cwd, emulator, pid, size, clients, running, bell, exit_code, idle_ms, history_lines,
          memory_bytes);
    }
};
struct tab_list {
    std::vector<tab_info> tabs;
    void fields(auto& f) { f(tabs); }
};
struct client_info {
    std::uint64_t id = 0;
    std::uint32_t pid = 0, uid = 0;
    std::string tty;
    vt::screen_size size;
    std::uint64_t tab = 0; ///< 0: not attached
    bool readonly = false, direct = false;
    std::uint64_t bytes_sent = 0, frames_dropped = 0, queue_bytes = 0;
    std::uint64_t recorded = 0; ///< the tab that it records; 0: none
    std::uint64_t delivered = 0, dropped = 0, superseded = 0, gaps = 0, resyncs = 0, lag = 0; ///< frames: fan_out.hpp
    bool follows_events = false;                                                              ///< these frames are events
    void fields(auto& f) {
        f(id, pid, uid, tty, size, tab, readonly, direct, bytes_sent, frames_dropped, queue_bytes, recorded, delivered, dropped,
          superseded, gaps, resyncs, lag, follows_events);
    }
};
struct client_list {
    std::vector<client_info> clients;
    void fields(auto& f) { f(clients); }
};
/// A key by name. The daemon encodes it, because it knows the program's modes.
struct key_in_text {
    std::uint64_t before = 0; ///< its place: before this byte of the text; the text's size: at the end
    std::string name;
    void fields(auto& f) { f(before, name); }
};
struct send_request {
    target which;
    std::string bytes;
    std::vector<key_in_text> keys; ///< in order
    void fields(auto& f) { f(which, bytes, keys); }
};
/// Bytes of one `send` that the program's terminal accepted: all of them, unless it was cancelled.
struct sent {
    std::uint64_t bytes = 0;
    bool cancelled = false;
    void fields(auto& f) { f(bytes, cancelled); }
};
/// A tab's screen as text, and rows of history above it. A long text needs several requests: `from` is the last answer's
/// `next`.
struct capture_request {
    target which;
    std::uint32_t history_rows = 0;
    std::uint64_t from = 0;
    bool ansi = false, join = false; ///< with SGR; no newline between rows of one wrapped line
    bool blanks_to_cursor = false;   ///< keeps blanks that were written before the cursor
    void fields(auto& f) { f(which, history_rows, from, ansi, join, blanks_to_cursor); }
};
struct captured {
    std::uint64_t tab = 0, revision = 0, idle_ms = 0, next = 0; ///< next 0: this is the last part
    vt::screen_size size;
    std::uint16_t cursor_row = 0, cursor_column = 0; ///< from 0
    bool cursor_visible = true, alternate_screen = false, running = true;
    std::uint32_t history_rows = 0; ///< of the requested rows, those that exist
    std::string title, text;
    void fields(auto& f) {
        f(tab, revision, idle_ms, next, size, cursor_row, cursor_column, cursor_visible, alternate_screen, running,
          history_rows, title, text);
    }
};
/// Answered by `output_came` when the tab's revision differs from this one, or its program has ended.
struct wait_output {
    target which;
    std::uint64_t revision = 0;
    void fields(auto& f) { f(which, revision); }
};
/// Sets the tab's size, regardless of its viewers. No columns: its viewers decide its size again.
struct resize_request {
    target which;
    vt::screen_size size;
    void fields(auto& f) { f(which, size); }
};
/// Answered by `recording`; then `stream_screen`, the stream, and finally `stream_end`.
struct record_request {
    target which;
    bool exact = false; ///< end at the first gap
    void fields(auto& f) { f(which, exact); }
};
struct recording_info {
    std::uint64_t tab = 0;
    std::string name, title, command;
    vt::screen_size size;
    void fields(auto& f) { f(tab, name, title, command, size); }
};
/// Output of a program, from its byte number `offset` on. `at`, here and below: microseconds of the daemon's clock.
struct stream_output {
    std::uint64_t at = 0, offset = 0;
    std::string bytes;
    void fields(auto& f) { f(at, offset, bytes); }
};
/// Bytes that draw the tab's screen on any terminal of that size. They replace all output before `offset`.
struct stream_screen {
    std::uint64_t at = 0, offset = 0;
    vt::screen_size size;
    std::string bytes;
    void fields(auto& f) { f(at, offset, size, bytes); }
};
struct stream_size {
    std::uint64_t at = 0;
    vt::screen_size size;
    void fields(auto& f) { f(at, size); }
};
/// The program has ended after `offset` bytes of output; or, with a reason, the stream has ended.
struct stream_end {
    std::uint64_t at = 0, offset = 0;
    std::int32_t exit_code = 0;
    std::string reason;
    void fields(auto& f) { f(at, offset, exit_code, reason); }
};
struct kill_request {
    target which;
    std::string task; ///< if set: the whole task
    void fields(auto& f) { f(which, task); }
};
struct rename_request {
    target which;
    std::string name;
    void fields(auto& f) { f(which, name); }
};
/// Starts a tab's program again. `kill`: ends it first if it is running.
struct respawn_request {
    target which;
    bool kill = false;
    void fields(auto& f) { f(which, kill); }
};
/// Moves the tab to the end of a task, which is created if needed.
struct move_request {
    target which;
    std::string task;
    void fields(auto& f) { f(which, task); }
};
/// An event. The meaning of the other fields depends on `kind`: event_text.hpp. A reader shows unknown kinds too.
struct daemon_event {
    std::uint64_t number = 0; ///< from 1, without gaps: the number shows how many were missed
    std::int64_t at = 0;      ///< milliseconds since 1970
    std::string kind{};
    std::uint64_t tab = 0, client = 0;
    std::string task{}, name{}, text{};
    std::int32_t exit_code = 0;
    vt::screen_size size{};
    void fields(auto& f) { f(number, at, kind, tab, client, task, name, text, exit_code, size); }
};
/// The state after event `number`. It follows the answer to `follow_events`, and replaces events that were lost for a slow
/// reader.
struct event_snapshot {
    std::uint64_t number = 0;
    std::int64_t at = 0;
    tab_list tabs;
    client_list clients;
    bool complete = true; ///< false: the lists do not fit into a message; request them
    void fields(auto& f) { f(number, at, tabs, clients, complete); }
};
struct task_count {
    std::string name;
    std::uint32_t tabs = 0;
    void fields(auto& f) { f(name, tabs); }
};
struct status_report {
    std::int32_t pid = 0;
    std::string version;
    std::uint32_t protocol = newest_version;
    std::int64_t started = 0; ///< seconds since 1970
    std::uint64_t uptime_seconds = 0;
    std::string socket, config_path, config_error; ///< path empty: defaults
    std::vector<task_count> tasks;
    std::uint32_t clients = 0;
    std::uint64_t memory_bytes = 0;
    std::uint32_t cpu_permille = 0; ///< of one core
    std::uint32_t recorders = 0;
    std::uint64_t bytes_sent = 0, frames_dropped = 0, resyncs = 0; ///< of all clients since the start
    std::uint64_t slowest_queue_bytes = 0, slowest_lag_frames = 0; ///< of the current clients
    std::uint32_t generation = 0; ///< of the process that serves; 0: the daemon is one process, and the rest has no meaning
    std::int32_t worker_pid = 0;
    std::uint32_t kept_tabs = 0;
    std::int64_t crashed = 0; ///< the process before: seconds since 1970; 0: there was none
    std::uint32_t crash_signal = 0;
    std::uint64_t gap_ms = 0; ///< without a process that serves
    void fields(auto& f) {
        f(pid, version, protocol, started, uptime_seconds, socket, config_path, config_error, tasks, clients, memory_bytes,
          cpu_permille, recorders, bytes_sent, frames_dropped, resyncs, slowest_queue_bytes, slowest_lag_frames, generation,
          worker_pid, kept_tabs, crashed, crash_signal, gap_ms);
    }
};
struct stop_request {
    bool now = false;
    void fields(auto& f) { f(now); }
};
struct exit_status {
    std::uint64_t tab = 0;
    std::int32_t code = 0; ///< the program's, or 128 + signal
    void fields(auto& f) { f(tab, code); }
};
/// The client has prepared the terminal; the daemon may draw on it.
struct show_request {
    bool asked = false; ///< the client has sent queries to it; the daemon sends `answered` after the last answer
    void fields(auto& f) { f(asked); }
};
/// `cursor_shaped`: the daemon is about to change the terminal's cursor style. `own` is the original one, as in DECSCUSR.
struct cursor_style {
    std::uint8_t own = 0; ///< 0: the terminal has not reported it; 0 selects its default
    void fields(auto& f) { f(own); }
};
/// `switched`: the client's terminal shows another tab from here on.
struct shown_tab {
    std::uint64_t id = 0;
    void fields(auto& f) { f(id); }
};
/// `input_taken`: input that the program has read; `output_taken`: output that the client's terminal has accepted.
struct bytes_taken {
    std::uint64_t bytes = 0; ///< since the last such message
    void fields(auto& f) { f(bytes); }
};
struct nothing {
    void fields(auto&) {}
};

struct header {
    message type{};
    std::uint32_t id = 0;
    std::string_view body;
};

/// Empty if the header is incomplete.
[[nodiscard]] std::optional<header> parse_header(std::string_view payload) noexcept;

/// A payload with any body. messages.hpp has the form that checks that number and body belong together.
template <class Body> [[nodiscard]] std::string encode_body(message type, std::uint32_t id, Body body);
/// Bytes that are not a struct: the body of `input` and `output`. No bytes: a message without fields.
[[nodiscard]] std::string encode_bytes(message type, std::uint32_t id, std::string_view bytes);
/// Empty if the body is truncated or invalid. Memory is proportional to the body.
template <class Body> [[nodiscard]] std::optional<Body> decode(std::string_view body);

// ---- implementation ----

class field_writer {
public:
    explicit field_writer(std::string& to) : to_(to) {}
    void operator()(auto&... values) { (put(values), ...); }

private:
    template <class T> void number(T value) {
        for (std::size_t i = 0; i < sizeof(T); ++i)
            to_ += static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i) & 0xff);
    }
    template <class T> void put(T& value) {
        if constexpr (requires { value.fields(*this); })
            value.fields(*this);
        else
            number(value);
    }
    void put(vt::screen_size& size) {
        number(static_cast<std::uint16_t>(size.columns));
        number(static_cast<std::uint16_t>(size.rows));
    }
    void put(std::string& text) {
        number(static_cast<std::uint32_t>(text.size()));
        to_ += text;
    }
    template <class T> void put(std::vector<T>& items) {
        number(static_cast<std::uint32_t>(items.size()));
        for (T& item : items) put(item);
    }
    std::string& to_;
};

class field_reader {
public:
    explicit field_reader(std::string_view from) : from_(from) {}
    void operator()(auto&... values) { (take(values), ...); }
    [[nodiscard]] bool ok() const noexcept { return ok_; }

private:
    std::string_view bytes(std::size_t size) {
        if (size > from_.size()) return ok_ = false, std::string_view();
        const auto taken = from_.substr(0, size);
        from_.remove_prefix(size);
        return taken;
    }
    template <class T> T number() {
        std::uint64_t value = 0;
        const auto raw = bytes(sizeof(T));
        for (std::size_t i = 0; i < raw.size(); ++i)
            value |= static_cast<std::uint64_t>(static_cast<unsigned char>(raw[i])) << (8 * i);
        return static_cast<T>(value);
    }
    template <class T> void take(T& value) {
        if constexpr (requires { value.fields(*this); })
            value.fields(*this);
        else
            value = number<T>();
    }
    void take(bool& value) {
        const auto byte = number<std::uint8_t>();
        if (byte > 1) ok_ = false;
        value = byte == 1;
    }
    template <class Enum> void take_enum(Enum& value, Enum last) {
        const auto byte = number<std::uint8_t>();
        if (byte > static_cast<std::uint8_t>(last))
            ok_ = false;
        else
            value = static_cast<Enum>(byte);
    }
    void take(after_opening& value) { take_enum(value, after_opening::switch_viewer); }
    void take(colour_depth& value) { take_enum(value, colour_depth::direct); }
    void take(inquiry& value) { take_enum(value, inquiry::all); }
    void take(vt::screen_size& size) {
        size.columns = number<std::uint16_t>();
        size.rows = number<std::uint16_t>();
    }
    void take(std::string& text) { text = bytes(number<std::uint32_t>()); }
    template <class T> void take(std::vector<T>& items) {
        const auto count = number<std::uint32_t>();
        if (count > from_.size()) { // every item needs at least a byte, so the count is false
            ok_ = false;
            return;
        }
        for (std::uint32_t i = 0; i < count && ok_; ++i) take(items.emplace_back());
    }
    std::string_view from_;
    bool ok_ = true;
};

template <class Body> std::string encode_body(message type, std::uint32_t id, Body body) {
    std::string payload = encode_bytes(type, id, {});
    field_writer write(payload);
    body.fields(write);
    return payload;
}

template <class Body> std::optional<Body> decode(std::string_view body) {
    Body result;
    field_reader read(body);
    result.fields(read);
    if (!read.ok()) return std::nullopt;
    return result;
}

} // namespace mux
