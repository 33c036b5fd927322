// The local edge of a NATS subject: one subscription for this machine, any number of local clients. What a client sends is
// published to the subject. Usage: 15_nats_edge DIRECTORY URL SUBJECT, for example nats://127.0.0.1:4222
// Notice: a loss is told at each step: NATS counts what this daemon took too late, and the broadcast what a client read too
// late.
#include <mato/broadcast.hpp>
#include <mato/daemon.hpp>

#include <atomic>
#include <nats/nats.h>
#include <semaphore>

using edge = mato::basic_daemon<>;

struct nats_subject : std::enable_shared_from_this<nats_subject> {
    explicit nats_subject(edge& owner) : daemon(owner), clients(owner.context()) {}
    ~nats_subject() { stop(); }
    void start(const char* url, const char* subject) {
        clients.on.gap = [](const mato::frame_gap& lost) { return "lost " + std::to_string(lost.count()) + " here"; };
        daemon.server().on.on_opened = [this](const edge::session_ptr& client) {
            client->established(), clients.subscribe(client, mato::drop_oldest{.bytes = 64 << 10});
        };
        daemon.server().on.on_frame = [this, subject](const edge::session_ptr& client, std::string_view text) {
            const auto sent = natsConnection_Publish(server, subject, text.data(), static_cast<int>(text.size()));
            if (sent != NATS_OK) client->send(std::string("not published: ") + natsStatus_GetText(sent));
        };
        natsStatus status = natsConnection_ConnectTo(&server, url);
        if (status == NATS_OK) status = natsConnection_Subscribe(&here, server, subject, &on_message, this);
        if (status != NATS_OK) throw mato::error({mato::errc::not_running, "subscribe at", url, natsStatus_GetText(status)});
        natsSubscription_SetOnCompleteCB(
            here, [](void* done) { static_cast<std::binary_semaphore*>(done)->release(); }, &complete);
        natsSubscription_SetPendingLimits(here, 65'536, 8 << 20); // messages, bytes; NATS drops and counts more
    }
    void stop() {
        if (!here) return natsConnection_Destroy(std::exchange(server, nullptr));
        waiting = -most_waiting, waiting.notify_all(); // on_message waits no longer
        natsSubscription_Unsubscribe(here);
        complete.acquire();
        natsSubscription_Destroy(std::exchange(here, nullptr));
        natsConnection_Destroy(std::exchange(server, nullptr)); // sends what was published
    }
    // Called by a thread of NATS.
    static void on_message(natsConnection*, natsSubscription*, natsMsg* message, void* closure) {
        auto& self = *static_cast<nats_subject*>(closure);
        for (int now = self.waiting; now >= most_waiting; now = self.waiting) self.waiting.wait(now);
        ++self.waiting;
        std::string text(natsMsg_GetData(message), static_cast<std::size_t>(natsMsg_GetDataLength(message)));
        natsMsg_Destroy(message);
        asio::post(self.daemon.context(), [held = self.weak_from_this(), said = std::move(text)] {
            if (const auto subject = held.lock()) subject->publish(said);
        });
    }
    void publish(const std::string& text) {
        --waiting, waiting.notify_one();
        std::int64_t all = 0;
        if (here && natsSubscription_GetDropped(here, &all) == NATS_OK && all > dropped)
            clients.publish("lost " + std::to_string(all - std::exchange(dropped, all)) + " on the way");
        std::error_code too_large;
        clients.publish(text, too_large);
    }
    static constexpr int most_waiting = 1024; // messages for the loop; later ones wait in the subscription
    edge& daemon;
    mato::basic_broadcast<edge::session, mato::drop_oldest> clients;
    natsConnection* server = nullptr;
    natsSubscription* here = nullptr;
    std::atomic<int> waiting = 0;
    std::binary_semaphore complete{0};
    std::int64_t dropped = 0;
};

int main(int argc, char** argv) {
    if (argc != 4) return mato::exit_code::usage;
    const mato::daemon_options options{.paths = mato::daemon_paths::in(argv[1])};
    return edge::run(options, [&](edge& daemon) {
        const auto subject = std::make_shared<nats_subject>(daemon);
        daemon.keep(subject);
        subject->start(argv[2], argv[3]);
        daemon.on.on_stop = [&daemon, subject] { subject->stop(), daemon.stopped(); };
    });
}
