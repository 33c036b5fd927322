// SPDX-License-Identifier: MIT
#include "ended_tabs.hpp"

#include <mato/sys.hpp>
#include <mato/unique_fd.hpp>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>
#include <utility>

namespace mux {
namespace {

namespace sys = mato::sys;

constexpr std::size_t most_line = 256; // two numbers and two names of 64 bytes each (check_name)
static_assert(ended_tabs::most_text >= ended_tabs::limit * most_line);

/// "ID CODE TASK/NAME"; neither name contains '/'.
std::optional<ended_tab> parse_ended_line(std::string_view line) {
    ended_tab result;
    const char* const end = line.data() + line.size();
    const auto id = std::from_chars(line.data(), end, result.id);
    if (id.ec != std::errc() || id.ptr == end || *id.ptr != ' ' || result.id == 0) return std::nullopt;
    const auto code = std::from_chars(id.ptr + 1, end, result.exit_code);
    if (code.ec != std::errc() || code.ptr == end || *code.ptr != ' ') return std::nullopt;
    const std::string_view names(code.ptr + 1, static_cast<std::size_t>(end - code.ptr - 1));
    const auto slash = names.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    result.task = names.substr(0, slash);
    result.name = names.substr(slash + 1);
    return result;
}

} // namespace

std::string ended_tabs::path_next_to(const std::string& socket) {
    return std::filesystem::path(socket).replace_extension(".ended.tabs").native();
}

ended_tabs ended_tabs::load(const std::string& path) {
    ended_tabs result;
    const mato::unique_fd file(sys::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
    struct ::stat found {};
    if (!file || sys::fstat(file.get(), &found) == -1 || found.st_size <= 0) return result;
    std::string text(std::min<std::size_t>(static_cast<std::size_t>(found.st_size), limit * most_line), '\0');
    std::size_t size = 0;
    for (ssize_t got; size < text.size() && (got = sys::read(file.get(), text.data() + size, text.size() - size)) > 0;)
        size += static_cast<std::size_t>(got);
    return parse(std::string_view(text).substr(0, size));
}

ended_tabs ended_tabs::parse(std::string_view text) {
    ended_tabs result;
    for (std::size_t from = 0, end; (end = text.find('\n', from)) != std::string_view::npos; from = end + 1)
        if (auto gone = parse_ended_line(text.substr(from, end - from))) result.remember(std::move(*gone));
    return result;
}

std::string ended_tabs::to_text() const {
    std::string text;
    for (const ended_tab& each : tabs_) {
        text.append(std::to_string(each.id)).append(" ").append(std::to_string(each.exit_code));
        text.append(" ").append(each.task).append("/").append(each.name).append("\n");
    }
    return text;
}

void ended_tabs::save(const std::string& path, mato::error_out out) const {
    const std::string text = to_text();
    const mato::unique_fd file(sys::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600));
    if (!file) return out.set(mato::last_error(), "open the list of ended tabs", path);
    for (std::size_t done = 0; done < text.size();) {
        const ssize_t took = sys::write(file.get(), text.data() + done, text.size() - done);
        if (took <= 0) return out.set(mato::last_error(), "write the list of ended tabs", path);
        done += static_cast<std::size_t>(took);
    }
}

void ended_tabs::remember(ended_tab gone) {
    if (gone.last_screen.size() > most_screen_bytes) std::string().swap(gone.last_screen);
    tabs_.push_back(std::move(gone));
    if (tabs_.size() > limit) tabs_.pop_front();
}

const ended_tab* ended_tabs::find(std::string_view target, tab_id current) const {
    tab_id id = target == "." ? current : 0;
    if (const auto end = target.data() + target.size(); id == 0 && !target.empty())
        if (const auto read = std::from_chars(target.data(), end, id); read.ec != std::errc() || read.ptr != end) id = 0;
    const auto slash = target.find('/');
    const std::string_view task = slash == std::string_view::npos ? std::string_view() : target.substr(0, slash);
    const std::string_view name = slash == std::string_view::npos ? target : target.substr(slash + 1);
    const auto found = std::find_if(tabs_.rbegin(), tabs_.rend(), [&](const ended_tab& each) {
        return id != 0 ? each.id == id : each.name == name && (slash == std::string_view::npos || each.task == task);
    });
    return found == tabs_.rend() ? nullptr : &*found;
}

} // namespace mux
