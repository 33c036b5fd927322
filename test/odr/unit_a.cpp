// SPDX-License-Identifier: MIT
// One of two units of one program; it includes the umbrella twice, after one of its parts.
#include <mato/error.hpp>
#include <mato/mato.hpp>

const std::error_category* category_of_a() { return &mato::mato_category(); }
const std::type_info* daemon_of_a() { return &typeid(mato::basic_daemon<>); }
