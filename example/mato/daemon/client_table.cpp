// SPDX-License-Identifier: MIT
#include "client_table.hpp"

#include <algorithm>

namespace mux {

traffic traffic_of(const viewer& screen) {
    return {screen.outlet().is_direct() ? screen.outlet().sent_bytes() : 0, screen.skipped(), screen.resyncs()};
}

std::uint64_t client::queue_bytes() const { return session->queued_bytes() + (screen ? screen->outlet().pending_bytes() : 0); }

client& client_table::add(const multiplexer_daemon::session_ptr& session) {
    client& added = clients_[session->id()];
    added.session = session;
    return added;
}

client* client_table::find(std::uint64_t id) {
    const auto at = clients_.find(id);
    return at == clients_.end() ? nullptr : &at->second;
}

std::vector<client*> client_table::viewers_of(tab_id tab) {
    std::vector<client*> result;
    for (auto& [id, each] : clients_)
        if (each.attached == tab) result.push_back(&each);
    return result;
}

std::size_t client_table::count_viewers(tab_id tab) const noexcept {
    return static_cast<std::size_t>(
        std::count_if(clients_.begin(), clients_.end(), [&](const auto& each) { return each.second.attached == tab; }));
}

void client_table::send(client& to, const std::string& payload) {
    mato::failure why;
    to.session->send(payload, why);
    if (!why) return;
    host_.log().error("client " + std::to_string(to.id()) + ": " + why.message());
    if (const auto answer = parse_header(payload); answer && answer->id != 0) // a waiting request must be answered
        refuse(to, answer->id, "the answer is too large: " + why.message());
}

void client_table::refuse(client& to, std::uint32_t request, std::string text, int exit_code) {
    reply<message::error>(to, request, refusal{exit_code, std::move(text)});
}

void client_table::tell_all(message type) {
    for (auto& [id, each] : clients_)
        if (each.greeted) tell(each, type);
}

} // namespace mux
