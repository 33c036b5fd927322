// SPDX-License-Identifier: MIT
/// @file turns_bench.cpp: how long a key in one tab waits while another prints expensive output; mato compared with tmux.
/// Usage: turns_bench --mato PROGRAM [--keys N] [OUTPUT…]
///
/// Each output floods a tab of 500x150 without a viewer, while keys are typed into another. The same run has `yes`: only what a
/// costly output adds to it counts, because both share the machine. Exit code 1: mato's p99 exceeds that of `yes` by more than
/// the bound, or the daemon sent no watchdog notification for longer than its bound.
#include "mux/session.hpp"
#include "support/statistics.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <thread>

namespace {

using namespace bench;

constexpr int rows = 150, columns = 500;
constexpr double most_added_ms = 5, most_silence_ms = 250;
constexpr milliseconds patience{60'000};
constexpr milliseconds longest_measure{10'000}; // of one output: if each echo takes seconds, a few are enough

std::string repeated(const std::string& part, int times) {
    std::string all;
    for (int i = 0; i < times; ++i) all += part;
    return all;
}

struct output {
    std::string name, begin, repeat;
};

/// Expensive for their bytes, or for their kind: rectangles, scrolling, screens, strings, images, a binary file.
std::vector<output> all_outputs() {
    // A screen whose cells all look different: the most expensive to copy and compare.
    std::string styled = "\033[H";
    for (int c = 0; c < columns; ++c) styled += "\033[38;2;" + std::to_string(c % 250) + ";1;2mA";
    for (int r = 1; r < rows; r *= 2) styled += "\033[1;1;" + std::to_string(r) + ";500;1;" + std::to_string(r + 1) + ";1;1$v";
    const std::string margins = styled + "\033[?69h\033[2;499s\033[2;149r";
    std::string binary, links, palette;
    std::uint32_t seed = 1;
    for (int i = 0; i < 65'536; ++i) binary += static_cast<char>((seed = seed * 1'664'525u + 1'013'904'223u) >> 24);
    for (int i = 0; i < 300; ++i) links += "\033]8;;http://x/" + std::to_string(i) + "\033\\x";
    for (int i = 0; i < 256; ++i) palette += "\033]4;" + std::to_string(i) + ";rgb:11/22/33\033\\";
    const std::string pixels = repeated("A", 400'000);
    return {{"DECALN", "", "\033#8"},
            {"REP", "", "A\033[65535b"},
            {"REP, inserted", styled, "\033[4hA\033[65535b"},
            {"DECFRA", "", "\033[88;1;1;9999;9999$x"},
            {"DECERA", styled, "\033[1;1;9999;9998$z\033[88;1;1;9999;9999$x"},
            {"DECSERA", styled, "\033[1;1;9999;9999${"},
            {"DECCRA", styled, "\033[1;1;9999;9999;1;2;2;1$v"},
            {"DECRQCRA", styled, "\033[1;1;1;1;9999;9999*y"},
            {"DECCARA", styled, "\033[2*x\033[1;1;9999;9999;1;4$r\033[1;1;9999;9999;22;24$r"},
            {"DECRARA", styled, "\033[2*x\033[1;1;9999;9999;1;4;5;7$t"},
            {"RIS", "", "x\033c"},
            {"SU, SD in margins", margins, "\033[S\033[T"},
            {"IL, DL in margins", margins, "\033[3;3H\033[L\033[M"},
            {"ICH, DCH", styled, "\033[5;5H\033[@\033[P"},
            {"DECIC, DECDC", styled, "\033[5;5H\033['}\033['~"},
            {"SL, SR", styled, "\033[ @\033[ A"},
            {"1049", styled, "\033[?1049h\033[?1049l"},
            {"ED 2, coloured", "", "\033[41mx\033[2J"},
            {"3J", "", "line\r\n\033[3J"},
            {"sixel", "", "\033Pq" + pixels + "\033\\"},
            {"kitty", "\033_Gi=7,s=1,v=1,a=t,q=2,f=24;AAAA\033\\", "\033[5;5H\033_Ga=p,i=7,p=3,q=2,c=99,r=60\033\\"},
            {"OSC 8, OSC 4", "", links + palette},
            {"narrow margins", styled + "\033[?69h\033[498;499s\033[150;498H", repeated("x", 200)},
            {"a binary", "", binary}};
}

/// Acts as the service manager: receives watchdog notifications.
class manager {
public:
    explicit manager(const std::string& path) : path_(path), fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un name{};
        name.sun_family = AF_UNIX;
        path.copy(name.sun_path, sizeof name.sun_path - 1);
        if (::bind(fd_, reinterpret_cast<sockaddr*>(&name), sizeof name) != 0) throw std::runtime_error("bind " + path);
        listener_ = std::thread([this] { listen(); });
    }
    manager(const manager&) = delete;
    ~manager() {
        stop_ = true;
        listener_.join();
        ::close(fd_);
    }
    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    void begin() noexcept { longest_ = 0, last_ = now_ns(); }
    /// Milliseconds since begin().
    [[nodiscard]] double longest() const noexcept {
        return static_cast<double>(std::max(longest_.load(), now_ns() - last_.load())) * 1e-6;
    }

private:
    void listen() {
        while (!stop_) {
            pollfd ready{fd_, POLLIN, 0};
            char text[512];
            if (::poll(&ready, 1, 20) != 1) continue;
            const ssize_t got = ::recv(fd_, text, sizeof text, 0);
            if (got <= 0 || std::string_view(text, static_cast<std::size_t>(got)).find("WATCHDOG=1") == std::string_view::npos)
                continue;
            const std::uint64_t now = now_ns(), gap = now - last_.exchange(now);
            if (gap > longest_) longest_ = gap;
        }
    }
    std::string path_;
    int fd_;
    std::atomic<std::uint64_t> last_{0}, longest_{0};
    std::atomic<bool> stop_{false};
    std::thread listener_;
};

struct result {
    double p50 = 0, p99 = 0, worst = 0, silence = 0; // ms
};

result measure(const multiplexer& m, const output& of, int keys) {
    const scratch_directory files;
    std::unique_ptr<manager> life;
    multiplexer driven = m;
    if (m.name == "mato") { // the daemon notifies every 100 ms
        life = std::make_unique<manager>(files.path() + "/notify");
        const std::string mato = m.start("", "")[0];
        driven.start = [mato, path = life->path()](const std::string&, const std::string& p) {
            return multiplexer::words{"sh", "-c",
                                      "NOTIFY_SOCKET=" + path + " WATCHDOG_USEC=200000 '" + mato +
                                          "' daemon --foreground >/dev/null 2>&1 </dev/null & until '" + mato +
                                          "' ls >/dev/null 2>&1; do sleep 0.05; done; exec '" + mato + "' new -- '" + p + "'"};
        };
    }
    session s(driven);
    outer_terminal& client = s.start(s.script("stty raw -echo; printf '<re''ady>'; exec cat\n"), {columns, rows});
    client.until("<ready>", patience);
    std::ofstream(files.path() + "/begin") << of.begin;
    std::string many = of.repeat;
    while (many.size() < 60'000) many += of.repeat;
    std::ofstream(files.path() + "/repeat") << many;
    s.more(s.script("stty -echo raw; cat " + files.path() + "/begin; while :; do cat " + files.path() + "/repeat; done\n"));
    let_pass(milliseconds(500));
    client.quiet(50);
    if (life) life->begin();
    samples all;
    text_filter filter;
    std::string text;
    const auto end = clock_type::now() + longest_measure;
    for (int i = 0; i < keys && clock_type::now() < end; ++i) {
        const char key = static_cast<char>('a' + i % 26);
        text.clear();
        const std::uint64_t from = now_ns();
        client.send({&key, 1});
        while (text.find(key) == std::string::npos && now_ns() - from < 20'000'000'000) filter.take(client.read(1000), text);
        all.add(static_cast<double>(now_ns() - from) * 1e-6);
        let_pass(milliseconds(i % 7 == 0 ? 70 : 5)); // fast typing, and first keys after a pause
        while (!client.read(0).empty()) {
        }
    }
    return {all.quantile(0.5), all.quantile(0.99), all.quantile(1), life ? life->longest() : 0};
}

} // namespace

int main(int argc, char** argv) try {
    ::signal(SIGPIPE, SIG_IGN);
    all_descriptors();
    std::string mato;
    int keys = 200;
    std::vector<std::string> wanted;
    for (int i = 1; i < argc; ++i) {
        const std::string_view word = argv[i];
        if (word == "--mato" && i + 1 < argc)
            mato = argv[++i];
        else if (word == "--keys" && i + 1 < argc)
            keys = std::max(10, std::atoi(argv[++i]));
        else
            wanted.emplace_back(word);
    }
    if (mato.empty()) throw std::runtime_error("--mato is missing");
    std::vector<multiplexer> who = all_multiplexers(mato, std::filesystem::read_symlink("/proc/self/exe"));
    std::erase_if(who, [](const multiplexer& each) { return each.name != "mato" && each.name != "tmux"; });
    for (multiplexer& each : who)
        if (each.name == "mato")
            each.more = [mato](const std::string&, const std::string& p) {
                return multiplexer::words{mato, "new", "-d", "-x", std::to_string(columns), "-y", std::to_string(rows),
                                          "--", p};
            };
    std::vector<output> outputs = all_outputs();
    if (!wanted.empty())
        std::erase_if(outputs,
                      [&](const output& each) { return std::find(wanted.begin(), wanted.end(), each.name) == wanted.end(); });
    outputs.insert(outputs.begin(), {"yes", "", "y\r\n"});
    bool holds = true;
    std::printf("a key's echo, ms; 500x150     ");
    for (const multiplexer& m : who) std::printf("   %-4s    p50     p99   worst  silence", m.name.c_str());
    std::printf("\n");
    double p99_of_yes = 0;
    for (const output& each : outputs) {
        std::printf("%-30s", each.name.c_str());
        for (const multiplexer& m : who) {
            const result r = measure(m, each, keys);
            std::printf("        %7.2f %7.2f %7.2f %8.0f", r.p50, r.p99, r.worst, r.silence);
            std::fflush(stdout);
            if (m.name != "mato") continue;
            if (each.name == "yes") p99_of_yes = r.p99;
            const bool ok = r.p99 <= p99_of_yes + most_added_ms && r.silence <= most_silence_ms;
            std::printf(ok ? "   " : " ! ");
            holds = holds && ok;
        }
        std::printf("\n");
    }
    std::printf("%s: p99 at most %.0f ms above `yes`, a watchdog notification every %.0f ms (due every 100)\n",
                holds ? "holds" : "does NOT hold", most_added_ms, most_silence_ms);
    return holds ? 0 : 1;
} catch (const std::exception& why) {
    std::fprintf(stderr, "turns_bench: %s\n", why.what());
    return 1;
}
