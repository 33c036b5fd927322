// SPDX-License-Identifier: MIT
// expect: publishing needs the held lock, an object with `bool is_held() const`
#include <mato/shared_path.hpp>

struct proof {
#ifdef FIXED
    bool is_held() const { return true; }
#endif
};
template mato::unique_fd mato::shared_path::publish<proof>(const proof&, const mato::publish_options&, mato::error_out);
