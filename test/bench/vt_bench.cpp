// SPDX-License-Identifier: MIT
/// @file vt_bench.cpp: the emulator compared with libvterm and with the bare pty, with the same payloads in one run.
/// Usage: vt_bench [--mb N] [--runs N] [LOAD…]
/// Runs are interleaved. For the emulators the best processor time counts: other load hardly matters. For
/// the pty the median elapsed time counts, because two processes and the kernel take part: it varies threefold with
/// their placement, so its ratio needs a quiet machine and many runs.
#include "vt/terminal.hpp"

#ifdef MATO_HAVE_VTERM
#include <vterm.h>
#endif

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <functional>
#include <pty.h>
#include <random>
#include <string>
#include <string_view>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <vector>

namespace {

using clock_type = std::chrono::steady_clock;
constexpr int rows = 24, columns = 80;
constexpr std::size_t read_size = 4095; // what a read of a pty gives at most

double seconds_of(const std::function<void()>& work) {
    const auto start = clock_type::now();
    work();
    return std::chrono::duration<double>(clock_type::now() - start).count();
}

double processor_seconds_of(const std::function<void()>& work) {
    const auto now = [] {
        timespec t{};
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
    };
    const double start = now();
    work();
    return now() - start;
}

class generator {
public:
    generator() {
        for (int i = 0; i < 4000; ++i) words_.push_back(word());
    }
    int below(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }
    const std::string& pick() { return words_[static_cast<std::size_t>(below(static_cast<int>(words_.size())))]; }

private:
    std::string word() {
        std::string w;
        for (int n = 2 + below(9); n > 0; --n) w += static_cast<char>('a' + below(26));
        return w;
    }
    std::mt19937 random_{7};
    std::vector<std::string> words_;
};

// Lines end as after a terminal's line discipline: CR LF.
std::string ascii(generator& g) {
    std::string s;
    for (int n = 3 + g.below(13); n > 0; --n) s += g.pick() + (n > 1 ? " " : "\r\n");
    return s;
}

std::string short_lines(generator&) {
    std::string s;
    for (int i = 0; i < 4096; ++i) s += "y\r\n";
    return s;
}

std::string unicode(generator& g) {
    static const char* const words[] = {"αβγδ", "эюя", "漢字", "かな", "한글", "é", "ñ", "🙂", "─│┌┐"};
    std::string s;
    for (int i = 0; i < 12; ++i) s += std::string(words[g.below(9)]) + (i < 11 ? " " : "\r\n");
    return s;
}

std::string sgr(generator& g) {
    std::string s;
    for (int i = 0; i < 8; ++i)
        s += "\x1b[38;5;" + std::to_string(g.below(256)) + ";48;5;" + std::to_string(g.below(256)) + "m" + g.pick();
    return s + "\x1b[0m\r\n";
}

std::string cursor(generator& g) {
    std::string s;
    for (int i = 0; i < 100; ++i)
        s += "\x1b[" + std::to_string(1 + g.below(23)) + ";" + std::to_string(1 + g.below(79)) + "H" +
             static_cast<char>('A' + g.below(25));
    return s;
}

std::string region(generator& g) {
    std::string s = "\x1b[5;20r\x1b[20;1H";
    for (int i = 0; i < 50; ++i) s += g.pick() + (i < 49 ? "\r\n" : "");
    return s + "\x1b[r";
}

std::string dense_cells(generator& g) {
    std::string s = "\x1b[H";
    const std::string letter(1, static_cast<char>('A' + g.below(26)));
    for (int r = 0; r < rows; ++r) {
        for (int c = 0; c < columns; ++c) {
            const int n = (r + c + g.below(8)) % 156;
            s += "\x1b[38;5;" + std::to_string(n) + ";48;5;" + std::to_string(255 - n) + ";1;3;4m" + letter;
        }
    }
    return s;
}

std::string region_scroll(generator& g) {
    std::string s = "\x1b[2;" + std::to_string(rows - 1) + "r\x1b[" + std::to_string(rows - 1) + ";1H";
    for (int i = 0; i < 200; ++i) s += "\r\n" + g.pick();
    return s + "\x1b[r";
}

std::string synchronised_frames(generator& g) {
    std::string s = "\x1b[?2026h\x1b[H\x1b[2J";
    for (int r = 1; r <= rows; ++r)
        s += "\x1b[" + std::to_string(r) + ";1H\x1b[3" + std::to_string(g.below(8)) + "m" + g.pick() + " " + g.pick();
    return s + "\x1b[m\x1b[?2026l";
}

struct load {
    const char* name;
    std::string (*piece)(generator&);
    double over_libvterm; // the required ratio; 0: none
    double over_pty;
};

constexpr load loads[] = {
    {"ascii", ascii, 20, 3},      {"short", short_lines, 20, 3},   {"unicode", unicode, 10, 3},
    {"sgr", sgr, 3, 3},           {"cursor", cursor, 3, 3},        {"region", region, 10, 3},
    {"dense", dense_cells, 0, 0}, {"scroll", region_scroll, 0, 0}, {"sync", synchronised_frames, 0, 0},
};

std::string payload(const load& l, std::size_t bytes) {
    generator g;
    std::string s;
    while (s.size() < bytes) s += l.piece(g);
    return s;
}

void each_read(std::string_view bytes, const std::function<void(std::string_view)>& take) {
    for (; !bytes.empty(); bytes.remove_prefix(std::min(read_size, bytes.size()))) take(bytes.substr(0, read_size));
}

double run_mato(const std::string& bytes) {
    mux::vt::terminal t({.size = {rows, columns}});
    return processor_seconds_of([&] { each_read(bytes, [&](std::string_view part) { t.feed(part); }); });
}

#ifdef MATO_HAVE_VTERM
double run_libvterm(const std::string& bytes) {
    VTerm* vt = vterm_new(rows, columns);
    vterm_set_utf8(vt, 1);
    VTermScreen* screen = vterm_obtain_screen(vt);
    vterm_screen_enable_altscreen(screen, 1);
    vterm_screen_reset(screen, 1);
    const double t = processor_seconds_of([&] {
        each_read(bytes, [&](std::string_view part) { vterm_input_write(vt, part.data(), part.size()); });
        vterm_screen_flush_damage(screen);
    });
    vterm_free(vt);
    return t;
}
#else
double run_libvterm(const std::string&) { return 0; }
#endif

// The kernel's terminal with the same bytes: a child writes like a program (ONLCR adds the CR again),
// this side reads and discards them.
double run_pty(const std::string& bytes) {
    std::string written;
    for (const char c : bytes)
        if (c != '\r') written += c;
    int master = -1;
    winsize size{};
    size.ws_row = rows;
    size.ws_col = columns;
    int pipe_ends[2];
    if (pipe(pipe_ends) != 0) return 0;
    const pid_t child = forkpty(&master, nullptr, nullptr, &size);
    if (child == 0) {
        char go = 0;
        if (read(pipe_ends[0], &go, 1) != 1) _exit(1);
        const char* p = written.data();
        std::size_t left = written.size();
        while (left > 0) {
            const ssize_t n = write(1, p, std::min<std::size_t>(left, 128 * 1024)); // like cat
            if (n <= 0) _exit(1);
            p += n;
            left -= static_cast<std::size_t>(n);
        }
        tcdrain(1);
        _exit(0);
    }
    const double t = seconds_of([&] {
        if (write(pipe_ends[1], "g", 1) != 1) return;
        char buffer[65536];
        std::size_t total = 0;
        while (total < bytes.size()) {
            const ssize_t n = read(master, buffer, sizeof buffer);
            if (n <= 0) break;
            total += static_cast<std::size_t>(n);
        }
    });
    close(master);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
    waitpid(child, nullptr, 0);
    return t;
}

double median(std::vector<double> rates) {
    std::sort(rates.begin(), rates.end());
    return rates.empty() ? 0 : rates[rates.size() / 2];
}

double best(const std::vector<double>& rates) { return rates.empty() ? 0 : *std::max_element(rates.begin(), rates.end()); }

void memory_and_reflow() {
    mux::vt::terminal empty({.size = {rows, columns}});
    std::printf("\nempty 80x24                    %8zu bytes\n", empty.memory_bytes());
    generator g;
    mux::vt::terminal t({.size = {rows, columns}});
    std::size_t text = 0;
    for (int i = 0; i < 10'000 + rows; ++i) { // 20 to 79 letters per line
        std::string line;
        for (int n = 20 + g.below(60); n > 0; --n) line += static_cast<char>('a' + g.below(26));
        if (i < 10'000) text += line.size() + 1;
        t.feed(line + "\r\n");
    }
    const auto history = static_cast<double>(t.memory_bytes() - empty.memory_bytes());
    std::printf("10 000 lines of history        %8.3f of their bytes\n", history / static_cast<double>(text));
    for (const int width : {40, 132, 80}) {
        std::size_t count = 0;
        const double s = seconds_of([&] {
            t.resize({rows, width});
            count = t.history_rows();
        });
        std::printf("reflow of 10 000 lines to %3d  %8.3f ms (%zu rows)\n", width, s * 1e3, count);
    }
    std::string mixed;
    for (int i = 0; i < 10'000 + rows; ++i) mixed += sgr(g) + unicode(g);
    mux::vt::terminal u({.size = {rows, columns}});
    u.feed(mixed);
    for (const int width : {40, 132}) {
        const double s = seconds_of([&] {
            u.resize({rows, width});
            (void)u.history_rows();
        });
        std::printf("the same, styled and wide, %3d %8.3f ms\n", width, s * 1e3);
    }
}

} // namespace

int main(int argc, char** argv) {
    std::size_t mb = 16;
    int runs = 5;
    std::vector<std::string> wanted;
    for (int i = 1; i < argc; ++i) {
        if (std::strcmp(argv[i], "--mb") == 0 && i + 1 < argc)
            mb = static_cast<std::size_t>(std::stoi(argv[++i]));
        else if (std::strcmp(argv[i], "--runs") == 0 && i + 1 < argc)
            runs = std::stoi(argv[++i]);
        else
            wanted.emplace_back(argv[i]);
    }
    std::printf("%-8s %10s %10s %10s %12s %8s\n", "load", "mato MiB/s", "libvterm", "bare pty", "/ libvterm", "/ pty");
    bool all_hold = true;
    for (const load& l : loads) {
        if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), l.name) == wanted.end()) continue;
        const std::string bytes = payload(l, mb << 20);
        // libvterm would take minutes for some loads; its rate does not depend on the length.
        const std::string part = bytes.substr(0, std::min<std::size_t>(bytes.size(), 1u << 20));
        std::vector<double> mato, vterm, pty;
        for (int i = 0; i < runs; ++i) {
            mato.push_back(static_cast<double>(bytes.size()) / run_mato(bytes) / (1 << 20));
            if (const double s = run_libvterm(part); s > 0) vterm.push_back(static_cast<double>(part.size()) / s / (1 << 20));
            if (const double s = run_pty(bytes); s > 0) pty.push_back(static_cast<double>(bytes.size()) / s / (1 << 20));
        }
        const double m = best(mato), v = best(vterm), p = median(pty);
        const bool holds = (v == 0 || m / v >= l.over_libvterm) && (p == 0 || m / p >= l.over_pty);
        all_hold = all_hold && holds;
        std::printf("%-8s %10.1f %10.1f %10.1f %12.1f %8.1f%s\n", l.name, m, v, p, v > 0 ? m / v : 0, p > 0 ? m / p : 0,
                    holds ? "" : "  BELOW");
    }
    if (wanted.empty()) memory_and_reflow();
    return all_hold ? 0 : 1;
}
