// SPDX-License-Identifier: MIT
// Built twice, as two shared objects with -fvisibility=hidden.
#include "plugin.hpp"

namespace {
void fail() { throw mato::error({mato::errc::slow_consumer, "write", "/a/path", {}}); }
bool understands(const std::error_code& code) {
    return code == mato::errc::already_running && code != mato::errc::busy && code == mato::cond::already_running;
}
bool catches(void (*thrower)(), int errc_of) {
    try {
        thrower();
    } catch (const mato::error& e) {
        return e.why().code == static_cast<mato::errc>(errc_of) && e.why().step == "write";
    } catch (...) {
    }
    return false;
}
} // namespace

extern "C" __attribute__((visibility("default"))) void describe(plugin& out) {
    out = {mato::errc::already_running, &typeid(mato::error), fail, understands, catches};
}
