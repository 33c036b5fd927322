// SPDX-License-Identifier: MIT
/// @file messages_test.cpp: a number, a body and an answer that do not belong together do not compile.
#include "protocol/messages.hpp"

#include "support/catch.hpp"

#include <type_traits>

namespace {

using mux::message;

template <message Number, class Body> concept can_be_encoded = requires(Body body) { mux::encode<Number>(1, body); };
template <message Number, class Body> concept is_read_as =
    std::is_same_v<decltype(mux::read_as<Number>(mux::header())), std::optional<Body>>;

} // namespace

// ---- the contract: these are checked by the compiler ----

static_assert(can_be_encoded<message::tabs, mux::tab_list>);
static_assert(!can_be_encoded<message::tabs, mux::client_list>);
static_assert(!can_be_encoded<message::tabs, mux::nothing>);
static_assert(!can_be_encoded<message::list_tabs, mux::tab_list>);  // the request has no fields
static_assert(!can_be_encoded<message::rename, mux::move_request>); // the same members, but another message
static_assert(!can_be_encoded<message::input_taken, mux::exit_status>);
static_assert(can_be_encoded<message::input_taken, mux::bytes_taken>);

static_assert(is_read_as<message::tabs, mux::tab_list>);
static_assert(!is_read_as<message::tabs, mux::client_list>);
static_assert(is_read_as<message::tab_exited, mux::exit_status>);

static_assert(mux::answer_to<message::list_tabs> == message::tabs);
static_assert(mux::answer_to<message::status> == message::status_report);
static_assert(mux::answers<message::send, message::sent>);
static_assert(!mux::answers<message::send, message::done>);
static_assert(!mux::answers<message::list_tabs, message::clients>);
static_assert(!mux::answers<message::show, message::done>); // one-way: it has no answer
static_assert(mux::answers<message::new_tab, message::tab_opened> && mux::answers<message::new_tab, message::attached> &&
              mux::answers<message::new_tab, message::exit_status>);
static_assert(!mux::answers<message::new_tab, message::done>);

TEST_CASE("a frame is read as the message that it is, and as no other", "[protocol]") {
    const auto payload = mux::encode<message::input_taken>(7, {300});
    const auto frame = mux::parse_header(payload);
    REQUIRE(frame);
    CHECK(frame->id == 7);
    CHECK(mux::read_as<message::input_taken>(*frame).value().bytes == 300);
    CHECK_FALSE(mux::read_as<message::output_taken>(*frame)); // the same body, but another number
    CHECK_FALSE(mux::read_as<message::done>(*frame));         // it has no fields, so any body would do
}

TEST_CASE("a truncated frame is not read, and a message without fields is eight bytes", "[protocol]") {
    const auto payload = mux::encode<message::tab_exited>(0, {3, 130});
    for (std::size_t size = 8; size < payload.size(); ++size)
        CHECK_FALSE(mux::read_as<message::tab_exited>(mux::parse_header(payload.substr(0, size)).value()));
    CHECK(mux::encode<message::list_tabs>(9) == mux::encode<message::list_tabs>(9, {}));
    CHECK(mux::encode<message::list_tabs>(9).size() == 8);
}
