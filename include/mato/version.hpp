// SPDX-License-Identifier: MIT
/// @file version.hpp: the toolkit's version.
/// Layer: 0 (platform).  CMakeLists.txt parses these lines.
#pragma once

#define MATO_VERSION_MAJOR 0
#define MATO_VERSION_MINOR 1
#define MATO_VERSION_PATCH 0
#define MATO_VERSION_STRING "0.1.0"
