// SPDX-License-Identifier: MIT
// Uses only the part of the toolkit that needs no asio.
#include <mato/lock.hpp>
#include <mato/version.hpp>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

int main() {
    char name[] = "/tmp/mato-consumer-XXXXXX";
    if (!::mkdtemp(name)) return 1;
    const std::filesystem::path path = std::filesystem::path(name) / "app.lock";
    mato::instance_lock lock = mato::instance_lock::acquire(path);
    if (mato::instance_lock::try_acquire(path)) return 1; // held, although by this process
    lock.release();
    if (!std::filesystem::remove(name)) return 1; // no file is left
    std::puts("consumer: locked and released, " MATO_VERSION_STRING);
}
