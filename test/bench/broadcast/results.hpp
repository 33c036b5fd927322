// SPDX-License-Identifier: MIT
/// @file results.hpp: measures all peers under all loads, in turns; writes the tables and the plot.
#pragma once

#include "../support/progress.hpp"
#include "../support/report.hpp"
#include "../support/statistics.hpp"
#include "../support/svg.hpp"
#include "run.hpp"
#ifdef MATO_HAVE_VT
#include "trace.hpp"
#endif

#include <map>
#include <set>

namespace bench {

struct choice {
    bool quick = false;
    int runs = 0;             ///< 0: five, or one with --quick
    std::string peers, loads; ///< with commas; empty: all
    std::string tree;         ///< the source tree whose docs/benchmarks.md is written; empty: none
};

/// The samples of one peer under one load.
struct cell {
    samples deliveries, cpu_ns, busy, lost, told_lost, seen_lost, joins, p50, p99, p999, most, memory_kib;
    void add(const measured& m) {
        const auto put = [](samples& to, double value) {
            if (std::isfinite(value)) to.add(value);
        };
        put(deliveries, m.deliveries), put(cpu_ns, m.cpu_ns), put(busy, m.busy), put(lost, m.lost), put(joins, m.joins);
        put(told_lost, m.told_lost), put(seen_lost, m.seen_lost), put(memory_kib, m.memory_kib);
        put(p50, m.p50), put(p99, m.p99), put(p999, m.p999), put(most, m.most);
    }
};

class results {
public:
    results(std::vector<peer> peers, std::vector<workload> loads) : peers_(std::move(peers)), loads_(std::move(loads)) {}

    cell& at(const workload& load, const peer& who) { return cells_[load.name][who.name]; }
    [[nodiscard]] const cell& at(const std::string& load, const std::string& who) const {
        static const cell nothing;
        const auto row = cells_.find(load);
        if (row == cells_.end()) return nothing;
        const auto found = row->second.find(who);
        return found == row->second.end() ? nothing : found->second;
    }
    [[nodiscard]] const std::vector<peer>& peers() const noexcept { return peers_; }
    [[nodiscard]] const std::vector<workload>& loads() const noexcept { return loads_; }

    [[nodiscard]] std::string versions() const {
        std::string text;
        std::set<std::string> seen;
        for (const peer& each : peers_)
            if (seen.insert(each.version).second) text += (text.empty() ? "" : " · ") + each.version;
        return text + " · Linux " + first_line_of("uname -r");
    }

    /// All figures with their ranges.
    [[nodiscard]] std::string everything() const {
        std::string text;
        for (const workload& load : loads_) {
            table t(head(load));
            for (const peer& who : peers_)
                if (auto row = row_of(load, who); row.size() > 1) t.add(std::move(row));
            text += "\n### " + load.name + "\n\n" + t.markdown();
        }
        return text;
    }

    /// The table of docs/benchmarks.md.
    [[nodiscard]] std::string overview() const {
        static const std::vector<std::pair<std::string, std::string>> shares = {
            {"W1 64 x 32", "64 B × 32"},    {"W1 1024 x 1", "1 KiB × 1"},     {"W1 1024 x 8", "1 KiB × 8"},
            {"W1 1024 x 32", "1 KiB × 32"}, {"W1 1024 x 128", "1 KiB × 128"}, {"W1 16384 x 32", "16 KiB × 32"}};
        std::vector<std::string> names = {""};
        for (const auto& each : shares) names.push_back(each.second);
        for (const char* each : {"one stopped", "10% slow", "idle, KiB each", "100 stalled, MiB", "p50, µs", "p99, µs"})
            names.emplace_back(each);
        table t(names);
        for (const peer& who : peers_) {
            std::vector<std::string> row = {who.name == "mato" ? "**mato**" : who.name};
            for (const auto& each : shares) row.push_back(figure(over_limit(each.first, who.name)));
            row.push_back(kept("W2 one stopped", who.name));
            row.push_back(kept("W3 10% slow", who.name));
            row.push_back(figure(at("W6 1000 idle", who.name).memory_kib.median() / 1000));
            row.push_back(figure(at("W6 100 stalled", who.name).memory_kib.median() / 1024));
            row.push_back(figure(at("W7 10k/s", who.name).p50.median()));
            row.push_back(figure(at("W7 10k/s", who.name).p99.median()));
            t.add(std::move(row));
        }
        return t.markdown();
    }

