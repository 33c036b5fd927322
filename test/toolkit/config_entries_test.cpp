// SPDX-License-Identifier: MIT
/// @file config_entries_test.cpp: a table whose keys the program does not know.
#include <mato/config.hpp>

#include "support/catch.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

TEST_CASE("the keys of a table that can be any are checked one by one, each error at its place", "[config]") {
    struct routes {
        std::map<std::string, std::vector<std::string>> of{{"default", {"a"}}};
    };
    mato::config::schema<routes> keys;
    keys.entries<std::vector<std::string>>(
        "routes", &routes::of,
        [](const std::string& key, const std::vector<std::string>& value, const auto& before) -> std::string {
            if (value.empty()) return "give at least one";
            for (const auto& [other, values] : before)
                if (values == value) return "as '" + other + "'";
            return key == "bad" ? "this name is not allowed" : "";
        });
    const auto read = [&](std::string_view text, std::string& detail) {
        mato::failure why;
        auto value = keys.parse(text, "f.toml", {}, why);
        detail = why.detail;
        return value.of;
    };
    std::string detail;
    using map = std::map<std::string, std::vector<std::string>>;
    CHECK(read("", detail) == map{{"default", {"a"}}});
    CHECK(read("[routes]\nx = ['b']\n'y z' = ['c', 'd']", detail) == map{{"x", {"b"}}, {"y z", {"c", "d"}}});
    CHECK(detail.empty());
    CHECK(read("[routes]\nx = ['b']\ny = ['b']", detail) == map{{"default", {"a"}}});
    CHECK(detail == "f.toml:3:1: 'routes.y': as 'x'");
    read("[routes]\nx = ['b']\n  bad = ['c']", detail);
    CHECK(detail == "f.toml:3:3: 'routes.bad': this name is not allowed");
    read("[routes]\nx = []", detail);
    CHECK(detail == "f.toml:2:1: 'routes.x': give at least one");
    read("[routes]\nx = 'b'", detail);
    CHECK(detail.starts_with("f.toml:2:1: 'routes.x': expected an array"));
    read("routes = 3", detail);
    CHECK(detail.starts_with("f.toml:1:10: 'routes' must be a table; write [routes]"));
}
