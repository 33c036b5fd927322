// SPDX-License-Identifier: MIT
/// @file notification_test.cpp: notifications for a viewer's terminal, in each of the forms.
#include "view/notification.hpp"

#include "vt/terminal.hpp"

#include "support/catch.hpp"

using mux::notice_form;

TEST_CASE("a notification names its tab in each form", "[notification]") {
    CHECK(mux::notification(notice_form::osc_9, "web/tests", "done; 3 failed") == "\033]9;web/tests: done; 3 failed\033\\");
    CHECK(mux::notification(notice_form::osc_777, "web/tests", "a;b") == "\033]777;notify;web/tests;a;b\033\\");
    CHECK(mux::notification(notice_form::osc_99, "web/tests", "a;b") ==
          "\033]99;i=mato:d=0;web/tests\033\\\033]99;i=mato:d=1:p=body;a;b\033\\");
}

TEST_CASE("a title with a semicolon neither ends early nor becomes a command", "[notification]") {
    CHECK(mux::notification(notice_form::osc_9, "4;1;50/x", "t") == "\033]9;4,1,50/x: t\033\\");
    CHECK(mux::notification(notice_form::osc_777, "a;b/c", "t") == "\033]777;notify;a,b/c;t\033\\");
}

TEST_CASE("a terminal reads one notification of each form", "[notification]") {
    for (const auto form : {notice_form::osc_9, notice_form::osc_777, notice_form::osc_99}) {
        mux::vt::terminal terminal;
        terminal.feed(mux::notification(form, "web/tests", "done") + "x");
        const auto events = terminal.take_events();
        CHECK(events.size() == (form == notice_form::osc_99 ? 2u : 1u));
        CHECK(terminal.cursor().at.column == 1);
    }
}
