// SPDX-License-Identifier: MIT
// expect: this overflow policy loses whole frames, so it needs a framing that keeps boundaries
#include <mato/broadcast.hpp>

using raw_connection = mato::basic_connection<mato::raw>;
#ifdef FIXED
using hub = mato::basic_broadcast<raw_connection, mato::disconnect>; // the complete byte stream, or a disconnect
#else
using hub = mato::basic_broadcast<raw_connection, mato::drop_oldest>;
#endif
void use(hub& all) { all.publish("x"); }
