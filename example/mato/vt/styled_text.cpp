// SPDX-License-Identifier: MIT
#include "styled_text.hpp"

#include "processor.hpp"
#include "sgr_scan.hpp"
#include "styled_loop.hpp"

namespace mux::vt {

namespace {

#if defined(__SSE2__)

struct portable_scan {
    static styled_masks look(const char* p) noexcept {
        constexpr int step = 16;
        styled_masks m;
        for (int at = 0; at < window_bytes; at += step) {
            const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + at));
            const auto mask = [at](__m128i b) { return static_cast<std::uint64_t>(_mm_movemask_epi8(b)) << at; };
            const std::uint64_t digits = mask(detail::decimal_digits(v));
            m.plain |= std::uint64_t{detail::plain_mask(v)} << at;
            m.digits |= digits;
            m.numbers |= digits | mask(_mm_cmpeq_epi8(v, _mm_set1_epi8(';')));
        }
        return m;
    }
    static void widen(const char* p, unit* to) noexcept {
        detail::widen16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)), to);
    }
};

#else

struct portable_scan {
    static styled_masks look(const char* p) noexcept {
        styled_masks m;
        for (int at = 0; at < window_bytes; ++at) {
            const bool is_digit = static_cast<unsigned char>(p[at]) - unsigned{'0'} < 10;
            m.plain |= std::uint64_t{is_plain(p[at])} << at;
            m.digits |= std::uint64_t{is_digit} << at;
            m.numbers |= std::uint64_t{is_digit || p[at] == ';'} << at;
        }
        return m;
    }
    static void widen(const char* p, unit* to) noexcept {
        for (std::size_t i = 0; i < plain_step; ++i) to[i] = static_cast<unsigned char>(p[i]);
    }
};

#endif

const char* append_styled_portably(const char* p, const char* end, row_end& to) noexcept {
    return styled_writer<portable_scan>(to).write(p, end, to);
}

} // namespace

std::span<decltype(&append_styled) const> styled_writers() noexcept {
    static constexpr std::array<decltype(&append_styled), 2> all = {
        append_styled_portably,
#if defined(__x86_64__) && defined(__GNUC__)
        detail::append_styled_avx512,
#endif
    };
#if defined(__x86_64__) && defined(__GNUC__)
    return std::span(all).first(detail::has_avx512() ? 2 : 1);
#else
    return std::span(all).first(1);
#endif
}

namespace {

const auto fastest = styled_writers().back();

} // namespace

const char* append_styled(const char* p, const char* end, row_end& to) noexcept { return fastest(p, end, to); }

} // namespace mux::vt
