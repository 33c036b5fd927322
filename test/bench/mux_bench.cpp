// SPDX-License-Identifier: MIT
/// @file mux_bench.cpp: mato compared with the bare terminal, one hop, dtach, abduco, screen and tmux, measured in a user's
/// terminal. Usage: mux_bench --mato PROGRAM [--quick] [--peers NAME,…] [--measures NAME,…] [--write DIRECTORY]
///        [--variant NAME=PROGRAM[;SETTING;…]]...
///
/// A variant is one more column: another build of mato, or the same with lines of config.toml, for example
/// `--variant 'alone=build/release/mato;survive = false'`. With variants, ratios are relative to the first variant.
///
/// Each measure runs in its own session with a client in an 80x24 terminal. Runs are interleaved, so ratios are valid on a
/// machine that varies. Processes started by a session are marked, and all of them are ended.
#include "mux/hop.hpp"
#include "mux/results.hpp"

#include <unistd.h>

namespace {

using namespace bench;

constexpr std::size_t mebibyte = std::size_t{1} << 20;

std::vector<double> values(const samples& of) {
    std::vector<double> all;
    of.each([&](double value) { all.push_back(value); });
    return all;
}

std::vector<measure> all_measures(const std::string& files, bool quick) {
    const int runs = quick ? 1 : 5;
    std::vector<measure> all;
    const auto servers = [](auto of) {
        return [of](const multiplexer& m) { return m.server ? std::vector<double>{of(m)} : std::vector<double>{}; };
    };
    for (std::size_t kind = 0; kind < payloads::names.size(); ++kind) {
        const std::string name = payloads::names[kind], file = files + "/" + name;
        std::ofstream(file) << payloads().make(kind, (name == "short" ? 2 : 8) * mebibyte);
        all.push_back({name,
                       "s",
                       "bare",
                       quick ? 1 : 11, // each run depends on how the kernel places three processes on two cores
                       0.5,
                       [file](const multiplexer& m) { return std::vector<double>{throughput_seconds(m, file)}; },
                       {}});
    }
    for (std::size_t kind = 0; kind < payloads::names.size(); ++kind) {
        const std::string name = payloads::names[kind], file = files + "/" + name;
        all.push_back({name + ", processor",
                       "s",
                       "",
                       quick ? 1 : 5,
                       0.5,
                       servers([file](const multiplexer& m) { return throughput_cpu_seconds(m, file); }),
                       {}});
    }
    constexpr int keys = 200;
    all.push_back({"key p50",
                   "µs",
                   "hop",
                   quick ? 1 : 15, // the same for each session of keys
                   0.5,
                   [](const multiplexer& m) { return values(echo_microseconds(m, keys, 0)); },
                   {}});
    all.push_back({"key p99", "µs", "hop", 0, 0.99, {}, "key p50"});
    all.push_back({"start",
                   "ms",
                   "dtach",
                   runs * 2,
                   0.5,
                   [](const multiplexer& m) { return std::vector<double>{start_milliseconds(m)}; },
                   {}});
    all.push_back({"key p50, 20 tabs flood",
                   "µs",
                   "",
                   1,
                   0.5,
                   [](const multiplexer& m) { return m.more ? values(echo_microseconds(m, keys, 20)) : std::vector<double>{}; },
                   {}});
    all.push_back({"key p99, 20 tabs flood", "µs", "", 0, 0.99, {}, "key p50, 20 tabs flood"});
    const std::string two = files + "/two", big = files + "/big";
    std::ofstream(two) << payloads().make(0, 2 * mebibyte);
    std::ofstream(big) << payloads().make(0, (quick ? 16 : 64) * mebibyte);
    const std::size_t viewers = quick ? 20 : 100;
    all.push_back({std::to_string(viewers) + " viewers of 2 MiB",
                   "s",
                   "tmux",
                   quick ? 1 : 3,
                   0.5,
                   [=](const multiplexer& m) { // dtach loses most of this many
                       return m.attach && m.name != "dtach" && m.name != "screen"
                                  ? std::vector<double>{viewers_seconds(m, two, viewers)}
                                  : std::vector<double>{};
                   },
                   {}});
    if (!quick)
        all.push_back({"1000 viewers of 2 MiB",
                       "s",
                       "",
                       1,
                       0.5,
                       servers([two](const multiplexer& m) { return viewers_seconds(m, two, 1000); }),
                       {}});
    all.push_back({"with another viewer that reads",
                   "s",
                   "",
                   quick ? 1 : 3,
                   0.5,
                   servers([big](const multiplexer& m) { return seconds_with_another(m, big, true); }),
                   {}});
    all.push_back({"with one that does not",
                   "s",
                   "",
                   quick ? 1 : 3,
                   0.5,
                   servers([big](const multiplexer& m) { return seconds_with_another(m, big, false); }),
                   {}});
    const milliseconds stall(quick ? 3000 : 60'000), rest(quick ? 2000 : 10'000);
    all.push_back({"growth, " + std::to_string(stall.count() / 1000) + " s not read",
                   "MiB",
                   "",
                   1,
                   0.5,
                   servers([stall](const multiplexer& m) { return stalled_growth_mib(m, stall); }),
                   {}});
    all.push_back({"history",
                   "× its text",
                   "",
                   1,
                   0.5,
                   servers([quick](const multiplexer& m) { return history_over_text(m, quick ? 5 : 20); }),
                   {}});
    all.push_back({"idle tab",
                   "KiB",
                   "",
                   1,
                   0.5,
                   servers([quick](const multiplexer& m) { return idle_tab_kib(m, quick ? 100 : 1000); }),
                   {}});
    all.push_back({"wakeups, " + std::to_string(rest.count() / 1000) + " s idle",
                   "times",
                   "",
                   1,
                   0.5,
                   servers([rest](const multiplexer& m) { return idle_wakeups(m, rest); }),
                   {}});
    all.push_back(
        {"a key's echo", "bytes", "", 1, 0.5, [](const multiplexer& m) { return std::vector<double>{echo_bytes(m)}; }, {}});
    all.push_back({"a 200x50 frame",
                   "bytes",
                   "",
                   1,
                   0.5,
                   [](const multiplexer& m) {
                       return m.server || m.name == "screen" ? std::vector<double>{frame_bytes(m)} : std::vector<double>{};
                   },
                   {}});
    return all;
}

/// NAME=PROGRAM[;SETTING;…]
multiplexer variant_of(const std::string& text) {
    const std::size_t name = text.find('='), program = text.find(';');
    if (name == std::string::npos) throw std::runtime_error("--variant needs NAME=PROGRAM, not " + text);
    std::string settings = program == std::string::npos ? "" : text.substr(program + 1) + "\n";
    std::replace(settings.begin(), settings.end(), ';', '\n');
    return mato_as(text.substr(0, name), text.substr(name + 1, program - name - 1), settings);
}

bool is_wanted(const std::string& list, const std::string& name) {
    return list.empty() || ("," + list + ",").find("," + name + ",") != std::string::npos;
}

} // namespace

