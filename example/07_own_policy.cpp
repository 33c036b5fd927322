// Your own policy: netstrings ("5:hello,") instead of the provided framings, in an otherwise default daemon.
// Notice: nothing is inherited or registered. A type with these four members is a framing policy; if one is missing, the
// compiler reports it in one sentence that names the header to read.
#include <mato/daemon.hpp>

#include <charconv>

struct netstring {
    static constexpr std::size_t max_frame_bytes = 9'999; // so a length has at most four digits
    static constexpr bool keeps_boundaries = true;

    /// Returns the complete frame at the start of `bytes`, or empty if it is not complete yet. An error ends the connection.
    static std::optional<mato::frame_match> split(std::string_view bytes, mato::error_out out) {
        std::size_t size = 0;
        const auto head = bytes.substr(0, 5);
        const auto [rest, why] = std::from_chars(head.data(), head.data() + head.size(), size);
        const auto digits = static_cast<std::size_t>(rest - head.data());
        if (head.empty() || (why == std::errc() && digits == head.size() && digits < 5)) return std::nullopt;
        const auto whole = digits + 1 + size + 1; // the length, a colon, the payload, a comma
        const bool wrong = why != std::errc() || digits > 4 || head[digits] != ':';
        if (wrong || (bytes.size() >= whole && bytes[whole - 1] != ','))
            return out.fail<std::optional<mato::frame_match>>(mato::errc::malformed, "read netstring");
        if (bytes.size() < whole) return std::nullopt;
        return mato::frame_match{bytes.substr(digits + 1, size), whole};
    }
    static void append(std::string& to, std::string_view payload, mato::error_out out) {
        if (payload.size() > max_frame_bytes) return out.set(mato::errc::frame_too_large, "write netstring");
        to.append(std::to_string(payload.size())).append(":").append(payload).append(",");
    }
};
static_assert(mato::framing_policy<netstring>);

struct policies : mato::default_policies {
    using detach = mato::double_fork;
    using framing = netstring;
};
using reverser = mato::basic_daemon<policies>;

int main(int argc, char** argv) {
    if (argc != 2) return mato::exit_code::usage;
    mato::daemon_options options;
    options.paths = mato::daemon_paths::in(argv[1]);
    return reverser::run(options, [](reverser& daemon) {
        daemon.server().on.on_frame = [](const reverser::session_ptr& session, std::string_view frame) {
            session->established();
            session->send(std::string(frame.rbegin(), frame.rend()));
        };
    });
}
