// SPDX-License-Identifier: MIT
/// @file chrono.hpp: durations and clocks, without calendars, time zones and their streams.
/// Layer: 0 (platform).
///
/// Including all of C++20's `chrono` costs four times as much as the part that is needed. libstdc++ has durations, time points
/// and clocks in a separate header, which its `mutex` and `thread` include. This header uses it for releases known to have it
/// complete, and `chrono` for all others.
#pragma once

#include <version> // defines which library it is

#if defined(_GLIBCXX_RELEASE) && _GLIBCXX_RELEASE >= 12 && _GLIBCXX_RELEASE <= 14 && __has_include(<bits/chrono.h>)
#include <bits/chrono.h>
#else
#include <chrono>
#endif

static_assert(std::chrono::steady_clock::is_steady &&
              std::chrono::ceil<std::chrono::seconds>(std::chrono::milliseconds(1)).count() == 1);
