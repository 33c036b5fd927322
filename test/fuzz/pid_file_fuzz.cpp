// SPDX-License-Identifier: MIT
/// @file pid_file_fuzz.cpp: any text of a pid file gives the positive pid that it spells, or nothing.
#include <mato/pid_file.hpp>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const pid_t pid = mato::pid_file::parse(text);
    if (pid < 0) std::abort(); // kill(2) would signal a group
    if (pid == 0) return 0;
    std::string_view digits = text;
    if (digits.ends_with('\n')) digits.remove_suffix(1);
    while (digits.starts_with('0')) digits.remove_prefix(1);
    if (digits != std::to_string(pid)) std::abort();
    if (mato::pid_file::parse(std::to_string(pid) + "\n") != pid) std::abort();
    return 0;
}