    [[nodiscard]] chart plot() const {
        chart c;
        c.title = "Deliveries per second of processor time";
        c.subtitle = "of publisher and broker, millions; frames to 1, 8, 32 and 128 subscribers on Unix sockets; median";
        for (const peer& each : peers_) c.series.push_back(each.name);
        for (const std::string bytes : {"64", "1024", "4096", "16384"}) {
            chart::panel p;
            p.title = bytes + " bytes";
            p.categories = {"1", "8", "32", "128"};
            for (const peer& who : peers_) {
                p.values.emplace_back();
                for (const std::string& n : p.categories)
                    p.values.back().push_back(1e3 / at("W1 " + bytes + " x " + n, who.name).cpu_ns.median());
            }
            c.panels.push_back(std::move(p));
        }
        return c;
    }

private:
    static constexpr double fully_busy = 0.95;

    [[nodiscard]] double over_limit(const std::string& load, const std::string& who) const {
        return at(load, "limit").cpu_ns.median() / at(load, who).cpu_ns.median();
    }
    /// Throughput of subscribers that keep up, relative to the same number without slow ones.
    [[nodiscard]] std::string kept(const std::string& load, const std::string& who) const {
        const double total = 32, slow = load.starts_with("W2") ? 1 : 3;
        const double share =
            at(load, who).deliveries.median() / (total - slow) / (at("W1 1024 x 32", who).deliveries.median() / total);
        return std::isfinite(share) ? figure(share * 100) + " %" : "–";
    }
    [[nodiscard]] static std::string range(const samples& of, double scale) {
        if (of.empty()) return "–";
        return figure(of.median() * scale) + " (" + figure(of.least() * scale) + " to " + figure(of.greatest() * scale) + ")";
    }
    [[nodiscard]] static std::vector<std::string> head(const workload& load) {
        switch (load.what) {
        case load::idle: return {"", "KiB"};
        case load::stalled: return {"", "MiB"};
        case load::open_loop: return {"", "p50, µs", "p99, µs", "p99.9, µs", "most, µs", "lost"};
        case load::churn: return {"", "M deliveries/s", "ns CPU each", "of the limit", "joins/s"};
        case load::throttled: return {"", "M deliveries/s", "ns CPU each", "of the limit", "lost", "gaps told", "gaps seen"};
        case load::steady:
        case load::stopped: break;
        }
        return {"", "M deliveries/s", "ns CPU each", "of the limit", "lost"};
    }
    [[nodiscard]] std::vector<std::string> row_of(const workload& load, const peer& who) const {
        const cell& c = at(load.name, who.name);
        std::vector<std::string> row = {who.name};
        if (load.what == load::idle || load.what == load::stalled) {
            if (!c.memory_kib.empty()) row.push_back(range(c.memory_kib, load.what == load::idle ? 1 : 1.0 / 1024));
            return row;
        }
        if (c.deliveries.empty()) return row;
        if (load.what == load::open_loop)
            return {who.name, range(c.p50, 1), range(c.p99, 1), range(c.p999, 1), range(c.most, 1), figure(c.lost.median())};
        row.push_back(range(c.deliveries, 1e-6) + (c.busy.median() < fully_busy ? " *" : ""));
        row.push_back(range(c.cpu_ns, 1));
        row.push_back(figure(over_limit(load.name, who.name)));
        if (load.what == load::churn)
            row.push_back(range(c.joins, 1));
        else
            row.push_back(figure(c.lost.median()));
        if (load.what == load::throttled) {
            row.push_back(figure(c.told_lost.median()));
            row.push_back(figure(c.seen_lost.median()));
        }
        return row;
    }

