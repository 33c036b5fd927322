// SPDX-License-Identifier: MIT
// expect: a backoff policy needs `std::optional<milliseconds> next(clock::time_point)`, see retry.hpp
#include <mato/retry.hpp>

bool ask(mato::error_out out) {
    const auto attempt = [](mato::error_out why) { return why.set(mato::errc::busy, "ask"), false; };
#ifdef FIXED
    return mato::retry(attempt, out, mato::exponential_backoff());
#else
    struct for_ever {
        mato::milliseconds next(mato::clock::time_point) { return mato::milliseconds(1); }
    };
    return mato::retry(attempt, out, for_ever());
#endif
}
