// SPDX-License-Identifier: MIT
// Loads the given shared objects separately (RTLD_LOCAL), and lets each check the objects of the others.
#include "plugin.hpp"

#include <cstdio>
#include <dlfcn.h>
#include <vector>

int main(int argc, char** argv) {
    std::vector<plugin> plugins;
    for (int i = 1; i < argc; ++i) {
        void* object = ::dlopen(argv[i], RTLD_NOW | RTLD_LOCAL);
        if (!object) return std::fprintf(stderr, "%s\n", ::dlerror()), 1;
        plugin out{};
        reinterpret_cast<void (*)(plugin&)>(::dlsym(object, "describe"))(out);
        plugins.push_back(out);
    }
    int wrong = plugins.size() < 2;
    const auto check = [&](bool holds, const char* what) {
        if (!holds) std::fprintf(stderr, "does not hold: %s\n", what), ++wrong;
    };
    for (const plugin& made : plugins) {
        check(made.code == mato::errc::already_running, "the program knows a shared object's code");
        check(*made.error_type == typeid(mato::error), "one type of error");
        for (const plugin& judge : plugins) {
            check(judge.understands(made.code), "a shared object knows another's code");
            check(judge.catches(made.fail, static_cast<int>(mato::errc::slow_consumer)), "and catches its error");
#ifdef __GNUG__
#ifndef __clang__ // without STB_GNU_UNIQUE: codes of separately loaded objects compare by name only, as above
            check(judge.code == made.code, "two codes are equal");
#endif
#endif
        }
    }
    return wrong;
}
