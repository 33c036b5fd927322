// SPDX-License-Identifier: MIT
/// @file json_fields.hpp: the members of each JSON object that a command prints, in one table for each record.
/// Pure.  Test: test/mato/json_fields_test.cpp.
///
/// `--json` prints these tables, docs/json.md lists them, and the test checks that no member of a message is missing.
#pragma once

#include "json.hpp"
#include "protocol/protocol.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mux {

template <class Record> struct json_field {
    std::string_view name;
    json::verbatim (*value)(const Record&);
    std::string_view text; ///< what it means
};

/// A screen as text. `text`: of all parts; `last`: the last part.
struct captured_screen {
    const captured& last;
    const std::string& text;
};
/// What a client that records a tab, or follows the events, has received.
struct client_stream {
    const client_info& client;
};
struct last_restart {
    const status_report& report;
};
struct used_config {
    const status_report& report;
};

/// The members of a record; the pointer only selects its type.
[[nodiscard]] std::span<const json_field<tab_info>> fields_of(const tab_info*) noexcept;
[[nodiscard]] std::span<const json_field<client_info>> fields_of(const client_info*) noexcept;
[[nodiscard]] std::span<const json_field<ended_info>> fields_of(const ended_info*) noexcept;
[[nodiscard]] std::span<const json_field<buffer_info>> fields_of(const buffer_info*) noexcept;
[[nodiscard]] std::span<const json_field<client_stream>> fields_of(const client_stream*) noexcept;
[[nodiscard]] std::span<const json_field<captured_screen>> fields_of(const captured_screen*) noexcept;
[[nodiscard]] std::span<const json_field<status_report>> fields_of(const status_report*) noexcept;
[[nodiscard]] std::span<const json_field<task_count>> fields_of(const task_count*) noexcept;
[[nodiscard]] std::span<const json_field<tab_not_kept>> fields_of(const tab_not_kept*) noexcept;
[[nodiscard]] std::span<const json_field<used_config>> fields_of(const used_config*) noexcept;
[[nodiscard]] std::span<const json_field<last_restart>> fields_of(const last_restart*) noexcept;

/// The object with all members of a record.
template <class Record> [[nodiscard]] json::verbatim as_json(const Record& record) {
    json::object object;
    for (const json_field<Record>& each : fields_of(&record)) object.add(each.name, each.value(record));
    return object.done();
}

/// An array of objects, each on its own line.
template <class Record> [[nodiscard]] json::verbatim as_json(const std::vector<Record>& records) {
    std::vector<json::verbatim> items;
    for (const Record& each : records) items.push_back(as_json(each));
    return json::array(items);
}

[[nodiscard]] std::uint32_t tabs_of(const status_report& report) noexcept; ///< of all tasks

} // namespace mux
