// SPDX-License-Identifier: MIT
/// @file chrono.hpp: durations and clocks, without calendars, time zones and their streams.
/// Layer: 0 (platform).
///
/// The whole `chrono` of C++20 costs four times what is needed of it. libstdc++ keeps durations, time points and clocks in a
/// part of their own, which `mutex` and `thread` include; here, too, for releases known to have all of them there. Others get
/// the whole.
#pragma once

#include <version> // says which library it is

#if defined(_GLIBCXX_RELEASE) && _GLIBCXX_RELEASE >= 12 && _GLIBCXX_RELEASE <= 14 && __has_include(<bits/chrono.h>)
#include <bits/chrono.h>
#else
#include <chrono>
#endif

static_assert(std::chrono::steady_clock::is_steady &&
              std::chrono::ceil<std::chrono::seconds>(std::chrono::milliseconds(1)).count() == 1);
