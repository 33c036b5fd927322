// SPDX-License-Identifier: MIT
/// @file unix_address_test.cpp: names within and above the limit, and the NUL of abstract names.
#include <mato/unix_address.hpp>

#include "support/catch.hpp"

#include <cstddef>

using mato::unix_address;

namespace {
std::string_view bytes_of(const unix_address& address) {
    const auto* const raw = reinterpret_cast<const char*>(address.data());
    return {raw + offsetof(sockaddr_un, sun_path), address.size() - offsetof(sockaddr_un, sun_path)};
}
constexpr auto most = unix_address::max_name_bytes;
} // namespace

TEST_CASE("a path is an address with a final NUL", "[unix_address]") {
    mato::failure why;
    const auto address = unix_address::of_path("/run/x", why);
    CHECK_FALSE(why);
    CHECK(address.data()->sa_family == AF_UNIX);
    CHECK(bytes_of(address).substr(0, 7) == std::string_view("/run/x\0", 7));
}

TEST_CASE("an abstract name is a NUL and the name, without a final NUL", "[unix_address]") {
    mato::failure why;
    const auto address = unix_address::of_abstract_name("one", why);
#if MATO_HAS_ABSTRACT_NAMES
    CHECK_FALSE(why);
    CHECK(bytes_of(address) == std::string_view("\0one", 4));
#else
    CHECK(why.code.value() == EAFNOSUPPORT);
    CHECK(why.path == "@one");
    CHECK(address.size() == 0);
#endif
}

TEST_CASE("names above the limit are refused with length and limit", "[unix_address]") {
    const auto make = GENERATE(&unix_address::of_path, &unix_address::of_abstract_name);
    if (make == &unix_address::of_abstract_name && !MATO_HAS_ABSTRACT_NAMES) return;
    mato::failure why;
    CHECK(make(std::string(most, 'x'), why).size() > 0);
    CHECK_FALSE(why);
    for (const std::size_t size : {std::size_t{0}, most + 1, std::size_t{10'000}}) {
        CHECK(make(std::string(size, 'x'), why).size() == 0);
        CHECK(why.code == std::errc::filename_too_long);
        CHECK(why.step == "socket path");
        CHECK(why.detail == "it is " + std::to_string(size) + " bytes long; use 1 to " + std::to_string(most) + " bytes");
    }
}

TEST_CASE("a path with a NUL inside is refused, because the system would read another path", "[unix_address]") {
    mato::failure why;
    CHECK(unix_address::of_path(std::string_view("/run\0/x", 7), why).size() == 0);
    CHECK(why.code == std::errc::invalid_argument);
    CHECK(why.path == "/run");
}

static_assert(std::is_nothrow_default_constructible_v<unix_address>);
