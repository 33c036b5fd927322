// SPDX-License-Identifier: MIT
/// @file json_fields_test.cpp: no member of a message is missing in its JSON, and docs/json.md lists every member.
#include "client/json_fields.hpp"

#include "client/event_text.hpp"
#include "support/catch.hpp"
#include "support/json_reader.hpp"
#include "support/markdown.hpp"

#include <filesystem>
#include <set>
#include <sstream>
#include <string_view>

namespace {

/// Changes one member of a record: the one with this number.
class changer {
public:
    explicit changer(int number) noexcept : left_(number) {}
    void operator()(auto&... members) { (visit(members), ...); }
    [[nodiscard]] bool has_changed() const noexcept { return left_ < 0; }

private:
    void visit(auto& member) {
        if (left_-- == 0) change(member);
    }
    template <class T> static void change(T& member) { member = static_cast<T>(member + 1000); }
    static void change(bool& member) { member = !member; }
    static void change(std::string& member) { member += "changed"; }
    static void change(mux::vt::screen_size& member) { member = {member.rows + 1, member.columns + 1}; }
    static void change(std::vector<mux::task_count>& member) { member.push_back({"changed", 1}); }
    static void change(std::vector<mux::tab_not_kept>& member) { member.push_back({1, "changed"}); }
    int left_;
};

/// Numbers of the members whose change does not change the JSON.
template <class Record> std::set<int> members_not_shown(const Record& record) {
    std::set<int> hidden;
    for (int number = 0;; ++number) {
        Record changed = record;
        changer change(number);
        changed.fields(change);
        if (!change.has_changed()) return hidden;
        if (mux::as_json(changed).text == mux::as_json(record).text) hidden.insert(number);
    }
}

std::string table_below(std::string_view heading) {
    const std::filesystem::path document = std::filesystem::path(MATO_SOURCE_DIRECTORY) / "docs" / "json.md";
    return support::joined(support::table_rows(document, "|", heading));
}

template <class Record> std::string expected_rows() {
    std::string rows;
    for (const mux::json_field<Record>& each : mux::fields_of(static_cast<const Record*>(nullptr)))
        rows += "| `" + std::string(each.name) + "` | " + std::string(each.text) + " |\n";
    return rows;
}

} // namespace

TEST_CASE("no member of a message is missing in its JSON", "[json]") {
    SECTION("a tab") {
        mux::tab_info ended;
        ended.running = false;
        CHECK(members_not_shown(ended).empty());
        mux::tab_info runs;
        CHECK(members_not_shown(runs).size() == 1); // the exit code
    }
    SECTION("a client") {
        mux::client_info viewer;
        viewer.tab = viewer.recorded = 1;
        viewer.follows_events = true;
        CHECK(members_not_shown(viewer).size() == 1); // follows_events: the stream is shown because it records
        viewer.recorded = 0;
        viewer.follows_events = false;
        CHECK(mux::as_json(viewer).text.ends_with("\"stream\": null}"));
        viewer.follows_events = true;
        CHECK(mux::as_json(viewer).text.find("\"stream\": {\"tab\": null, ") != std::string::npos);
    }
    SECTION("the status") {
        mux::status_report report;
        report.generation = 1;
        report.crashed = 1;
        CHECK(members_not_shown(report).empty());
    }
    SECTION("a screen") {
        const auto json = [](const mux::captured& last) { return mux::as_json(mux::captured_screen{last, last.text}).text; };
        mux::captured base;
        base.text = "a\n";
        std::set<int> hidden;
        for (int number = 0;; ++number) {
            mux::captured changed = base;
            changer change(number);
            changed.fields(change);
            if (!change.has_changed()) break;
            if (json(changed) == json(base)) hidden.insert(number);
        }
        CHECK(hidden == std::set<int>{1, 2, 3, 9}); // revision, idle_ms, next, running: for `wait` and for later parts
    }
}

TEST_CASE("docs/json.md lists every member of every object, in order", "[json]") {
    CHECK(table_below("## A tab") == expected_rows<mux::tab_info>());
    CHECK(table_below("## An ended tab") == expected_rows<mux::ended_info>());
    CHECK(table_below("## A buffer") == expected_rows<mux::buffer_info>());
    CHECK(table_below("## A client") == expected_rows<mux::client_info>());
    CHECK(table_below("### Its stream") == expected_rows<mux::client_stream>());
    CHECK(table_below("## A screen") == expected_rows<mux::captured_screen>());
    CHECK(table_below("## The status") == expected_rows<mux::status_report>());
    CHECK(table_below("### Its configuration") == expected_rows<mux::used_config>());
    CHECK(table_below("### A task") == expected_rows<mux::task_count>());
    CHECK(table_below("### A tab that is not kept") == expected_rows<mux::tab_not_kept>());
    CHECK(table_below("### The last restart") == expected_rows<mux::last_restart>());
}

TEST_CASE("docs/json.md lists every kind of event with its members", "[json]") {
    std::string expected;
    for (const mux::event_kind& each : mux::event_kinds()) {
        std::string members;
        std::istringstream words{std::string(each.members)};
        for (std::string word; words >> word;) members += (members.empty() ? "`" : " `") + word + "`";
        expected += "| `" + std::string(each.kind) + "` | " + members + " | " + std::string(each.text) + " |\n";
    }
    CHECK(table_below("## An event") == expected);
}
