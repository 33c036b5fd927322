// SPDX-License-Identifier: MIT
#include "tab_counter.hpp"

#include <mato/sys.hpp>

#include <charconv>
#include <filesystem>
#include <utility>

namespace mux {

std::string tab_counter::path_beside(const std::string& socket) {
    return std::filesystem::path(socket).replace_extension(".tabs").native();
}

tab_counter::tab_counter(std::string path)
    : path_(std::move(path)), file_(mato::sys::open_private(path_.c_str(), O_RDWR | O_NOFOLLOW)) {
    if (!file_) throw mato::error({mato::last_error(), "open tab counter", path_, {}});
    char text[32];
    const ssize_t got = mato::sys::pread(file_.get(), text, sizeof text, 0);
    if (got < 0) throw mato::error({mato::last_error(), "read tab counter", path_, {}});
    std::from_chars(text, text + got, last_);
    if (last_ > most) last_ = 0;
}

void tab_counter::advance_to(tab_id id, mato::error_out out) {
    const std::string line = std::to_string(id) + "\n";
    if (mato::sys::pwrite(file_.get(), line.data(), line.size(), 0) != static_cast<ssize_t>(line.size()))
        return out.set({mato::last_error(), "write tab counter", path_, {}});
    last_ = id;
}

} // namespace mux
