// SPDX-License-Identifier: MIT
/// @file numbered_server.hpp: a server that answers the numbered requests of an async client as their text asks.
#pragma once

#include "catch.hpp"
#include "io_loop.hpp"
#include "stand_ins.hpp"

#include <mato/async_client.hpp>
#include <mato/server.hpp>

#include <filesystem>

#include <string>
#include <string_view>
#include <vector>

namespace support {

struct numbered_policies : mato::default_policies {
    using correlation = mato::numbered;
};
using numbered_client = mato::basic_async_client<numbered_policies>;

/// Answers a request with its own text, except "keep …", which it keeps, and "parts N", which gets N parts and "end".
struct numbered_server {
    using session_ptr = mato::server::session_ptr;
    struct kept_request {
        session_ptr from;
        std::uint64_t number;
        std::string text;
    };

    numbered_server(asio::io_context& context, const std::filesystem::path& path) : all(context) {
        all.on.on_opened = [this](const session_ptr& each) {
            each->established();
            last = each;
            ++opened;
        };
        all.on.on_frame = [this](const session_ptr& from, std::string_view frame) {
            std::error_code why;
            const auto asked = mato::numbered::read(frame, why);
            CHECK_FALSE(why);
            texts.emplace_back(asked.body);
            if (asked.body.starts_with("keep")) return kept.push_back({from, asked.number, std::string(asked.body)});
            if (asked.body.starts_with("parts ")) {
                const int parts = std::stoi(std::string(asked.body.substr(6)));
                for (int i = 0; i < parts; ++i)
                    from->send(mato::numbered::answer(asked.number, std::to_string(i), mato::answer_part::more_follow));
                return from->send(mato::numbered::answer(asked.number, "end"));
            }
            if (asked.number != 0) from->send(mato::numbered::answer(asked.number, asked.body));
        };
        mato::failure why;
        all.listen(mato::owned_path(path), mato::same_user{}, held_proof{}, mato::publish_options{}, why);
        CHECK_FALSE(why);
    }
    void answer(const kept_request& each) const { each.from->send(mato::numbered::answer(each.number, each.text)); }

    mato::server all;
    session_ptr last;
    int opened = 0;
    std::vector<std::string> texts;
    std::vector<kept_request> kept;
};

/// What one request completed with, and how often.
struct outcome {
    int calls = 0;
    std::error_code why{};
    std::string answer{};
    [[nodiscard]] auto handler() {
        return [this](std::error_code code, std::string text) {
            ++calls;
            why = code;
            answer = std::move(text);
        };
    }
};

} // namespace support
