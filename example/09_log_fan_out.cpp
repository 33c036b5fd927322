// Sends lines of standard input to any number of clients, which may join late, lag, or ask for the last N lines.
//   make 2>&1 | 09_log_fan_out DIRECTORY          serves until the input ends, which may be a file
//   09_log_fan_out DIRECTORY follow [LINES]       prints the last LINES lines, then new ones
// Notice: a slow client loses the oldest lines and gets their exact number. Other clients and the input never wait.
#include <mato/broadcast.hpp>
#include <mato/client.hpp>
#include <mato/daemon.hpp>

#include <asio/read_until.hpp>

#include <charconv>
#include <cstdio>

namespace {

using namespace mato::literals;

struct policies : mato::default_policies {
    using framing = mato::line<>;
};
using log_daemon = mato::basic_daemon<policies>;
using line_connection = mato::basic_connection<policies::framing>;

class fan_out {
public:
    explicit fan_out(log_daemon& daemon)
        : daemon_(daemon), input_(daemon.context(), ::dup(STDIN_FILENO)), hub_(daemon.context(), 4_MiB) {
        hub_.on.gap = [](const mato::frame_gap& lost) { return "[" + std::to_string(lost.count()) + " lines lost]"; };
        daemon.server().on.on_frame = [this](const log_daemon::session_ptr& session, std::string_view lines) {
            std::uint64_t wanted = 0; // the client's only frame: how many of the last lines it wants
            std::from_chars(lines.data(), lines.data() + lines.size(), wanted);
            session->established();
            hub_.subscribe(session, mato::drop_oldest{.bytes = 1_MiB}, mato::join_at::last(wanted));
        };
        read();
    }

private:
    void read() {
        asio::async_read_until(input_, asio::dynamic_buffer(text_, policies::framing::max_frame_bytes), '\n',
                               [this](std::error_code why, std::size_t size) { take(why, size); });
    }
    void take(std::error_code why, std::size_t size) { // why: the input has ended, or the line is longer than a frame
        if (why) size = text_.size();
        std::error_code ignored; // lines of this size are not refused
        if (size > 0) hub_.publish(std::string_view(text_).substr(0, why ? size : size - 1), ignored);
        text_.erase(0, size);
        why&& why != asio::error::not_found ? daemon_.request_stop() : read();
    }

    log_daemon& daemon_;
    asio::posix::stream_descriptor input_;
    std::string text_;
    mato::basic_broadcast<line_connection, mato::drop_oldest> hub_;
};

int follow(const mato::daemon_paths& paths, std::string_view lines) {
    mato::failure why;
    const auto soon = mato::deadline::in(mato::milliseconds(2000));
    auto client = mato::basic_client<policies>::connect(mato::owned_path(paths.socket), soon, why);
    if (!why) client.send(lines, soon, why);
    while (!why) {
        const auto line = client.receive(mato::deadline::in(std::chrono::hours(24)), why);
        if (line) std::printf("%.*s\n", static_cast<int>(line->size()), line->data()), std::fflush(stdout);
    }
    if (why.code == mato::errc::closed) return mato::exit_code::ok; // the input has ended
    std::fprintf(stderr, "%s\n", why.message().c_str());
    return mato::exit_code_for(why.code);
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 2) return mato::exit_code::usage;
    mato::daemon_options options;
    options.paths = mato::daemon_paths::in(argv[1]);
    if (argc > 2) return follow(options.paths, argc > 3 ? argv[3] : "0");
    return log_daemon::run(options, [](log_daemon& daemon) { daemon.keep(std::make_shared<fan_out>(daemon)); });
}
