// SPDX-License-Identifier: MIT
/// @file fault_signal_each_test.cpp: a process is signalled if pidfds, or signals through them, are refused.
#include "support/fault.hpp"

#include "../../example/mato/pty/process_tree.cpp"

#include "support/catch.hpp"
#include "support/child_process.hpp"

TEST_CASE("a process gets its signal with pidfd_open and pidfd_send_signal refused", "[process_tree][fault]") {
    for (const int why : {EPERM, ENOSYS, 0}) {
        support::child_process sleeper([] {
            ::pause();
            return 0;
        });
        const auto members = mux::members_of_session(::getsid(0));
        std::vector<mux::process_id> one;
        for (const auto& each : members)
            if (each.pid == sleeper.pid()) one.push_back(each);
        REQUIRE(one.size() == 1);
        if (why != 0) fault::fail_all("syscall", why);
        mux::signal_each(one, SIGKILL);
        fault::start();
        CHECK(sleeper.wait() == -SIGKILL);
    }
}
