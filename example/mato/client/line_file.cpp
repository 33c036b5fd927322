// SPDX-License-Identifier: MIT
#include "line_file.hpp"

#include <mato/sys.hpp>

#include <climits>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>

namespace mux {

namespace sys = mato::sys;

line_file line_file::open(const std::string& path, existing what, mato::error_out out) {
    line_file result;
    result.path_ = path;
    struct ::stat found {};
    if (path == "-") {
        result.fd_ = STDOUT_FILENO;
    } else {
        int fd = sys::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0666);
        if (fd == -1 && errno == EEXIST) {
            const bool is_file = ::stat(path.c_str(), &found) == 0 && S_ISREG(found.st_mode);
            if (is_file && what == existing::refuse)
                return out.fail<line_file>(std::make_error_code(std::errc::file_exists), "write", path);
            fd = sys::open(path.c_str(), O_WRONLY | (is_file ? O_TRUNC : 0));
        }
        if (fd == -1) return out.fail<line_file>(mato::last_error(), "write", path);
        result.owned_.reset(fd);
        result.fd_ = fd;
    }
    result.is_regular_ = sys::fstat(result.fd_, &found) == 0 && S_ISREG(found.st_mode);
    return result;
}

void line_file::write(mato::error_out out) {
    std::size_t done = 0;
    while (done < lines_.size()) {
        pollfd ready{fd_, POLLOUT, 0};
        if (!is_regular_ && sys::poll(&ready, 1, 0) != 1) break;
        // A pipe that poll(2) reports as writable accepts this much without waiting.
        const std::size_t size = is_regular_ ? lines_.size() - done : std::min<std::size_t>(lines_.size() - done, PIPE_BUF);
        const ssize_t took = sys::write(fd_, lines_.data() + done, size);
        if (took < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
        if (took < 0) {
            out.set(mato::last_error(), "write", path_ == "-" ? "standard output" : path_);
            return give_up();
        }
        const std::string_view taken(lines_.data() + done, static_cast<std::size_t>(took));
        const std::size_t line_end = taken.rfind('\n');
        cut_ = line_end == taken.npos ? cut_ + taken.size() : taken.size() - 1 - line_end;
        done += taken.size();
    }
    lines_.erase(0, done);
}

void line_file::give_up() {
    lines_.clear();
    if (cut_ == 0 || !is_regular_ || !owned_) return;
    struct ::stat now {};
    if (sys::fstat(fd_, &now) == 0 && sys::ftruncate(fd_, now.st_size - static_cast<off_t>(cut_)) == 0) cut_ = 0;
}

} // namespace mux
