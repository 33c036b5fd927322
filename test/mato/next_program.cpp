// SPDX-License-Identifier: MIT
/// @file next_program.cpp: a program that an upgrade starts and that cannot take over, in the way that $HOME/behaviour says.
#include <mato/keeper.hpp>
#include <mato/policies.hpp>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <string>

int main() {
    mato::failure why;
    const auto from = mato::take_worker_environment(why);
    if (!from) return mato::exit_code::usage;
    const char* const home = std::getenv("HOME");
    std::ifstream file(std::string(home ? home : "") + "/behaviour");
    std::string behaviour;
    std::getline(file, behaviour);
    if (behaviour == "dies") ::raise(SIGKILL);
    while (behaviour == "hangs") ::pause();
    if (behaviour == "knows another format")
        mato::refuse_to_take_over(from, {mato::errc::version_mismatch, "restore tab", "tab 1", "format 9 is not known"});
    if (behaviour == "takes what is kept and dies") {
        static_cast<void>(mato::kept::take_over(from, why));
        ::raise(SIGKILL);
    }
    return 3;
}
