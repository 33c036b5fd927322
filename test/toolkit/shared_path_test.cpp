// SPDX-License-Identifier: MIT
/// @file shared_path_test.cpp: a socket that other users can reach, in a directory that they cannot change.
#include <mato/shared_path.hpp>

#include <mato/lock.hpp>
#include <mato/policies.hpp>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/descriptor_census.hpp"
#include "support/stand_ins.hpp"
#include "support/temp_directory.hpp"

#include <cstdio>

using mato::shared_path;
using support::temp_directory;
using proof = support::held_proof;

namespace {

constexpr mato::publish_options for_all{.mode = 0666};

/// A directory that other users may enter, below a private one.
struct open_directory {
    temp_directory above;
    std::filesystem::path path = above / "run";
    explicit open_directory(mode_t mode = 0755) {
        std::filesystem::create_directory(path);
        REQUIRE(::chmod(path.c_str(), mode) == 0);
    }
};

mato::failure refusal_of(const std::filesystem::path& directory) {
    mato::failure checked, made, published;
    mato::check_shared_directory(directory, checked);
    mato::make_shared_directory(directory, made);
    CHECK(checked.message() == made.message());
    shared_path endpoint(directory / "s.sock");
    CHECK_FALSE(endpoint.publish(proof{}, for_all, published));
    CHECK(published.message() == made.message());
    return made;
}

gid_t group_of(const std::filesystem::path& path) {
    struct ::stat found {};
    return ::lstat(path.c_str(), &found) == 0 ? found.st_gid : static_cast<gid_t>(-1);
}

struct service : mato::default_policies {
    using endpoint = mato::shared_path;
    using peer = mato::either<mato::same_user_or_root, mato::group_member>; // set_peer names the group
};
static_assert(mato::detail::require_policies<service>::ok);

} // namespace

TEST_CASE("a shared directory is created with mode 0755, with its parents, under any umask", "[shared_path]") {
    for (const mode_t mask : {mode_t{0}, mode_t{022}, mode_t{077}}) {
        const temp_directory directory;
        const support::umask_scope masked(mask);
        mato::failure why;
        mato::make_shared_directory(directory / "a" / "b", why);
        INFO(why.message());
        CHECK_FALSE(why);
        for (const char* made : {"a", "a/b"}) CHECK(support::mode_of(directory / made) == 0755);
        mato::make_shared_directory(directory / "a" / "", why); // it exists; a final slash has no effect
        CHECK_FALSE(why);
        REQUIRE(::chmod((directory / "a" / "b").c_str(), 0750) == 0);
        mato::make_shared_directory(directory / "a" / "b", why);
        CHECK_FALSE(why);
        CHECK(support::mode_of(directory / "a" / "b") == 0750); // an existing directory is not changed
    }
}

TEST_CASE("a directory that others could change, or that no other user may enter, is refused", "[shared_path]") {
    const temp_directory directory;
    const auto with_mode = [&](mode_t mode) {
        const auto path = directory / ("mode" + std::to_string(mode));
        std::filesystem::create_directory(path);
        REQUIRE(::chmod(path.c_str(), mode) == 0);
        const auto why = refusal_of(path);
        CHECK(why.code == mato::errc::unsafe_directory);
        CHECK(support::mode_of(path) == mode);
        return why.detail;
    };
    for (const mode_t mode : {mode_t{0775}, mode_t{0757}, mode_t{0777}, mode_t{01777}})
        CHECK(support::contains(with_mode(mode), "chmod go-w"));
    for (const mode_t mode : {mode_t{0700}, mode_t{0744}}) CHECK(support::contains(with_mode(mode), "no other user may enter"));
    std::filesystem::create_directory_symlink(directory.path(), directory / "link");
    CHECK(support::contains(refusal_of(directory / "link").detail, "symbolic link"));
    support::write_file(directory / "file", "");
    CHECK(support::contains(refusal_of(directory / "file").detail, "not a directory"));
    mato::failure why;
    mato::check_shared_directory(directory / "none", why);
    CHECK(why.code == std::errc::no_such_file_or_directory);
}

TEST_CASE("a shared directory belongs to root or to the daemon's user", "[shared_path]") {
    if (!support::is_root()) {
        WARN("skipped: another user's directory needs root");
        return;
    }
    const open_directory directory;
    REQUIRE(::chown(directory.path.c_str(), 65534, 65534) == 0);
    CHECK(support::contains(refusal_of(directory.path).detail, "belongs to uid 65534"));
    REQUIRE(::chmod(directory.above.path().c_str(), 0755) == 0);
    const auto checked_by_nobody = [&](const std::filesystem::path& path) {
        return support::in_child([&] {
            mato::failure why;
            if (!support::become_nobody()) return 1;
            mato::make_shared_directory(path, why);
            return why ? 2 : 0;
        });
    };
    CHECK(checked_by_nobody(directory.path) == 0);
    CHECK(checked_by_nobody(directory.path / "below") == 0);
    REQUIRE(::chown(directory.path.c_str(), 0, 0) == 0);
    CHECK(checked_by_nobody(directory.path) == 0);
    REQUIRE(::chown(directory.path.c_str(), 4242, 4242) == 0);
    CHECK(checked_by_nobody(directory.path) == 2);
    CHECK(checked_by_nobody(directory.path / "other") == 2);
}

