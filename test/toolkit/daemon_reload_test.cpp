// SPDX-License-Identifier: MIT
/// @file daemon_reload_test.cpp: a daemon that watches its configuration file reloads after each kind of change.
#include <mato/daemon.hpp>
#include <mato/file_watch.hpp>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/deadline.hpp"
#include "support/launched_daemon.hpp"
#include "support/served_daemon.hpp"
#include "support/temp_directory.hpp"

#include <filesystem>

using namespace std::chrono_literals;
using support::contains;
using support::options_in;
using support::read_file;
using support::temp_directory;
using support::wait_until;
using support::write_file;
namespace fs = std::filesystem;

namespace {

struct policies : mato::default_policies {
    using reload = mato::reload_on_change; // and options.config = options.paths.file("config.toml");
};
using watching_daemon = mato::basic_daemon<policies>;
using served = support::served<watching_daemon>;

/// Each reload reads the file, logs its text, and refuses "bad".
auto reads(const fs::path& path) {
    return [path](watching_daemon& self) {
        self.on.on_reload = [&self, path](mato::error_out out) {
            const std::string text = fs::exists(path) ? read_file(path) : "missing";
            if (text == "bad" || text == "missing")
                return out.set(mato::errc::invalid_config, "reload", path.native(), "it is " + text);
            self.log().info("read <" + text + ">");
        };
    };
}

bool comes(const mato::daemon_options& options, const std::string& text) {
    return wait_until([&] { return contains(read_file(options.paths.log), text); });
}

void replace(const fs::path& path, std::string_view text) {
    const fs::path fresh = path.native() + ".new";
    write_file(fresh, text);
    fs::rename(fresh, path);
}

} // namespace

TEST_CASE("a daemon that watches its configuration reloads when the file is written, replaced or linked elsewhere",
          "[daemon_reload]") {
    const temp_directory directory, volume;
    auto options = options_in(directory.path());
    options.config = volume / "config.toml";
    write_file(options.config, "first");
    served process(options, reads(options.config));
    REQUIRE(process.is_ready);
    write_file(options.config, "written");
    CHECK(comes(options, "read <written>"));
    replace(options.config, "replaced");
    CHECK(comes(options, "read <replaced>"));
    fs::rename(options.config, volume / "config.toml~"); // as some editors save
    write_file(options.config, "saved");
    CHECK(comes(options, "read <saved>"));
    for (const char* version : {"..1", "..2", "..3"}) { // as a volume is updated
        fs::create_directory(volume / version);
        write_file(volume / version / "config.toml", std::string("volume ") + version);
    }
    fs::create_symlink("..1", volume / "..data");
    fs::create_symlink("..data/config.toml", volume / "link");
    fs::rename(volume / "link", options.config);
    CHECK(comes(options, "read <volume ..1>"));
    for (const char* version : {"..2", "..3"}) {
        fs::create_symlink(version, volume / "..tmp");
        fs::rename(volume / "..tmp", volume / "..data");
        CHECK(comes(options, std::string("read <volume ") + version + ">"));
    }
    CHECK(contains(read_file(options.paths.log), options.config + " has changed"));
    process.signal(SIGTERM);
    CHECK(process.wait() == mato::exit_code::ok);
}

TEST_CASE("a watched configuration that is wrong or removed is reported, and the next right one is read", "[daemon_reload]") {
    const temp_directory directory;
    auto options = options_in(directory.path());
    options.config = options.paths.file("config.toml");
    write_file(options.config, "first");
    served process(options, reads(options.config));
    REQUIRE(process.is_ready);
    replace(options.config, "bad");
    CHECK(comes(options, "it is bad; nothing was changed"));
    fs::remove(options.config);
    CHECK(comes(options, "it is missing; nothing was changed"));
    write_file(options.config, "good");
    CHECK(comes(options, "read <good>"));
    process.signal(SIGHUP); // still reloads without a change
    CHECK(wait_until([&] {
        const std::string log = read_file(options.paths.log);
        return contains(log.substr(log.find("read <good>") + 1), "read <good>");
    }));
    process.signal(SIGTERM);
    CHECK(process.wait() == mato::exit_code::ok);
}

TEST_CASE("a change of the configuration while setup runs is not missed", "[daemon_reload]") {
    const temp_directory directory;
    auto options = options_in(directory.path());
    options.config = options.paths.file("config.toml");
    write_file(options.config, "first");
    served process(options, [&](watching_daemon& self) {
        reads(options.config)(self);
        replace(options.config, "meanwhile");
    });
    REQUIRE(process.is_ready);
    CHECK(comes(options, "read <meanwhile>"));
    process.signal(SIGTERM);
    CHECK(process.wait() == mato::exit_code::ok);
}

TEST_CASE("a daemon in the background watches its configuration too, and stops as usual", "[daemon_reload]") {
    struct in_background : policies {
        using detach = mato::double_fork;
    };
    const temp_directory directory;
    auto options = options_in(directory.path());
    options.config = options.paths.file("config.toml");
    write_file(options.config, "first");
    const auto outcome = mato::basic_daemon<in_background>::launch(options, [&](mato::basic_daemon<in_background>& self) {
        self.on.on_reload = [&](mato::error_out) { self.log().info("read <" + read_file(options.config) + ">"); };
    });
    REQUIRE(outcome);
    replace(options.config, "second");
    CHECK(comes(options, "read <second>"));
    mato::failure why;
    mato::client::stop_daemon(options.paths, mato::deadline::in(20s), why);
    CHECK_FALSE(why);
    CHECK(contains(read_file(options.paths.log), "stopped"));
}

TEST_CASE("a relative path of a watched configuration is refused with the reason; without a path nothing is watched",
          "[daemon_reload]") {
    const temp_directory directory;
    auto options = options_in(directory.path());
    options.config = "config.toml";
    mato::failure why;
    bool was_set_up = false;
    CHECK(watching_daemon::serve(
              options, [&](watching_daemon&) { was_set_up = true; }, why) == mato::exit_code::unavailable);
    CHECK((why.code == std::errc::invalid_argument && contains(why.message(), "use an absolute path")));
    CHECK_FALSE(was_set_up);
    options.config.clear();
    served process(options, [](watching_daemon&) {});
    CHECK(process.is_ready);
    process.signal(SIGTERM);
    CHECK(process.wait() == mato::exit_code::ok);
}
