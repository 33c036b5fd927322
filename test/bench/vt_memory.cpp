// SPDX-License-Identifier: MIT
/// @file vt_memory.cpp: the largest memory use of the emulator, for worst-case input.
/// Usage: vt_memory [--mb N] [INPUT…]   N MiB of each input, 100 if not given. Exit status 1: a limit is exceeded.
/// Each input has its own process, so that the measured memory belongs to this input.
#include "vt/terminal.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace {

using mux::vt::terminal;

// 80x24, default limits: history 16 MiB and a block, events 16, one string 8, links 9, two screens of clusters 1.
constexpr std::size_t bound = 56u << 20;
// Growth of the process: the same, plus memory that the allocator keeps from a growing string.
constexpr std::size_t resident_bound = 80u << 20;
// Any size: two screens of 1024x2048, and the history of one of them.
constexpr std::size_t resize_bound = 64u << 20;
constexpr std::size_t read_size = 4095; // what a read of a pty gives at most

class source {
public:
    unsigned below(unsigned n) { return static_cast<unsigned>(random_() % n); }

    std::string repeated(std::string_view piece) const {
        std::string s;
        while (s.size() < chunk) s += piece;
        return s;
    }

    std::string noise() {
        std::string s(chunk, '\0');
        for (char& c : s) c = static_cast<char>(random_());
        return s;
    }

    // Random bytes that are mostly parts of sequences.
    std::string sequences() {
        static const char* const parts[] = {"\x1b[",    "\x1b]", "\x1bP",      "\x1b_G", "\x1b\\", "\a",   ";",  ":",
                                            "1",        "8",     "38;2;1;2;3", "m",      "H",      "J",    "L",  "@",
                                            "r",        "h",     "l",          "?1049",  "\r\n",   "a",    "漢", "🙂",
                                            "\xcc\x81", "\xff",  "é",          "$y",     "8;;",    "52;c;"};
        std::string s;
        while (s.size() < chunk) s += parts[below(static_cast<unsigned>(std::size(parts)))];
        return s;
    }

    std::string links() {
        std::string s;
        while (s.size() < chunk) {
            s += "\x1b]8;;" + std::string(2000, 'u');
            s += std::to_string(next_++) + "\ax";
        }
        return s;
    }

private:
    static constexpr std::size_t chunk = 1u << 20;
    std::mt19937 random_{11};
    unsigned next_ = 0;
};

std::string image(source& s) { return s.repeated("\x1b_G" + std::string(4000, 'A') + "\x1b\\"); }

struct input {
    const char* name;
    std::string (*piece)(source&);
};

constexpr input inputs[] = {
    {"marks", [](source& s) { return s.repeated("\xcc\x81\xcc\x82"); }},
    {"marks-on-letters", [](source& s) { return s.repeated("a\xcc\x81\xcc\x82\xcc\x83"); }},
    {"sgr", [](source& s) { return s.repeated("\x1b[38;2;1;2;3;48;5;9m"); }},
    {"a-style-a-letter", [](source& s) { return s.repeated("\x1b[38;2;1;2;3ma\x1b[48;2;3;2;1mb"); }},
    {"osc", [](source& s) { return s.repeated("\x1b]0;a title\a"); }},
    {"endless-osc", [](source&) { return "\x1b]52;c;" + std::string(1u << 20, 'x'); }},
    {"images", image},
    {"links", [](source& s) { return s.links(); }},
    {"questions", [](source& s) { return s.repeated("\x1b[c\x1b[6n\x1b]4;1;?\a"); }},
    {"one-line", [](source& s) { return s.repeated("漢"); }},
    {"random", [](source& s) { return s.noise(); }},
    {"random-sequences", [](source& s) { return s.sequences(); }},
    {"together",
     [](source& s) {
         return s.links() + image(s) + s.repeated("a\xcc\x81\xcc\x82漢\x1b[31mb") + "\x1b_G" + std::string(4u << 20, 'A');
     }},
};

std::size_t resident_peak() {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    return static_cast<std::size_t>(used.ru_maxrss) * 1024; // Linux: KiB
}

double mib(std::size_t bytes) { return static_cast<double>(bytes) / (1 << 20); }

bool report(const char* name, double fed, const char* unit, double seconds, std::size_t own, std::size_t resident,
            std::size_t most, std::size_t most_resident) {
    const bool holds = own <= most && resident <= most_resident;
    std::printf("%-18s %8.0f %-8s %8.2f %12.2f %12.2f%s\n", name, fed, unit, seconds, mib(own), mib(resident),
                holds ? "" : "  ABOVE");
    return holds;
}

bool feed(const input& in, std::size_t mb) {
    source s;
    const auto start = std::chrono::steady_clock::now();
    std::size_t most = 0, fed = 0;
    std::string chunk = in.piece(s);
    const std::size_t before = resident_peak();
    terminal t;
    for (; fed < mb << 20; chunk = in.piece(s)) {
        for (std::size_t i = 0; i < chunk.size(); i += read_size) t.feed(std::string_view(chunk).substr(i, read_size));
        fed += chunk.size();
        most = std::max(most, t.memory_bytes());
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const std::size_t resident = resident_peak() - before;
    return report(in.name, mib(fed), "MiB", seconds, most, resident, bound, resident_bound) && t.is_valid();
}

// A hundred resizes per MiB, between any two sizes; a huge screen is full of text.
bool resize(std::size_t mb) {
    source s;
    const auto start = std::chrono::steady_clock::now();
    const std::size_t before = resident_peak();
    terminal t;
    std::size_t most = 0;
    const std::size_t count = mb * 100;
    for (std::size_t i = 0; i < count; ++i) {
        const bool huge = s.below(500) == 0;
        t.resize({1 + static_cast<int>(s.below(huge ? 1024 : 100)), 1 + static_cast<int>(s.below(huge ? 2048 : 250))});
        t.feed(huge               ? "\x1b#8"
               : s.below(50) == 0 ? "\x1b[?1049h"
               : s.below(50) == 0 ? "\x1b[?1049l"
                                  : "text, 漢字 and more\r\n");
        if (huge) most = std::max(most, t.memory_bytes());
    }
    most = std::max(most, t.memory_bytes());
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const std::size_t resident = resident_peak() - before;
    return report("resizes", static_cast<double>(count), "resizes", seconds, most, resident, resize_bound, resize_bound) &&
           t.is_valid();
}

template <class Work> bool alone(Work work) {
    std::fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        const bool holds = work();
        std::fflush(stdout);
        _exit(holds ? 0 : 1);
    }
    int status = 0;
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

} // namespace

int main(int argc, char** argv) {
    std::size_t mb = 100;
    std::vector<std::string> wanted;
    for (int i = 1; i < argc; ++i) {
        if (std::strcmp(argv[i], "--mb") == 0 && i + 1 < argc)
            mb = static_cast<std::size_t>(std::stoi(argv[++i]));
        else
            wanted.emplace_back(argv[i]);
    }
    const auto is_wanted = [&](const char* name) {
        return wanted.empty() || std::find(wanted.begin(), wanted.end(), name) != wanted.end();
    };
    std::printf("%-18s %17s %8s %12s %12s\n", "input", "fed", "s", "own MiB", "resident");
    bool all_hold = true;
    for (const input& in : inputs)
        if (is_wanted(in.name)) all_hold = alone([&] { return feed(in, mb); }) && all_hold;
    if (is_wanted("resizes")) all_hold = alone([&] { return resize(mb); }) && all_hold;
    return all_hold ? 0 : 1;
}
