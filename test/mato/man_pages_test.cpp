// SPDX-License-Identifier: MIT
/// @file man_pages_test.cpp: the manual pages have every command, option and exit code, and mandoc accepts them.
#include "client/man_pages.hpp"

#include "support/catch.hpp"
#include "support/mato_world.hpp"

#include <cstdio>

namespace {

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// What `mandoc -Tlint` says of a page; "no mandoc" if it is not installed.
std::string complaints(const std::string& page) {
    const support::temp_directory directory;
    const std::string file = (directory / "page.1").native();
    support::write_file(file, page);
    FILE* const lint = ::popen(
        ("command -v mandoc > /dev/null || { echo no mandoc; exit; }; mandoc -Tlint -Wwarning " + file + " 2>&1").c_str(), "r");
    std::string said;
    char buffer[4096];
    while (const std::size_t got = std::fread(buffer, 1, sizeof buffer, lint)) said.append(buffer, got);
    ::pclose(lint);
    return said;
}

} // namespace

TEST_CASE("each command has a page with its options, exit codes and examples", "[man]") {
    for (const mux::command_entry& each : mux::command_table()) {
        CAPTURE(each.name);
        const std::string page = mux::man_page_of(each);
        CHECK(has(page, ".SH NAME\nmato\\-" + std::string(each.name) + " \\- "));
        for (const mux::option& one : each.options) {
            std::string tag;
            for (const char c : one.spelling()) tag += c == '-' ? "\\-" : std::string(1, c);
            CHECK(has(page, "\n.B " + tag));
        }
        for (const mux::exit_meaning& one : each.exits)
            if (one.code != mux::programs_code) CHECK(has(page, "\n.B " + std::to_string(one.code) + "\n"));
        CHECK(has(page, "\n.SH EXAMPLES\n.nf\nmato "));
    }
    const std::string all = mux::man_page();
    for (const mux::command_entry& each : mux::command_table())
        CHECK(has(all, ".BR mato\\-" + std::string(each.name) + " (1)"));
}

TEST_CASE("mandoc has no warning about any page", "[man]") {
    if (complaints(".TH A 1 2026-01-01\n.SH NAME\na \\- b\n") == "no mandoc\n") {
        WARN("mandoc is not installed: the pages are not checked");
        return;
    }
    CHECK_FALSE(complaints("no page\n").empty());
    CHECK(complaints(mux::man_page()).empty());
    for (const mux::command_entry& each : mux::command_table()) {
        CAPTURE(each.name, complaints(mux::man_page_of(each)));
        CHECK(complaints(mux::man_page_of(each)).empty());
    }
}
