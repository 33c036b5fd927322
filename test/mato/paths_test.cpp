// SPDX-License-Identifier: MIT
/// @file paths_test.cpp: the files of each daemon.
#include "client/paths.hpp"

#include "support/catch.hpp"

#include <map>
#include <set>

namespace {

using variables = std::map<std::string, std::string>;

mux::environment_lookup from(variables all) {
    return [all = std::move(all)](const char* name) -> std::optional<std::string> {
        const auto at = all.find(name);
        return at == all.end() ? std::nullopt : std::optional(at->second);
    };
}

mux::program_paths good(const mux::path_options& options, variables all) {
    mato::failure why;
    auto paths = mux::resolve_paths(options, from(std::move(all)), why);
    INFO(why.message());
    CHECK_FALSE(why);
    return paths;
}

std::string bad(const mux::path_options& options, variables all) {
    mato::failure why;
    static_cast<void>(mux::resolve_paths(options, from(std::move(all)), why));
    CHECK(why.code == std::errc::invalid_argument);
    CHECK_FALSE(why.step.empty());
    return why.message();
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

} // namespace

// ---- the contract ----

TEST_CASE("the files are in the state directory, the configuration in its own", "[paths]") {
    const auto home = good({}, {{"HOME", "/home/u"}});
    CHECK(home.daemon.socket == "/home/u/.local/state/mato/daemon.sock");
    CHECK(home.daemon.lock == "/home/u/.local/state/mato/daemon.lock");
    CHECK(home.daemon.pid == "/home/u/.local/state/mato/daemon.pid");
    CHECK(home.daemon.log == "/home/u/.local/state/mato/daemon.log");
    CHECK(home.config == "/home/u/.config/mato/config.toml");
    const auto xdg = good({}, {{"HOME", "/home/u"}, {"XDG_STATE_HOME", "/s"}, {"XDG_CONFIG_HOME", "/c"}});
    CHECK(xdg.daemon.socket == "/s/mato/daemon.sock");
    CHECK(xdg.config == "/c/mato/config.toml");
    const auto empty = good({}, {{"HOME", "/home/u"}, {"XDG_STATE_HOME", ""}, {"XDG_CONFIG_HOME", ""}}); // empty means unset
    CHECK(empty.daemon.socket == home.daemon.socket);
    CHECK(empty.config == home.config);
}

TEST_CASE("a label has its own directory, for additional daemons", "[paths]") {
    const auto paths = good({"", "work", ""}, {{"HOME", "/h"}});
    CHECK(paths.daemon.socket == "/h/.local/state/mato/work/daemon.sock");
    CHECK(paths.daemon.log == "/h/.local/state/mato/work/daemon.log");
    CHECK(paths.config == "/h/.config/mato/config.toml");
}

TEST_CASE("a named socket has lock, pid and log next to it", "[paths]") {
    const auto paths = good({"/run/x/my.sock", "", ""}, {});
    CHECK(paths.daemon.socket == "/run/x/my.sock");
    CHECK(paths.daemon.lock == "/run/x/my.lock");
    CHECK(paths.daemon.pid == "/run/x/my.pid");
    CHECK(paths.daemon.log == "/run/x/my.log");
    CHECK(paths.config.empty()); // no home: the defaults apply
    CHECK(good({"/a/../run//s", "", ""}, {}).daemon.socket == "/run/s");
    CHECK(good({"s.sock", "", ""}, {}).daemon.socket == std::filesystem::current_path() / "s.sock");
}

TEST_CASE("the four files never share a name", "[paths]") {
    for (const char* socket : {"/d/a", "/d/a.sock", "/d/a.lock", "/d/a.pid", "/d/a.log", "/d/.lock", "/d/a.b.log"}) {
        const auto daemon = good({socket, "", ""}, {}).daemon;
        CAPTURE(socket);
        CHECK(daemon.socket == socket);
        CHECK(std::set<std::string>{daemon.socket, daemon.lock, daemon.pid, daemon.log}.size() == 4);
        for (const auto& each : {daemon.lock, daemon.pid, daemon.log}) CHECK(std::filesystem::path(each).parent_path() == "/d");
    }
}

TEST_CASE("-S takes precedence over -L, -L over the current tab, that over the default", "[paths]") {
    const variables all{{"HOME", "/h"}, {"MATO", "/outer/o.sock,12,3"}};
    CHECK(good({"/s/x.sock", "l", ""}, all).daemon.socket == "/s/x.sock");
    CHECK(good({"", "l", ""}, all).daemon.socket == "/h/.local/state/mato/l/daemon.sock");
    CHECK(good({}, all).daemon.socket == "/outer/o.sock");
    CHECK(good({}, all).daemon.lock == "/outer/o.lock");
    CHECK(good({}, {{"HOME", "/h"}, {"MATO", "nonsense"}}).daemon.socket == "/h/.local/state/mato/daemon.sock");
}

TEST_CASE("-f names the configuration", "[paths]") {
    CHECK(good({"", "", "/etc/m.toml"}, {{"HOME", "/h"}}).config == "/etc/m.toml");
    CHECK(good({"", "", "m.toml"}, {{"HOME", "/h"}}).config == std::filesystem::current_path() / "m.toml");
}

TEST_CASE("the MATO variable of a tab is parsed", "[paths]") {
    const auto tab = mux::parse_enclosing_tab("/run/a,b/s.sock,4711,18446744073709551615");
    REQUIRE(tab);
    CHECK(tab->socket == "/run/a,b/s.sock");
    CHECK(tab->daemon_pid == 4711);
    CHECK(tab->tab == 18446744073709551615u);
}

// ---- the refusals ----

TEST_CASE("without a home there is an error with a remedy, and no shared directory", "[paths]") {
    for (const variables& all : {variables{}, variables{{"HOME", ""}}, variables{{"XDG_CONFIG_HOME", "/c"}}}) {
        const auto text = bad({}, all);
        CHECK(has(text, "XDG_STATE_HOME"));
        CHECK(has(text, "HOME"));
        CHECK(has(text, "-S"));
    }
}

TEST_CASE("a relative directory is refused by name", "[paths]") {
    CHECK(has(bad({}, {{"HOME", "home"}}), "HOME is 'home'"));
    CHECK(has(bad({}, {{"HOME", "/h"}, {"XDG_STATE_HOME", "./s"}}), "XDG_STATE_HOME is './s'"));
}

TEST_CASE("a label that is a path is refused", "[paths]") {
    for (const char* label : {"a/b", "/", "..", ".", "../x"}) CHECK(has(bad({"", label, ""}, {{"HOME", "/h"}}), "label"));
    CHECK(good({"", "...", ""}, {{"HOME", "/h"}}).daemon.socket == "/h/.local/state/mato/.../daemon.sock");
}

TEST_CASE("other values are not a MATO variable", "[paths]") {
    for (const char* text : {"", ",", ",,", "/s", "/s,1", "/s,,1", "/s,1,", ",1,2", "/s,0,1", "/s,1,0", "/s,-1,2", "/s,1,-2",
                             "/s,1x,2", "/s,1,2x", "/s, 1,2", "/s,99999999999,1", "/s,1,99999999999999999999", "1,2"}) {
        CAPTURE(text);
        CHECK_FALSE(mux::parse_enclosing_tab(text));
    }
}
