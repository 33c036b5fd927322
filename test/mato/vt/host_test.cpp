// SPDX-License-Identifier: MIT
/// @file host_test.cpp: queries about the host terminal wait until it has answered.
#include "vt/terminal.hpp"

#include <catch2/catch.hpp>

#include <memory>
#include <string>

using namespace mux::vt;

namespace {

host_terminal light(bool awaited) {
    host_colours colours;
    colours.at[palette::background] = wide_rgb{0xffff, 0xffff, 0xffff};
    return {std::make_shared<const host_colours>(colours), true, false, awaited};
}

host_terminal unknown(bool awaited) { return {nullptr, false, false, awaited}; }

const std::string device_attributes = "\x1b[?64;6;21;22;28c";

} // namespace

TEST_CASE("a query that comes before the host has answered waits, and later queries wait too", "[host]") {
    terminal t({.size = {5, 20}});
    t.know_host(unknown(true));
    t.feed("\x1b[5n\x1b]11;?\a\x1b[6n\x1b[?u\x1b[?996n\x1b[c\x1b[5n");
    CHECK(t.take_answers() == "\x1b[0n");
    CHECK(t.take_answers().empty());
    t.know_host(light(true)); // answers are still expected: the known ones may belong to another terminal
    CHECK(t.take_answers().empty());
    t.know_host(light(false));
    CHECK(t.take_answers() == "\x1b]11;rgb:ffff/ffff/ffff\a\x1b[1;1R\x1b[?0u\x1b[?997;2n" + device_attributes + "\x1b[0n");
    t.feed("\x1b]11;?\x1b\\");
    CHECK(t.take_answers() == "\x1b]11;rgb:ffff/ffff/ffff\x1b\\");
}

TEST_CASE("if the host does not answer, queries about it stay unanswered, and no others", "[host]") {
    terminal t({.size = {5, 20}});
    t.know_host(unknown(true));
    t.feed("\x1b]11;?\a\x1b[?u\x1b[6n\x1b]4;1;?\a\x1b[c");
    t.know_host(unknown(false));
    CHECK(t.take_answers() == "\x1b[1;1R" + device_attributes);
}

TEST_CASE("values set by the program need no host, and keep their order", "[host]") {
    terminal t({.size = {5, 20}});
    t.know_host(unknown(true));
    t.feed("\x1b]11;#000\a\x1b]11;?\a");
    CHECK(t.take_answers() == "\x1b]11;rgb:0000/0000/0000\a");
    t.feed("\x1b]10;?\a\x1b]11;?\a");
    CHECK(t.take_answers().empty());
    t.know_host(unknown(false));
    CHECK(t.take_answers() == "\x1b]11;rgb:0000/0000/0000\a");
}

TEST_CASE("waiting queries are limited, by number and by bytes", "[host]") {
    terminal_options options;
    options.limits.answer_bytes = 1000;
    terminal t(options);
    t.know_host(unknown(true));
    const std::size_t before = t.memory_bytes();
    for (int i = 0; i < 100'000; ++i) t.feed("\x1b]11;?\a\x1b[5n");
    CHECK(t.memory_bytes() < before + 64 * 1024);
    t.know_host(light(false));
    const std::string all = t.take_answers();
    CHECK(all.size() <= 1000);
    CHECK(all.starts_with("\x1b]11;rgb:ffff/ffff/ffff\a\x1b[0n\x1b]11;"));
}

TEST_CASE("a full reset keeps waiting queries and known values", "[host]") {
    terminal t({.size = {5, 20}});
    t.know_host(unknown(true));
    t.feed("\x1b]11;?\a\x1b"
           "c");
    t.know_host(light(false));
    CHECK(t.take_answers() == "\x1b]11;rgb:ffff/ffff/ffff\a");
}

TEST_CASE("a program that enabled theme reports gets the first theme that becomes known", "[host]") {
    terminal t({.size = {5, 20}});
    t.know_host(unknown(false));
    t.feed("\x1b[?2031h");
    t.know_host(light(false));
    CHECK(t.take_answers() == "\x1b[?997;2n");
    t.know_host(light(true));
    t.know_host(light(false));
    CHECK(t.take_answers().empty());
}
