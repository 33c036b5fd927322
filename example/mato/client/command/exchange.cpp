// SPDX-License-Identifier: MIT
#include "exchange.hpp"

namespace mux {

void exchange::hear(remote& daemon, const header& answer) {
    std::erase(asked_, answer.id);
    if (answer.type == message::error) return on_refused(read_as<message::error>(answer).value_or(refusal{}));
    on_answer(daemon, answer);
}

void exchange::wake(remote&) {
    finish({mato::exit_code::not_answering, "the daemon does not answer; try again, or end it with 'mato stop --now'"});
}

int run_to_completion(remote& daemon, exchange& what) {
    what.begin(daemon);
    while (!what.outcome()) {
        const auto frame = daemon.next(what.due());
        if (!frame)
            what.wake(daemon);
        else if (what.awaits(frame->id))
            what.hear(daemon, *frame);
    }
    if (!what.outcome()->error.empty()) throw command_failure{what.outcome()->exit_code, what.outcome()->error};
    return what.outcome()->exit_code;
}

} // namespace mux
