// SPDX-License-Identifier: MIT
// Images from a program to the terminals that can show them, direct and relayed; libvterm judges the text around them.
#include "support/daemon_worker.hpp"
#include "support/pty_client.hpp"
#include "support/vterm_screen.hpp"

#include <fstream>
#include <random>
#include <set>

using namespace support;

namespace {

const std::string prefix = "\x1c"; // C-backslash

constexpr std::string_view kitty_answer = "\033_Gi=31;OK\033\\", cell_answer = "\033[6;20;10t";
constexpr std::string_view with_sixel = "\033[?62;4;22c", without_sixel = "\033[?62;22c";

/// A user's terminal with configured answers, which shows text as libvterm does.
class image_terminal {
public:
    image_terminal(const mato_world& world, const std::vector<std::string>& arguments, std::string answers, int columns = 80,
                   int rows = 24)
        : answers_(std::move(answers)), screen_(rows, columns),
          client_(world, arguments,
                  {.columns = static_cast<unsigned short>(columns), .rows = static_cast<unsigned short>(rows)}) {}

    void look() {
        static_cast<void>(client_.wait_for_bytes(1, 20ms));
        const std::string& all = client_.shown();
        if (!answers_.empty() && count_of(all, "\033[c") > answered_) client_.type(answers_), ++answered_;
        fed_ += feed(screen_, std::string_view(all).substr(fed_));
    }
    [[nodiscard]] bool comes_to(const std::function<bool()>& hold) {
        const bool held = wait_until([&] { return look(), hold(); });
        if (!held) UNSCOPED_INFO("the screen:\n" << screen_.text());
        return held;
    }
    [[nodiscard]] bool comes_to_show(std::string_view text) {
        return comes_to([&] { return contains(screen_.text(), text); });
    }
    [[nodiscard]] bool comes_to_get(std::string_view bytes) {
        return comes_to([&] { return contains(received(), bytes); });
    }
    /// Its own output from now on.
    void mark() { mark_ = client_.shown().size(); }
    [[nodiscard]] std::string_view received() const { return std::string_view(client_.shown()).substr(mark_); }
    [[nodiscard]] const vterm_screen& screen() const noexcept { return screen_; }
    [[nodiscard]] pty_client& client() noexcept { return client_; }

    /// The payloads of kitty's transmissions, joined.
    [[nodiscard]] std::string transmitted() const {
        std::string data;
        for (std::string_view left = received();;) {
            const auto at = left.find("\033_G");
            if (at == left.npos) return data;
            left.remove_prefix(at + 3);
            const auto part = left.substr(0, left.find("\033\\"));
            if (!part.starts_with("a=p") && !part.starts_with("a=d") && !part.starts_with("i=31") &&
                part.find(';') != part.npos)
                data += part.substr(part.find(';') + 1);
        }
    }
    /// The cursor when `bytes` arrive: row and column, from 0.
    [[nodiscard]] std::pair<int, int> place_of(std::string_view bytes) const {
        const auto at = client_.shown().find(bytes, mark_);
        REQUIRE(at != std::string::npos);
        vterm_screen until(screen_.rows(), screen_.columns());
        feed(until, std::string_view(client_.shown()).substr(0, at));
        return {until.cursor().row, until.cursor().col};
    }

private:
    /// Without kitty's commands, which libvterm 0.1.4 prints as text. @returns bytes fed: an incomplete command waits
    static std::size_t feed(vterm_screen& to, std::string_view bytes) {
        const std::size_t size = bytes.size();
        for (;;) {
            const auto begin = bytes.find("\033_");
            const bool cut = begin == bytes.npos && bytes.ends_with('\033');
            to.feed(bytes.substr(0, cut ? bytes.size() - 1 : begin));
            if (begin == bytes.npos) return cut ? size - 1 : size;
            const auto end = bytes.find("\033\\", begin);
            if (end == bytes.npos) return size - (bytes.size() - begin);
            bytes.remove_prefix(end + 2);
        }
    }

