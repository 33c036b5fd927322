// SPDX-License-Identifier: MIT
/// @file processor.hpp: what this machine's processor has beyond what the compiler promises. Internal to the vt core.
/// Layer: vt core.  Test: test/mato/vt/text_test.cpp, sequence_scan_test.cpp (every loop that is chosen by it).
/// Threads: pure functions.   Blocks: never.
///
/// Told by glibc (2.33), which looks once when a program starts; elsewhere nothing is told, and the portable loops are used.
/// Asking the processor costs a virtual machine an exit, 7 µs, and the compiler's own way asks twenty times before main().
#pragma once

namespace mux::vt::detail {

/// AVX2, with BMI1 and POPCNT.
[[nodiscard]] bool has_avx2() noexcept;
/// AVX-512 F, BW, VL and VBMI2, with BMI1, BMI2 and POPCNT.
[[nodiscard]] bool has_avx512() noexcept;

} // namespace mux::vt::detail
