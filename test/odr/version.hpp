// SPDX-License-Identifier: MIT
/// @file version.hpp: one function for each version of the toolkit in test/odr's program.
#pragma once

#include <string>

struct sides {
    std::string name; ///< of the type mato::failure, as spelled by the compiler
    std::string message;
    unsigned long bytes; ///< of the layout
};
sides this_version();
sides other_version();
