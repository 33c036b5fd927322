// SPDX-License-Identifier: MIT
// Broken and hostile clients cause a closed connection and a logged reason, and nothing else.
#include "support/framed.hpp"
#include "support/mato_world.hpp"

#include "protocol/messages.hpp"
#include <mato/descriptors.hpp>
#include <mato/endpoint.hpp>
#include <mato/framing.hpp>

using namespace support;
using mux::message;

namespace {

std::string hello_frame(mux::hello greeting = {}) { return framed(mux::encode<message::hello>(1, std::move(greeting))); }

/// A client that can send anything.
class raw_peer {
public:
    explicit raw_peer(const mato_world& world) {
        REQUIRE(wait_until([&] { // the backlog may be full
            std::error_code why;
            socket_ = mato::owned_path(world.socket()).connect(why);
            return static_cast<bool>(socket_);
        }));
    }
    void send(std::string_view bytes) {
        const deadline until(patience);
        while (!bytes.empty() && !until.passed()) {
            const ssize_t sent = mato::sys::send(socket_.get(), bytes.data(), bytes.size());
            if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
            if (sent == -1 && errno != EAGAIN) return; // closed: that is what the test expects
            pollfd ready{socket_.get(), POLLOUT, 0};
            if (sent == -1) ::poll(&ready, 1, until.milliseconds());
        }
    }
    /// With `count` descriptors of its own connection.
    void send_with_itself(std::string_view bytes, int count) {
        const std::vector<int> own(static_cast<std::size_t>(count), socket_.get());
        mato::failure why;
        REQUIRE(mato::send_descriptors(socket_.get(), bytes, own, why) == bytes.size());
    }
    void finish() { ::shutdown(socket_.get(), SHUT_WR); }
    /// Everything until the daemon closes the connection; empty if it does not in time.
    std::optional<std::string> rest(std::chrono::milliseconds limit = patience) {
        std::string bytes;
        const deadline until(limit);
        for (;;) {
            pollfd ready{socket_.get(), POLLIN, 0};
            if (::poll(&ready, 1, until.milliseconds()) != 1) return std::nullopt;
            char buffer[4096];
            const ssize_t got = mato::sys::recv(socket_.get(), buffer, sizeof buffer);
            if (got <= 0) return bytes;
            bytes.append(buffer, static_cast<std::size_t>(got));
        }
    }
    /// One whole frame's payload.
    std::optional<std::string> next(std::chrono::milliseconds limit = patience) {
        const deadline until(limit);
        for (;;) {
            mato::failure why;
            if (const auto found = mato::length_prefixed<>::split(bytes_, why)) {
                std::string payload(found->payload);
                bytes_.erase(0, found->consumed);
                return payload;
            }
            pollfd ready{socket_.get(), POLLIN, 0};
            char buffer[4096];
            if (::poll(&ready, 1, until.milliseconds()) != 1) return std::nullopt;
            const ssize_t got = mato::sys::recv(socket_.get(), buffer, sizeof buffer);
            if (got <= 0) return std::nullopt;
            bytes_.append(buffer, static_cast<std::size_t>(got));
        }
    }

private:
    mato::unique_fd socket_;
    std::string bytes_;
};

/// A daemon with one tab and one good client that must not notice anything.
struct watched_daemon {
    mato_world world;
    std::string id;
    pid_t pid;
    std::size_t descriptors;

    watched_daemon() {
        world.configure("[log]\nlevel = \"debug\"\n");
        id = world.open_tab();
        pid = world.serving_pid(); // the same one at the end: a crash would start another
        REQUIRE(wait_until([&] { return world.connected() == 0; }));
        descriptors = descriptor_count(pid);
    }
    void check_unharmed() {
        CHECK(world.serving_pid() == pid);
        CHECK(is_running(pid));
        CHECK(world.run({"has", id}).exit_code == 0);
        CHECK(wait_until([&] { return descriptor_count(pid) == descriptors; }));
    }
    void check_logged(std::string_view reason) {
        INFO(reason << " in\n" << world.log());
        CHECK(wait_until([&] { return contains(world.log(), reason); }));
    }
};

} // namespace

