// SPDX-License-Identifier: MIT
/// @file keeper_message_test.cpp: what keeper and worker say to each other: exact bytes, and nothing else is accepted.
#include <mato/kept.hpp>

#include "support/catch.hpp"
#include "support/descriptor_census.hpp"

#include <fcntl.h>

using mato::detail::keeper_message;
using mato::detail::kept_table;
using word = mato::detail::keeper_word;

namespace {

std::string bytes_of(const keeper_message& message) {
    const auto bytes = message.encode();
    return {bytes.data(), bytes.size()};
}
bool is_accepted(const keeper_message& message) { return keeper_message::decode(bytes_of(message)).has_value(); }

std::vector<mato::unique_fd> one_descriptor() {
    std::vector<mato::unique_fd> all;
    all.emplace_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    return all;
}
int keep(kept_table& table, std::uint32_t slot, std::string_view name, std::uint64_t child = 0) {
    auto one = one_descriptor();
    return table.apply({word::keep, slot, child, 0, name}, one);
}

const std::string longest_name(63, 'n');

} // namespace

// ---- the contract ----

TEST_CASE("a message is 128 bytes and comes out as it went in", "[keeper_message]") {
    const keeper_message all[] = {{word::keep, 7, 4321, 0, "job/7"},
                                  {word::keep, 65'535, 0, 1, longest_name},
                                  {word::keep, 0, 2, 2, "child alone"},
                                  {word::drop, 12, 0, 0, {}},
                                  {word::listen, 128, 99, UINT64_MAX, {}},
                                  {word::serving, 0, 0, 0, {}},
                                  {word::stopping, 0, 0, 0, {}},
                                  {word::stopped, 0, 0, 0, {}},
                                  {word::answer, 7, ENOSPC, 0, {}},
                                  {word::child, 3, 0xff00, 0, {}},
                                  {word::signal, 0, 15, 0, {}},
                                  {word::upgrade, 0, 10'000, 0, {}},
                                  {word::hello, 0, 0, 0, {}},
                                  {word::freeze, 0, 0, 0, {}},
                                  {word::frozen, 0, ECANCELED, 0, {}},
                                  {word::given, 9, 4321, mato::detail::given_ended | (0x0700ULL << 16), "job/9"},
                                  {word::given_all, 3, UINT64_MAX, UINT64_MAX, {}},
                                  {word::ready, 0, 0, 0, {}},
                                  {word::go, 0, 0, 0, {}},
                                  {word::retired, 0, 0, 0, {}},
                                  {word::upgrade, 0, 10'000, mato::detail::upgrade_check, {}},
                                  {word::rolled_back, 0, 2, 0x0300, {}},
                                  {word::rolled_back, 0, 6, 0, {}}};
    for (const keeper_message& each : all) {
        const std::string bytes = bytes_of(each);
        INFO(static_cast<int>(each.word));
        CHECK(bytes.size() == 128);
        const auto got = keeper_message::decode(bytes);
        REQUIRE(got);
        CHECK(*got == each);
    }
    CHECK(bytes_of({word::keep, 0x0102, 3, 1, "ab"}).substr(0, 28) ==
          std::string("\1\0\1\0\2\1\0\0\3\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0ab\0\0", 28)); // the format of version 1
}

TEST_CASE("a table keeps by slot, replaces under the same name, and forgets", "[keeper_message]") {
    const auto before = support::open_descriptors();
    {
        kept_table table;
        CHECK(table.empty());
        CHECK(keep(table, 3, "three") == 0);
        CHECK(keep(table, 0, "zero", 77) == 0);
        CHECK(keep(table, 3, "three") == 0);
        CHECK(support::open_descriptors().size() == before.size() + 2);
        CHECK(table.ended(77, 0x0100));
        CHECK_FALSE(table.ended(77, 0x0100)); // told once: the number may be another process's by now
        CHECK_FALSE(table.ended(78, 0));
        CHECK(table.records()[0].status == 0x0100);
        std::vector<mato::unique_fd> none;
        CHECK(table.apply({word::drop, 3, 0, 0, {}}, none) == 0);
        CHECK(table.apply({word::drop, 3, 0, 0, {}}, none) == ENOENT);
        CHECK(support::open_descriptors().size() == before.size() + 1);
        CHECK_FALSE(table.empty());
    }
    CHECK(support::open_descriptors() == before);
}

// ---- the refusals ----

TEST_CASE("bytes of any other length, version or word are refused", "[keeper_message]") {
    const std::string good = bytes_of({word::keep, 1, 0, 0, "name"});
    REQUIRE(keeper_message::decode(good));
    for (std::size_t size = 0; size < good.size(); ++size) CHECK_FALSE(keeper_message::decode(good.substr(0, size)));
    CHECK_FALSE(keeper_message::decode(good + '\0'));
    for (const char other : {'\0', '\2', '\377'}) {
        std::string wrong = good;
        wrong[2] = other;
        CHECK_FALSE(keeper_message::decode(wrong));
    }
    for (const int other : {0, 20, 255}) {
        std::string wrong = good;
        wrong[0] = static_cast<char>(other);
        CHECK_FALSE(keeper_message::decode(wrong));
    }
}

TEST_CASE("a byte that has no meaning must be zero", "[keeper_message]") {
    const std::string good = bytes_of({word::keep, 1, 0, 0, "name"});
    for (std::size_t at = 24 + 4; at < 128; ++at) {
        std::string wrong = good;
        wrong[at] = 'x';
        INFO(at);
        CHECK(keeper_message::decode(wrong).has_value() == (at == 28)); // there it is one letter more of the name
    }
    std::string unended = good;
    for (std::size_t at = 24; at < 88; ++at) unended[at] = 'n';
    CHECK_FALSE(keeper_message::decode(unended));
}

TEST_CASE("fields beyond what a word can mean are refused", "[keeper_message]") {
    CHECK_FALSE(is_accepted({word::keep, 65'536, 0, 0, "name"})); // slot
    CHECK_FALSE(is_accepted({word::keep, 1, 0, 0, {}}));          // no name
    CHECK_FALSE(is_accepted({word::keep, 1, 1, 0, "name"}));      // process 1 is never a child
    CHECK_FALSE(is_accepted({word::keep, 1, 0x80000000, 0, "name"}));
    CHECK_FALSE(is_accepted({word::keep, 1, 5, 3, "name"})); // a memory file without descriptor
    CHECK_FALSE(is_accepted({word::keep, 1, 0, 2, "name"})); // neither descriptor nor child
    CHECK_FALSE(is_accepted({word::drop, 1, 0, 0, "name"}));
    CHECK_FALSE(is_accepted({word::drop, 1, 7, 0, {}}));
    CHECK_FALSE(is_accepted({word::serving, 0, 0, 1, {}}));
    CHECK_FALSE(is_accepted({word::stopped, 1, 0, 0, {}}));
    CHECK_FALSE(is_accepted({word::answer, 0, 4096, 0, {}}));
    CHECK_FALSE(is_accepted({word::child, 0, 0x10000, 0, {}}));
    CHECK_FALSE(is_accepted({word::signal, 0, 0, 0, {}}));
    CHECK_FALSE(is_accepted({word::signal, 0, 65, 0, {}}));
    CHECK_FALSE(is_accepted({word::upgrade, 0, 0x80000000, 0, {}}));
    CHECK_FALSE(is_accepted({word::upgrade, 0, 10'000, 2, {}}));
    CHECK_FALSE(is_accepted({word::frozen, 0, 4096, 0, {}}));
    CHECK_FALSE(is_accepted({word::given, 9, 0, 0, {}}));           // no name
    CHECK_FALSE(is_accepted({word::given, 9, 0, 8, "job/9"}));      // an unknown flag
    CHECK_FALSE(is_accepted({word::given, 65'536, 0, 0, "job/9"})); // slot
    CHECK_FALSE(is_accepted({word::go, 0, 1, 0, {}}));
    CHECK_FALSE(is_accepted({word::rolled_back, 0, 0, 0, {}}));
    CHECK_FALSE(is_accepted({word::rolled_back, 0, 7, 0, {}}));
}

TEST_CASE("what a new program keeps and drops counts only when it takes over", "[keeper_message]") {
    const bool took_over = GENERATE(true, false);
    kept_table table;
    REQUIRE(keep(table, 0, "old") == 0);
    REQUIRE(keep(table, 1, "dropped", 77) == 0);
    auto first = one_descriptor(), second = one_descriptor();
    CHECK(table.apply_provisionally({word::keep, 0, 0, 0, "old"}, first) == EBUSY);
    CHECK(table.apply_provisionally({word::keep, 2, 0, 0, "new"}, second) == 0);
    std::vector<mato::unique_fd> none;
    CHECK(table.apply_provisionally({word::drop, 1, 0, 0, {}}, none) == 0);
    CHECK(table.apply_provisionally({word::drop, 9, 0, 0, {}}, none) == ENOENT);
    CHECK(table.ended(77, 0));
    table.resolve(took_over);
    CHECK(table.records()[0].name == "old");
    CHECK(table.records()[1].name == (took_over ? "" : "dropped"));
    CHECK(table.records()[2].name == (took_over ? "new" : ""));
    table.resolve(false); // nothing is provisional any more
    CHECK(table.records()[2].name == (took_over ? "new" : ""));
}

TEST_CASE("a table refuses another name for a slot, and descriptors too many or missing; nothing changes", "[keeper_message]") {
    kept_table table;
    REQUIRE(keep(table, 1, "one") == 0);
    const auto before = support::open_descriptors();
    CHECK(keep(table, 1, "other") == EEXIST);
    std::vector<mato::unique_fd> none;
    CHECK(table.apply({word::keep, 2, 0, 0, "two"}, none) == EMFILE); // the kernel had no number for it
    auto one = one_descriptor();
    CHECK(table.apply({word::keep, 2, 9, 2, "two"}, one) == EBADMSG);
    CHECK(table.apply({word::drop, 1, 0, 0, {}}, one) == EBADMSG);
    CHECK(table.apply({word::serving, 0, 0, 0, {}}, none) == EBADMSG);
    CHECK(table.apply({word::drop, 99, 0, 0, {}}, none) == ENOENT);
    one.clear();
    CHECK(support::open_descriptors() == before);
    CHECK(table.records()[1].name == "one");
}

TEST_CASE("a socket of keeper and worker discards what is no message, with its descriptors", "[keeper_message]") {
    using received = mato::detail::keeper_link::received;
    mato::failure why;
    auto [near, far] = mato::detail::keeper_link::pair(why);
    REQUIRE_FALSE(why);
    const auto before = support::open_descriptors();
    CHECK(far.receive() == received::nothing);
    const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    const std::string longer = bytes_of({word::keep, 1, 0, 0, "name"}) + "x";
    CHECK(mato::send_descriptors(near.native_handle(), longer, std::vector<int>{null, null}, why) == 129);
    CHECK(mato::send_descriptors(near.native_handle(), "short", std::vector<int>{null}, why) == 5);
    REQUIRE(near.try_send({word::keep, 1, 0, 0, "name"}, null, why));
    ::close(null);
    CHECK(far.receive() == received::damaged);
    CHECK(far.receive() == received::damaged);
    CHECK(support::open_descriptors() == before);
    CHECK(far.receive() == received::message);
    CHECK(far.message.name == "name");
    CHECK(far.descriptors.size() == 1);
    near.close();
    CHECK(far.receive() == received::end);
}
