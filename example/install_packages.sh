#!/bin/sh
# Installs missing packages that building mato needs. Usage: install_packages.sh [build|test|bench]
# Installs them on Debian 12 and Ubuntu 24.04 or newer. On other systems it lists what to install.
set -eu
what=${1:-build}

apt_build="g++ cmake ninja-build libasio-dev libtomlplusplus-dev libcxxopts-dev libncurses-dev libre2-dev"
apt_test="$apt_build catch2 asciinema git clang clang-format libclang-rt-14-dev libvterm-dev libbenchmark-dev procps valgrind pkg-config doxygen python3"
# Programs that tests run in a tab.
apt_test="$apt_test mandoc vim nano less htop mc tmux vttest zsh fish"
# Terminals for tests that check what a client leaves on the screen.
apt_test="$apt_test xterm xvfb"
# A broker and its library, for the example of a NATS edge.
apt_test="$apt_test libnats-dev nats-server"
# Another standard library and another asio, with which test/matrix.sh compiles.
apt_test="$apt_test libc++-dev libc++abi-dev libboost-dev"
# Programs that the benchmarks compare with. (Debian starts redis-server as a service on installation; the benchmark starts its own.)
apt_bench="$apt_build libvterm-dev libbenchmark-dev libzmq3-dev libnng-dev libevent-dev redis-server dtach screen tmux"

case $what in test) wanted=$apt_test ;; bench) wanted=$apt_bench ;; *) wanted=$apt_build ;; esac

if command -v apt-get >/dev/null 2>&1; then
    missing=
    for package in $wanted; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' && continue
        # The sanitizers' runtime carries the compiler's version in its name.
        if [ "$package" = libclang-rt-14-dev ] && ls /usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-*.a >/dev/null 2>&1; then continue; fi
        missing="$missing $package"
    done
    [ -n "$missing" ] || exit 0
    echo "installing:$missing" >&2
    if [ "$(id -u)" = 0 ]; then as_root=; else as_root=sudo; fi
    export DEBIAN_FRONTEND=noninteractive
    $as_root apt-get update -qq >&2
    case " $missing " in *libclang-rt-14-dev*)
        if ! apt-cache show libclang-rt-14-dev >/dev/null 2>&1; then
            newest=$(apt-cache search --names-only '^libclang-rt-[0-9]+-dev$' | awk '{print $1}' | sort -V | tail -n 1)
            missing=$(echo "$missing" | sed "s/libclang-rt-14-dev/$newest/")
        fi ;;
    esac
    # shellcheck disable=SC2086
    $as_root apt-get install -y -qq --no-install-recommends $missing >&2
    exit 0
fi

have_all=true
for tool in c++ cmake ninja; do command -v $tool >/dev/null 2>&1 || have_all=false; done
$have_all && exit 0 # libraries that are missing are fetched by CMake
{
    echo "mato: install a C++20 compiler, CMake 3.23 or newer, Ninja, asio, toml++, cxxopts, ncurses, RE2 and (for tests) Catch2, then run this again:"
    echo "  dnf install gcc-c++ cmake ninja-build asio-devel tomlplusplus-devel cxxopts-devel ncurses-devel re2-devel catch-devel clang compiler-rt"
    echo "  pacman -S gcc cmake ninja asio tomlplusplus cxxopts ncurses re2 catch2 clang compiler-rt"
    echo "  brew install cmake ninja asio tomlplusplus cxxopts ncurses re2 catch2"
} >&2
exit 69