TEST_CASE("a length of 0xffffffff closes the connection and allocates nothing", "[mato][hostile]") {
    watched_daemon daemon;
    const long before = memory_kib(daemon.pid);
    for (int n = 0; n < 20; ++n) {
        raw_peer peer(daemon.world);
        peer.send("\xff\xff\xff\xff");
        CHECK(peer.rest() == "");
    }
    raw_peer greeted(daemon.world);
    greeted.send(hello_frame());
    REQUIRE(greeted.next());
    greeted.send("\xff\xff\xff\xff");
    CHECK(greeted.rest() == "");
    daemon.check_logged("frame");
    if (!sanitized) CHECK(memory_kib(daemon.pid, "VmHWM") - before < 2048);
    daemon.check_unharmed();
}

TEST_CASE("a hello cut at every byte, followed by the end", "[mato][hostile]") {
    watched_daemon daemon;
    mux::hello greeting;
    greeting.tty = "/dev/pts/7";
    const std::string whole = hello_frame(greeting);
    for (std::size_t size = 0; size < whole.size(); ++size) {
        INFO("after " << size << " bytes");
        raw_peer peer(daemon.world);
        peer.send(std::string_view(whole).substr(0, size));
        peer.finish();
        CHECK(peer.rest() == "");
    }
    // Byte by byte, the same hello is valid.
    raw_peer slow(daemon.world);
    for (const char byte : whole) slow.send({&byte, 1});
    const auto answer = slow.next();
    REQUIRE(answer);
    CHECK(mux::parse_header(*answer).value().type == message::welcome);
    slow.finish();
    CHECK(slow.rest());
    daemon.check_unharmed();
}

TEST_CASE("a hello whose body is cut inside a whole frame", "[mato][hostile]") {
    watched_daemon daemon;
    const std::string payload = mux::encode<message::hello>(1, mux::hello{});
    for (std::size_t size = 0; size < payload.size(); ++size) {
        INFO("after " << size << " bytes");
        raw_peer peer(daemon.world);
        peer.send(framed(std::string_view(payload).substr(0, size)));
        CHECK(peer.rest() == "");
    }
    daemon.check_logged("the message has no header");
    daemon.check_logged("the first message is not a hello");
    daemon.check_unharmed();
}

TEST_CASE("a silent connection is closed at the handshake deadline, and so are a hundred of them", "[mato][hostile]") {
    watched_daemon daemon;
    const stopwatch watch;
    std::vector<std::unique_ptr<raw_peer>> silent;
    for (int n = 0; n < 100; ++n) silent.push_back(std::make_unique<raw_peer>(daemon.world));
    CHECK(daemon.world.run({"has", daemon.id}).exit_code == 0);
    for (auto& each : silent) CHECK(each->rest() == "");
    CHECK(watch.elapsed() >= 4900ms);
    CHECK(watch.elapsed() < 15s);
    daemon.check_logged("handshake");
    CHECK(wait_until([&] { return count_of(daemon.world.log(), "handshake") >= 100; })); // it is logged after the close
    daemon.check_unharmed();
}

TEST_CASE("garbage, before and after the hello", "[mato][hostile]") {
    watched_daemon daemon;
    std::uint32_t seed = 12345;
    for (int n = 0; n < 200; ++n) {
        std::string noise;
        for (int i = 0; i < 64 + n; ++i) noise += static_cast<char>((seed = seed * 1664525u + 1013904223u) >> 24);
        raw_peer peer(daemon.world);
        if (n % 2) peer.send(hello_frame());
        if (n % 4 >= 2) // as a frame: an unknown type, or a body that does not fit
            peer.send(framed(noise));
        else
            peer.send(noise);
        peer.finish();
        CHECK(peer.rest());
    }
    raw_peer http(daemon.world);
    http.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    CHECK(http.rest() == "");
    daemon.check_unharmed();
}

