// SPDX-License-Identifier: MIT
/// @file processor.hpp: the features of this machine's processor beyond the compiler's baseline. Internal to the vt core.
/// Layer: vt core.  Test: test/mato/vt/text_test.cpp, sequence_scan_test.cpp (every implementation that it selects).
/// Threads: pure functions.   Blocks: never.
///
/// Reported by glibc (2.33), which checks once when a program starts; elsewhere the portable code is used. CPUID traps to the
/// hypervisor in a virtual machine (7 µs), and the compiler's own way runs it twenty times before main().
#pragma once

namespace mux::vt::detail {

/// AVX2, with BMI1 and POPCNT.
[[nodiscard]] bool has_avx2() noexcept;
/// AVX-512 F, BW, VL and VBMI2, with BMI1, BMI2 and POPCNT.
[[nodiscard]] bool has_avx512() noexcept;

} // namespace mux::vt::detail
