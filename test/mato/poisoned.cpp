// SPDX-License-Identifier: MIT
/// @file poisoned.cpp: an emulator that aborts when it is fed "<POISON>". The linker puts it in the place of the real one.
#include "vt/terminal.hpp"

#include <cstdlib>
#include <map>
#include <string>

namespace {

/// The text may come in pieces.
void look(const void* terminal, std::string_view bytes) {
    static constexpr std::string_view poison = "<POISON>";
    static std::map<const void*, std::string> fed;
    std::string& last = fed[terminal];
    last += bytes;
    if (last.find(poison) != std::string::npos) std::abort();
    if (last.size() >= poison.size()) last.erase(0, last.size() - poison.size() + 1);
}

} // namespace

extern "C" {
void __real__ZN3mux2vt8terminal4feedESt17basic_string_viewIcSt11char_traitsIcEENSt6chrono8durationIlSt5ratioILl1ELl1000EEEE(
    mux::vt::terminal*, std::string_view, mux::vt::moment);
void __wrap__ZN3mux2vt8terminal4feedESt17basic_string_viewIcSt11char_traitsIcEENSt6chrono8durationIlSt5ratioILl1ELl1000EEEE(
    mux::vt::terminal* self, std::string_view bytes, mux::vt::moment now);
std::size_t
__real__ZN3mux2vt8terminal9feed_someESt17basic_string_viewIcSt11char_traitsIcEENSt6chrono8durationIlSt5ratioILl1ELl1000EEEEl(
    mux::vt::terminal*, std::string_view, mux::vt::moment, std::int64_t);
std::size_t
__wrap__ZN3mux2vt8terminal9feed_someESt17basic_string_viewIcSt11char_traitsIcEENSt6chrono8durationIlSt5ratioILl1ELl1000EEEEl(
    mux::vt::terminal* self, std::string_view bytes, mux::vt::moment now, std::int64_t work);
}

void __wrap__ZN3mux2vt8terminal4feedESt17basic_string_viewIcSt11char_traitsIcEENSt6chrono8durationIlSt5ratioILl1ELl1000EEEE(
    mux::vt::terminal* self, std::string_view bytes, mux::vt::moment now) {
    look(self, bytes);
    __real__ZN3mux2vt8terminal4feedESt17basic_string_viewIcSt11char_traitsIcEENSt6chrono8durationIlSt5ratioILl1ELl1000EEEE(
        self, bytes, now);
}

std::size_t
__wrap__ZN3mux2vt8terminal9feed_someESt17basic_string_viewIcSt11char_traitsIcEENSt6chrono8durationIlSt5ratioILl1ELl1000EEEEl(
    mux::vt::terminal* self, std::string_view bytes, mux::vt::moment now, std::int64_t work) {
    look(self, bytes);
    return __real__ZN3mux2vt8terminal9feed_someESt17basic_string_viewIcSt11char_traitsIcEENSt6chrono8durationIlSt5ratioILl1ELl1000EEEEl(
        self, bytes, now, work);
}
