// SPDX-License-Identifier: MIT
// expect: the framing policy lacks a member, see framing.hpp
// expect: the overflow policy needs on_queued and on_drained, see overflow.hpp
#include <mato/connection.hpp>

#ifdef FIXED
mato::basic_connection<mato::line<>, mato::disconnect>::handlers handlers;
#else
struct unbounded { // no max_frame_bytes
    static constexpr bool keeps_boundaries = true;
    static std::optional<mato::frame_match> split(std::string_view, mato::error_out);
    static void append(std::string&, std::string_view, mato::error_out);
};
struct never_drained {
    mato::overflow_verdict on_queued(std::size_t, mato::clock::time_point);
};
mato::basic_connection<unbounded, mato::disconnect>::handlers handlers;
mato::basic_connection<mato::line<>, never_drained>::handlers others;
#endif
