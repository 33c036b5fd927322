// SPDX-License-Identifier: MIT
/// @file progress.hpp: one line on standard error: the current measurement, its progress, and the remaining time.
#pragma once

#include "child.hpp"

#include <cstdio>
#include <string>

namespace bench {

class progress {
public:
    explicit progress(std::size_t steps) : steps_(steps) {}
    void step(const std::string& what) {
        const double seconds = std::chrono::duration<double>(clock_type::now() - start_).count();
        const double left = done_ == 0 ? 0 : seconds / static_cast<double>(done_) * static_cast<double>(steps_ - done_);
        ++done_;
        if (::isatty(2) == 0 && seconds < next_) return; // in a log, a line every ten seconds
        next_ = seconds + 10;
        std::fprintf(stderr, "%s%3zu %%  %3.0f s left  %-40s%s", start_of_line(), done_ * 100 / steps_, left, what.c_str(),
                     end());
    }
    void say(const std::string& what) { std::fprintf(stderr, "%s%-70s\n", start_of_line(), what.c_str()); }
    void done() const {
        if (::isatty(2) != 0) std::fprintf(stderr, "\r%70s\r", "");
    }

private:
    [[nodiscard]] static const char* start_of_line() { return ::isatty(2) != 0 ? "\r" : ""; }
    [[nodiscard]] static const char* end() { return ::isatty(2) != 0 ? "" : "\n"; }

    std::size_t steps_, done_ = 0;
    double next_ = 0;
    clock_type::time_point start_ = clock_type::now();
};

/// The first line of a command's output; empty if it cannot run.
[[nodiscard]] inline std::string first_line_of(const char* command) {
    std::string text;
    FILE* const from = ::popen(command, "re");
    if (!from) return text;
    for (int c; (c = std::fgetc(from)) != EOF && c != '\n';) text += static_cast<char>(c);
    while (std::fgetc(from) != EOF) {
    }
    ::pclose(from);
    return text;
}

} // namespace bench
