// SPDX-License-Identifier: MIT
/// @file fault_signals_test.cpp: every call of the signal sources fails once; mask and dispositions are restored.
#include "support/fault.hpp"

#include <mato/signals.hpp>

namespace {
sigset_t mask_now() {
    sigset_t now;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &now);
    return now;
}

bool same(const sigset_t& one, const sigset_t& other) {
    for (int signal = 1; signal < NSIG; ++signal)
        if (sigismember(&one, signal) != sigismember(&other, signal)) return false;
    return true;
}
} // namespace

TEMPLATE_TEST_CASE("opening a signal source survives every fault", "[signals][fault]", mato::signalfd_source,
                   mato::self_pipe_source) {
    struct ::sigaction disposition_before {};
    ::sigaction(SIGUSR1, nullptr, &disposition_before);
    const sigset_t before = mask_now();
    const int failed = fault::sweep(
        [&](const std::filesystem::path&) {
            mato::failure why;
            {
                auto source = TestType::open(mato::make_signal_set({SIGUSR1}), why);
                CHECK((source.native_handle() == -1) == static_cast<bool>(why));
                if (why) CHECK_FALSE(source.try_next());
            }
            ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
            return why;
        },
        {.names_path = false});
    CHECK(failed >= 3);
    struct ::sigaction disposition_after {};
    ::sigaction(SIGUSR1, nullptr, &disposition_after);
    CHECK(disposition_after.sa_handler == disposition_before.sa_handler);
}

TEMPLATE_TEST_CASE("without a free descriptor the mask and the dispositions are unchanged", "[signals][fault]",
                   mato::signalfd_source, mato::self_pipe_source) {
    const sigset_t before = mask_now();
    fault::start();
    for (const char* call : {"signalfd", "pipe2"}) {
        fault::fail_all(call, EMFILE);
        mato::failure why;
        const auto source = TestType::open(mato::make_signal_set({SIGUSR1, SIGTERM}), why);
        const bool own_call = std::is_same_v<TestType, mato::signalfd_source> == (std::string_view(call) == "signalfd");
        CHECK(static_cast<bool>(why) == own_call);
        if (why) {
            CHECK(why.code.value() == EMFILE);
            CHECK_FALSE(why.step.empty());
            CHECK(same(before, mask_now()));
        }
    }
    fault::start();
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEMPLATE_TEST_CASE("a failed read loses no signal", "[signals][fault]", mato::signalfd_source, mato::self_pipe_source) {
    const sigset_t before = mask_now();
    fault::start();
    mato::failure why;
    auto source = TestType::open(mato::make_signal_set({SIGUSR1}), why);
    REQUIRE_FALSE(why);
    REQUIRE(::raise(SIGUSR1) == 0);
    fault::fail_all("read", EIO);
    auto got = source.try_next();
    fault::start();
    if (!got) got = source.try_next();
    CHECK(got == SIGUSR1);
    CHECK_FALSE(source.try_next());
    source.close();
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}
