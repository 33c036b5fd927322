// SPDX-License-Identifier: MIT
/// @file protocol_fuzz.cpp: any bytes are either refused or a message that encodes to the same meaning.
///
/// Input: a frame's payload. Its body is decoded as every message type, whatever its own type is.
#include "client/event_text.hpp"
#include "protocol/protocol.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <type_traits>

namespace {

void require(bool fact) {
    if (!fact) std::abort();
}

/// Bytes of a value, including items and texts.
class weigher {
public:
    void operator()(auto&... values) { (add(values), ...); }
    std::size_t weight = 0;

private:
    template <class T> void add(T& value) {
        weight += sizeof value;
        if constexpr (requires { value.fields(*this); }) value.fields(*this);
    }
    void add(std::string& text) { weight += sizeof text + text.capacity(); }
    template <class T> void add(std::vector<T>& items) {
        weight += sizeof items + (items.capacity() - items.size()) * sizeof(T);
        for (T& item : items) add(item);
    }
};

/// Whether a message got members after its first version: older programs end it before them.
struct extension_finder {
    bool found = false;
    void operator()(auto&... members) { (see(members), ...); }

private:
    template <class T> void see(mux::added_field<T>&) { found = true; }
    void see(auto&) {}
};

template <class Body> void check(std::string_view body) {
    auto read = mux::decode<Body>(body);
    if (!read) return;
    weigher scale;
    read->fields(scale);
    require(scale.weight <= 4096 + 256 * body.size()); // limited by received bytes, not by the announced count
    const auto written = mux::encode_body(mux::message::done, 7, *read);
    const auto header = mux::parse_header(written);
    require(header && header->id == 7);
    // The decoded part is unchanged, and the rest belongs to a later version. Of an older version the last field is missing.
    extension_finder extension;
    read->fields(extension);
    const bool was_extended = extension.found;
    require(body.starts_with(header->body) || (was_extended && header->body.starts_with(body)));
    const auto again = mux::decode<Body>(header->body);
    require(again && mux::encode_body(mux::message::done, 7, *again) == written);
    if (!header->body.empty() && !was_extended) require(!mux::decode<Body>(header->body.substr(0, header->body.size() - 1)));
}

template <class... Bodies> void check_all(std::string_view body) { (check<Bodies>(body), ...); }

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view payload(reinterpret_cast<const char*>(data), size);
    const auto header = mux::parse_header(payload);
    require(header.has_value() == (size >= 8));
    if (!header) return 0;
    require(mux::encode_bytes(header->type, header->id, header->body) == payload);
    for (const auto format : {mux::output_format::text, mux::output_format::json}) { // any event is printed as complete lines
        const std::string lines = mux::event_lines(format).of(*header);
        require(lines.empty() || (lines.back() == '\n' && lines.find('\0') == lines.npos && lines.find('\033') == lines.npos));
    }
    check_all<mux::hello, mux::welcome, mux::refusal, mux::target, mux::resized_terminal, mux::view_options, mux::new_tab,
              mux::tab_name, mux::attach_request, mux::detach_request, mux::tab_info, mux::tab_list, mux::client_info,
              mux::client_list, mux::send_request, mux::sent, mux::kill_request, mux::rename_request, mux::task_count,
              mux::status_report, mux::stop_request, mux::exit_status, mux::bytes_taken, mux::shown_tab, mux::attachment_info,
              mux::show_request, mux::capture_request, mux::captured, mux::wait_output, mux::change_wait, mux::tab_changed,
              mux::output_request, mux::output_found, mux::ended_list, mux::after_detaching, mux::name_only,
              mux::buffer_content, mux::paste_request, mux::buffer_list, mux::read_request, mux::text_read, mux::resize_request,
              mux::record_request, mux::recording_info, mux::stream_output, mux::stream_screen, mux::stream_size,
              mux::stream_end, mux::respawn_request, mux::move_request, mux::daemon_event, mux::event_snapshot,
              mux::state_request, mux::notice_request, mux::nothing>(header->body);
    return 0;
}
