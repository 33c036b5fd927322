// SPDX-License-Identifier: MIT
/// @file tmux_words_test.cpp: tmux's command lines, and what they mean here.
#include "client/tmux_words.hpp"

#include "client/cli.hpp"
#include "client/command/words.hpp"
#include "support/catch.hpp"

namespace {

using mux::run_where;

std::string as_mato(const std::string& line, run_where where = run_where::outside) {
    std::string problem, text;
    const auto words = mux::split_words(line, problem);
    const auto all = mux::from_tmux(words, where);
    if (!all) return "unknown";
    for (const std::string& each : *all) text += (text.empty() ? "" : " ") + each;
    static_cast<void>(mux::parse_command_line(*all, where)); // mato accepts it
    return text;
}

std::string refusal(const std::string& line) {
    try {
        return "accepted: " + as_mato(line);
    } catch (const mux::command_failure& why) {
        CHECK(why.exit_code == 64);
        return why.text;
    }
}
bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

} // namespace

TEST_CASE("sessions are tasks, windows are tabs", "[tmux words]") {
    CHECK(as_mato("new-session -d -s work -n build -x 100 -y 30 -e A=1 make -j2") ==
          "new -d -t work -n build -x 100 -y 30 -e A=1 -- make -j2");
    CHECK(as_mato("new-session -As work") == "new -A -t work");
    CHECK(as_mato("new-session") == "new");
    CHECK(as_mato("neww -t work: -n logs") == "new -d -t work -n logs");
    CHECK(as_mato("new-window -c /tmp", run_where::inside) == "new -c /tmp");
    CHECK(as_mato("attach-session -d -t work") == "attach -d work");
    CHECK(as_mato("has-session -t=work") == "has work");
    CHECK(as_mato("list-sessions") == "ls");
    CHECK(as_mato("rename-session -t work play") == "rename work play");
    CHECK(as_mato("rename-window name", run_where::inside) == "rename . name");
    CHECK(as_mato("kill-session -t work") == "kill -t work");
    CHECK(as_mato("kill-window -t work:build") == "kill work/build");
    CHECK(as_mato("kill-server") == "stop");
    CHECK(as_mato("switch-client -c 3 -t work:2.0") == "switch -c 3 work/2");
    CHECK(as_mato("switchc -l") == "switch -");
    CHECK(as_mato("detach-client -a", run_where::inside) == "detach --others");
    CHECK(as_mato("detach-client -s work -E date") == "detach -t work -E date");
    CHECK(as_mato("respawnp -kt work:1") == "respawn -k work/1");
    CHECK(as_mato("resize-window -t 3 -x 80 -y 24") == "resize 3 80x24");
}

TEST_CASE("keys, text, buffers, channels", "[tmux words]") {
    CHECK(as_mato("send-keys -t work:build 'make test' Enter") == "send -- work/build make test Enter");
    CHECK(as_mato("send-keys -lt work -- -x") == "send -l -- work -x");
    CHECK(as_mato("send-keys C-c", run_where::inside) == "send -- . C-c");
    CHECK(as_mato("capture-pane -pJ -S -100 -t 3") == "capture -J -S 100 3");
    CHECK(as_mato("capturep -pe -S - -t 3") == "capture --ansi -S 4294967295 3");
    CHECK(as_mato("wait-for -S done") == "channel signal done");
    CHECK(as_mato("wait-for done") == "channel wait done");
    CHECK(as_mato("set-buffer -b a text") == "buffer -- set a text");
    CHECK(as_mato("showb") == "buffer get copied");
    CHECK(as_mato("load-buffer -b a -") == "buffer set a");
    CHECK(as_mato("paste-buffer -p -b a -t work") == "buffer paste a work");
    CHECK(as_mato("display-message -t 3 build done") == "notice --tab 3 -- build done");
}

TEST_CASE("what has no counterpart is refused, and the text says what to use", "[tmux words]") {
    CHECK(has(refusal("split-window -h"), "tmux's 'split-window' has no counterpart; a tab is one program"));
    CHECK(has(refusal("new-session -P"), "tmux's 'new-session -P' has no counterpart; see 'mato help new'"));
    CHECK(has(refusal("list-sessions -F '#S'"), "see 'mato ls --json'"));
    CHECK(has(refusal("capture-pane"), "mato buffer set NAME"));
    CHECK(has(refusal("wait-for -L x"), "channels have no locks"));
    CHECK(has(refusal("send-keys x"), "needs a target"));
    CHECK(has(refusal("send-keys -t %3 x"), "is tmux's own"));
    CHECK(has(refusal("send-keys -t"), "-t needs a value"));
    CHECK(has(refusal("load-buffer file"), "mato buffer set NAME < FILE"));
    CHECK(has(refusal("set-option -g mouse on"), "configuration file"));
    CHECK(has(refusal("wait-for"), "usage: wait-for [-S] CHANNEL"));
    CHECK(as_mato("frobnicate") == "unknown");
    CHECK(as_mato("kill 3") == "unknown"); // mato's own
    CHECK_FALSE(mux::from_tmux({}, run_where::outside));
}
