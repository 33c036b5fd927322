// SPDX-License-Identifier: MIT
/// @file send.cpp: `send`: keys and text for a program, taken or told how much was.
#include "command/commands.hpp"

#include "command/common.hpp"
#include "key_names.hpp"

#include <mato/sys.hpp>

#include <map>

namespace mux {
namespace {

constexpr std::chrono::seconds send_patience{5}; // without one byte taken by the program

/// Key names become keys, other words are typed as they are; with -l all are.
std::string bytes_to_send(const invocation& what) {
    const std::vector<std::string> words(what.operands.begin() + 1, what.operands.end());
    std::string bytes;
    if (words.size() == 1 && words[0] == "-") {
        char buffer[65'536];
        for (ssize_t got; (got = mato::sys::read(0, buffer, sizeof buffer)) != 0;) {
            if (got < 0) throw command_failure{1, "cannot read standard input: " + mato::last_error().message()};
            bytes.append(buffer, static_cast<std::size_t>(got));
        }
        return bytes;
    }
    for (const std::string& word : words) bytes += what.literal ? word : key_bytes(word).value_or(word);
    return bytes;
}

} // namespace

int run_send(const invocation& what) {
    const auto paths = paths_of(what);
    const std::string bytes = bytes_to_send(what);
    remote daemon = open_existing(paths);
    const target which{what.operands[0], current_tab(paths)};
    constexpr std::size_t most_under_way = 4; // chunks; enough to keep a fast reader busy, little enough to queue
    std::map<std::uint32_t, std::size_t> under_way;
    std::size_t offset = 0, taken = 0;
    bool cancelled = false, first = true;
    while (first || offset < bytes.size() || !under_way.empty()) {
        while (!cancelled && under_way.size() < most_under_way && (first || offset < bytes.size())) {
            first = false; // an empty text is sent too: it asks whether the tab is there
            const std::string chunk = bytes.substr(offset, input_chunk_bytes);
            offset += chunk.size();
            under_way[daemon.post(message::send, send_request{which, chunk})] = chunk.size();
        }
        const auto frame = daemon.next(mato::deadline::in(send_patience));
        if (!frame) {
            if (cancelled) throw command_failure{mato::exit_code::not_answering, "the daemon does not answer"};
            cancelled = true;
            offset = bytes.size();
            for (const auto& [id, size] : under_way) daemon.post_as(message::cancel_send, id, nothing{});
            continue;
        }
        if (!under_way.contains(frame->id)) continue;
        if (frame->type == message::error) {
            const auto why = decode<refusal>(frame->body).value_or(refusal{});
            const std::string progress =
                bytes.size() > input_chunk_bytes
                    ? " (" + std::to_string(taken) + " of " + std::to_string(bytes.size()) + " bytes were taken before)"
                    : "";
            throw command_failure{why.exit_code, why.text + progress};
        }
        taken += decode<sent>(frame->body).value_or(sent{}).bytes;
        under_way.erase(frame->id);
    }
    if (taken == bytes.size()) return 0;
    throw command_failure{1, std::to_string(taken) + " of " + std::to_string(bytes.size()) +
                                 " bytes were taken; the program in tab " + what.operands[0] + " does not read its input"};
}

} // namespace mux
