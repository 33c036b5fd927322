// SPDX-License-Identifier: MIT
// A unit built with the toolkit or, as OTHER, with another version of it, in one program.
#include "version.hpp"

#include <mato/error.hpp>
#include <mato/signals.hpp>

#include <typeinfo>

#ifdef HAND_OVER // another version's failure, which must not link
std::string text_of(const mato::failure& why);
#ifdef OTHER
std::string text_of(const mato::failure& why) { return why.message(); }
#else
static const std::string handed = text_of({});
#endif
#endif

#ifdef OTHER
sides other_version() {
#else
sides this_version() {
#endif
    mato::failure why;
    mato::error_out(why).set(mato::errc::busy, "ask", "/a/path", {});
    return {typeid(mato::failure).name(), why.message(), sizeof why};
}
