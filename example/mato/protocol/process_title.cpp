// SPDX-License-Identifier: MIT
#include "process_title.hpp"

#if __has_include(<sys/prctl.h>)
#include <sys/prctl.h>
#endif

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace mux {
namespace {

char* arguments = nullptr;
std::size_t argument_bytes = 0; // including the last NUL

} // namespace

void remember_arguments(int argc, char** argv) noexcept {
    if (argc < 1) return;
    char* end = argv[0];
    for (int i = 0; i < argc && argv[i] == end; ++i) end += std::strlen(end) + 1; // the kernel stores them one after another
    arguments = argv[0];
    argument_bytes = static_cast<std::size_t>(end - argv[0]);
}

void set_process_title(const char* title) noexcept {
#ifdef PR_SET_NAME
    ::prctl(PR_SET_NAME, title);
#endif
    if (!arguments) return;
    const std::size_t size = std::min(std::strlen(title), argument_bytes - 1);
    std::memset(arguments, 0, argument_bytes);
    std::memcpy(arguments, title, size);
}

} // namespace mux