    std::vector<peer> peers_;
    std::vector<workload> loads_;
    std::map<std::string, std::map<std::string, cell>> cells_;
};

namespace detail {
[[nodiscard]] inline bool is_wanted(const std::string& list, const std::string& name) {
    return list.empty() || ("," + list + ",").find("," + name + ",") != std::string::npos;
}
/// For --quick: the corners of W1, and the rest.
[[nodiscard]] inline bool is_quick(const workload& load) {
    return load.what != load::steady || ((load.subscribers == 1 || load.subscribers == 32) && load.frame_bytes != 4096);
}
} // namespace detail

#ifdef MATO_HAVE_VT
/// W4, only of the limit and of mato: the others do not handle a slow terminal.
inline std::string trace_table(int runs, progress& shown, bool& failed) {
    table t({"", "s until all show it", "ms after the last byte", "sent to the slow viewer", "sent to each other"});
    for (const bool bare : {true, false}) {
        samples seconds, after, slow, fast;
        for (int run = 0; run < runs; ++run) {
            shown.step(bare ? "W4 trace, limit" : "W4 trace, mato");
            try {
                const trace_result one = trace_run(bare).measure();
                seconds.add(one.seconds), after.add(one.slow_after_ms), slow.add(one.slow_share), fast.add(one.fast_share);
            } catch (const std::exception& why) {
                shown.say(why.what());
                failed = true;
            }
        }
        t.add({bare ? "limit, none slow" : "mato, one reads 1 MB/s", figure(seconds.median()), figure(after.median()),
               bare ? "–" : figure(slow.median() * 100) + " %", figure(fast.median() * 100) + " %"});
    }
    return "\n### W4 a terminal's 32 MiB to eight screens\n\n" + t.markdown();
}
#endif

/// @returns the exit code: 1 if mato hung, or one of its receivers got a wrong frame; the rest is measured anyway.
inline int compare(std::vector<peer> peers, std::vector<workload> loads, const choice& wanted) {
    std::erase_if(peers, [&](const peer& each) { return !detail::is_wanted(wanted.peers, each.name); });
    std::erase_if(loads, [&](const workload& each) {
        return !detail::is_wanted(wanted.loads, each.name) || (wanted.quick && wanted.loads.empty() && !detail::is_quick(each));
    });
    results all(std::move(peers), std::move(loads));
    const int runs = wanted.runs > 0 ? wanted.runs : wanted.quick ? 1 : 5;
    const milliseconds time(wanted.quick ? 150 : 250);
    bool failed = false;
    progress shown(static_cast<std::size_t>(runs) * (all.loads().size() * all.peers().size() + 2));
    for (int run = 0; run < runs; ++run)
        for (const workload& load : all.loads())
            for (const peer& who : all.peers()) {
                shown.step(load.name + ", " + who.name);
                if (run > 0 && (load.what == load::idle || load.what == load::stalled)) continue; // memory does not vary
                if (load.subscribers > who.most_subscribers) continue;
                const bool is_ours = who.name == "mato" || who.name == "limit";
                try {
                    const measured one = one_run(who, load, time).measure();
                    all.at(load, who).add(one);
                    if (one.has_hung) shown.say(who.name + ", " + load.name + ": it hung and was killed");
                    const bool lies = std::isfinite(one.seen_lost) && one.seen_lost != one.told_lost;
                    if (lies) shown.say(who.name + ", " + load.name + ": reported gaps differ from the actual ones");
                    failed = failed || (is_ours && (one.has_hung || lies));
                } catch (const std::exception& why) {
                    shown.say(why.what());
                    failed = failed || is_ours;
                }
            }
    std::string trace;
#ifdef MATO_HAVE_VT
    if (detail::is_wanted(wanted.loads, "W4")) trace = trace_table(runs, shown, failed);
#endif
    shown.done();
    const std::string everything = all.everything() + trace;
    const std::string notes =
        "Medians of " + std::to_string(runs) +
        " interleaved runs and their range. Of the limit: in "
        "processor time a delivery, of publisher and broker. `*`: the publishing side was less than 95 % busy, so the "
        "receivers "
        "were the bound, and only the processor time compares. Lost: frames missing at subscribers that keep up.\n\n" +
        all.versions() + "\n";
    std::printf("%s%s", notes.c_str(), everything.c_str());
    if (!wanted.tree.empty()) {
        write_svg(all.plot(), wanted.tree + "/test/bench/plots/broadcast.svg");
        std::ofstream(wanted.tree + "/test/bench/plots/broadcast.md")
            << "# Broadcast: all figures\n\nWritten by `sh test/bench/run.sh broadcast`. " << notes << everything;
        replace_part(wanted.tree + "/docs/benchmarks.md", "broadcast benchmark",
                     "\n" + all.overview() + "\n" + all.versions() + "\n");
    }
    return failed ? 1 : 0;
}

/// The publishing side and eight drained sockets, in one thread, for instruction counters: independent of time.
inline int publish_only(const peer& who, std::size_t count) {
    constexpr std::size_t subscribers = 8, bytes = 1024, burst = 16;
    const scratch_directory scratch;
    const setup s{scratch.path(), bytes, subscribers, 0, 0};
    const shared_page shared;
    const auto from = who.publish(s, *shared);
    std::array<int, subscribers> sockets{};
    for (int& each : sockets) each = connect_to(s.path());
    shared->connects = subscribers;
    frame_maker frames(bytes);
    std::uint64_t next = 1;
    std::size_t received = 0;
    std::vector<char> buffer(128 * 1024);
    from->accept_waiting(next);
    while (received < count * subscribers * (length_bytes + bytes)) {
        for (std::size_t i = 0; i < burst && next <= count; ++i) from->publish(frames.make(next++));
        from->turn(false);
        for (const int each : sockets)
            if (const ssize_t got = ::recv(each, buffer.data(), buffer.size(), MSG_DONTWAIT); got > 0)
                received += static_cast<std::size_t>(got);
    }
    return 0;
}

} // namespace bench
