// SPDX-License-Identifier: MIT
// expect: the endpoint policy lacks a member, see endpoint.hpp
// expect: the peer policy needs `checks` and `bool allows(const peer_credentials&) const`
#include <mato/server.hpp>

#ifdef FIXED
using server = mato::basic_server<mato::owned_path, mato::same_user>;
#else
struct no_withdraw {
    static constexpr bool named = true;
    mato::unique_fd connect(mato::error_out) const;
    std::string describe() const;
};
struct no_answer {
    static constexpr bool checks = true;
    void allows(const mato::peer_credentials&) const;
};
using server = mato::basic_server<no_withdraw, mato::same_user>;
constexpr auto others = sizeof(mato::basic_server<mato::owned_path, no_answer>);
#endif
constexpr auto bytes = sizeof(server);