    std::string answers_;
    vterm_screen screen_;
    pty_client client_;
    std::size_t fed_ = 0, mark_ = 0, answered_ = 0; // questions
};

/// Base64 of arbitrary data.
std::string noise(std::size_t size, unsigned seed = 1) {
    constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::minstd_rand random(seed);
    std::string out;
    while (out.size() < size) out += letters[random() % letters.size()];
    return out;
}

/// An image of kitty's protocol in chunks of 4096.
std::string kitty(std::string keys, std::string_view data) {
    std::string out;
    do {
        const auto piece = data.substr(0, 4096);
        data.remove_prefix(piece.size());
        out.append("\033_G").append(keys).append(keys.empty() ? "" : ",").append(data.empty() ? "m=0;" : "m=1;");
        out.append(piece).append("\033\\");
        keys.clear();
    } while (!data.empty());
    return out;
}

/// A tab that waits for a line and then writes each of these, with another line between them.
std::string open_writer(const mato_world& world, const std::vector<std::string>& outputs,
                        const std::string& greeting = "ready") {
    static int files = 0;
    std::string script = "stty -echo; printf '" + greeting + "'";
    for (const std::string& each : outputs) {
        const auto path = world.root() / ("image" + std::to_string(++files));
        std::ofstream(path, std::ios::binary) << each;
        script += "; read -r go; cat " + path.native();
    }
    std::string id = world.must({"new", "-d", "-x", "80", "-y", "24", "--",
                                 script + "; stty -icanon; exec cat -v"}); // it prints answers that no line end follows
    id.pop_back();
    world.must({"wait", id, "--text", greeting});
    return id;
}

std::vector<std::string> attach_to(const std::string& tab, const std::string& path = "direct") {
    std::vector<std::string> words{"attach", tab};
    if (path == "relayed") words.push_back("--relay");
    return words;
}

long tab_bytes(const mato_world& world) {
    const std::string all = world.must({"ls", "--json"});
    const auto at = all.find("\"memory_bytes\": ");
    REQUIRE(at != std::string::npos);
    return std::atol(all.c_str() + at + 16);
}

} // namespace

