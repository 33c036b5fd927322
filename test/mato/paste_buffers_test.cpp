// SPDX-License-Identifier: MIT
/// @file paste_buffers_test.cpp: named buffers, and the limits of their number and their bytes.
#include "daemon/paste_buffers.hpp"

#include "support/catch.hpp"

namespace {

using mux::paste_buffers;

std::string names(const paste_buffers& all) {
    std::string text;
    for (const auto& each : all.list().buffers) text += each.name + " ";
    return text;
}

} // namespace

TEST_CASE("a buffer is set, replaced, found and removed; the list begins with the newest", "[buffers]") {
    paste_buffers all;
    CHECK(all.find("a") == nullptr);
    CHECK(all.set("a", "one").empty());
    CHECK(all.set("b", "two\nlines").empty());
    CHECK(all.set("a", "three").empty());
    CHECK(*all.find("a") == "three");
    CHECK(names(all) == "a b ");
    CHECK(all.list().buffers[1].bytes == 9);
    CHECK(all.list().buffers[1].begin.find('\n') == std::string::npos);
    CHECK(all.remove("a"));
    CHECK_FALSE(all.remove("a"));
    CHECK(names(all) == "b ");
    all.copy("text");
    CHECK(*all.find(paste_buffers::copied) == "text");
}

TEST_CASE("names and sizes are bounded; a refusal leaves the buffers as they are", "[buffers]") {
    paste_buffers all;
    CHECK(all.set("", "x").find("''") != std::string::npos);
    CHECK_FALSE(all.set("a/b", "x").empty());
    CHECK(all.set("long", std::string(paste_buffers::most_text + 1, 'x')).find("more than 512 KiB") != std::string::npos);
    CHECK(all.find("long") == nullptr);
    for (std::size_t i = 0; i < paste_buffers::most; ++i) REQUIRE(all.set("n" + std::to_string(i), "x").empty());
    CHECK(all.set("one more", "x").find("64 buffers already") != std::string::npos);
    CHECK(all.set("n0", "y").empty()); // replaced
    all.copy("copied text");           // the oldest makes room
    CHECK(all.find("n1") == nullptr);
    CHECK(*all.find("n0") == "y");

    paste_buffers large;
    const std::string most(paste_buffers::most_text, 'x');
    for (int i = 0; i < 16; ++i) REQUIRE(large.set("n" + std::to_string(i), most).empty());
    CHECK(large.set("one more", "x").find("8 MiB together") != std::string::npos);
    large.copy(most);
    CHECK(large.list().buffers.size() == 16);
    CHECK(large.find("n0") == nullptr);
}
