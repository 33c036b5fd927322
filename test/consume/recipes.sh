#!/bin/sh
# Tests the recipes of cmake/vcpkg and cmake/conan without vcpkg, Conan or a network: recipes.sh WORK_DIRECTORY INSTALLED CMAKE
set -eu
work=$1
installed=$2
cmake=$3
root=$(CDPATH= cd -- "$(dirname -- "$0")/../.." && pwd)
rm -rf "$work"
mkdir -p "$work"

# vcpkg.json is JSON with our version; the portfile runs with substitutes for the commands of vcpkg.
cat >"$work/portfile.cmake" <<END
cmake_minimum_required(VERSION 3.23)
set(CURRENT_PACKAGES_DIR "$work/vcpkg")
function(vcpkg_cmake_configure)
    cmake_parse_arguments(PARSE_ARGV 0 arg "" "SOURCE_PATH" "OPTIONS")
    execute_process(COMMAND "$cmake" -S "\${arg_SOURCE_PATH}" -B "$work/build" "-DCMAKE_INSTALL_PREFIX=\${CURRENT_PACKAGES_DIR}"
        \${arg_OPTIONS} COMMAND_ERROR_IS_FATAL ANY OUTPUT_QUIET)
endfunction()
function(vcpkg_cmake_install)
    execute_process(COMMAND "$cmake" --install "$work/build" COMMAND_ERROR_IS_FATAL ANY OUTPUT_QUIET)
endfunction()
function(vcpkg_cmake_config_fixup)
    cmake_parse_arguments(PARSE_ARGV 0 arg "" "PACKAGE_NAME;CONFIG_PATH" "")
    if(NOT EXISTS "\${CURRENT_PACKAGES_DIR}/\${arg_CONFIG_PATH}/\${arg_PACKAGE_NAME}-config.cmake")
        message(FATAL_ERROR "CONFIG_PATH does not hold the package")
    endif()
endfunction()
function(vcpkg_fixup_pkgconfig)
endfunction()
function(vcpkg_install_copyright)
    cmake_parse_arguments(PARSE_ARGV 0 arg "" "" "FILE_LIST")
    file(COPY \${arg_FILE_LIST} DESTINATION "\${CURRENT_PACKAGES_DIR}/share/mato")
endfunction()
include("$root/cmake/vcpkg/mato/portfile.cmake")
END
"$cmake" -P "$work/portfile.cmake"
diff -r "$installed/include" "$work/vcpkg/include"

# The Conan recipe is Python that imports, finds the version and lists existing files.
mkdir -p "$work/conan/tools"
cat >"$work/conan/__init__.py" <<END
class ConanFile: pass
END
touch "$work/conan/tools/__init__.py"
echo 'def check_min_cppstd(recipe, standard): assert standard == 20' >"$work/conan/tools/build.py"
echo 'CMake = CMakeToolchain = cmake_layout = None' >"$work/conan/tools/cmake.py"
cat >"$work/conan/tools/files.py" <<END
import glob, os, shutil
def load(recipe, path): return open(path).read()
def copy(recipe, pattern, source, destination):
    found = glob.glob(os.path.join(source, pattern))
    assert found, pattern
    for path in found: (shutil.copytree if os.path.isdir(path) else shutil.copy)(path, os.path.join(destination, os.path.relpath(path, source)))
END
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$work:$root/cmake/conan python3 - "$root" "$work/sources" <<'END'
import json, os, re, sys
root, sources = sys.argv[1:]
version = re.search(r'STRING "(.*)"', open(root + "/include/mato/version.hpp").read()).group(1)
port = json.load(open(root + "/cmake/vcpkg/mato/vcpkg.json"))
assert port["version"] == version, "vcpkg.json says " + port["version"]
import conanfile
recipe = conanfile.MatoConan()
recipe.recipe_folder = root + "/cmake/conan"
recipe.export_sources_folder = sources
recipe.set_version()
assert recipe.version == version, "conanfile.py says " + recipe.version
recipe.validate()
for folder in ("include", "cmake"): os.makedirs(os.path.join(sources, folder))
recipe.export_sources()
END
# The listed files are sufficient for an installation.
"$cmake" -S "$work/sources" -B "$work/conan-build" -DMATO_BUILD_EXAMPLES=OFF -DMATO_BUILD_TESTS=OFF \
    -DCMAKE_INSTALL_PREFIX="$work/conan-package" >/dev/null
"$cmake" --install "$work/conan-build" >/dev/null
diff -r "$installed/include" "$work/conan-package/include"
