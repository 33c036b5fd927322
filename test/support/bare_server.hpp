// SPDX-License-Identifier: MIT
/// @file bare_server.hpp: a listening socket without a daemon, and a launch function with a given result.
#pragma once

#include "catch.hpp"
#include "child_process.hpp"
#include "stand_ins.hpp"

#include <mato/endpoint.hpp>
#include <mato/error.hpp>
#include <mato/unique_fd.hpp>

#include <filesystem>

namespace support {

/// A listening socket that belongs to the test.
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

/// The result of a launch function, without a daemon.
struct launch_outcome {
    bool ok = false;
    mato::failure why{};
    [[nodiscard]] explicit operator bool() const noexcept { return ok; }
};

} // namespace support