TEST_CASE("a wrong magic number, and requests before the hello", "[mato][hostile]") {
    watched_daemon daemon;
    mux::hello stranger;
    stranger.magic = 0x12345678;
    for (const std::string& first : {hello_frame(stranger), framed(mux::encode<message::stop>(1, mux::stop_request{true})),
                                     framed(mux::encode<message::list_tabs>(1))}) {
        raw_peer peer(daemon.world);
        peer.send(first);
        CHECK(peer.rest() == "");
    }
    daemon.check_logged("the first message is not a hello");
    daemon.check_unharmed();
}

TEST_CASE("a client without a common protocol version gets both ranges and exit code 3", "[mato][hostile]") {
    watched_daemon daemon;
    mux::hello newer;
    newer.min_version = mux::newest_version + 1;
    newer.max_version = mux::newest_version + 5;
    mux::hello older;
    older.min_version = older.max_version = 0;
    for (const mux::hello& greeting : {newer, older}) {
        raw_peer peer(daemon.world);
        peer.send(hello_frame(greeting));
        const auto answer = peer.next();
        REQUIRE(answer);
        const auto frame = mux::parse_header(*answer);
        REQUIRE(frame);
        CHECK(frame->type == message::refused);
        CHECK(frame->id == 1);
        const auto why = mux::decode<mux::refusal>(frame->body);
        REQUIRE(why);
        CHECK(why->exit_code == 3);
        CHECK(contains(why->text, "protocol versions differ"));
        CHECK(contains(why->text, std::to_string(greeting.min_version) + " to " + std::to_string(greeting.max_version)));
        CHECK(peer.rest() == "");
    }
    daemon.check_logged("versions 2 to 6");
    daemon.check_unharmed();
}

TEST_CASE("huge counts inside messages allocate nothing", "[mato][hostile]") {
    watched_daemon daemon;
    const long before = memory_kib(daemon.pid);
    const std::string huge = "\xff\xff\xff\xff";
    for (const message type : {message::new_tab, message::attach, message::send, message::kill, message::rename,
                               message::find_tab, message::respawn, message::move_tab})
        for (int variant = 0; variant < 3; ++variant) {
            raw_peer peer(daemon.world);
            peer.send(hello_frame());
            REQUIRE(peer.next());
            std::string body = variant == 0 ? huge : variant == 1 ? std::string(8, '\0') + huge : huge + std::string(200, 'x');
            if (type == message::new_tab && variant == 1) body = std::string(4 * 4 + 8, '\0') + huge; // the argument count
            peer.send(framed(mux::encode_bytes(type, 2, body)));
            peer.finish();
            CHECK(peer.rest());
        }
    daemon.check_logged("is truncated");
    if (!sanitized) CHECK(memory_kib(daemon.pid, "VmHWM") - before < 2048);
    daemon.check_unharmed();
}

TEST_CASE("an unknown request is refused, an unknown skippable one is ignored, and both clients can continue",
          "[mato][hostile]") {
    watched_daemon daemon;
    {
        raw_peer peer(daemon.world);
        peer.send(hello_frame());
        REQUIRE(peer.next());
        peer.send(framed(mux::encode_bytes(static_cast<message>(mux::skippable | 999), 7, {})));
        peer.send(framed(mux::encode_bytes(static_cast<message>(999), 8, {})));
        const auto answer = peer.next();
        REQUIRE(answer);
        CHECK(mux::parse_header(*answer)->type == message::error);
        CHECK(mux::parse_header(*answer)->id == 8);
        peer.send(framed(mux::encode<message::list_tabs>(9)));
        const auto tabs = peer.next();
        REQUIRE(tabs);
        CHECK(mux::parse_header(*tabs)->type == message::tabs);
    }
    daemon.check_unharmed();
}

