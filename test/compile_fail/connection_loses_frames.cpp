// SPDX-License-Identifier: MIT
// expect: this overflow policy loses frames, so it is for subscribers of a broadcast
#include <mato/connection.hpp>

#ifdef FIXED
using chosen = mato::disconnect;
#else
using chosen = mato::drop_oldest;
#endif
void use(mato::basic_connection<mato::line<>, chosen>& to) { to.send("x"); }
