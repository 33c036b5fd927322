"""Conan 2 recipe for this source tree: conan create MATO/cmake/conan"""

import os
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load


class MatoConan(ConanFile):
    name = "mato"
    description = "Policy-based C++20 templates for Unix daemons and their clients"
    license = "MIT"
    topics = ("daemon", "unix-socket", "header-only")
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"with_toml": [True, False]}
    default_options = {"with_toml": True}
    no_copy_source = True

    @property
    def _tree(self):
        return os.path.join(self.recipe_folder, os.pardir, os.pardir)

    def set_version(self):
        text = load(self, os.path.join(self._tree, "include", "mato", "version.hpp"))
        self.version = re.search(r'MATO_VERSION_STRING "([0-9.]+)"', text).group(1)

    def export_sources(self):
        for pattern in ("CMakeLists.txt", "LICENSE", "include/*", "cmake/*"):
            copy(self, pattern, self._tree, self.export_sources_folder)

    def layout(self):
        cmake_layout(self)

    def requirements(self):
        self.requires("asio/[>=1.22]", transitive_headers=True)
        if self.options.with_toml:
            self.requires("tomlplusplus/[>=3.3]", transitive_headers=True)

    def validate(self):
        check_min_cppstd(self, 20)

    def package_id(self):
        self.info.clear()

    def generate(self):
        toolchain = CMakeToolchain(self)
        for option, value in {"EXAMPLES": "OFF", "TESTS": "OFF"}.items():
            toolchain.cache_variables[f"MATO_BUILD_{option}"] = value
        toolchain.cache_variables["asio_INCLUDE_DIR"] = self.dependencies["asio"].cpp_info.includedirs[0]
        toolchain.generate()

    def build(self):
        CMake(self).configure()

    def package(self):
        CMake(self).install()
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))

    def package_info(self):
        self.cpp_info.bindirs = []
        self.cpp_info.libdirs = []
        self.cpp_info.set_property("cmake_file_name", "mato")
        core = self.cpp_info.components["core"]
        core.set_property("cmake_target_name", "mato::core")
        core.system_libs = ["pthread"]
        mato = self.cpp_info.components["mato"]
        mato.set_property("cmake_target_name", "mato::mato")
        mato.requires = ["core", "asio::asio"]
        mato.defines = ["ASIO_STANDALONE"]
        if self.options.with_toml:
            toml = self.cpp_info.components["toml"]
            toml.set_property("cmake_target_name", "mato::toml")
            toml.requires = ["core", "tomlplusplus::tomlplusplus"]
            toml.defines = ["MATO_WITH_TOML"]
