// SPDX-License-Identifier: MIT
/// @file toolkit_bench.cpp: the overhead of the toolkit over its system calls. Prints a table of ratios, for
/// docs/benchmarks.md.
///
/// "bare" is the same operation with the same guarantees in plain system calls: what a careful program would write
/// by hand. Pairs run in turns, many times; the table has the medians. Google Benchmark's options apply.
/// Starts are measured first: a starter is a small program, and memory that the others leave in the heap is copied at
/// fork(2). `toolkit_bench start` measures nothing else.
/// Operations without a bare counterpart of the same guarantees are listed below the table in ns,
/// with a plain copy that keeps nothing.
#include "toolkit/frames.hpp"
#include "toolkit/hello.hpp"
#include "toolkit/kept.hpp"
#include "toolkit/lock.hpp"
#include "toolkit/signal.hpp"
#include "toolkit/start.hpp"

#include <algorithm>
#include <cstdio>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <sys/prctl.h>
#include <vector>

namespace {

using namespace bench;

/// Collects the time per iteration of each run, instead of printing it.
class collector : public benchmark::ConsoleReporter {
public:
    void ReportRuns(const std::vector<Run>& runs) override {
        ConsoleReporter::ReportRuns(runs);
        for (const Run& run : runs)
            if (run.run_type == Run::RT_Iteration)
                times_[run.run_name.function_name].push_back(run.GetAdjustedRealTime() /
                                                             benchmark::GetTimeUnitMultiplier(run.time_unit) * 1e9);
    }
    [[nodiscard]] double median(const std::string& name) {
        auto& all = times_[name];
        if (all.empty()) return 0;
        std::nth_element(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2), all.end());
        return all[all.size() / 2];
    }

private:
    std::map<std::string, std::vector<double>> times_;
};

struct pair {
    const char* name;
    const char* shown;
    void (*toolkit)(State&);
    void (*bare)(State&);
};
constexpr pair pairs[] = {
    {"lock", "lock, acquire and release", lock_toolkit, lock_bare},
    {"client", "connect and hello, the client's side", client_toolkit, client_bare},
    {"server", "connect and hello, the daemon's side", server_toolkit, server_bare},
    {"encode", "encode 32 frames of 1 KiB", encode_toolkit, encode_bare},
    {"decode", "decode 32 frames of 1 KiB", decode_toolkit, decode_bare},
    {"signal", "signal to the code that handles it", signal_toolkit, signal_bare},
};
constexpr pair kept[] = {
    {"journal", "arm, copy 4095 bytes and commit in a read_journal", journal_toolkit, journal_bare},
    {"publish2k", "publish 2 KiB in two_slots", publish_toolkit<2 << 10>, publish_bare<2 << 10>},
    {"publish30k", "publish 30 KiB in two_slots", publish_toolkit<30 << 10>, publish_bare<30 << 10>},
};

} // namespace

int main(int argc, char** argv) {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1); // so that this process can wait for the started daemons
    const bool only_starts = argc == 2 && std::string_view(argv[1]) == "start";
    const start_times starts = argc == 1 || only_starts ? measure_starts(4000) : start_times{};
    const auto print = [](const char* shown, double toolkit, double bare) {
        if (bare > 0) std::printf("| %s | %.3g | %.2f |\n", shown, bare / 1000, toolkit / bare);
    };
    constexpr const char* start_shown = "start to ready, in the background";
    if (only_starts) return print(start_shown, starts.toolkit, starts.bare), 0;
    static_cast<void>(bare_server(), toolkit_server());
    for (const auto& list : {std::span(pairs).subspan(0), std::span(kept).subspan(0)})
        for (const pair& each : list)
            for (const auto& [suffix, function] : {std::pair{"/toolkit", each.toolkit}, {"/bare", each.bare}})
                benchmark::RegisterBenchmark((each.name + std::string(suffix)).c_str(), function);
    std::vector<char*> arguments(argv, argv + argc);
    std::string defaults[] = {"--benchmark_enable_random_interleaving=true", "--benchmark_repetitions=15",
                              "--benchmark_min_time=0.05"};
    for (auto& each : defaults) arguments.insert(arguments.begin() + 1, each.data());
    int count = static_cast<int>(arguments.size());
    benchmark::Initialize(&count, arguments.data());
    if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 64;
    collector times;
    benchmark::RunSpecifiedBenchmarks(&times);
    std::printf("\n| | bare, µs | over bare |\n|---|---:|---:|\n");
    for (const pair& each : pairs) {
        const double toolkit = times.median(std::string(each.name) + "/toolkit");
        const double bare = times.median(std::string(each.name) + "/bare");
        print(each.shown, toolkit, bare);
    }
    print(start_shown, starts.toolkit, starts.bare);
    for (const pair& each : kept)
        std::printf("%s: %.0f ns; the copy alone: %.0f ns\n", each.shown, times.median(std::string(each.name) + "/toolkit"),
                    times.median(std::string(each.name) + "/bare"));
}