TEST_CASE("one connection follows events or records a tab, not both, and follows events once however often it asks",
          "[mato][hostile]") {
    watched_daemon daemon;
    struct asker {
        raw_peer peer;
        std::vector<message> pushed; // messages without a request
        message next(std::uint32_t id) {
            for (;;) {
                const auto frame = peer.next();
                REQUIRE(frame);
                const auto answer = mux::parse_header(*frame);
                if (answer->id == id) return answer->type;
                pushed.push_back(answer->type);
            }
        }
        message ask(const std::string& payload) {
            peer.send(framed(payload));
            return next(mux::parse_header(payload)->id);
        }
    };
    {
        asker follower{raw_peer(daemon.world), {}}, recorder{raw_peer(daemon.world), {}};
        const mux::record_request record{{daemon.id, 0}, false};
        for (asker* each : {&follower, &recorder})
            CHECK(each->ask(mux::encode<message::hello>(1, mux::hello())) == message::welcome);
        CHECK(follower.ask(mux::encode<message::follow_events>(2, mux::follow_request())) == message::done);
        CHECK(follower.ask(mux::encode<message::record>(3, record)) == message::error);
        CHECK(follower.ask(mux::encode_bytes(message::follow_events, 4, {})) == message::done);
        CHECK(follower.ask(mux::encode<message::rename>(5, mux::rename_request{{daemon.id, 0}, "renamed"})) == message::done);
        CHECK(recorder.ask(mux::encode<message::record>(3, record)) == message::recording);
        CHECK(recorder.ask(mux::encode<message::follow_events>(4, mux::follow_request())) == message::error);
        while (follower.pushed.empty() || follower.pushed.back() != message::event) {
            const auto frame = follower.peer.next();
            REQUIRE(frame);
            follower.pushed.push_back(mux::parse_header(*frame)->type);
        }
        CHECK(follower.pushed == std::vector{message::event_snapshot, message::event});
    }
    daemon.check_unharmed();
}

