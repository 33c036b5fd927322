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

#include "bodies/attention.hpp"
#include "bodies/changes.hpp"
#include "bodies/daemon.hpp"
#include "bodies/hello.hpp"
#include "bodies/lists.hpp"
#include "bodies/shared_names.hpp"
#include "bodies/streams.hpp"
#include "bodies/tabs.hpp"
#include "bodies/target.hpp"
#include "bodies/text.hpp"
#include "bodies/upgrade.hpp"
#include "bodies/views.hpp"
#include "field_codec.hpp"
#include "message_numbers.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mux {

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
