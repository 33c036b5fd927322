// SPDX-License-Identifier: MIT
// expect: a log sink needs `void write(std::string_view)`
#include <mato/log.hpp>

#ifdef FIXED
mato::basic_logger<mato::stderr_log> log_;
#else
struct printer {
    void print(std::string_view);
};
mato::basic_logger<printer> log_;
#endif
