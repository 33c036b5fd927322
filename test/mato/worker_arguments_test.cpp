// SPDX-License-Identifier: MIT
#include "client/worker_arguments.hpp"

#include "support/catch.hpp"

using mux::worker_arguments;

namespace {

worker_arguments some() {
    worker_arguments all;
    all.paths.daemon = mato::daemon_paths::in("/run/a directory", "daemon");
    all.paths.config = "/etc/mato/config.toml";
    all.limits.umask = 027;
    all.limits.descriptors = {1024, RLIM_INFINITY};
    all.stays_when_empty = true;
    return all;
}

std::error_code refusal(const std::vector<std::string>& words) {
    mato::failure why;
    static_cast<void>(worker_arguments::decode(words, why));
    return why.code;
}

} // namespace

TEST_CASE("the arguments of the next worker are read as they were written", "[worker_arguments]") {
    mato::failure why;
    const auto got = worker_arguments::decode(some().encode(), why);
    REQUIRE_FALSE(why);
    CHECK(got.paths.daemon.socket == some().paths.daemon.socket);
    CHECK(got.paths.daemon.lock == some().paths.daemon.lock);
    CHECK(got.paths.daemon.log == some().paths.daemon.log);
    CHECK(got.paths.config == some().paths.config);
    CHECK(got.limits.umask == 027);
    CHECK(got.limits.descriptors.rlim_cur == 1024);
    CHECK(got.limits.descriptors.rlim_max == RLIM_INFINITY);
    CHECK(got.stays_when_empty);
    CHECK_FALSE(got.is_managed);
    CHECK(got.encode() == some().encode());
}

TEST_CASE("arguments of another version, or that are damaged, are refused", "[worker_arguments]") {
    const auto with = [](std::size_t at, const std::string& word) {
        auto words = some().encode();
        words[at] = word;
        return refusal(words);
    };
    CHECK(refusal({"mato"}) == mato::errc::version_mismatch);
    CHECK(with(1, "attach") == mato::errc::version_mismatch);
    CHECK(with(2, "2") == mato::errc::version_mismatch);
    CHECK(with(5, "9999") == mato::errc::malformed);
    CHECK(with(6, "many") == mato::errc::malformed);
    CHECK(with(7, "") == mato::errc::malformed);
    auto longer = some().encode();
    longer.emplace_back("more");
    CHECK(refusal(longer) == mato::errc::malformed);
}
