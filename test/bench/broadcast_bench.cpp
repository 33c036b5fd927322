// SPDX-License-Identifier: MIT
/// @file broadcast_bench.cpp: one to many over Unix sockets: mato's broadcast compared with the kernel's limit and with its
/// peers. Usage: broadcast_bench [--quick] [--runs N] [--peers NAME,…] [--loads NAME,…] [--write DIRECTORY] | --gate |
/// --publish N
///
/// Runs are interleaved peer by peer, and figures are medians with their range: ratios are valid on a machine that varies.
/// Loads are named as in the printed table. `--write` writes table and plot into that source tree.
#include "broadcast/asio_chat.hpp"
#include "broadcast/bare.hpp"
#include "broadcast/mato_hub.hpp"
#include "broadcast/run.hpp"
#ifdef MATO_HAVE_LIBEVENT
#include "broadcast/libevent.hpp"
#endif
#ifdef MATO_HAVE_NNG
#include "broadcast/nng.hpp"
#endif
#ifdef MATO_HAVE_ZEROMQ
#include "broadcast/zeromq.hpp"
#endif
#include "broadcast/redis.hpp"
#include "broadcast/results.hpp"

#include <cstdlib>

namespace {

using namespace bench;

std::vector<peer> all_peers() {
    std::vector<peer> peers;
    peers.push_back(bare_peer("limit", 128 * 1024));
    peers.push_back(bare_peer("one write each", 0));
    peers.push_back(asio_chat_peer());
#ifdef MATO_HAVE_ZEROMQ
    peers.push_back(zeromq_peer("ZeroMQ", 1000));
    peers.push_back(zeromq_peer("ZeroMQ, HWM 0", 0));
#endif
#ifdef MATO_HAVE_NNG
    peers.push_back(nng_peer());
#endif
    if (const std::string version = first_line_of("redis-server --version 2>/dev/null"); !version.empty())
        peers.push_back(redis_peer(version.substr(0, version.find(" sha"))));
#ifdef MATO_HAVE_LIBEVENT
    peers.push_back(libevent_peer());
#endif
    peers.push_back(mato_peer());
    return peers;
}

std::vector<workload> all_loads() {
    std::vector<workload> loads;
    for (const std::size_t bytes : {64u, 1024u, 4096u, 16384u})
        for (const std::size_t n : {1u, 8u, 32u, 128u}) {
            std::string name = "W1 ";
            name += std::to_string(bytes) + " x " + std::to_string(n);
            loads.push_back({std::move(name), load::steady, bytes, n});
        }
    loads.push_back({"W2 one stopped", load::stopped, 1024, 32, 1});
    loads.push_back({"W3 10% slow", load::throttled, 1024, 32, 3});
    loads.push_back({"W5 churn", load::churn, 1024, 32, 0, 16 * 1024});
    loads.push_back({"W6 1000 idle", load::idle, 1024, 1000});
    loads.push_back({"W6 100 stalled", load::stalled, 1024, 101, 100});
    loads.push_back({"W7 10k/s", load::open_loop, 1024, 32});
    return loads;
}

/// Processor time per delivery of mato's hub relative to the limit's, in turns; the best of a few, so that a loaded machine
/// does not matter. The bound has slack: it detects a broken hub; the table shows a slow one.
int gate() {
    constexpr double bound = 0.6;
    constexpr int tries = 8;
    const peer limit = bare_peer("limit", 128 * 1024), hub = mato_peer();
    const workload what{"gate", load::steady, 1024, 32};
    double best = 0;
    for (int i = 0; i < tries && best < bound; ++i) {
        const measured a = one_run(limit, what, milliseconds(150)).measure(),
                       b = one_run(hub, what, milliseconds(150)).measure();
        best = std::max(best, a.cpu_ns / b.cpu_ns);
    }
    std::printf("broadcast, 1 KiB x 32: %.2f of the bare writev loop, required: %.2f\n", best, bound);
    return best >= bound ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) try {
    all_descriptors();
    ::signal(SIGPIPE, SIG_IGN); // libevent's writes can raise it

    choice wanted;
    for (int i = 1; i < argc; ++i) {
        const std::string_view option = argv[i];
        const auto value = [&]() -> std::string {
            return i + 1 < argc ? argv[++i] : throw std::runtime_error("missing value");
        };
        if (option == "--gate") return gate();
        if (option == "--publish") return publish_only(mato_peer(), std::stoul(value()));
        if (option == "--quick")
            wanted.quick = true;
        else if (option == "--runs")
            wanted.runs = std::stoi(value());
        else if (option == "--peers")
            wanted.peers = value();
        else if (option == "--loads")
            wanted.loads = value();
        else if (option == "--write")
            wanted.tree = value();
        else
            throw std::runtime_error("unknown option " + std::string(option));
    }
    return compare(all_peers(), all_loads(), wanted);
} catch (const std::exception& why) {
    std::fprintf(stderr, "broadcast_bench: %s\n", why.what());
    return 1;
}