TEST_CASE("a client that sends requests and never reads is disconnected, and costs bounded memory", "[mato][hostile]") {
    watched_daemon daemon;
    const long before = memory_kib(daemon.pid);
    raw_peer greedy(daemon.world);
    greedy.send(hello_frame());
    REQUIRE(greedy.next());
    std::string storm;
    for (std::uint32_t n = 0; n < 2'000; ++n) storm += framed(mux::encode<message::list_tabs>(n + 2));
    for (int n = 0; n < 40; ++n) greedy.send(storm);
    CHECK(greedy.rest());
    daemon.check_logged("slow consumer");
    if (!sanitized) CHECK(memory_kib(daemon.pid, "VmHWM") - before < 8192);
    daemon.check_unharmed();
}

TEST_CASE("input beyond the window, and into a tab that is not attached", "[mato][hostile]") {
    watched_daemon daemon;
    const std::string deaf = daemon.world.open_tab({"stty raw -echo; touch up; exec sleep 1000"});
    REQUIRE(wait_until([&] { return std::filesystem::exists(daemon.world.home() / "up"); }));
    REQUIRE(wait_until([&] { return daemon.world.connected() == 0; }));
    daemon.descriptors = descriptor_count(daemon.pid);
    raw_peer peer(daemon.world);
    peer.send(hello_frame());
    REQUIRE(peer.next());
    peer.send(framed(mux::encode_bytes(message::input, 0, "no client is attached")));
    peer.send(framed(mux::encode<message::attach>(2, mux::attach_request{{deaf, 0}, {}})));
    REQUIRE(peer.next());
    peer.send(framed(mux::encode<message::show>(0, mux::show_request{})));
    for (int n = 0; n < 40; ++n)
        peer.send(framed(mux::encode_bytes(message::input, 0, std::string(mux::input_chunk_bytes, 'x'))));
    CHECK(peer.rest());
    daemon.check_logged("the input exceeds the window");
    daemon.check_unharmed();
}

TEST_CASE("clients beyond the limit get an error, and the connected ones stay", "[mato][hostile]") {
    mato_world world;
    world.configure("[limits]\nclients = 3\n");
    const std::string id = world.open_tab();
    std::vector<std::unique_ptr<raw_peer>> good;
    REQUIRE(wait_until([&] { // the command that opened the tab may still be connected
        good.push_back(std::make_unique<raw_peer>(world));
        good.back()->send(hello_frame());
        const auto answer = good.back()->next();
        if (!answer || mux::parse_header(*answer)->type != message::welcome) good.pop_back();
        return good.size() == 3;
    }));
    const outcome refused = world.run({"has", id});
    INFO(refused.err);
    CHECK(refused.exit_code == 69);
    CHECK(contains(refused.err, "too many clients, the limit is 3; end a client, or raise `clients` in [limits] of " +
                                    world.config_file().native() + " and send SIGHUP to process " +
                                    std::to_string(world.daemon_pid())));
    CHECK(contains(world.log(), "too many clients"));
    good[0]->send(framed(mux::encode<message::list_tabs>(9)));
    CHECK(good[0]->next());
    world.configure("[limits]\nclients = 4\n"); // as the message says
    ::kill(world.daemon_pid(), SIGHUP);
    CHECK(wait_until([&] { return world.run({"has", id}).exit_code == 0; }));
    good.clear();
}

TEST_CASE("silent peers beyond the limit: a client is told to try again, and soon succeeds", "[mato][hostile]") {
    mato_world world;
    const std::string id = world.open_tab();
    std::vector<std::unique_ptr<raw_peer>> silent;
    outcome refused;
    REQUIRE(wait_until([&] { // each is closed after five seconds
        for (int n = 0; n < 256; ++n) silent.push_back(std::make_unique<raw_peer>(world));
        refused = world.run({"has", id});
        if (refused.exit_code == 0) silent.clear();
        return refused.exit_code != 0;
    }));
    CHECK(refused.exit_code == 69);
    CHECK(contains(refused.err,
                   "too many clients that have not completed the handshake, the limit is 256; try again in a moment"));
    silent.clear();
    CHECK(wait_until([&] { return world.run({"has", id}).exit_code == 0; }));
}

TEST_CASE("descriptors that come with a request that takes none are closed: a session sees its client's end",
          "[mato][hostile]") {
    watched_daemon daemon;
    for (int n = 0; n < 50; ++n) {
        raw_peer peer(daemon.world);
        peer.send(hello_frame());
        REQUIRE(peer.next());
        peer.send_with_itself(framed(mux::encode<message::status>(2)), 1 + n % 2);
        REQUIRE(peer.next());
    }
    daemon.check_unharmed();
}

TEST_CASE("the second descriptor of an attach must be a pipe: anything else is refused", "[mato][hostile]") {
    watched_daemon daemon;
    for (int n = 0; n < 20; ++n) {
        raw_peer peer(daemon.world);
        peer.send(hello_frame());
        REQUIRE(peer.next());
        mux::attach_request wanted{{daemon.id, 0}, {}};
        wanted.view.passes_terminal = true;
        peer.send_with_itself(framed(mux::encode<message::attach>(2, wanted)), 2);
        const auto answer = peer.next();
        REQUIRE(answer);
        CHECK(mux::parse_header(*answer)->type == message::attached);
    }
    daemon.check_unharmed();
}

TEST_CASE("the waits of a client are bounded, and a long terminal name is cut in listings", "[mato][hostile]") {
    watched_daemon daemon;
    {
        mux::hello greeting;
        greeting.tty = std::string(700'000, 't');
        greeting.program = std::string(300'000, 'p');
        std::vector<std::unique_ptr<raw_peer>> loud;
        for (int n = 0; n < 3; ++n) {
            loud.push_back(std::make_unique<raw_peer>(daemon.world));
            loud.back()->send(hello_frame(greeting));
            REQUIRE(loud.back()->next());
        }
        const outcome listed = daemon.world.run({"clients", "--json"});
        CHECK(listed.exit_code == 0);
        CHECK(listed.out.size() < 10'000);
        const mux::target which{daemon.id, 0};
        std::string waits;
        constexpr std::uint32_t most = 4096;
        for (std::uint32_t n = 0; n < most; ++n) waits += framed(mux::encode<message::wait_exit>(n + 2, which));
        loud[0]->send(waits);
        loud[0]->send(framed(mux::encode<message::wait_exit>(99'999, which)));
        const auto answer = loud[0]->next();
        REQUIRE(answer);
        CHECK(mux::parse_header(*answer)->type == message::error);
        CHECK(mux::parse_header(*answer)->id == 99'999);
        CHECK(contains(*answer, "too many requests are waiting"));
        CHECK(daemon.world.run({"wait", daemon.id, "--exit", "--timeout", "50ms"}).exit_code != 69); // others can still wait
    }
    daemon.check_unharmed();
}
