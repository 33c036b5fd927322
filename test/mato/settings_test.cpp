// SPDX-License-Identifier: MIT
/// @file settings_test.cpp: the keys of config.toml, their defaults and their limits.
#include "daemon/settings.hpp"

#include "support/catch.hpp"

namespace {

mux::settings good(std::string_view text) {
    mato::failure why;
    auto value = mux::settings_schema().parse(text, "c.toml", {}, why);
    INFO(text << "\n" << why.message());
    CHECK_FALSE(why);
    return value;
}

std::string bad(std::string_view text) {
    mato::failure why;
    static_cast<void>(mux::settings_schema().parse(text, "c.toml", {}, why));
    INFO(text);
    CHECK(why.code == mato::errc::invalid_config);
    CHECK(why.detail.starts_with("c.toml:"));
    return why.detail;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

} // namespace

// ---- the contract ----

TEST_CASE("an empty file is the defaults", "[settings]") {
    const auto value = good("");
    CHECK(value.emulator == "vt");
    CHECK(value.shell.empty());
    CHECK(value.history_lines == 10'000);
    CHECK(value.survive);
    CHECK(value.reconnect == std::chrono::seconds(10));
    CHECK(value.window_size == mux::window_size::latest);
    CHECK(value.prefix == "C-\\");
    CHECK(value.remain_on_exit == mux::remain_on_exit::off);
    CHECK(value.undo_close == std::chrono::hours(1));
    CHECK(value.exit_empty);
    CHECK(value.mouse == mux::mouse_use::off);
    CHECK(value.stop_grace == std::chrono::seconds(2));
    CHECK(value.update_environment == std::vector<std::string>{"SSH_AUTH_SOCK", "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY"});
    CHECK(value.notify_bell == mux::attention_use::mark);
    CHECK(value.notify_notice == mux::attention_use::pass);
    CHECK(value.notify_command == std::chrono::seconds(10));
    CHECK(value.notify_command_ended == mux::command_end_use::mark);
    CHECK(value.notify_silence == std::chrono::seconds(0));
    CHECK(value.restore == mux::restore_when::off);
    CHECK(value.restore_save_every == std::chrono::minutes(5));
    CHECK(value.restore_lines == 2000);
    CHECK(value.restore_run.empty());
    CHECK(value.max_clients == 1024);
    CHECK(value.client_queue_bytes == 1u << 20);
    CHECK(value.paste_bytes == 16u << 20);
    CHECK(value.frame_bytes == 1u << 20);
    CHECK(value.log_level == mato::log_level::info);
    CHECK(value.log_max_bytes == 10u << 20);
    CHECK(value.log_keep == 3);
}

TEST_CASE("the mouse setting is off, wheel or select, or a bool", "[settings]") {
    CHECK(good("mouse = 'select'").mouse == mux::mouse_use::select);
    CHECK(good("mouse = 'wheel'").mouse == mux::mouse_use::wheel);
    CHECK(good("mouse = 'off'").mouse == mux::mouse_use::off);
    CHECK(good("mouse = true").mouse == mux::mouse_use::wheel);
    CHECK(good("mouse = false").mouse == mux::mouse_use::off);
}

TEST_CASE("the defaults are themselves valid values", "[settings]") {
    const mux::settings value;
    good("history_lines = " + std::to_string(value.history_lines) +
         "\nraw_replay_bytes = " + std::to_string(value.raw_replay_bytes) +
         "\nprefix = 'C-\\'\nemulator = \"raw\"\n[limits]\nclients = " + std::to_string(value.max_clients) +
         "\nclient_queue_bytes = " + std::to_string(value.client_queue_bytes) +
         "\npaste_bytes = " + std::to_string(value.paste_bytes) + "\nframe_bytes = " + std::to_string(value.frame_bytes) +
         "\n[log]\nmax_bytes = " + std::to_string(value.log_max_bytes) + "\nkeep = " + std::to_string(value.log_keep));
}

TEST_CASE("every key reaches its setting", "[settings]") {
    const auto value = good(R"(
        emulator = "raw"
        raw_replay_bytes = 4096
        shell = "/bin/dash"
        history_lines = 5
        survive = false
        reconnect = "90s"
        window_size = "smallest"
        prefix = "C-b"
        remain_on_exit = "failed"
        exit_empty = false
        stop_grace = "250ms"
        update_environment = ["A", "B"]
        [notify]
        bell = "pass"
        notice = "mark"
        command = "90s"
        command_ended = "notice"
        silence = "30s"
        [restore]
        when = "run"
        save_every = "1s"
        lines = 7
        run = ["htop", "vi"]
        [limits]
        clients = 3
        client_queue_bytes = 65536
        paste_bytes = 8192
        frame_bytes = 131072
        [log]
        level = "debug"
        max_bytes = 5000
        keep = 0
    )");
    CHECK(value.raw_replay_bytes == 4096);
    CHECK(value.shell == "/bin/dash");
    CHECK(value.history_lines == 5);
    CHECK_FALSE(value.survive);
    CHECK(value.reconnect == std::chrono::seconds(90));
    CHECK(value.window_size == mux::window_size::smallest);
    CHECK(value.prefix == "C-b");
    CHECK(value.remain_on_exit == mux::remain_on_exit::failed);
    CHECK_FALSE(value.exit_empty);
    CHECK(value.stop_grace == std::chrono::milliseconds(250));
    CHECK(value.update_environment == std::vector<std::string>{"A", "B"});
    CHECK(value.notify_bell == mux::attention_use::pass);
    CHECK(value.notify_notice == mux::attention_use::mark);
    CHECK(value.notify_command == std::chrono::seconds(90));
    CHECK(value.notify_command_ended == mux::command_end_use::notice);
    CHECK(value.notify_silence == std::chrono::seconds(30));
    CHECK(value.restore == mux::restore_when::run);
    CHECK(value.restore_save_every == std::chrono::seconds(1));
    CHECK(value.restore_lines == 7);
    CHECK(value.restore_run == std::vector<std::string>{"htop", "vi"});
    CHECK(value.max_clients == 3);
    CHECK(value.client_queue_bytes == 65536);
    CHECK(value.paste_bytes == 8192);
    CHECK(value.frame_bytes == 131072);
    CHECK(value.log_level == mato::log_level::debug);
    CHECK(value.log_max_bytes == 5000);
    CHECK(value.log_keep == 0);
}

TEST_CASE("every name of a choice means its own value", "[settings]") {
    CHECK(good("window_size = 'latest'").window_size == mux::window_size::latest);
    CHECK(good("window_size = 'largest'").window_size == mux::window_size::largest);
    CHECK(good("window_size = 'manual'").window_size == mux::window_size::manual);
    CHECK(good("remain_on_exit = 'off'").remain_on_exit == mux::remain_on_exit::off);
    CHECK(good("remain_on_exit = 'on'").remain_on_exit == mux::remain_on_exit::on);
    CHECK(good("[notify]\nbell = 'off'").notify_bell == mux::attention_use::off);
    CHECK(good("[notify]\nnotice = 'off'").notify_notice == mux::attention_use::off);
    CHECK(good("[restore]\nwhen = 'off'").restore == mux::restore_when::off);
    CHECK(good("[restore]\nwhen = 'show'").restore == mux::restore_when::show);
    CHECK(good("[log]\nlevel = 'error'").log_level == mato::log_level::error);
    CHECK(good("[log]\nlevel = 'warning'").log_level == mato::log_level::warning);
    CHECK(good("[log]\nlevel = 'info'").log_level == mato::log_level::info);
}

// ---- the refusals ----

TEST_CASE("an unknown key, a wrong type and broken syntax are reported with their place", "[settings]") {
    CHECK(has(bad("\nhistory = 3"), "c.toml:2:1"));
    CHECK(has(bad("exit_empty = true\n[limits]\nclient = 3"), "c.toml:3:1"));
    CHECK(has(bad("history_lines = \"many\""), "c.toml:1:17"));
    CHECK(has(bad("exit_empty = 1"), "c.toml:1:14"));
    CHECK(has(bad("prefix = [\"C-b\"]"), "c.toml:1:10"));
    CHECK(has(bad("prefix = "), "c.toml:1:"));
    bad("limits = 3");
    bad("update_environment = [1]");
    bad("stop_grace = 2");
}

TEST_CASE("an unknown name of a choice is answered with the choices", "[settings]") {
    const auto text = bad("window_size = 'tiny'");
    for (const char* word : {"latest", "smallest", "largest", "manual"}) CHECK(has(text, word));
    CHECK(has(bad("[log]\nlevel = 'loud'"), "warning"));
    CHECK(has(bad("remain_on_exit = true"), "failed"));
}

TEST_CASE("an invalid emulator, shell or prefix is refused with the reason", "[settings]") {
    CHECK(has(bad("emulator = 'vt9'"), "vt9"));
    CHECK(has(bad("shell = 'bash'"), "absolute"));
    CHECK(has(bad("shell = ''"), "absolute"));
    for (const char* key : {"''", "'b'", "'C-'", "'C-1'", "'M-b'", "'C-bb'", "'C-?'"})
        CHECK(has(bad(std::string("prefix = ") + key), "control key"));
}

TEST_CASE("a time of silence is from a second to a day, or none", "[settings]") {
    for (const char* time : {"0s", "1s", "24h"}) good(std::string("[notify]\nsilence = '") + time + "'");
    for (const char* time : {"10ms", "25h"})
        CHECK(has(bad(std::string("[notify]\nsilence = '") + time + "'"), "from a second to a day"));
    CHECK(has(bad("[notify]\ncommand = '25h'"), "longer than a day"));
}

TEST_CASE("tabs are saved once a second at most, and once a day at least", "[settings]") {
    for (const char* time : {"1s", "24h"}) good(std::string("[restore]\nsave_every = '") + time + "'");
    for (const char* time : {"0s", "999ms", "25h"})
        CHECK(has(bad(std::string("[restore]\nsave_every = '") + time + "'"), "from a second to a day"));
    CHECK(has(bad("[restore]\nwhen = 'always'"), "\"run\""));
    bad("[restore]\nrun = 'vi'");
}

// ---- the edges ----

TEST_CASE("each number has limits, and both are valid values", "[settings]") {
    struct {
        std::string key;
        std::uint64_t least, most;
    } const limits[] = {
        {"raw_replay_bytes = ", 4 << 10, 64 << 20},
        {"history_lines = ", 0, 10'000'000},
        {"[limits]\nclients = ", 1, 100'000},
        {"[limits]\nclient_queue_bytes = ", 64 << 10, 1 << 30},
        {"[limits]\npaste_bytes = ", 4 << 10, 1 << 30},
        {"[limits]\nframe_bytes = ", 64 << 10, 1 << 20},
        {"[log]\nmax_bytes = ", 4 << 10, 1 << 30},
        {"[log]\nkeep = ", 0, 100},
        {"[restore]\nlines = ", 0, 10'000},
    };
    for (const auto& each : limits) {
        good(each.key + std::to_string(each.least));
        good(each.key + std::to_string(each.most));
        CHECK(has(bad(each.key + std::to_string(each.most + 1)), "must be from"));
        if (each.least > 0) CHECK(has(bad(each.key + std::to_string(each.least - 1)), "must be from"));
        bad(each.key + "-1");
        bad(each.key + "99999999999");
    }
    CHECK(good("stop_grace = '60s'").stop_grace == std::chrono::minutes(1));
    CHECK(good("stop_grace = '0s'").stop_grace.count() == 0);
    CHECK(has(bad("stop_grace = '60001ms'"), "minute"));
}

TEST_CASE("keys are given to actions, one or several, and taken away", "[settings]") {
    const auto value = good("[keys]\nfind = '/'\noffice = ['Space', 'C-a', 'F5']\nsuspend = []\n");
    const mux::key_changes changes = mux::changes_of(value.keys);
    CHECK(changes.at("find") == std::vector<std::string>{"/"});
    CHECK(changes.at("office") == std::vector<std::string>{"Space", "C-a", "F5"});
    CHECK(changes.at("suspend").empty());
    CHECK(good("").keys.empty());
}

TEST_CASE("a bad key is an error with its line and column", "[settings]") {
    const std::string start = "prefix = 'C-b'\n[keys]\nfind = '/'\n";
    CHECK(bad(start + "fnid = 'x'").starts_with("c.toml:4:1: 'keys.fnid': there is no such action; the actions are new-tab, "));
    CHECK(
        bad(start + "  help = ['h', 'Esc']") ==
        "c.toml:4:3: 'keys.help': 'Esc' is not the name of a key; write one character, or a name such as \"Space\", \"C-a\" or "
        "\"F5\"");
    CHECK(has(bad(start + "help = 'ü'"), "'ü' is not the name of a key"));
    CHECK(has(bad(start + "help = ''"), "'' is not the name of a key"));
    CHECK(has(bad(start + "help = 7"), "expected the name of a key, or an array of names"));
    CHECK(has(bad(start + "help = '/'"), "the key '/' is given to 'find' too"));
    CHECK(has(bad(start + "help = '4'"), "the key 4 goes to the tab with that number"));
    CHECK(has(bad(start + "tab = 'x'"), "the keys 1 to 9 and 0 cannot be changed"));
    CHECK(has(bad("keys = 'x'"), "'keys' must be a table; write [keys]"));
}
