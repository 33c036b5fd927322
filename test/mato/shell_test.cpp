// SPDX-License-Identifier: MIT
/// @file shell_test.cpp: the shell of a tab, and the tab's name.
#include "protocol/names.hpp"
#include "tab/shell.hpp"

#include "daemon/workspace.hpp"

#include "support/catch.hpp"
#include "support/temp_directory.hpp"

#include <pwd.h>
#include <unistd.h>

// ---- the contract ----

TEST_CASE("the configured shell, then SHELL, then the password file's", "[shell]") {
    CHECK(mux::login_shell("/bin/fish", {{"SHELL", "/bin/zsh"}}) == "/bin/fish");
    CHECK(mux::login_shell("", {{"SHELL", "/bin/zsh"}}) == "/bin/zsh");
    const passwd* const me = ::getpwuid(::geteuid());
    const std::string own = me && me->pw_shell && *me->pw_shell ? me->pw_shell : "/bin/sh";
    CHECK(mux::login_shell("", {}) == own);
    CHECK(mux::login_shell("", {{"SHELL", ""}}) == own);
    CHECK(mux::login_shell("", {{"SHELL", "zsh"}}) == own); // a relative path is not a shell
}

TEST_CASE("a shell that cannot be run is skipped for the next one, and its path is reported", "[shell]") {
    const support::temp_directory directory;
    const std::string plain = directory / "plain", own = mux::login_shell("", {});
    support::write_file(plain, "#!/bin/sh\n");
    REQUIRE(::chmod(plain.c_str(), 0600) == 0);
    std::string missing;
    CHECK(mux::runnable_shell("/bin/sh", {{"SHELL", "/nonexistent"}}, missing) == "/bin/sh");
    CHECK(missing.empty());
    for (const std::string& gone : {std::string("/nonexistent/fish"), directory.path().native()}) {
        CAPTURE(gone);
        missing.clear();
        CHECK(mux::runnable_shell(gone, {{"SHELL", "/bin/sh"}}, missing) == "/bin/sh");
        CHECK(missing == gone);
        missing.clear();
        CHECK(mux::runnable_shell("", {{"SHELL", gone}}, missing) == own);
        CHECK(missing == gone);
        missing.clear();
        CHECK(mux::runnable_shell(gone, {{"SHELL", gone}}, missing) == own);
    }
    missing.clear();
    if (::geteuid() != 0) CHECK(mux::runnable_shell(plain, {{"SHELL", "/bin/sh"}}, missing) == "/bin/sh");
}

TEST_CASE("a path that the kernel can run needs no shell, everything else does", "[shell]") {
    const support::temp_directory directory;
    const auto file = [&](const std::string& name, const std::string& content, mode_t mode) {
        const std::string path = directory / name;
        support::write_file(path, content);
        REQUIRE(::chmod(path.c_str(), mode) == 0);
        return path;
    };
    CHECK(mux::needs_no_shell("/bin/sh"));
    CHECK(mux::needs_no_shell(file("script", "#!/bin/sh\n", 0700)));
    CHECK(mux::needs_no_shell(file("spaced", "#! /bin/sh\n", 0700)));

    CHECK_FALSE(mux::needs_no_shell(file("headless", "echo hi\n", 0700))); // ENOEXEC: a shell interprets it
    CHECK_FALSE(mux::needs_no_shell(file("empty", "", 0700)));
    CHECK_FALSE(mux::needs_no_shell(file("short", "#!", 0700)));
    CHECK_FALSE(mux::needs_no_shell(file("plain", "#!/bin/sh\n", 0600)));
    CHECK_FALSE(mux::needs_no_shell(file("a b", "#!/bin/sh\n", 0700)));
    CHECK_FALSE(mux::needs_no_shell(file("a$b", "#!/bin/sh\n", 0700)));
    CHECK_FALSE(mux::needs_no_shell(file("a*", "#!/bin/sh\n", 0700)));
    CHECK_FALSE(mux::needs_no_shell("sh"));
    CHECK_FALSE(mux::needs_no_shell("/bin/sh -i"));
    CHECK_FALSE(mux::needs_no_shell("/bin/sh;"));
    CHECK_FALSE(mux::needs_no_shell(directory.path()));
    CHECK_FALSE(mux::needs_no_shell(directory / "none"));
    CHECK_FALSE(mux::needs_no_shell("/dev/tty"));
    CHECK_FALSE(mux::needs_no_shell(""));
}

TEST_CASE("the last component of a path", "[shell]") {
    CHECK(mux::base_name("/usr/bin/vim") == "vim");
    CHECK(mux::base_name("vim") == "vim");
    CHECK(mux::base_name("/usr/bin/").empty());
    CHECK(mux::base_name("").empty());
    for (const char* shell : {"sh", "bash", "/usr/bin/zsh", "fish"}) CHECK(mux::is_shell(shell));
    for (const char* other : {"", "bash -c make", "vim", "/usr/bin/sh/", "sh ", "shell"}) CHECK_FALSE(mux::is_shell(other));
}

TEST_CASE("a tab is called after the first word of its command", "[shell]") {
    CHECK(mux::tab_name_for("vim") == "vim");
    CHECK(mux::tab_name_for("/usr/bin/vim -R file") == "vim");
    CHECK(mux::tab_name_for("make; true") == "make");
    CHECK(mux::tab_name_for("a|b") == "a");
    CHECK(mux::tab_name_for("cat<x") == "cat");
    CHECK(mux::tab_name_for("sleep&") == "sleep");
}

// ---- the edges ----

TEST_CASE("for any command the name is valid", "[shell]") {
    for (const std::string& command :
         {std::string(), std::string("42"), std::string("."), std::string("/bin/"), std::string(" ls"), std::string("\033[2J"),
          std::string("a\xff"), std::string(31, 'a') + "\xc3\xbc", std::string(31, 'a') + "\xc3\xbc/x", std::string(300, 'x'),
          std::string(300, '7'), std::string("日本語日本語日本語日本語日本語日本語"), std::string("; ls")}) {
        CAPTURE(command);
        CHECK(mux::check_name(mux::tab_name_for(command)).empty());
    }
    CHECK(mux::tab_name_for("") == "tab");
    CHECK(mux::tab_name_for("42") == "tab");
    CHECK(mux::tab_name_for(std::string(300, 'x')) == std::string(32, 'x'));
    CHECK(mux::tab_name_for(std::string(31, 'a') + "\xc3\xbc") == std::string(31, 'a')); // no letter is split
}