TEST_CASE("a kitty image of a megabyte reaches the viewer that can show it, at its place, and no byte of it the other viewer",
          "[mato][images]") {
    const std::string path = GENERATE("direct", "relayed");
    mato_world world;
    const std::string data = noise(1'048'576);
    open_writer(world, {"\033[3;5H" + kitty("a=T,f=24,s=512,v=512,c=20,r=10", data) + "beyond\033[20;1Hdone"});
    image_terminal can(world, attach_to("1", path), std::string(kitty_answer).append(cell_answer).append(without_sixel)),
        cannot(world, attach_to("1", path), std::string(without_sixel));
    REQUIRE(can.comes_to_show("ready"));
    REQUIRE(cannot.comes_to_show("ready"));
    can.client().type("\r");
    REQUIRE(can.comes_to_get("\033_Ga=p"));
    REQUIRE(can.comes_to_show("done"));
    REQUIRE(cannot.comes_to_show("done"));
    CHECK(can.transmitted() == data);
    CHECK(can.place_of("\033_Ga=p") == std::pair{2, 4});
    CHECK(can.comes_to_get(",c=20,r=10"));
    CHECK(count_of(cannot.received(), "\033_G") == 1); // the query
    CHECK(cannot.client().shown().size() < 20'000);
    for (const image_terminal* each : {&can, &cannot}) {
        CHECK(contains(each->screen().text(), "                        beyond\n")); // the cursor was right of it
        for (std::size_t at = 0; at + 16 < data.size(); at += 4096)
            CHECK_FALSE(contains(each->screen().text(), data.substr(at, 16)));
    }
    CHECK_FALSE(contains(world.must({"capture", "1"}), data.substr(0, 16)));
}

TEST_CASE("survive_images: after a death an image is shown again, to the client that had it and to a new one",
          "[mato][images][survive]") {
    const std::string path = GENERATE("direct", "relayed");
    INFO(path);
    mato_world world;
    const std::string data = noise(53'336), answers = std::string(kitty_answer).append(cell_answer).append(without_sixel);
    open_writer(world, {"\033[3;5H" + kitty("a=T,f=24,s=100,v=100,c=20,r=10", data) + "beyond\033[20;1Hdone"});
    image_terminal viewer(world, attach_to("1", path), answers);
    REQUIRE(viewer.comes_to_show("ready"));
    viewer.client().type("\r");
    REQUIRE(viewer.comes_to_get("\033_Ga=p"));
    REQUIRE(viewer.comes_to_show("done"));
    for (int round = 0; round < 2; ++round) {
        viewer.mark();
        kill_worker(world.daemon_pid());
        REQUIRE(viewer.comes_to_get("\033_Ga=p"));
        CHECK(viewer.place_of("\033_Ga=p") == std::pair{2, 4});
    }
    image_terminal other(world, attach_to("1", path), answers);
    REQUIRE(other.comes_to_get("\033_Ga=p"));
    CHECK(other.transmitted() == data);
    CHECK(other.place_of("\033_Ga=p") == std::pair{2, 4});
    CHECK_FALSE(contains(world.must({"status"}), "is not:")); // it is kept
}

TEST_CASE("if no viewer can show images, none is kept, and the program is told so", "[mato][images]") {
    mato_world world;
    open_writer(world, {kitty("a=T,f=24,s=512,v=512", noise(1'048'576)) + "done",
                        "\033_Gi=3,a=q,s=1,v=1,f=24;AAAA\033\\\033[cagain", "\033_Gi=4,a=q,s=1,v=1,f=24;AAAA\033\\\033[clast"});
    image_terminal cannot(world, attach_to("1"), std::string(without_sixel));
    REQUIRE(cannot.comes_to_show("ready"));
    REQUIRE(cannot.comes_to([&] { return contains(world.must({"clients", "--json"}), "\"tab\": 1"); }));
    const long before = tab_bytes(world);
    cannot.client().type("\r");
    REQUIRE(cannot.comes_to_show("readydone")); // as on a terminal without images: the cursor did not move
    CHECK(tab_bytes(world) < before + 65'536);
    world.must({"send", "1", "-l", "\r"});
    REQUIRE(cannot.comes_to_show("again"));
    cannot.client().type(prefix + "d");
    REQUIRE(cannot.client().wait() == 0);
    world.must({"send", "1", "-l", "\r"});
    world.must({"wait", "1", "--text", "last"});
    world.must({"send", "1", "-l", "\r"});
    world.must({"wait", "1", "--text", R"(\^\[_Gi=4;OK)"}); // no viewer: a later one may support images
    CHECK_FALSE(contains(world.must({"capture", "1"}), "Gi=3"));
}

TEST_CASE("a viewer that returns is shown the existing images; a cleared screen has none", "[mato][images]") {
    const std::string path = GENERATE("direct", "relayed");
    mato_world world;
    const std::string data = noise(53'336);
    open_writer(world, {"\033[5;1H" + kitty("a=T,i=1,q=2,f=32,s=100,v=100", data), "\033[H\033[2Jcleared"});
    world.must({"send", "1", "-l", "\r"});
    const std::string answers = std::string(kitty_answer).append(cell_answer).append(without_sixel);
    for (int round = 0; round < 2; ++round) {
        image_terminal viewer(world, attach_to("1", path), answers);
        REQUIRE(viewer.comes_to_get("\033_Ga=p"));
        CHECK(viewer.transmitted() == data);
        CHECK(viewer.place_of("\033_Ga=p") == std::pair{4, 0});
        if (round == 1) {
            viewer.mark();
            viewer.client().type("\r");
            REQUIRE(viewer.comes_to_show("cleared"));
            CHECK(viewer.comes_to_get("\033_Ga=d,d=i"));
            CHECK(tab_bytes(world) > 40'000); // the program can still use its id
        }
        viewer.client().type(prefix + "d");
        CHECK(viewer.client().wait() == 0);
    }
}

TEST_CASE("images of two tabs with one id are separate, and are removed with their tabs", "[mato][images]") {
    mato_world world;
    const std::string first = noise(8000, 3), second = noise(8000, 4);
    open_writer(world, {kitty("a=T,i=1,q=2,f=24,s=40,v=40", first)}, "one");
    open_writer(world, {kitty("a=T,i=1,q=2,f=24,s=40,v=40", second)}, "two");
    for (const char* tab : {"1", "2"}) world.must({"send", tab, "-l", "\r"});
    image_terminal viewer(world, attach_to("1"), std::string(kitty_answer).append(cell_answer).append(without_sixel));
    REQUIRE(viewer.comes_to_get("\033_Ga=p"));
    CHECK(viewer.transmitted() == first);
    std::set<std::string> ids;
    for (const auto& [text, data] : {std::pair{"two", &second}, {"one", &first}}) {
        const std::string_view placed = viewer.received().substr(viewer.received().find("\033_Ga=p"));
        ids.emplace(placed.substr(placed.find("i="), 12));
        viewer.mark();
        viewer.client().type(prefix + "n");
        REQUIRE(viewer.comes_to_show(text));
        REQUIRE(viewer.comes_to_get("\033_Ga=p"));
        CHECK(contains(viewer.received(), "\033_Ga=d,d=I"));
        CHECK(viewer.transmitted() == *data);
    }
    CHECK(ids.size() == 2);
}

TEST_CASE("sixel and iTerm2 images reach the terminals that support them, and sixel is announced to the program",
          "[mato][images]") {
    const std::string path = GENERATE("direct", "relayed");
    mato_world world;
    const std::string sixels = "\033P0;1;0q\"1;1;20;40!20~-!20~-!20~-!20~-!20~-!20~-!20N\033\\",
                      png = "iVBORw0KGgoAAAANSUhEUgAAABQAAAAo";
    open_writer(world, {"\033[2;3H" + sixels, "\033[10;7H\033]1337;File=inline=1;name=eA==:" + png + "\aend",
                        "\033[20;1H\033[c\033[16tasked"});
    image_terminal sixel(world, attach_to("1", path), std::string(cell_answer).append(with_sixel)),
        iterm(world, attach_to("1", path), std::string("\033P>|iTerm2 3.5\033\\").append(without_sixel)),
        none(world, attach_to("1", path), std::string(without_sixel));
    for (image_terminal* each : {&sixel, &iterm, &none}) REQUIRE(each->comes_to_show("ready"));
    sixel.client().type("\r");
    REQUIRE(sixel.comes_to_get(sixels));
    CHECK(sixel.place_of(sixels) == std::pair{1, 2});
    sixel.client().type("\r");
    const std::string shown = "\033]1337;File=inline=1;width=2;height=2:" + png + "\a";
    REQUIRE(iterm.comes_to_get(shown));
    CHECK(iterm.place_of(shown) == std::pair{9, 6});
    for (image_terminal* each : {&sixel, &iterm, &none}) REQUIRE(each->comes_to_show("end"));
    CHECK(contains(sixel.screen().text(), "        end\n")); // below the last row
    sixel.client().type("\r");
    for (image_terminal* each : {&sixel, &iterm, &none}) REQUIRE(each->comes_to_show("asked"));
    sixel.client().type("\r");
    world.must({"wait", "1", "--text", R"(\^\[\[\?64;4;.*c\^\[\[6;20;10t)"});
    for (const auto& received : {iterm.received(), none.received()}) // of device control strings only the cursor query
        CHECK(count_of(received, "\033P") == count_of(received, "\033P$q q\033\\"));
    CHECK_FALSE(contains(none.received(), "1337"));
    CHECK_FALSE(contains(sixel.received(), "1337"));
}

TEST_CASE("a program's terminal has the pixels of its viewer's, and an image over the limit reaches no viewer",
          "[mato][images]") {
    mato_world world;
    world.configure("[log]\nlevel = \"debug\"\n");
    const std::string data = noise(5'000'000);
    open_writer(world, {kitty("a=T,i=6,f=24,s=100,v=100", data) + "over", ""});
    image_terminal viewer(world, attach_to("1"), std::string(kitty_answer).append(cell_answer).append(with_sixel));
    REQUIRE(viewer.comes_to_show("ready"));
    viewer.client().type("\r");
    REQUIRE(viewer.comes_to_show("over"));
    CHECK(wait_until([&] { return contains(world.log(), "dropped 1 images larger than the limits"); }));
    CHECK(viewer.transmitted().empty());
    CHECK(tab_bytes(world) < 1'000'000);
    const char* const pixels = "import fcntl, signal, struct, termios\n"
                               "def show(*_):\n"
                               "    print(struct.unpack('HHHH', fcntl.ioctl(1, termios.TIOCGWINSZ, bytes(8))), flush=True)\n"
                               "signal.signal(signal.SIGWINCH, show)\n"
                               "show()\n"
                               "while True: signal.pause()\n";
    world.must({"new", "-d", "--", "python3", "-c", pixels});
    viewer.client().type(prefix + "n");
    CHECK(viewer.comes_to_show("(24, 80, 800, 480)"));
}

TEST_CASE("a viewer stopped during a flood of images costs bounded memory, and is correct after it continues",
          "[mato][images]") {
    const std::string path = GENERATE("direct", "relayed");
    mato_world world;
    std::string flood;
    const std::string data = noise(400'000);
    for (int i = 0; i < 100; ++i) flood += "\033[5;1H" + kitty("a=T,i=1,q=2,f=24,s=300,v=300", data);
    open_writer(world, {flood + "\033[20;1Hthe end"});
    const std::string answers = std::string(kitty_answer).append(cell_answer).append(without_sixel);
    image_terminal live(world, attach_to("1"), std::string(without_sixel)), stopped(world, attach_to("1", path), answers);
    REQUIRE(live.comes_to_show("ready"));
    REQUIRE(stopped.comes_to_show("ready"));
    stopped.client().signal(SIGSTOP); // and its terminal is not read
    REQUIRE(wait_until([&] { return process_state(stopped.client().pid()) == 'T'; }));
    const long before = memory_kib(world.serving_pid());
    live.client().type("\r");
    REQUIRE(live.comes_to_show("the end"));
    const long grown = memory_kib(world.serving_pid()) - before;
    stopped.mark();
    stopped.client().signal(SIGCONT);
    REQUIRE(stopped.comes_to_show("the end"));
    CHECK(stopped.comes_to_get("\033_Ga=p"));
    WARN(path << ": 40 MB of images; daemon grown by " << grown << " KiB, backlog " << stopped.received().size() << " bytes");
    CHECK(stopped.received().size() < 4'000'000);
    if (!sanitized) CHECK(grown < 16 * 1024);
}
