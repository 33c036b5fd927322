// A daemon that opens files for its clients, and its client: the daemon passes descriptors, each with the answer it belongs to.
//   16_open_files DIRECTORY serve FOLDER      serves the files of FOLDER
//   16_open_files DIRECTORY read NAME…        prints these files, which the client itself need not be able to open
// Notice: a client takes the descriptors of an answer before it asks for the next one; those that it leaves are closed.
#include <mato/client.hpp>
#include <mato/daemon.hpp>

#include <cstdio>
#include <fcntl.h>

static int serve(const mato::daemon_options& options, const std::string& folder) {
    return mato::daemon::run(options, [folder](mato::daemon& self) {
        self.server().on.on_frame = [folder](const mato::daemon::session_ptr& client, std::string_view name) {
            client->established();
            if (name.empty() || name.find('/') != std::string_view::npos) return client->send("not a name");
            const std::string path = std::string(folder).append("/").append(name);
            const mato::unique_fd file(mato::sys::open(path.c_str(), O_RDONLY | O_NOFOLLOW));
            if (!file) return client->send(mato::failure{mato::last_error(), "open", path, {}}.message());
            const int number = file.get();
            mato::failure why; // busy: the client has not received the files that it asked for before
            client->send_with("open", {&number, 1}, why);
            if (why) client->send(why.message());
        };
    });
}

static int read_files(const mato::daemon_paths& paths, int count, char** names) {
    const auto until = mato::deadline::in(std::chrono::seconds(5));
    mato::failure why;
    auto client = mato::client::connect(mato::owned_path(paths.socket), until, why);
    client.accept_descriptors(1);
    for (int i = 0; i < count && !why; ++i) {
        client.send(names[i], until, why);
        const auto answer = why ? std::nullopt : client.receive(until, why);
        const mato::unique_fd file = client.take_descriptor();
        if (answer && !file) std::printf("%s: %s\n", names[i], std::string(*answer).c_str());
        char buffer[4096];
        for (ssize_t got = 0; file && (got = mato::sys::read(file.get(), buffer, sizeof buffer)) > 0;)
            std::fwrite(buffer, 1, static_cast<std::size_t>(got), stdout);
    }
    if (why) std::fprintf(stderr, "%s\n", why.message().c_str());
    return mato::exit_code_for(why.code);
}

int main(int argc, char** argv) {
    if (argc < 4) return mato::exit_code::usage;
    mato::daemon_options options;
    options.paths = mato::daemon_paths::in(argv[1]);
    if (std::string_view(argv[2]) == "serve") return serve(options, argv[3]);
    return read_files(options.paths, argc - 3, argv + 3);
}