int main(int argc, char** argv) try {
    if (argc > 2 && std::string_view(argv[1]) == "--hop") return hop(argv + 2);
    ::signal(SIGPIPE, SIG_IGN);
    all_descriptors();
    std::string mato, peers, measures, tree, variant;
    std::vector<multiplexer> variants;
    bool quick = false;
    for (int i = 1; i < argc; ++i) {
        const std::string_view option = argv[i];
        if (option == "--quick") {
            quick = true;
            continue;
        }
        std::string* const to = option == "--mato"       ? &mato
                                : option == "--peers"    ? &peers
                                : option == "--measures" ? &measures
                                : option == "--write"    ? &tree
                                : option == "--variant"  ? &variant
                                                         : nullptr;
        if (!to || i + 1 == argc) throw std::runtime_error("unknown option " + std::string(option));
        *to = argv[++i];
        if (to == &variant) variants.push_back(variant_of(variant));
    }
    if (mato.empty()) throw std::runtime_error("--mato is missing");

    const scratch_directory files;
    std::vector<multiplexer> who = all_multiplexers(mato, std::filesystem::read_symlink("/proc/self/exe"));
    std::erase_if(who, [&](const multiplexer& each) { return !is_wanted(peers, each.name); });
    std::vector<measure> what = all_measures(files.path(), quick);
    if (!variants.empty())
        for (measure& each : what) each.over = variants.front().name;
    who.insert(who.end(), variants.begin(), variants.end());
    std::erase_if(what, [&](const measure& each) {
        return !is_wanted(measures, each.name) && !is_wanted(measures, each.same_as.empty() ? "-" : each.same_as);
    });
    mux_results all(std::move(who), std::move(what));
    std::size_t steps = 0;
    for (const measure& each : all.what()) steps += static_cast<std::size_t>(each.runs) * all.who().size();
    progress shown(steps);
    bool failed = false;
    for (const measure& m : all.what())
        for (int run = 0; run < m.runs; ++run)
            for (const multiplexer& each : all.who()) {
                shown.step(m.name + ", " + each.name);
                try {
                    for (const double value : m.of(each)) all.add(m, each, value);
                } catch (const std::exception& why) {
                    shown.say(each.name + ", " + m.name + ": " + why.what());
                    failed = failed || each.name == "mato";
                }
            }
    shown.done();
    std::printf("%s\n%s\n", all.markdown().c_str(), all.versions().c_str());
    if (!tree.empty()) {
        write_svg(all.plot(), tree + "/test/bench/plots/mux.svg");
        replace_part(tree + "/docs/benchmarks.md", "multiplexer benchmark",
                     "\n" + all.markdown() + "\n" + all.versions() + "\n");
    }
    return failed ? 1 : 0;
} catch (const std::exception& why) {
    std::fprintf(stderr, "mux_bench: %s\n", why.what());
    return 1;
}
