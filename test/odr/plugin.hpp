// SPDX-License-Identifier: MIT
/// @file plugin.hpp: the interface between test/odr's shared objects, which are built with hidden visibility.
#pragma once

#include <mato/error.hpp>

#include <typeinfo>

struct plugin {
    std::error_code code;                            ///< of errc::already_running
    const std::type_info* error_type;                ///< of mato::error
    void (*fail)();                                  ///< throws mato::error
    bool (*understands)(const std::error_code&);     ///< is it errc::already_running, and cond::already_running?
    bool (*catches)(void (*thrower)(), int errc_of); ///< as mato::error, with that code
};
