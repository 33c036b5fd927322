// SPDX-License-Identifier: MIT
// expect: a connection's own frames are never lost
#include <mato/connection.hpp>

#ifdef FIXED
using chosen = mato::disconnect;
#else
using chosen = mato::drop_oldest;
#endif
void use(mato::basic_connection<mato::line<>, chosen>& to) { to.send("x"); }
