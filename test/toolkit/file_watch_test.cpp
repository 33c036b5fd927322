// SPDX-License-Identifier: MIT
/// @file file_watch_test.cpp: a change of a file is told once, in whichever way it was made, and nothing else is.
#include <mato/file_watch.hpp>

#include <mato/policies.hpp>

#include "support/catch.hpp"
#include "support/deadline.hpp"
#include "support/descriptor_census.hpp"
#include "support/io_loop.hpp"
#include "support/temp_directory.hpp"

#include <filesystem>
#include <functional>
#include <memory>

using namespace std::chrono_literals;
using support::run_ready;
using support::run_until;
using support::write_file;
namespace fs = std::filesystem;

namespace {

/// Counts what a watch tells.
struct watched {
    asio::io_context context;
    int told = 0;
    std::unique_ptr<mato::file_watch> watch;

    explicit watched(const fs::path& path)
        : watch(std::make_unique<mato::file_watch>(context, path.native(), [this] { ++told; })) {}

    /// A change is told, and after it nothing more until the next one.
    bool tells(const std::function<void()>& change) {
        const int before = told;
        change();
        if (!run_until(context, [&] { return told > before; })) return false;
        if (context.stopped()) context.restart();
        context.run_for(3 * mato::file_watch::settle); // the next change must not be taken for this one
        return true;
    }
};

void replace(const fs::path& path, std::string_view text) {
    const fs::path fresh = path.native() + ".new";
    write_file(fresh, text);
    fs::rename(fresh, path);
}

} // namespace

// ---- the contract ----

TEST_CASE("written, replaced, removed, created: each is told, also again and again", "[file_watch]") {
    const support::temp_directory directory;
    const auto path = directory / "config.toml";
    write_file(path, "a");
    watched it(path);
#if MATO_HAS_INOTIFY
    CHECK(it.watch->is_notified());
#endif
    for (int round = 0; round < 2; ++round) {
        CHECK(it.tells([&] { write_file(path, "b" + std::to_string(round)); }));
        for (int i = 0; i < 3; ++i) CHECK(it.tells([&] { replace(path, "c" + std::to_string(i)); }));
        CHECK(it.tells([&] { fs::remove(path); }));
        CHECK(it.tells([&] { write_file(path, "d"); }));
    }
}

TEST_CASE("a link or directory on the way that leads elsewhere is a change, as when a volume is updated", "[file_watch]") {
    const support::temp_directory directory; // config.toml -> ..data/config.toml; ..data -> ..1
    for (const char* version : {"..1", "..2", "..3"}) {
        fs::create_directory(directory / version);
        write_file(directory / version / "config.toml", version);
    }
    fs::create_symlink("..1", directory / "..data");
    fs::create_symlink("..data/config.toml", directory / "config.toml");
    watched it(directory / "config.toml");
    const auto lead_to = [&](const char* version) {
        fs::create_symlink(version, directory / "..tmp");
        fs::rename(directory / "..tmp", directory / "..data");
    };
    CHECK(it.tells([&] { lead_to("..2"); }));
    CHECK(it.tells([&] { lead_to("..3"); }));
    CHECK(it.tells([&] { replace(directory / "..3" / "config.toml", "new"); })); // it watches where the link leads now
}

TEST_CASE("directories on the way may be missing, be created, renamed and replaced", "[file_watch]") {
    const support::temp_directory directory;
    const auto path = directory / "etc" / "app" / "config.toml";
    watched it(path);
    CHECK(it.tells([&] {
        fs::create_directories(path.parent_path());
        write_file(path, "first");
    }));
    CHECK(it.tells([&] { fs::rename(directory / "etc", directory / "old"); }));
    CHECK(it.tells([&] {
        fs::create_directories(path.parent_path());
        write_file(path, "second");
    }));
    CHECK(it.tells([&] { replace(path, "third"); }));
    CHECK(it.tells([&] { fs::remove_all(directory / "etc"); }));
    CHECK(it.tells([&] { fs::rename(directory / "old", directory / "etc"); }));
}

TEST_CASE("many writes in a row are told together", "[file_watch]") {
    const support::temp_directory directory;
    const auto path = directory / "f";
    watched it(path);
    for (int i = 0; i < 100; ++i) replace(path, std::to_string(i));
    REQUIRE(run_until(it.context, [&] { return it.told > 0; }));
    it.context.run_for(5 * mato::file_watch::settle);
    CHECK(it.told <= 2);
}

// ---- the promises about absence ----

TEST_CASE("the file's neighbours, and looking at the file, are no changes", "[file_watch]") {
    const support::temp_directory directory;
    const auto path = directory / "f";
    write_file(path, "a");
    watched it(path);
    for (int i = 0; i < 10; ++i) replace(directory / "g", std::to_string(i));
    static_cast<void>(support::read_file(path));
    fs::create_directory(directory / "h");
    it.context.run_for(5 * mato::file_watch::settle);
    CHECK(it.told == 0);
    CHECK(it.tells([&] { replace(path, "b"); }));
}

TEST_CASE("the callback may destroy the watch; a destroyed watch or loop tells nothing and leaves nothing open",
          "[file_watch]") {
    const support::temp_directory directory;
    const auto before = support::open_descriptors();
    {
        asio::io_context context;
        int told = 0;
        std::unique_ptr<mato::file_watch> watch;
        watch = std::make_unique<mato::file_watch>(context, (directory / "f").native(), [&] {
            ++told;
            watch.reset();
        });
        write_file(directory / "f", "a");
        REQUIRE(run_until(context, [&] { return told == 1; }));
        write_file(directory / "f", "b");
        run_ready(context);
        CHECK(told == 1);
    }
    auto context = std::make_unique<asio::io_context>();
    mato::file_watch outlives(*context, (directory / "f").native(), [] { FAIL("called"); });
    context.reset();
    CHECK(support::open_descriptors() == before);
}

TEST_CASE("an exception from the callback leaves run(), and the watch continues", "[file_watch]") {
    const support::temp_directory directory;
    asio::io_context context;
    int told = 0;
    mato::file_watch watch(context, (directory / "f").native(), [&] {
        if (++told == 1) throw 1;
    });
    write_file(directory / "f", "a");
    bool threw = false;
    for (const support::deadline limit(support::patience); !threw && !limit.passed();) {
        try {
            context.run_one_for(5ms);
        } catch (int) {
            threw = true;
        }
    }
    REQUIRE(threw);
    write_file(directory / "f", "longer");
    CHECK(run_until(context, [&] { return told >= 2; }));
}

TEST_CASE("a relative path means the directory at the beginning", "[file_watch]") {
    const support::temp_directory directory, other;
    const auto before = fs::current_path();
    fs::current_path(directory.path());
    watched it("./x/../f");
    fs::current_path(other.path());
    fs::create_directory(directory / "x");
    CHECK(it.tells([&] { write_file(directory / "f", "a"); }));
    fs::current_path(before);
}

TEST_CASE("the sample of a file watch", "[file_watch]") {
    const support::temp_directory directory;
    const auto paths = mato::daemon_paths::in(directory.path().native());
    asio::io_context context;
    mato::file_watch watch(context, paths.file("config.toml"), [&] {
        std::printf("read the configuration again\n"); // in a daemon: daemon.reload(why)
    });
    run_ready(context);
}