TEST_CASE("the name has the requested mode and group, under any umask", "[shared_path]") {
    for (const mode_t mask : {mode_t{0}, mode_t{077}, mode_t{0777}}) {
        for (const mode_t mode : {mode_t{0660}, mode_t{0666}, mode_t{0620}}) {
            const open_directory directory;
            const support::umask_scope masked(mask);
            shared_path endpoint(directory.path / "s.sock");
            mato::failure why;
            const auto socket = endpoint.publish(proof{}, {.mode = mode, .group = ::getegid()}, why);
            INFO(why.message());
            REQUIRE(socket);
            CHECK(support::mode_of(directory.path / "s.sock") == mode);
            CHECK(group_of(directory.path / "s.sock") == ::getegid());
            CHECK(endpoint.connect(why));
            endpoint.withdraw();
            CHECK(std::filesystem::is_empty(directory.path));
        }
    }
}

TEST_CASE("a group of which the process is no member is refused with what to do", "[shared_path]") {
    const open_directory directory;
    const auto publish = [&] {
        shared_path endpoint(directory.path / "s.sock");
        mato::failure why;
        static_cast<void>(endpoint.publish(proof{}, {.mode = 0660, .group = 4242}, why));
        return why;
    };
    if (!support::is_root()) {
        CHECK(support::contains(publish().message(), "no member of group 4242"));
    } else {
        CHECK_FALSE(publish()); // root may give it to any group
        REQUIRE(::chown(directory.path.c_str(), 65534, 65534) == 0);
        REQUIRE(::chmod(directory.above.path().c_str(), 0755) == 0);
        CHECK(support::in_child([&] {
                  if (!support::become_nobody()) return 1;
                  const auto why = publish();
                  return why.code.value() != EPERM ? 2 : !support::contains(why.message(), "no member of group 4242") ? 3 : 0;
              }) == 0);
    }
    CHECK(std::filesystem::is_empty(directory.path));
}

TEST_CASE("a mode that lets no other user connect is refused", "[shared_path]") {
    const open_directory directory;
    for (const mode_t mode : {mode_t{0700}, mode_t{0600}, mode_t{0755}, mode_t{0744}}) {
        shared_path endpoint(directory.path / "s.sock");
        mato::failure why;
        CHECK_FALSE(endpoint.publish(proof{}, {.mode = mode}, why));
        CHECK(why.code == std::errc::invalid_argument);
        CHECK(support::contains(why.detail, "0660"));
    }
    shared_path endpoint(directory.path / "s.sock");
    mato::failure why;
    CHECK_FALSE(endpoint.publish(proof{false}, for_all, why));
    CHECK(why.code == mato::errc::lock_not_held);
    CHECK(std::filesystem::is_empty(directory.path));
}

TEST_CASE("publishing again replaces the name, and only the own name is withdrawn", "[shared_path]") {
    const open_directory directory;
    shared_path endpoint(directory.path / "s.sock");
    mato::failure why;
    const auto first = endpoint.publish(proof{}, for_all, why);
    const auto second = endpoint.publish(proof{}, for_all, why);
    REQUIRE_FALSE(why);
    CHECK(endpoint.connect(why));
    const auto name = endpoint.published();
    shared_path next(directory.path / "s.sock");
    const auto adopted = next.adopt(mato::unique_fd(::dup(second.get())), name, why);
    CHECK(adopted);
    CHECK(support::in_child([&] {
              endpoint.withdraw(); // not the publisher: no effect
              return 0;
          }) == 0);
    CHECK(std::filesystem::exists(directory.path / "s.sock"));
    next.withdraw();
    CHECK_FALSE(std::filesystem::exists(directory.path / "s.sock"));
    support::write_file(directory.path / "s.sock", "another's");
    endpoint.withdraw();
    CHECK(std::filesystem::exists(directory.path / "s.sock"));
}

TEST_CASE("a group is found by its name", "[shared_path]") {
    mato::failure why;
    CHECK(mato::group_named("root", why) == 0);
    CHECK_FALSE(why);
    CHECK(mato::group_named("no such group", why) == static_cast<gid_t>(-1));
    CHECK(why.code == std::errc::no_such_file_or_directory);
    CHECK(support::contains(why.message(), "there is no group 'no such group'"));
}
