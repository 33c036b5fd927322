#!/bin/sh
# Tests one way to use the toolkit from another project: run.sh WORK_DIRECTORY STEP. CXX, CLANGXX and CMAKE select the tools.
# `package` runs first: it installs into a prefix that is then moved, and unpacks a .deb. The others use these.
set -eu
work=$1
step=$2
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH= cd -- "$here/../.." && pwd)
cmake=$(command -v "${CMAKE:-cmake}")
cxx=${CXX:-g++}
clangxx=${CLANGXX:-clang++}
strict="-std=c++20 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror"
version=$(sed -n 's/#define MATO_VERSION_STRING "\(.*\)"/\1/p' "$root/include/mato/version.hpp")

fail() { echo "consume: $*" >&2; exit 1; }
run() { # PROGRAM
    said=$("$1") || fail "$1 failed"
    case $said in *", $version") ;; *) fail "$1 said: $said" ;; esac
}
compile() { # COMPILER OUTPUT FLAGS…
    compiler=$1 output=$2
    shift 2
    # shellcheck disable=SC2086
    "$compiler" $strict "$@" "$here/consumer.cpp" -o "$output" -pthread
    run "$output"
}
configure() { # BUILD ARGUMENTS…
    build=$1
    shift
    rm -rf "$build"
    "$cmake" -S "$here" -B "$build" -DCMAKE_CXX_COMPILER="$cxx" "$@"
}
consumer() { # BUILD ARGUMENTS…
    configure "$@" >/dev/null
    "$cmake" --build "$1"
    run "$1/consumer"
}
refused() { # SENTENCE COMMAND…: the command must fail and print the sentence
    sentence=$1
    shift
    if "$@" >"$work/refused-$step.txt" 2>&1; then fail "this should have failed: $*"; fi
    tr -s '\n ' '  ' <"$work/refused-$step.txt" | grep -qF "$sentence" || { cat "$work/refused-$step.txt" >&2; fail "the output does not contain: $sentence"; }
}

mkdir -p "$work"
moved=$work/moved/to/here
deb=$work/deb
case $step in
package)
    rm -rf "$work/tree" "$work/prefix" "$work/moved" "$work/packages" "$deb"
    "$cmake" -S "$root" -B "$work/tree" -DCMAKE_CXX_COMPILER="$cxx" -DMATO_BUILD_TESTS=OFF -DMATO_BUILD_EXAMPLES=OFF \
        -DCMAKE_INSTALL_PREFIX="$work/prefix" >/dev/null
    "$cmake" --install "$work/tree" >/dev/null
    mkdir -p "$(dirname "$moved")"
    mv "$work/prefix" "$moved"
    if grep -rlF -e "$work" -e "$root" "$moved"; then fail "the installed files above name the machine's directories"; fi
    (cd "$work/tree" && "$(dirname "$cmake")/cpack" -G DEB -B "$work/packages" >/dev/null)
    if ! command -v dpkg-deb >/dev/null 2>&1; then fail "dpkg-deb is missing"; fi
    for package in "$work"/packages/*.deb; do
        dpkg-deb -x "$package" "$deb"
        case $(dpkg-deb -f "$package" Package Version Architecture | tr '\n' ' ') in
        *"libmato-dev Version: $version"*"Architecture: all "*) ;;
        *) fail "unexpected package: $(dpkg-deb -f "$package")" ;;
        esac
    done
    (cd "$root/include" && find mato -name '*.hpp') | while read -r header; do
        cmp "$root/include/$header" "$moved/include/$header"
        cmp "$root/include/$header" "$deb/usr/include/$header"
    done
    ;;
find_package) consumer "$work/find_package" -DWAY=find_package -DWITH_TOML=ON -DCMAKE_PREFIX_PATH="$moved" ;;
core) consumer "$work/core" -DWAY=core -DCMAKE_PREFIX_PATH="$deb/usr" -DCMAKE_DISABLE_FIND_PACKAGE_asio=ON ;;
core_from_source) # where asio can neither be found nor fetched
    for way in add_subdirectory fetch_content; do
        consumer "$work/core_$way" -DWAY="core_$way" -DMATO_SOURCE="$root" -DFETCHCONTENT_SOURCE_DIR_MATO="$root" \
            -DFETCHCONTENT_FULLY_DISCONNECTED=ON -DCMAKE_DISABLE_FIND_PACKAGE_asio=ON
    done
    ;;
fetched_asio) # it is fetched for a project that links with mato::mato: a copy takes the place of the network
    rm -rf "$work/asio"
    mkdir -p "$work/asio/asio/include"
    for found in $(echo '#include <asio/version.hpp>' | "$cxx" -std=c++20 -E -x c++ - | grep -o '"[^"]*/asio/version.hpp"' | head -n 1 | tr -d '"'); do
        ln -s "${found%/version.hpp}" "$work/asio/asio/include/asio"
        ignored=${found%/asio/version.hpp}
    done
    for way in add_subdirectory fetch_content; do
        consumer "$work/asio_$way" -DWAY=$way -DMATO_SOURCE="$root" -DFETCHCONTENT_SOURCE_DIR_MATO="$root" \
            -DCMAKE_IGNORE_PATH="$ignored" -DFETCHCONTENT_SOURCE_DIR_ASIO_SOURCE="$work/asio" -DFETCHCONTENT_FULLY_DISCONNECTED=ON
        grep -q "^asio_INCLUDE_DIR:PATH=$work/asio/asio/include" "$work/asio_$way/CMakeCache.txt" || fail "asio was not fetched"
    done
    ;;
