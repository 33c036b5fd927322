// SPDX-License-Identifier: MIT
/// @file bare_server.hpp: where a daemon would listen, nobody but the test; when one would be started, what the test says.
#pragma once

#include "catch.hpp"
#include "child_process.hpp"
#include "stand_ins.hpp"

#include <mato/endpoint.hpp>
#include <mato/error.hpp>
#include <mato/unique_fd.hpp>

#include <filesystem>

namespace support {

/// A listening socket with nobody behind it but the test.
struct bare_server {
    explicit bare_server(const std::filesystem::path& path, int backlog = 128) : endpoint(path) {
        mato::failure why;
        mato::publish_options options;
        options.backlog = backlog;
        listening = endpoint.publish(held_proof{}, options, why);
        CHECK_FALSE(why);
    }
    mato::unique_fd accept() {
        CHECK(support::await_readable(listening.get()));
        return mato::unique_fd(mato::sys::accept(listening.get()));
    }
    mato::owned_path endpoint;
    mato::unique_fd listening;
};

/// What a launch function returns, without a daemon behind it.
struct launch_outcome {
    bool ok = false;
    mato::failure why{};
    [[nodiscard]] explicit operator bool() const noexcept { return ok; }
};

} // namespace support
