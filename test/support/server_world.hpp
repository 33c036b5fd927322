// SPDX-License-Identifier: MIT
/// @file server_world.hpp: a server in its own directory, its reports, and its clients.
#pragma once

#include <mato/server.hpp>

#include "catch.hpp"
#include "framed.hpp"
#include "io_loop.hpp"
#include "stand_ins.hpp"
#include "temp_directory.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace support {

inline far_end connect_to(const std::filesystem::path& path) {
    std::error_code why;
    auto socket = mato::owned_path(path).connect(why);
    CHECK_FALSE(why);
    return far_end(std::move(socket));
}

/// A server in its own directory, and all its reports.
template <class Peer = mato::same_user> struct world {
    using server = mato::basic_server<mato::owned_path, Peer>;
    using session_ptr = typename server::session_ptr;

    temp_directory directory;
    asio::io_context context;
    server all;
    std::vector<session_ptr> opened;
    std::vector<std::pair<std::uint64_t, mato::failure>> closed;
    std::vector<std::pair<std::uint64_t, std::string>> frames;
    std::vector<mato::failure> refused;
    std::optional<std::string> last_words;
    int paused = 0;

    enum start { published, accepting };
    explicit world(start how) : world(mato::server_limits{}, how) {}
    explicit world(mato::server_limits limits = {}, start how = accepting) : all(context, limits) {
        all.on.on_opened = [this](const session_ptr& each) { opened.push_back(each); };
        all.on.on_closed = [this](const session_ptr& each, const mato::failure& why) { closed.emplace_back(each->id(), why); };
        all.on.on_frame = [this](const session_ptr& each, std::string_view payload) {
            frames.emplace_back(each->id(), payload);
            if (payload == "hello") each->established();
        };
        all.on.on_refused = [this](const mato::peer_credentials&, const mato::failure& why) {
            refused.push_back(why);
            return last_words;
        };
        all.on.on_accept_paused = [this](const mato::failure&) { ++paused; };
        mato::failure why;
        if (how == accepting)
            all.listen(mato::owned_path(path()), Peer{}, held_proof{}, mato::publish_options{}, why);
        else
            all.publish(mato::owned_path(path()), Peer{}, held_proof{}, mato::publish_options{}, why);
        CHECK_FALSE(why);
    }
    [[nodiscard]] std::filesystem::path path() const { return directory / "s.sock"; }
    far_end client() { return connect_to(path()); }
    /// A client whose handshake is complete.
    far_end admitted() {
        const auto before = opened.size();
        auto far = client();
        CHECK(run_until(context, [&] { return opened.size() > before; }));
        return far;
    }
    far_end established() {
        auto far = admitted();
        far.put(framed("hello"));
        const auto last = opened.back();
        CHECK(run_until(context, [&] { return last->is_established(); }));
        return far;
    }
    bool sees_end(far_end& far) {
        return run_until(context, [&] { return far.take(), far.ended; });
    }
};

} // namespace support
