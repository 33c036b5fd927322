// SPDX-License-Identifier: MIT
/// @file prefix_keys_test.cpp: any split of the input has the same effect.
#include "daemon/prefix_keys.hpp"

#include "support/catch.hpp"

#include <random>
#include <string>
#include <vector>

namespace {

constexpr char prefix = '\034';

/// What happened, in order: typed bytes unchanged, a command as <x>.
std::string effect(const std::vector<std::string>& pieces, mux::prefix_keys keys = mux::prefix_keys(prefix)) {
    std::string log;
    const mux::prefix_keys::sink to{[&](std::string_view bytes) { log += bytes; },
                                    [&](char key) { log.append("<").append(1, key).append(">"); }};
    for (const auto& piece : pieces) keys.feed(piece, to);
    return log;
}

} // namespace

// ---- the contract ----

TEST_CASE("input is passed on unchanged, except the prefix and its key", "[prefix_keys]") {
    CHECK(effect({"hello"}) == "hello");
    CHECK(effect({"a\034db"}) == "a<d>b");
    CHECK(effect({"\034d"}) == "<d>");
    CHECK(effect({"\034?\0341x"}) == "<?><1>x");
    CHECK(effect({std::string("\0\xff\033[A", 5)}) == std::string("\0\xff\033[A", 5));
}

TEST_CASE("the prefix typed twice is passed on once", "[prefix_keys]") {
    CHECK(effect({"\034\034"}) == "\034");
    CHECK(effect({"a\034\034d"}) == "a\034d");
    CHECK(effect({"\034\034\034d"}) == "\034<d>");
    CHECK(effect({"\034\034\034\034"}) == "\034\034");
}

TEST_CASE("a prefix at the end waits for its key for any time", "[prefix_keys]") {
    CHECK(effect({"a\034"}) == "a");
    CHECK(effect({"a\034", "", "d"}) == "a<d>");
    CHECK(effect({"\034", "\034"}) == "\034");
}

TEST_CASE("any split of the same bytes has the same effect", "[prefix_keys]") {
    std::mt19937 random(GENERATE(range(0u, 20u)));
    for (int round = 0; round < 100; ++round) {
        std::string typed(random() % 60, '\0');
        for (char& c : typed) c = random() % 3 == 0 ? prefix : static_cast<char>('a' + random() % 4);
        const std::string whole = effect({typed});
        std::vector<std::string> pieces;
        for (std::string_view rest = typed; !rest.empty();) {
            const std::size_t size = std::min<std::size_t>(random() % 5, rest.size());
            pieces.emplace_back(rest.substr(0, size));
            rest.remove_prefix(size);
        }
        REQUIRE(effect(pieces) == whole);
    }
}

// ---- the edges ----

TEST_CASE("a new prefix applies from the next byte; a key that is awaited is still a command", "[prefix_keys]") {
    mux::prefix_keys keys(prefix);
    std::string log;
    const mux::prefix_keys::sink to{[&](std::string_view bytes) { log += bytes; },
                                    [&](char key) { log.append("<").append(1, key).append(">"); }};
    keys.feed("\034", to);
    keys.set_prefix('\002');
    keys.feed("d\034\002d", to);
    CHECK(log == "<d>\034<d>");
}

TEST_CASE("NUL can be the prefix", "[prefix_keys]") {
    CHECK(effect({std::string("a\0db", 4)}, mux::prefix_keys('\0')) == "a<d>b");
}

TEST_CASE("empty input has no effect", "[prefix_keys]") {
    mux::prefix_keys keys(prefix);
    keys.feed("", {});
    keys.feed("\034", {}); // the sink is not called
}
