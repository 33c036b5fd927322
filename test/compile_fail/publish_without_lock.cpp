// SPDX-License-Identifier: MIT
// expect: publishing needs the held lock, an object with `bool is_held() const`
#include <mato/endpoint.hpp>
#include <mato/lock.hpp>

mato::unique_fd serve(mato::owned_path& endpoint, mato::error_out out) {
#ifdef FIXED
    const mato::instance_lock lock = mato::instance_lock::acquire("app.lock", out);
#else
    const bool lock = true; // a claim instead of a lock
#endif
    return endpoint.publish(lock, {}, out);
}
