// SPDX-License-Identifier: MIT
/// @file shared_service_test.cpp: a daemon of a service account and clients of other users: who gets in, and what each reads.
#include <mato/shared_path.hpp>

#include <mato/client.hpp>
#include <mato/daemon.hpp>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/temp_directory.hpp"

#include <cstring>
#include <grp.h>
#include <vector>

using namespace std::chrono_literals;
using support::child_process;
using support::contains;

namespace {

// Numbers that no user of the system has; a process needs no entry in passwd(5).
constexpr uid_t account = 61'001, member = 61'002, stranger = 61'003;
constexpr gid_t clients_group = 61'010;

bool needs_root() {
    if (!support::is_root()) WARN("skipped: processes of other users need root");
    return !support::is_root();
}

struct user {
    uid_t uid;
    std::vector<gid_t> groups{};
    [[nodiscard]] bool become() const {
        return ::setgroups(groups.size(), groups.data()) == 0 && ::setgid(uid) == 0 && ::setuid(uid) == 0;
    }
};

using everybody_of_group = mato::either<mato::same_user_or_root, mato::group_member>;
struct service : mato::default_policies {
    using endpoint = mato::shared_path;
    using peer = everybody_of_group;
};
struct members_only : service {
    using peer = mato::group_member;
};
struct line {
    char text[256]{};
};

/// The daemon of the account, in its directory below one that every user may enter.
template <class Policies = service> class account_daemon {
public:
    explicit account_daemon(mato::publish_options publish = {.mode = 0660, .group = clients_group}, mode_t directory = 0755)
        : process_([&] { return serve(publish); }) {
        REQUIRE(::chmod(above_.path().c_str(), 0755) == 0);
        REQUIRE((::mkdir(path_.c_str(), 0755) == 0 && ::chmod(path_.c_str(), directory) == 0));
        REQUIRE(::chown(path_.c_str(), account, directory == 0750 ? clients_group : gid_t{account}) == 0);
        prepared_.put({});
        const auto said = ready_.take(20s);
        REQUIRE(said);
        INFO(said->text);
        REQUIRE(std::string_view(said->text) == "\n");
    }
    [[nodiscard]] mato::daemon_paths paths() const { return mato::daemon_paths::in(path_); }
    int stop() {
        process_.signal(SIGTERM);
        return process_.wait();
    }

    /// What a client of this user reads, or its error.
    template <class Trusted> std::string ask(const user& who, Trusted trusted) const {
        const support::mailbox<line> told;
        child_process client([&] {
            line answer;
            mato::failure why;
            if (!who.become()) return 1;
            const auto until = mato::deadline::in(10s);
            auto daemon = mato::basic_client<Policies>::connect(mato::shared_path(paths().socket), trusted, until, why);
            if (!why) daemon.send("who", until, why);
            const auto got = why ? std::nullopt : daemon.receive(until, why);
            const std::string text = got ? std::string(*got) : why.message();
            text.copy(answer.text, sizeof answer.text - 1);
            told.put(answer);
            return 0;
        });
        const auto answer = told.take(20s);
        CHECK(client.wait() == 0);
        return answer ? answer->text : "nothing";
    }

private:
    int serve(const mato::publish_options& publish) const {
        if (!prepared_.take(20s) || !user{account, {clients_group}}.become()) return 100;
        mato::daemon_options options;
        options.paths = paths();
        options.publish = publish;
        int ends[2];
        if (::pipe(ends) == -1) return 101;
        options.notification_fd = ends[1];
        mato::failure why;
        const int code = mato::basic_daemon<Policies>::serve(
            options,
            [this](auto& self) {
                if constexpr (std::is_same_v<typename Policies::peer, mato::group_member>)
                    self.set_peer({clients_group});
                else
                    self.set_peer({{}, {clients_group}});
                self.server().on.on_frame = [](const auto& from, std::string_view) {
                    from->established();
                    from->send("you are uid " + std::to_string(from->peer().uid));
                };
                asio::post(self.context(), [this] { ready_.put({"\n"}); });
            },
            why);
        line text;
        why.message().copy(text.text, sizeof text.text - 1);
        if (why) ready_.put(text);
        return why ? 102 : code;
    }

    support::temp_directory above_;
    std::filesystem::path path_ = above_ / "service";
    support::mailbox<line> prepared_, ready_;
    child_process process_;
};

const user a_member{member, {clients_group}}, a_stranger{stranger}, root{0};
const mato::uid_set the_account{{account}};

} // namespace

TEST_CASE("members of the group and root are served by a service account, and others read nothing", "[shared_path][process]") {
    if (needs_root()) return;
    const mode_t directory = GENERATE(mode_t{0755}, mode_t{0750});
    account_daemon daemon({.mode = 0660, .group = clients_group}, directory);
    CHECK(daemon.ask(a_member, the_account) == "you are uid 61002");
    CHECK(daemon.ask(root, the_account) == "you are uid 0");
    CHECK(daemon.ask({account, {}}, the_account) == "you are uid 61001");
    CHECK(contains(daemon.ask(a_stranger, the_account), "Permission denied")); // by the socket's mode or the directory's
    CHECK(daemon.stop() == 0);
}

