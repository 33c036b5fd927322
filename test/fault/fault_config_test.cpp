// SPDX-License-Identifier: MIT
/// @file fault_config_test.cpp: a configuration that cannot be read changes nothing.
#include "support/fault.hpp"

#include <mato/config.hpp>

namespace {
struct settings {
    int size = 1;
};
mato::config::schema<settings> keys() {
    mato::config::schema<settings> result;
    result.field("size", &settings::size);
    return result;
}
} // namespace

TEST_CASE("loading survives every fault, and returns the defaults with a failure", "[config][fault]") {
    const support::temp_directory elsewhere;
    support::write_file(elsewhere / "config.toml", "size = 7\n");
    const int failed = fault::sweep([&](const std::filesystem::path&) {
        mato::failure why;
        const auto value = keys().load(elsewhere / "config.toml", settings{}, why);
        CHECK(value.size == (why ? 1 : 7));
        return why;
    });
    CHECK(failed > 5);
}

TEST_CASE("a reload that cannot read keeps the current value and the error", "[config][fault]") {
    const support::temp_directory directory;
    support::write_file(directory / "config.toml", "size = 7\n");
    mato::config::reloadable<settings> current(keys(), directory / "config.toml");
    mato::failure why;
    fault::start();
    current.reload(why);
    REQUIRE(current->size == 7);
    support::write_file(directory / "config.toml", "size = 8\n");
    for (const auto& [call, step] : {std::pair("open", "open configuration"), std::pair("read", "read configuration")}) {
        fault::fail_all(call, EIO);
        current.reload(why);
        CHECK(why.code.value() == EIO);
        CHECK(why.step == step);
        CHECK(why.path == directory / "config.toml");
        CHECK(current.last_error().message() == why.message());
        CHECK(current->size == 7);
    }
    fault::start();
    current.reload(why);
    CHECK_FALSE(why);
    CHECK_FALSE(current.last_error());
    CHECK(current->size == 8);
}
