// SPDX-License-Identifier: MIT
/// @file false_daemon.hpp: listens at the daemon's socket, and sends each client what the test wants.
#pragma once

#include "mato_world.hpp"

#include <mato/unique_fd.hpp>

#include <sys/socket.h>
#include <sys/un.h>

namespace support {

class false_daemon {
public:
    explicit false_daemon(const std::filesystem::path& path) : path_(path) {
        std::filesystem::create_directories(path.parent_path());
        std::filesystem::permissions(path.parent_path(), std::filesystem::perms::owner_all);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.native().copy(address.sun_path, sizeof address.sun_path - 1);
        socket_ = mato::unique_fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        REQUIRE(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
        REQUIRE(::listen(socket_.get(), 8) == 0);
    }
    ~false_daemon() { close(); }
    /// Stops listening, so that the next daemon can start.
    void close() {
        socket_.reset();
        std::filesystem::remove(path_);
    }

    /// Accepts a client, replies to its first frame with `bytes`, and returns the connection.
    mato::unique_fd answer(std::string_view bytes) const {
        pollfd ready{socket_.get(), POLLIN, 0};
        REQUIRE(::poll(&ready, 1, 20'000) == 1);
        mato::unique_fd client(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        char hello[4096];
        REQUIRE(::recv(client.get(), hello, sizeof hello, 0) > 0);
        REQUIRE(::send(client.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()));
        return client;
    }

private:
    std::filesystem::path path_;
    mato::unique_fd socket_;
};

} // namespace support
