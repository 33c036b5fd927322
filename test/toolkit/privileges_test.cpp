// SPDX-License-Identifier: MIT
/// @file privileges_test.cpp: root's rights are gone for good, or the call fails.
#include <mato/privileges.hpp>

#include "support/catch.hpp"
#include "support/child_process.hpp"

#include <algorithm>
#include <grp.h>
#include <vector>

using mato::process_rights;
using support::in_child;

namespace {

// Numbers that no user of the system has.
constexpr uid_t account = 61'021;
constexpr gid_t own_group = 61'022, first = 61'023, second = 61'024;

bool needs_root() {
    if (!support::is_root()) WARN("skipped: only root has rights to give up");
    return !support::is_root();
}
std::vector<gid_t> groups() {
    std::vector<gid_t> all(static_cast<std::size_t>(::getgroups(0, nullptr)));
    ::getgroups(static_cast<int>(all.size()), all.data());
    std::ranges::sort(all);
    return all;
}

} // namespace

TEST_CASE("user, group and groups are the wanted ones, and root's rights are gone for good", "[privileges]") {
    if (needs_root()) return;
    for (const bool with_groups : {false, true})
        CHECK(in_child([&] {
                  const std::vector<gid_t> wanted = with_groups ? std::vector<gid_t>{first, second} : std::vector<gid_t>{};
                  const gid_t before[] = {0, 4, first};
                  if (::setgroups(3, before) != 0) return 1;
                  mato::failure why;
                  mato::drop_privileges({.user = account, .group = own_group, .groups = wanted}, why);
                  if (why) return 2;
                  uid_t users[3]{};
                  gid_t gids[3]{};
                  ::getresuid(&users[0], &users[1], &users[2]);
                  ::getresgid(&gids[0], &gids[1], &gids[2]);
                  for (const uid_t each : users)
                      if (each != account) return 3;
                  for (const gid_t each : gids)
                      if (each != own_group) return 4;
                  if (groups() != wanted) return 5;
                  if (::setuid(0) == 0 || ::seteuid(0) == 0 || ::setresuid(0, 0, 0) == 0 || ::setgid(0) == 0) return 6;
                  mato::drop_privileges({.user = account, .group = own_group, .groups = wanted}, why); // again: no change
                  return why ? 7 : 0;
              }) == 0);
}

TEST_CASE("user 0 is refused and nothing changes", "[privileges]") {
    const auto before = groups();
    mato::failure why;
    mato::drop_privileges({.user = 0, .group = own_group}, why);
    CHECK(why.code == std::errc::invalid_argument);
    CHECK(groups() == before);
}

TEST_CASE("a process that cannot get the wanted rights is told why", "[privileges]") {
    if (needs_root()) return;
    CHECK(in_child([] { // an ordinary user
              if (!support::become_nobody()) return 1;
              mato::failure why;
              mato::drop_privileges({.user = account, .group = own_group}, why);
              return why.code == std::errc::operation_not_permitted ? 0 : 2;
          }) == 0);
    CHECK(in_child([] { // the own user, with a group too many
              const gid_t extra[] = {first};
              if (::setgroups(1, extra) != 0 || ::setgid(own_group) != 0 || ::setuid(account) != 0) return 1;
              mato::failure why;
              mato::drop_privileges({.user = account, .group = own_group}, why);
              if (why.code != std::errc::operation_not_permitted) return 2;
              return why.message().find(std::to_string(first)) != std::string::npos ? 0 : 3;
          }) == 0);
    CHECK(in_child([] { // root that only looks like the account
              if (::setresgid(own_group, own_group, own_group) != 0 || ::setgroups(0, nullptr) != 0) return 1;
              if (::setresuid(account, account, 0) != 0) return 2;
              mato::failure why;
              mato::drop_privileges({.user = account, .group = own_group}, why);
              return why.code == std::errc::operation_not_permitted ? 0 : 3;
          }) == 0);
}
