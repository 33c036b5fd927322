// SPDX-License-Identifier: MIT
// expect: a lock mechanism needs static noexcept
#include <mato/lock.hpp>

struct half_a_lock {
    static int try_lock(int) noexcept { return 0; }
};
#ifdef FIXED
mato::basic_instance_lock<mato::null_lock> lock;
#else
mato::basic_instance_lock<half_a_lock> lock;
#endif
