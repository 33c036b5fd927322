// SPDX-License-Identifier: MIT
#include "spawn.hpp"

#include <mato/signals.hpp>
#include <mato/sys.hpp>

#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <limits>
#include <string_view>

namespace mux {
namespace {

namespace sys = mato::sys;

/// The step that failed in the child, sent over the pipe as two integers.
enum class child_step : int { session = 1, terminal, standard, directory, exec };
struct child_report {
    child_step step;
    int number;
};

winsize as_winsize(terminal_size size) noexcept {
    const auto as_short = [](int count) {
        return static_cast<unsigned short>(std::clamp<int>(count, 0, std::numeric_limits<unsigned short>::max()));
    };
    const auto& [cells, cell] = size;
    return {as_short(cells.rows), as_short(cells.columns), as_short(cells.columns * cell.width),
            as_short(cells.rows * cell.height)};
}

/// The program's path: unchanged if it contains a '/', else the first executable in PATH. If there is none, exec reports it for
/// the last directory of PATH: the bare name would be looked up in the working directory.
std::string find_program(const spawn_request& request) {
    if (request.program.find('/') != std::string::npos) return request.program;
    std::string_view path = "/usr/local/bin:/usr/bin:/bin"; // confstr(_CS_PATH) and the usual local directory
    for (const std::string& variable : request.environment)
        if (variable.starts_with("PATH=")) path = std::string_view(variable).substr(5);
    while (true) {
        const auto colon = path.find(':');
        const std::string_view directory = path.substr(0, colon);
        std::string candidate(directory);
        if (!directory.starts_with('/')) candidate = request.directory + "/" + candidate; // relative to the program's directory
        candidate += "/" + request.program;
        if (::access(candidate.c_str(), X_OK) == 0 || colon == std::string_view::npos) return candidate;
        path.remove_prefix(colon + 1);
    }
}

std::vector<char*> pointers(const std::vector<std::string>& strings) {
    std::vector<char*> result;
    for (const std::string& text : strings) result.push_back(const_cast<char*>(text.c_str()));
    result.push_back(nullptr);
    return result;
}

[[noreturn]] void give_up(int report_fd, child_step step) noexcept {
    const child_report report{step, errno};
    static_cast<void>(sys::write(report_fd, &report, sizeof report));
    ::_exit(127);
}

/// Uses only async-signal-safe calls and changes only its own variables: the memory is the parent's until exec.
[[noreturn]] void become_program(int slave, int report_fd, const spawn_request& request, const char* program, char* const* argv,
                                 char* const* environment) noexcept {
    if (sys::setsid() == -1) give_up(report_fd, child_step::session);
    if (sys::ioctl(slave, TIOCSCTTY, 0) == -1) give_up(report_fd, child_step::terminal);
    // Moved above 2, so that dup2 onto 0-2 cannot close it.
    const int report = sys::fcntl(report_fd, F_DUPFD_CLOEXEC, 3);
    if (report == -1) give_up(report_fd, child_step::standard);
    for (int fd = 0; fd < 3; ++fd) {
        if (slave == fd ? sys::fcntl(fd, F_SETFD, 0) == -1 : sys::dup2(slave, fd) == -1) give_up(report, child_step::standard);
    }
    for (int fd = 3; fd < report; ++fd) sys::close(fd);
    sys::close_from(report + 1);
    if (sys::chdir(request.directory.c_str()) == -1) give_up(report, child_step::directory);
    sys::umask(request.limits.umask);
    if (request.limits.descriptors.rlim_max != 0) ::setrlimit(RLIMIT_NOFILE, &request.limits.descriptors);
    mato::reset_signals();
    ::execve(program, argv, environment);
    give_up(report, child_step::exec);
}

mato::failure describe(const child_report& report, const spawn_request& request) {
    const std::error_code code(report.number, std::system_category());
    switch (report.step) {
    case child_step::session: return {code, "start session for", request.program, {}};
    case child_step::terminal: return {code, "set controlling terminal for", request.program, {}};
    case child_step::standard: return {code, "set standard descriptors for", request.program, {}};
    case child_step::directory: return {code, std::string(enter_directory), request.directory, {}};
    case child_step::exec: return {code, "run", request.program, {}};
    }
    return {mato::errc::malformed, "run", request.program, "the child's report is truncated"};
}

} // namespace

spawned spawn(const spawn_request& request, mato::error_out out) {
    const auto fail = [&](const char* step, const char* path) { return out.fail<spawned>(mato::last_error(), step, path); };
    spawned result;
    result.terminal = mato::unique_fd(sys::open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK));
    if (!result.terminal) return fail("open terminal", "/dev/ptmx");
    const int master = result.terminal.get();
    int unlock = 0;
    if (sys::ioctl(master, TIOCSPTLCK, &unlock) == -1) return fail("unlock terminal", "/dev/ptmx");
    // ioctl_tty(2) TIOCGPTPEER: opens the other end by descriptor; a name could belong to another /dev/pts.
    const mato::unique_fd slave(sys::ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
    if (!slave) return fail("open terminal's program side", "/dev/ptmx");
    const winsize size = as_winsize(request.size);
    if (sys::ioctl(master, TIOCSWINSZ, &size) == -1) return fail("set terminal size", "/dev/ptmx");
    termios modes{};
    if (::tcgetattr(slave.get(), &modes) == 0) { // the kernel's defaults, with UTF-8 and the usual erase key
        modes.c_iflag |= IUTF8;
        modes.c_cc[VERASE] = 0x7f;
        ::tcsetattr(slave.get(), TCSANOW, &modes);
    }

    int ends[2];
    if (sys::pipe(ends) == -1) return fail("open pipe", request.program.c_str());
    const mato::unique_fd report(ends[0]);
    mato::unique_fd report_write(ends[1]);

    // Allocates all memory before the fork.
    const std::string program = find_program(request);
    const auto argv = pointers(request.argv);
    const auto environment = pointers(request.environment);
    {
        const mato::blocked_signals quiet; // until the child has reset its dispositions
        result.pid = sys::vfork([&] {      // it waits no longer than reading the report would
            become_program(slave.get(), report_write.get(), request, program.c_str(), argv.data(), environment.data());
        });
    }
    if (result.pid == -1) return fail("fork for", request.program.c_str());
    report_write.reset(); // otherwise this copy would keep the pipe open
    child_report problem{};
    const ssize_t got = sys::read(report.get(), &problem, sizeof problem);
    if (got == 0) return result; // a successful exec has closed the pipe
    const auto read_error = mato::last_error();
    int status = 0;
    if (got < 0) sys::kill(result.pid, SIGKILL);
    sys::waitpid(result.pid, &status, 0);
    if (got < 0)
        out.set(read_error, "start", request.program);
    else
        out.set(describe(problem, request));
    return {};
}

process_limits own_limits() noexcept {
    process_limits limits;
    limits.umask = sys::umask(022); // umask(2) can be read only by setting it
    sys::umask(limits.umask);
    ::getrlimit(RLIMIT_NOFILE, &limits.descriptors);
    return limits;
}

void raise_descriptor_limit(rlim_t most) noexcept {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == -1) return;
    limit.rlim_cur = std::max(limit.rlim_cur, std::min(limit.rlim_max, most));
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

std::optional<terminal_size> size_of(int terminal) noexcept {
    winsize now{};
    if (sys::ioctl(terminal, TIOCGWINSZ, &now) == -1 || now.ws_row == 0 || now.ws_col == 0) return std::nullopt;
    return terminal_size{{now.ws_row, now.ws_col}, {now.ws_xpixel / now.ws_col, now.ws_ypixel / now.ws_row}};
}

bool hides_lines(int terminal) noexcept {
    termios modes{};
    return ::tcgetattr(terminal, &modes) == 0 && (modes.c_lflag & ICANON) != 0 && (modes.c_lflag & ECHO) == 0;
}

void resize(int terminal, terminal_size size, mato::error_out out) {
    const winsize cells = as_winsize(size);
    if (sys::ioctl(terminal, TIOCSWINSZ, &cells) == -1) out.set(mato::last_error(), "set terminal size");
}

} // namespace mux
