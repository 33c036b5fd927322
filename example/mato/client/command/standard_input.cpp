// SPDX-License-Identifier: MIT
#include "standard_input.hpp"

#include "client/cli.hpp"

#include <mato/error.hpp>
#include <mato/sys.hpp>

namespace mux {

std::string standard_input() {
    std::string bytes;
    char buffer[65'536];
    for (ssize_t got; (got = mato::sys::read(0, buffer, sizeof buffer)) != 0;) {
        if (got < 0) throw command_failure{1, "cannot read standard input: " + mato::last_error().message()};
        bytes.append(buffer, static_cast<std::size_t>(got));
    }
    return bytes;
}

} // namespace mux
