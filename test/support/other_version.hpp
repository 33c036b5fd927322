// SPDX-License-Identifier: MIT
/// @file other_version.hpp: gives a program another version than this tree's, as that of another release has.
/// Compiled with -include into every file of a program that names its version.
#pragma once

#include <mato/version.hpp>

#undef MATO_VERSION_STRING
#define MATO_VERSION_STRING "0.0.99"
