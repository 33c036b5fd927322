// SPDX-License-Identifier: MIT
// append_styled with AVX-512: masks are bits.
#include "styled_text.hpp"

#if defined(__x86_64__) && defined(__GNUC__)

#include "sgr_scan.hpp"

#include <immintrin.h>

// No standard library below: its functions would be compiled for this processor only.
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vl,bmi,bmi2"))), apply_to = function)
#else
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized" // g++ 12: its own header leaves values undefined on purpose
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512vl,bmi,bmi2")
#endif

#include "styled_loop.hpp"

namespace mux::vt {

namespace {

__m512i each(int b) noexcept { return _mm512_set1_epi8(static_cast<char>(b)); }

struct avx512_scan {
    static styled_masks look(const char* p) noexcept {
        const __m512i v = _mm512_loadu_si512(p);
        const std::uint64_t digits = _mm512_cmplt_epu8_mask(_mm512_sub_epi8(v, each('0')), each(10));
        return {_mm512_cmplt_epu8_mask(_mm512_sub_epi8(v, each(0x20)), each(0x5f)), digits,
                digits | _mm512_cmpeq_epi8_mask(v, each(';'))};
    }
    static void widen(const char* p, unit* to) noexcept {
        _mm512_storeu_si512(to, _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
    }
};

} // namespace

const char* detail::append_styled_avx512(const char* p, const char* end, row_end& to) noexcept {
    return styled_writer<avx512_scan>(to).write(p, end, to);
}

} // namespace mux::vt

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif
