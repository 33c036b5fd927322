// SPDX-License-Identifier: MIT
#include "version.hpp"

#include <cstdio>

int main() {
    const sides a = this_version(), b = other_version();
    std::printf("%s %lu %s\n%s %lu %s\n", a.name.c_str(), a.bytes, a.message.c_str(), b.name.c_str(), b.bytes,
                b.message.c_str());
    return a.name != b.name && a.message == "ask /a/path: busy" && b.message == a.message ? 0 : 1;
}
