// SPDX-License-Identifier: MIT
/// @file upgrading.hpp: replaces the daemon's program while it serves: the request, the frozen state, the answer.
/// Threads: the io_context's.   Blocks: `freeze` while the unread input of the tabs is copied.
/// Test: test/mato/mato_upgrade_process_test.cpp.
///
/// The new program restores from what the keeper holds. While it does, this process is frozen and changes nothing; if it
/// cannot, this process continues. docs/handover.md has the steps.
#pragma once

#include "state.hpp"

namespace mux {

class upgrading {
public:
    explicit upgrading(daemon_state& state) noexcept : state_(state) {}

    /// Answers the request once the upgrade has succeeded or failed.
    void begin(client& from, std::uint32_t id, const upgrade_request& wanted);
    /// Gives the keeper what only this process knows. @errors a tab is not kept, or is being started again · as kept::keep.
    void freeze(mato::error_out out);
    /// The upgrade was rolled back.
    void thaw();

private:
    void end(reply_target who, bool is_check, const mato::failure& why);
    void tell_typists(bool is_over);
    void refuse_unread_sends();
    [[nodiscard]] upgrade_report report() const;

    daemon_state& state_;
};

} // namespace mux
