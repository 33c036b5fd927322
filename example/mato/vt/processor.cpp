// SPDX-License-Identifier: MIT
#include "processor.hpp"

#if defined(__x86_64__) && defined(__GNUC__) && __has_include(<sys/platform/x86.h>)

#if defined(__clang__)
#define _Bool bool // a C keyword that the header uses, and that g++ supports in C++ too
#endif
#include <sys/platform/x86.h>
#undef _Bool

namespace mux::vt {

bool detail::has_avx2() noexcept { return CPU_FEATURE_ACTIVE(AVX2) && CPU_FEATURE_ACTIVE(BMI1) && CPU_FEATURE_ACTIVE(POPCNT); }

bool detail::has_avx512() noexcept {
    return CPU_FEATURE_ACTIVE(AVX512F) && CPU_FEATURE_ACTIVE(AVX512BW) && CPU_FEATURE_ACTIVE(AVX512VL) &&
           CPU_FEATURE_ACTIVE(AVX512_VBMI2) && CPU_FEATURE_ACTIVE(BMI1) && CPU_FEATURE_ACTIVE(BMI2) &&
           CPU_FEATURE_ACTIVE(POPCNT);
}

} // namespace mux::vt

#else

namespace mux::vt {

bool detail::has_avx2() noexcept { return false; }
bool detail::has_avx512() noexcept { return false; }

} // namespace mux::vt

#endif
