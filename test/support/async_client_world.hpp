// SPDX-License-Identifier: MIT
/// @file async_client_world.hpp: a loop with a numbered_server and an asynchronous client.
#pragma once

#include <mato/async_client.hpp>

#include "catch.hpp"
#include "io_loop.hpp"
#include "numbered_server.hpp"
#include "temp_directory.hpp"

#include <optional>

namespace support {

struct async_client_world {
    temp_directory directory;
    asio::io_context context;
    numbered_server server{context, directory / "s"};
    std::optional<numbered_client> client;

    explicit async_client_world(const mato::async_client_options& options = {}) {
        client.emplace(context, mato::owned_path(directory / "s"), options);
    }
    template <class Fact> [[nodiscard]] bool until(Fact fact) { return run_until(context, fact); }
    void connect() {
        std::optional<std::error_code> connected;
        client->async_connect([&](std::error_code why) { connected = why; });
        REQUIRE(until([&] { return connected.has_value(); }));
        REQUIRE(*connected == std::error_code());
    }
};

} // namespace support
