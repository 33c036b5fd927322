// SPDX-License-Identifier: MIT
/// @file inventory_test.cpp: a list of tabs fits into a message, however long the programs' titles are.
#include "daemon/inventory.hpp"

#include "protocol/utf8_length.hpp"

#include "support/catch.hpp"

namespace {

constexpr std::size_t most = 1u << 20; // bytes of a message

mux::tab_list list_of(std::size_t count, const std::string& text) {
    mux::tab_list list;
    for (std::size_t n = 0; n < count; ++n) {
        mux::tab_info tab;
        tab.id = n + 1;
        tab.task = std::string(64, 't');
        tab.name = std::string(64, 'n');
        tab.command = tab.cwd = tab.title = text;
        list.tabs.push_back(tab);
    }
    return list;
}

std::size_t size_of(const mux::tab_list& list) { return mux::encode<mux::message::tabs>(1, list).size(); }

} // namespace

TEST_CASE("a list that fits is not changed", "[inventory]") {
    for (const std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{200}}) {
        auto list = list_of(count, std::string(1'000, 'c'));
        mux::make_fit(list, most);
        CHECK(size_of(list) == size_of(list_of(count, std::string(1'000, 'c'))));
    }
}

TEST_CASE("in a list that does not fit the longest texts are cut at a character and marked; names stay", "[inventory]") {
    for (const std::size_t count : {std::size_t{300}, std::size_t{1'000}, std::size_t{3'000}})
        for (const std::string& character : {std::string("c"), std::string("ä"), std::string("€"), std::string("😀")}) {
            std::string text;
            while (text.size() < 4'000) text += character;
            auto list = list_of(count, text);
            list.tabs[1].command = "short";
            mux::make_fit(list, most);
            INFO(count << " tabs of '" << character << "'");
            CHECK(size_of(list) <= most);
            for (const mux::tab_info& tab : list.tabs) {
                if (tab.name.size() != 64 || tab.task.size() != 64) FAIL("a name was cut");
                if (tab.title.size() > 520 || !tab.title.ends_with("…")) FAIL(tab.title);
            }
            std::string_view rest = list.tabs[0].title;
            while (const std::size_t size = mux::utf8_length(rest)) rest.remove_prefix(size);
            CHECK(rest.empty());
            CHECK(list.tabs[1].command.starts_with("short"));
        }
}
