// SPDX-License-Identifier: MIT
/// @file fault_endpoint_test.cpp: every call of publishing and connecting fails once; the old socket keeps working.
#include "support/fault.hpp"
#include "support/stand_ins.hpp"

#include <mato/endpoint.hpp>
#include <mato/shared_path.hpp>

using proof = support::held_proof;

namespace {
bool answers(const std::filesystem::path& path) {
    std::error_code why;
    return static_cast<bool>(mato::owned_path(path).connect(why));
}
} // namespace

TEST_CASE("the first publication survives every fault", "[endpoint][fault]") {
    const int failed = fault::sweep([](const std::filesystem::path& directory) {
        mato::owned_path endpoint(directory / "socket");
        mato::failure why;
        const auto socket = endpoint.publish(proof{}, {}, why);
        CHECK(static_cast<bool>(socket) == !why);
        const fault::paused while_looking;
        CHECK(answers(directory / "socket") == !why);
        CHECK(std::filesystem::exists(directory / "socket") == !why);
        if (!why) CHECK(support::mode_of(directory / "socket") == 0700);
        endpoint.withdraw();
        return why;
    });
    CHECK(failed > 15);
}

TEST_CASE("the first publication in a shared directory survives every fault", "[endpoint][fault]") {
    const int failed = fault::sweep([](const std::filesystem::path& directory) {
        const auto shared = directory / "run";
        mato::failure why;
        mato::make_shared_directory(shared, why);
        mato::shared_path endpoint(shared / "socket");
        const auto socket = why ? mato::unique_fd() : endpoint.publish(proof{}, {.mode = 0660, .group = ::getegid()}, why);
        CHECK(static_cast<bool>(socket) == !why);
        const fault::paused while_looking;
        CHECK(answers(shared / "socket") == !why);
        CHECK(std::filesystem::exists(shared / "socket") == !why);
        CHECK_FALSE(std::filesystem::exists(shared / "socket~"));
        if (!why) CHECK(support::mode_of(shared / "socket") == 0660);
        endpoint.withdraw();
        std::filesystem::remove_all(shared);
        return why;
    });
    CHECK(failed > 20);
}

TEST_CASE("a failed publication leaves the old socket working, and its owner able to withdraw it", "[endpoint][fault]") {
    const int failed = fault::sweep([](const std::filesystem::path& directory) {
        mato::owned_path endpoint(directory / "socket");
        mato::unique_fd old;
        ino_t inode = 0;
        {
            const fault::paused while_preparing;
            std::error_code ignored;
            old = endpoint.publish(proof{}, {}, ignored);
            inode = support::inode_of(directory / "socket");
        }
        mato::failure why;
        const auto fresh = endpoint.publish(proof{}, {}, why);
        const fault::paused while_looking;
        CHECK((support::inode_of(directory / "socket") == inode) == static_cast<bool>(why));
        if (!why) old.reset();
        CHECK(answers(directory / "socket"));
        endpoint.withdraw();
        return why;
    });
    CHECK(failed > 15);
}

TEST_CASE("connecting survives every fault", "[endpoint][fault]") {
    const int failed = fault::sweep([](const std::filesystem::path& directory) {
        mato::owned_path endpoint(directory / "socket");
        mato::unique_fd socket;
        {
            const fault::paused while_preparing;
            std::error_code ignored;
            socket = endpoint.publish(proof{}, {}, ignored);
        }
        mato::failure why;
        const auto client = endpoint.connect(why);
        CHECK(static_cast<bool>(client) == !why);
        const fault::paused while_clearing;
        endpoint.withdraw();
        return why;
    });
    CHECK(failed > 5);
}

TEST_CASE("withdrawing survives every fault; the name may stay", "[endpoint][fault]") {
    fault::sweep(
        [](const std::filesystem::path& directory) {
            mato::owned_path endpoint(directory / "socket");
            mato::unique_fd socket;
            mato::failure why;
            {
                const fault::paused while_preparing;
                socket = endpoint.publish(proof{}, {}, why);
            }
            endpoint.withdraw();
            return why;
        },
        {.may_remain = {"socket"}});
}

TEST_CASE("creating a private directory survives every fault; created directories are private", "[endpoint][fault]") {
    const int failed = fault::sweep(
        [](const std::filesystem::path& directory) {
            const support::umask_scope open_to_all(0);
            mato::failure why;
            mato::make_private_directory(directory / "a" / "b", why);
            CHECK((why || std::filesystem::exists(directory / "a" / "b")));
            for (const char* made : {"a", "a/b"})
                if (std::filesystem::exists(directory / made)) CHECK(support::mode_of(directory / made) == 0700);
            return why;
        },
        {.may_remain = {"a"}});
    CHECK(failed > 5);
}

TEST_CASE("a mode that cannot be set publishes nothing", "[endpoint][fault]") {
    const support::temp_directory directory;
    for (const char* call : {"fchmod", "chmod", "listen", "bind", "socket", "rename"}) {
        fault::fail_all(call, EPERM);
        mato::owned_path endpoint(directory / "socket");
        mato::failure why;
        CHECK_FALSE(endpoint.publish(proof{}, {}, why));
        CHECK(why.code.value() == EPERM);
        CHECK_FALSE(why.step.empty());
        CHECK(why.path == directory / "socket");
        CHECK(directory.names().empty());
    }
    fault::start();
}

TEST_CASE("publishing and connecting an abstract name survive every fault", "[endpoint][fault]") {
    const int failed = fault::sweep([](const std::filesystem::path& directory) {
        mato::abstract_name endpoint((directory / "socket").native());
        mato::failure why;
        const auto socket = endpoint.publish(proof{}, {}, why);
        CHECK(static_cast<bool>(socket) == !why);
        if (why) return why;
        const auto client = endpoint.connect(why);
        CHECK(static_cast<bool>(client) == !why);
        return why;
    });
    CHECK(failed > 10);
}

TEST_CASE("publishing a passed socket survives every fault", "[endpoint][fault]") {
    const int failed = fault::sweep([](const std::filesystem::path& directory) {
        mato::unique_fd passed;
        {
            const fault::paused while_preparing;
            mato::failure unsafe;
            const auto address = mato::unix_address::of_path((directory / "socket").native(), unsafe);
            passed = mato::unique_fd(mato::sys::unix_socket(mato::sys::waiting::blocking));
            REQUIRE(mato::sys::bind(passed.get(), address.data(), address.size()) == 0);
            REQUIRE(mato::sys::listen(passed.get(), 1) == 0);
        }
        mato::activated endpoint(directory / "socket", std::move(passed));
        mato::failure why;
        const auto socket = endpoint.publish(proof{}, {}, why);
        CHECK(static_cast<bool>(socket) == !why);
        const fault::paused while_tidying_up;
        std::filesystem::remove(directory / "socket"); // like its manager
        return why;
    });
    CHECK(failed > 8);
}
