// SPDX-License-Identifier: MIT
#include <mato/keeper.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <random>
#include <string>

using mato::detail::keeper_state;

namespace {

keeper_state usual_state() {
    keeper_state all;
    all.generation = 3, all.worker = 1234;
    all.link = 5, all.report = -1, all.program = 7, all.lock = 4, all.listener = 9;
    all.device = 42, all.inode = 1u << 30, all.started_at = 123'456'789'000, all.died_at = 5;
    all.last_signal = 9;
    all.start = {{"program", "", "--option=a b"}, {"NOTIFY_SOCKET=/run/x"}};
    all.items = {{0, "listener", 11, 0, false, false, true, 0},
                 {17, std::string(mato::detail::keeper_message::most_name, 'n'), -1, 99, false, true, false, 0x300},
                 {65'535, "store/1", 12, 0, true, false, true, 0}};
    return all;
}

mato::memory_file copy_of(const mato::memory_file& file) {
    auto copy = mato::memory_file::create("copy", file.size());
    std::copy(file.bytes().begin(), file.bytes().end(), copy.bytes().begin());
    return copy;
}

} // namespace

TEST_CASE("a keeper's state is read as it was written", "[keeper_state]") {
    const keeper_state all = usual_state();
    mato::failure why;
    const auto file = all.write(why);
    REQUIRE_FALSE(why);
    const auto got = keeper_state::read(file, why);
    INFO(why.message());
    REQUIRE_FALSE(why);
    CHECK(got.generation == all.generation);
    CHECK(got.worker == all.worker);
    CHECK(got.link == all.link);
    CHECK(got.report == all.report);
    CHECK(got.program == all.program);
    CHECK(got.lock == all.lock);
    CHECK(got.listener == all.listener);
    CHECK(got.device == all.device);
    CHECK(got.inode == all.inode);
    CHECK(got.started_at == all.started_at);
    CHECK(got.died_at == all.died_at);
    CHECK(got.last_signal == all.last_signal);
    CHECK(got.start.arguments == all.start.arguments);
    CHECK(got.start.variables == all.start.variables);
    CHECK(got.items == all.items);
}

TEST_CASE("a program that could go on from a keeper's state says so in it", "[keeper_state]") {
    mato::failure why;
    const auto file = usual_state().write(why);
    CHECK_FALSE(keeper_state::is_accepted(file));
    keeper_state::accept(file);
    CHECK(keeper_state::is_accepted(file));
    static_cast<void>(keeper_state::read(file, why));
    CHECK_FALSE(why);
    CHECK_FALSE(keeper_state::is_accepted(mato::memory_file()));
}

TEST_CASE("a keeper's state that is damaged, cut or newer is refused with a reason", "[keeper_state]") {
    mato::failure why;
    const auto file = usual_state().write(why);
    std::mt19937 random(5);
    const std::size_t head = mato::detail::kept_content;
    for (std::size_t at = head; at < file.size(); ++at) {
        auto copy = copy_of(file);
        copy.bytes()[at] = static_cast<char>(copy.bytes()[at] ^ static_cast<char>(1 + random() % 255));
        static_cast<void>(keeper_state::read(copy, why));
        CHECK(why.code == mato::errc::malformed);
        CHECK_FALSE(why.message().empty());
    }
    auto cut = mato::memory_file::create("cut", file.size() - 1);
    std::copy_n(file.bytes().begin(), cut.size(), cut.bytes().begin());
    static_cast<void>(keeper_state::read(cut, why));
    CHECK(why.code == mato::errc::malformed);
    auto newer = copy_of(file);
    newer.bytes()[8] = 2;
    static_cast<void>(keeper_state::read(newer, why));
    CHECK(why.code == mato::errc::version_mismatch);
    static_cast<void>(keeper_state::read(mato::memory_file::create("other", 4096), why));
    CHECK(why.code == mato::errc::malformed);
}

TEST_CASE("a keeper's state that says what cannot be is refused", "[keeper_state]") {
    const auto is_refused = [](auto change) {
        keeper_state all = usual_state();
        change(all);
        mato::failure why;
        const auto file = all.write(why);
        REQUIRE_FALSE(why);
        static_cast<void>(keeper_state::read(file, why));
        return why.code == mato::errc::malformed;
    };
    CHECK_FALSE(is_refused([](keeper_state&) {}));
    CHECK(is_refused([](keeper_state& s) { s.worker = 1; }));
    CHECK(is_refused([](keeper_state& s) { s.link = -1; }));
    CHECK(is_refused([](keeper_state& s) { s.program = -1; }));
    CHECK(is_refused([](keeper_state& s) { s.lock = -2; }));
    CHECK(is_refused([](keeper_state& s) { s.generation = 0; }));
    CHECK(is_refused([](keeper_state& s) { s.items[0].name.clear(); }));
    CHECK(is_refused([](keeper_state& s) { s.items[1].name += "n"; }));
    CHECK(is_refused([](keeper_state& s) { s.items[2].slot = 65'536; }));
}