TEST_CASE("if the socket is open to all, the peer policy decides, and who is refused reads nothing", "[shared_path][process]") {
    if (needs_root()) return;
    account_daemon daemon({.mode = 0666});
    CHECK(daemon.ask(a_member, the_account) == "you are uid 61002");
    const std::string refused = daemon.ask(a_stranger, the_account);
    CHECK((contains(refused, "closed by the peer") || contains(refused, "Broken pipe") || contains(refused, "reset")));
    CHECK(daemon.ask({stranger, {1, 2, clients_group}}, the_account) == "you are uid 61003");
    CHECK(contains(support::read_file(daemon.paths().log), "refused client 0 (uid 61003"));
    CHECK(daemon.stop() == 0);
}

TEST_CASE("with group_member alone root is refused too", "[shared_path][process]") {
    if (needs_root()) return;
    account_daemon<members_only> daemon({.mode = 0666});
    CHECK(daemon.ask(a_member, the_account) == "you are uid 61002");
    CHECK_FALSE(contains(daemon.ask(root, the_account), "you are"));
    CHECK(daemon.ask({0, {clients_group}}, the_account) == "you are uid 0");
    CHECK(daemon.stop() == 0);
}

TEST_CASE("a client checks which account serves: by uid, by group, by default", "[shared_path][process]") {
    if (needs_root()) return;
    account_daemon daemon;
    for (const auto& who : {a_member, root}) { // the default trusts the own user and root
        CHECK(contains(daemon.ask(who, mato::same_user_or_root{}), "server not trusted: uid 61001"));
        CHECK(contains(daemon.ask(who, mato::uid_set{{stranger}}), "server not trusted"));
        CHECK(contains(daemon.ask(who, mato::uid_set{}), "server not trusted"));
        CHECK(contains(daemon.ask(who, mato::gid_set{{clients_group}}), "server not trusted")); // not its effective group
        CHECK(contains(daemon.ask(who, mato::gid_set{{account}}), "you are uid"));
        CHECK(contains(daemon.ask(who, mato::group_member{clients_group}), "you are uid"));
        CHECK(contains(daemon.ask(who, mato::either<mato::same_user, mato::uid_set>{{}, the_account}), "you are uid"));
    }
    CHECK(daemon.ask({account, {clients_group}}, mato::same_user{}) == "you are uid 61001");
    CHECK(daemon.stop() == 0);
}

TEST_CASE("a wrong server under the path gets no byte of a client that names the account", "[shared_path][process]") {
    if (needs_root()) return;
    const support::temp_directory directory;
    REQUIRE(::chmod(directory.path().c_str(), 0755) == 0);
    REQUIRE(::mkdir((directory / "run").c_str(), 0755) == 0);
    REQUIRE(::chown((directory / "run").c_str(), stranger, stranger) == 0);
    const support::mailbox<int> listening, bytes;
    child_process impostor([&] {
        if (!a_stranger.become()) return 1;
        mato::failure why;
        struct proof {
            bool is_held() const { return true; }
        };
        mato::shared_path endpoint(directory / "run" / "daemon.sock");
        const auto socket = endpoint.publish(proof{}, {.mode = 0666}, why);
        if (!socket) return 2;
        listening.put(1);
        for (int i = 0; i < 2; ++i) {
            if (!support::await_readable(socket.get(), 20s)) return 3;
            const mato::unique_fd client(mato::sys::accept(socket.get()));
            char buffer[64];
            if (!support::await_readable(client.get(), 20s)) return 4;
            const auto got = mato::sys::recv(client.get(), buffer, sizeof buffer);
            bytes.put(got < 0 ? 0 : static_cast<int>(got));
        }
        return 0;
    });
    REQUIRE(listening.take(20s));
    for (const auto& who : {a_member, root}) {
        CHECK(support::in_child([&] {
                  if (!who.become()) return 1;
                  mato::failure why;
                  auto client = mato::basic_client<service>::connect(mato::shared_path(directory / "run" / "daemon.sock"),
                                                                     the_account, mato::deadline::in(10s), why);
                  const bool is_distrusted = why.code == mato::errc::server_not_trusted;
                  client.send("a secret", mato::deadline::in(10s), why);
                  return is_distrusted && why.code == mato::errc::server_not_trusted ? 0 : 2;
              }) == 0);
        CHECK(bytes.take(20s) == 0);
    }
    CHECK(impostor.wait() == 0);
}

TEST_CASE("other users can neither read nor change what lies in a shared directory", "[shared_path][process]") {
    if (needs_root()) return;
    account_daemon daemon;
    const auto paths = daemon.paths();
    for (const auto& path : {paths.lock, paths.pid, paths.log}) {
        INFO(path);
        CHECK((support::mode_of(path) & 077) == 0);
    }
    CHECK(support::in_child([&] {
              if (!a_member.become()) return 1;
              for (const auto& path : {paths.lock, paths.pid, paths.log})
                  if (::open(path.c_str(), O_RDONLY) != -1 || ::unlink(path.c_str()) == 0) return 2;
              return ::unlink(paths.socket.c_str()) == 0 || ::open(paths.file("new").c_str(), O_CREAT | O_RDWR, 0600) != -1 ? 3
                                                                                                                            : 0;
          }) == 0);
    CHECK(daemon.ask(a_member, the_account) == "you are uid 61002");
    CHECK(daemon.stop() == 0);
}
