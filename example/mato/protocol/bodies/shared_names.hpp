// SPDX-License-Identifier: MIT
/// @file shared_names.hpp: what clients share by name: buffers of text, and channels.
/// Pure.  Test: test/mato/protocol_test.cpp.
#pragma once

#include "target.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace mux {

/// A buffer or a channel.
struct name_only {
    std::string name;
    void fields(auto& f) { f(name); }
};
struct buffer_content {
    std::string name, text; ///< at most `paste_buffers::most_text` bytes
    void fields(auto& f) { f(name, text); }
};
/// Types a buffer into a tab, as a bracketed paste if its program has asked for that.
struct paste_request {
    std::string name;
    target which;
    void fields(auto& f) { f(name, which); }
};
struct buffer_info {
    std::string name;
    std::uint64_t bytes = 0;
    std::string begin; ///< of its text, one printable line
    void fields(auto& f) { f(name, bytes, begin); }
};
/// The one that was set last comes first.
struct buffer_list {
    std::vector<buffer_info> buffers;
    void fields(auto& f) { f(buffers); }
};

} // namespace mux
