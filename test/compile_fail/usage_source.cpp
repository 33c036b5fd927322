// SPDX-License-Identifier: MIT
// expect: a usage source needs `process_usage sample() const`
#include <mato/status.hpp>

#ifdef FIXED
mato::usage_meter<mato::self_usage>::answer answer;
#else
struct guess {
    double sample() const;
};
mato::usage_meter<guess>::answer answer;
#endif
