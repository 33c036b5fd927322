// SPDX-License-Identifier: MIT
/// @file version.hpp: one function for each toolkit that test/odr puts into one program.
#pragma once

#include <string>

struct sides {
    std::string name; ///< of the type mato::failure, as the compiler spells it
    std::string message;
    unsigned long bytes; ///< of the layout
};
sides this_version();
sides other_version();