pkg_config)
    # The package is unpacked, not installed, so pkg-config must not drop the -I of /usr/include.
    export PKG_CONFIG_PATH="$deb/usr/share/pkgconfig"
    [ "$(pkg-config --modversion mato)" = "$version" ] || fail "pkg-config: wrong version"
    # shellcheck disable=SC2046
    compile "$cxx" "$work/pkg_config" $(pkg-config --cflags mato)
    pkg-config --cflags --libs mato-toml | grep -q 'MATO_WITH_TOML' || fail "pkg-config: mato-toml"
    ;;
add_subdirectory) cxx=$clangxx consumer "$work/add_subdirectory" -DWAY=add_subdirectory -DMATO_SOURCE="$root" ;;
fetch_content)
    consumer "$work/fetch_content" -DWAY=fetch_content -DFETCHCONTENT_FULLY_DISCONNECTED=ON -DFETCHCONTENT_SOURCE_DIR_MATO="$root"
    ;;
single_header) compile "$cxx" "$work/single_header" -I"$root/single_include" ;;
single_header_clang) compile "$clangxx" "$work/single_header_clang" -I"$root/single_include" ;;
told_at_configure)
    refused "mato: asio was not found. Install it" \
        configure "$work/told" -DWAY=find_package -DCMAKE_PREFIX_PATH="$moved" -DCMAKE_DISABLE_FIND_PACKAGE_asio=ON
    refused "mato: toml++ was not found. Install it" \
        configure "$work/told" -DWAY=toml -DCMAKE_PREFIX_PATH="$moved" -DCMAKE_DISABLE_FIND_PACKAGE_tomlplusplus=ON
    refused "mato: chriskohlhoff/asio was not found and fetching is switched off" \
        configure "$work/told" -DWAY=add_subdirectory -DMATO_SOURCE="$root" -DFETCHCONTENT_FULLY_DISCONNECTED=ON \
        -DCMAKE_DISABLE_FIND_PACKAGE_asio=ON
    ;;
told_at_compile)
    # The compiler's include directories; for one with asio or toml++, a directory of links without them.
    rm -rf "$work/without"
    flags=-nostdinc
    number=0
    for directory in $("$cxx" -std=c++20 -E -v -x c++ /dev/null 2>&1 >/dev/null | sed -n '/^#include </,/^End/p' | grep '^ '); do
        if [ -e "$directory/asio" ] || [ -e "$directory/toml++" ]; then
            number=$((number + 1))
            mkdir -p "$work/without/$number"
            ln -s "$directory"/* "$work/without/$number/"
            rm -f "$work/without/$number"/asio* "$work/without/$number"/toml++
            directory=$work/without/$number
        fi
        flags="$flags -isystem $directory"
    done
    for way in "-I$root/include" "-I$root/single_include"; do
        for header in daemon mato; do
            case $way$header in *single_includedaemon) continue ;; esac
            echo "#include <mato/$header.hpp>" >"$work/told.cpp"
            # shellcheck disable=SC2086
            refused "mato: asio was not found, install it" "$cxx" -std=c++20 $flags "$way" -E "$work/told.cpp"
            refused "mato: needs C++20, compile with -std=c++20" "$cxx" -std=c++17 "$way" -E "$work/told.cpp"
            refused "mato: needs C++20, compile with -std=c++20" "$clangxx" -std=c++17 "$way" -E "$work/told.cpp"
            refused "mato: needs a Unix system" "$cxx" -std=c++20 -U__unix__ "$way" -E "$work/told.cpp"
        done
    done
    echo "#include <mato/config.hpp>" >"$work/told.cpp"
    # shellcheck disable=SC2086
    refused "mato: toml++ was not found, install it" "$cxx" -std=c++20 $flags "-I$root/include" -E "$work/told.cpp"
    echo "#include <mato/lock.hpp>" >"$work/told.cpp" # and what needs neither compiles without them
    # shellcheck disable=SC2086
    "$cxx" -std=c++20 $flags "-I$root/include" -fsyntax-only "$work/told.cpp"
    ;;
recipes) # for package managers that are not installed: parsing and dry runs
    sh "$here/recipes.sh" "$work/recipes" "$moved" "$cmake"
    ;;
*) fail "unknown step $step" ;;
esac
