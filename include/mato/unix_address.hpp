// SPDX-License-Identifier: MIT
/// @file unix_address.hpp: the address of a Unix socket, from a path or an abstract name.
/// Layer: 1 (vocabulary).  Test: test/toolkit/unix_address_test.cpp.
/// Threads: a value.   Blocks: never.   Source: unix(7) "Address format".
#pragma once

#include "error.hpp"
#include "sys.hpp"

#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

namespace mato {
inline namespace MATO_ABI {

/// An address for bind(2), connect(2) and sendto(2).
///
/// Empty until made by one of the functions below.
///
/// @threads a value.
/// @blocks never.
///
/// @code
/// const auto address = mato::unix_address::of_path(endpoint.path(), why);
/// if (!why) CHECK(address.size() > 0);
/// @endcode
class unix_address {
public:
    /// Longest name in bytes: 107 on Linux, 103 on BSD and macOS. One byte is needed for the final NUL of a path, or the
    /// leading NUL of an abstract name.
    static constexpr std::size_t max_name_bytes = sizeof(sockaddr_un::sun_path) - 1;

    unix_address() noexcept = default;
    /// @errors filename_too_long, with length and limit; also for the empty path · EINVAL: it contains a NUL.
    [[nodiscard]] static unix_address of_path(std::string_view path, error_out out);
    /// `name`: without the leading '@'. @errors filename_too_long · EAFNOSUPPORT: not on this system.
    [[nodiscard]] static unix_address of_abstract_name(std::string_view name, error_out out);

    [[nodiscard]] const sockaddr* data() const noexcept { return reinterpret_cast<const sockaddr*>(&value_); }
    [[nodiscard]] socklen_t size() const noexcept { return size_; } ///< 0 when empty

private:
    [[nodiscard]] static bool fits(std::string_view name, std::string_view shown, error_out out);

    sockaddr_un value_{};
    socklen_t size_ = 0;
};

// ---- implementation ----

inline bool unix_address::fits(std::string_view name, std::string_view shown, error_out out) {
    if (!name.empty() && name.size() <= max_name_bytes) return true;
    out.set({ENAMETOOLONG, std::system_category()}, "socket path", shown,
            "it is " + std::to_string(name.size()) + " bytes long; use 1 to " + std::to_string(max_name_bytes) + " bytes");
    return false;
}

inline unix_address unix_address::of_path(std::string_view path, error_out out) {
    unix_address result;
    if (!fits(path, path, out)) return result;
    if (path.find('\0') != std::string_view::npos) {
        return out.fail<unix_address>({EINVAL, std::system_category()}, "socket path", path.substr(0, path.find('\0')),
                                      "it contains a NUL");
    }
    result.value_.sun_family = AF_UNIX;
    std::memcpy(result.value_.sun_path, path.data(), path.size());
    result.size_ = sizeof result.value_;
    return result;
}

inline unix_address unix_address::of_abstract_name(std::string_view name, error_out out) {
    unix_address result;
    const std::string shown = std::string("@").append(name);
#if MATO_HAS_ABSTRACT_NAMES
    if (!fits(name, shown, out)) return result;
    result.value_.sun_family = AF_UNIX;
    std::memcpy(result.value_.sun_path + 1, name.data(), name.size()); // after the leading NUL of an abstract name
    result.size_ = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size()); // the length is part of the name
#else
    out.set({EAFNOSUPPORT, std::system_category()}, "socket path", shown, "this system has no abstract names");
#endif
    return result;
}

} // namespace MATO_ABI
} // namespace mato
