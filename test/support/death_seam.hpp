// SPDX-License-Identifier: MIT
/// @file death_seam.hpp: a seam for sys.hpp that kills the process: with MATO_TEST_DEATH it dies where chosen_death.hpp says,
/// before or after a call or after a store. Compiled with -include into every file of a program built for that.
#pragma once

#include "chosen_death.hpp"

#include <cerrno>
#include <cstring>
#include <type_traits>
#include <unistd.h>

namespace death_seam {

/// The expansion of MATO_SYSTEM(name): called like the function itself.
template <class Real> class point {
public:
    constexpr point(const char* name, Real real) noexcept : name_(name), real_(real) {}

    template <class... Args> auto operator()(Args... args) const noexcept -> std::invoke_result_t<Real, Args...> {
        auto* const deaths = support::chosen_death::of_this_process();
        if (!deaths) return real_(args...);
        const int number = deaths->counted(name_);
        deaths->die_if_chosen(number, support::chosen_death::before, name_);
        const auto result = real_(args...);
        const int why = errno;
        deaths->die_if_chosen(number, support::chosen_death::after, name_);
        errno = why;
        return result;
    }

private:
    const char* name_;
    Real real_;
};

/// The `Steps` of the program's memory: each store is a call, with the kind of memory and its number there as a name.
struct steps {
    template <class Store> static void after(Store store) noexcept {
        auto* const deaths = support::chosen_death::of_this_process();
        if (!deaths) return;
        const char* const kind = std::strstr(__PRETTY_FUNCTION__, "slots_store")     ? "slots "
                                 : std::strstr(__PRETTY_FUNCTION__, "journal_store") ? "journal "
                                                                                     : "word ";
        char name[16] = {};
        std::strcpy(name, kind);
        name[std::strlen(kind)] = static_cast<char>('0' + static_cast<int>(store));
        const int number = deaths->counted(name);
        deaths->die_if_chosen(number, support::chosen_death::before, name);
        deaths->die_if_chosen(number, support::chosen_death::after, name); // nothing is between the two
    }
};

} // namespace death_seam

#define vfork fork // a vfork must not return from the function that called it, and a point is one
#define MUX_STORE_STEPS ::death_seam::steps
#define MATO_SYSTEM(name) ::death_seam::point(#name, [](auto... of_seam) noexcept { return ::name(of_seam...); })
