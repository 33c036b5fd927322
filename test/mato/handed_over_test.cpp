// SPDX-License-Identifier: MIT
#include "daemon/handed_over.hpp"

#include "support/catch.hpp"

#include <cstring>

using mux::handed_over;

namespace {

handed_over some() {
    return {"0.2.0",
            {"A=1", std::string("B=x\0y", 5)},
            {{3, std::string("typed\0\n", 7), "", 17}, {9, "", std::string(100'000, 'r'), 0}},
            {{3, 1u << 20, std::string("out\0put", 7)}, {4, 0, ""}}};
}

mato::failure refusal(const mato::memory_file& file) {
    mato::failure why;
    static_cast<void>(handed_over::read(file, why));
    return why;
}

} // namespace

TEST_CASE("what is handed over is read as it was written", "[handed_over]") {
    mato::failure why;
    const auto file = some().write(why);
    REQUIRE(file);
    const auto got = handed_over::read(file, why);
    REQUIRE_FALSE(why);
    CHECK(got.version == "0.2.0");
    CHECK(got.variables == some().variables);
    REQUIRE(got.tabs.size() == 2);
    REQUIRE(got.find(3));
    CHECK(got.find(3)->typed == some().tabs[0].typed);
    CHECK(got.find(3)->idle_since == 17);
    CHECK(got.find(9)->output.size() == 100'000);
    CHECK(got.find(4) == nullptr);
    REQUIRE(got.find_recorded(3));
    CHECK(got.find_recorded(3)->offset == 1u << 20);
    CHECK(got.find_recorded(3)->output == some().recorded[0].output);
    CHECK(got.find_recorded(4));
    CHECK(got.find_recorded(9) == nullptr);
}

TEST_CASE("a handover of a program that knows no recordings is read", "[handed_over]") {
    handed_over old = some();
    old.recorded.clear();
    mato::failure why;
    const auto file = old.write(why);
    REQUIRE(file);
    std::uint64_t size = 0; // without the count of recordings, which is the last byte
    std::memcpy(&size, file.bytes().data() + 16, sizeof size);
    --size;
    std::memcpy(file.bytes().data() + 16, &size, sizeof size);
    const auto got = handed_over::read(file, why);
    REQUIRE_FALSE(why);
    CHECK(got.tabs.size() == 2);
    CHECK(got.recorded.empty());
}

TEST_CASE("a handover that is truncated, damaged or of another version is refused", "[handed_over]") {
    mato::failure why;
    const auto file = some().write(why);
    REQUIRE(file);
    char* const all = file.bytes().data();
    const auto with = [&](std::size_t at, char value) {
        const char before = std::exchange(all[at], value);
        const auto got = refusal(file);
        all[at] = before;
        return got;
    };
    const auto is = [](const mato::failure& refused, mato::errc code, const char* detail) {
        CHECK(refused.code == code);
        CHECK(refused.detail == detail);
    };
    is(with(0, 'x'), mato::errc::malformed, "it does not hold tabs");
    is(with(8, 2), mato::errc::version_mismatch, "it is of another version");
    is(with(23, 1), mato::errc::malformed, "it is truncated"); // a size beyond the file
    is(with(17, 0), mato::errc::malformed, "it is damaged");   // the last text is longer than what follows
    CHECK_FALSE(refusal(file));
    const auto small = mato::memory_file::create("small", 10, why);
    is(refusal(small), mato::errc::malformed, "it does not hold tabs");
}
