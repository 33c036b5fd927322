// SPDX-License-Identifier: MIT
// expect: a broadcast needs a framing that keeps boundaries
#include <mato/broadcast.hpp>

#ifdef FIXED
mato::basic_broadcast<mato::basic_connection<mato::line<>>> hub;
#else
mato::basic_broadcast<mato::basic_connection<mato::raw>> hub;
#endif
