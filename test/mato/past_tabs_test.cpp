// SPDX-License-Identifier: MIT
/// @file past_tabs_test.cpp: the files of what tabs showed: replaced at once, private, and refused unless they are as written.
#include "daemon/past_tabs.hpp"

#include "support/catch.hpp"
#include "support/temp_directory.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <random>

using mux::past_place;
using mux::past_tab;
using mux::past_tabs;

namespace {

past_tab example(mux::tab_id id, const std::string& text) {
    past_tab one;
    one.place.id = one.birth.options.id = id;
    one.birth.options.command = "make -j8";
    one.birth.options.size = one.birth.options.program.size = {{24, 80}, {}};
    one.birth.options.history_lines = 100;
    one.birth.options.program.program = "/bin/sh";
    one.birth.options.program.argv = {"/bin/sh", "-c", "make -j8"};
    one.birth.options.program.directory = "/tmp";
    one.birth.task = "work", one.birth.name = "build";
    one.text = text;
    one.saved = 1'700'000'000;
    return one;
}

std::vector<past_place> places(const std::vector<mux::tab_id>& order) {
    std::vector<past_place> all;
    for (const mux::tab_id id : order) all.push_back({id, "task", "name " + std::to_string(id), id, id + 1});
    return all;
}

/// What was loaded, by the tabs' numbers; and the refusals, one a line.
struct result {
    std::vector<past_tab> tabs;
    std::string refused;

    explicit result(const past_tabs& files) {
        std::vector<mato::failure> all;
        tabs = files.load(all);
        for (const auto& each : all) refused += each.message() + "\n";
        UNSCOPED_INFO(refused);
    }
    [[nodiscard]] std::vector<mux::tab_id> order() const {
        std::vector<mux::tab_id> all;
        for (const auto& each : tabs) all.push_back(each.place.id);
        return all;
    }
};

using order = std::vector<mux::tab_id>;

/// Three tabs, each with an older file.
class saved_tabs {
public:
    saved_tabs() {
        mato::failure why;
        for (const char* const text : {"older", "newer"}) {
            for (const mux::tab_id id : order{1, 2, 3}) files.save(example(id, text), why);
            files.save_layout(places({3, 1, 2}), why);
        }
        INFO(why.message());
        REQUIRE_FALSE(why);
    }
    [[nodiscard]] std::string file(const std::string& name) const { return path + "/" + name; }

    const support::temp_directory directory;
    const std::string path = (directory / "past").native();
    const past_tabs files{path};
};

} // namespace

TEST_CASE("saved tabs are loaded as they were, in the order of the layout", "[past_tabs]") {
    const support::temp_directory directory;
    const std::string path = (directory / "past").native();
    const past_tabs files(path);
    CHECK(result(files).tabs.empty());
    mato::failure why;
    for (const mux::tab_id id : order{3, 1, 7}) files.save(example(id, std::string(1000 * id, static_cast<char>(id))), why);
    files.save_layout(places({7, 3}), why);
    INFO(why.message());
    REQUIRE_FALSE(why);
    const result found(files);
    CHECK(found.refused.empty());
    REQUIRE(found.order() == order{7, 3});
    const past_tab& second = found.tabs[1];
    CHECK(second.text == std::string(3000, '\3'));
    CHECK(second.saved == 1'700'000'000);
    CHECK(second.place == past_place{3, "task", "name 3", 3, 4});
    CHECK(second.birth.name == "build");
    CHECK(second.birth.options.program.argv.back() == "make -j8");
    for (const char* name : {"", "/layout", "/tab-3"}) CHECK((support::mode_of(path + name) & 077) == 0);
    files.forget(3);
    files.forget(99);
    const result fewer(files);
    CHECK(fewer.order() == order{7});
    CHECK(support::contains(fewer.refused, "tab-3: it was not saved yet"));
}

TEST_CASE("a file that is missing, empty, truncated or damaged is replaced by the one before it", "[past_tabs]") {
    const saved_tabs saved;
    const std::string name = GENERATE("tab-1", "layout");
    const std::string bytes = support::read_file(saved.file(name));
    const int damage = GENERATE(range(0, 5));
    switch (damage) {
    case 0: std::filesystem::remove(saved.file(name)); break; // a crash between two renames
    case 1: support::write_file(saved.file(name), ""); break;
    case 2: support::write_file(saved.file(name), bytes.substr(0, bytes.size() - 1)); break;
    case 3: support::write_file(saved.file(name), bytes + "x"); break;
    default: {
        std::string other = bytes;
        other.back() = static_cast<char>(other.back() ^ 1);
        support::write_file(saved.file(name), other);
    }
    }
    const result found(saved.files);
    REQUIRE(found.order() == order{3, 1, 2});
    CHECK(found.tabs[1].text == (name == "tab-1" ? "older" : "newer"));
    CHECK(found.refused.empty() == (damage == 0));
    CHECK((damage == 0 || support::contains(found.refused, "read a saved tab " + saved.file(name) + ": ")));
}

TEST_CASE("a tab without a usable file is left out, its files stay, and the others are there", "[past_tabs]") {
    const saved_tabs saved;
    for (const std::string name : {"tab-1", "tab-1.before"}) support::write_file(saved.file(name), "mato:pst");
    const result found(saved.files);
    CHECK(found.order() == order{3, 2});
    CHECK(std::filesystem::exists(saved.file("tab-1.before")));
}

TEST_CASE("a saved tab of another version, kind, tab, owner or mode is refused with the reason", "[past_tabs]") {
    const saved_tabs saved;
    std::filesystem::remove(saved.file("tab-2.before"));
    const std::string path = saved.file("tab-2");
    std::string bytes = support::read_file(path);
    std::vector<std::string> kinds{"version", "link", "directory", "fifo", "large", "other tab", "mode", "magic"};
    if (::geteuid() == 0) kinds.emplace_back("owner"); // only root can give a file away
    const std::string kind = GENERATE_COPY(from_range(kinds));
    std::string reason;
    if (kind == "version") {
        bytes[8] = 9;
        support::write_file(path, bytes);
        reason = "it has version 9, and this mato reads version 1";
    } else if (kind == "magic") {
        support::write_file(path, support::read_file(saved.file("layout")));
        reason = "another kind of file";
    } else if (kind == "large") {
        std::filesystem::resize_file(path, past_tabs::most_file + 1);
        reason = "bytes, and at most 2097152 are read";
    } else if (kind == "other tab") {
        std::filesystem::copy_file(saved.file("tab-1"), path, std::filesystem::copy_options::overwrite_existing);
        reason = "it belongs to another tab";
    } else if (kind == "mode") {
        std::filesystem::permissions(path, std::filesystem::perms::group_write, std::filesystem::perm_options::add);
        reason = "it is open to group or others";
    } else if (kind == "owner") {
        REQUIRE(::chown(path.c_str(), 12'345, 12'345) == 0);
        reason = "it belongs to another user";
    } else {
        std::filesystem::remove(path);
        if (kind == "link") std::filesystem::create_symlink(saved.file("tab-1"), path);
        if (kind == "directory") std::filesystem::create_directory(path);
        if (kind == "fifo") REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
        reason = kind == "link" ? "symbolic link" : "it is not a regular file";
    }
    const result found(saved.files);
    CHECK(found.order() == order{3, 1});
    CHECK(support::contains(found.refused, reason));
    CHECK(support::contains(found.refused, path));
}

TEST_CASE("a directory of saved tabs that others can write is not read", "[past_tabs]") {
    const saved_tabs saved;
    std::filesystem::permissions(saved.path, std::filesystem::perms::all);
    const result open(saved.files);
    CHECK(open.tabs.empty());
    CHECK(support::contains(open.refused, "open to group or others"));
    std::filesystem::permissions(saved.path, std::filesystem::perms::owner_all);
    std::filesystem::rename(saved.path, saved.path + ".real");
    std::filesystem::create_symlink(saved.path + ".real", saved.path);
    const result link(saved.files);
    CHECK(link.tabs.empty());
    CHECK(support::contains(link.refused, "symbolic link"));
}

TEST_CASE("what is too large is not saved, and the file before it stays", "[past_tabs]") {
    const saved_tabs saved;
    mato::failure why;
    past_tab large = example(1, "text");
    large.birth.options.program.environment.emplace_back(past_tabs::most_file, 'x');
    saved.files.save(large, why);
    CHECK(why.code == std::errc::file_too_large);
    CHECK(result(saved.files).tabs[1].text == "newer");
    why = {};
    std::vector<past_place> many;
    for (mux::tab_id id = 1; id <= past_tabs::most_tabs + 1; ++id) many.push_back({id, "t", "n"});
    const std::string file = past_tabs::encode_layout(many);
    CHECK(past_tabs::decode_layout(file, why).empty());
    CHECK(why.detail == "it has too many tabs");
}

TEST_CASE("a directory that cannot be written is an error that names the file", "[past_tabs]") {
    const support::temp_directory directory;
    support::write_file(directory / "past", "a file");
    mato::failure why;
    past_tabs((directory / "past").native()).save(example(1, "text"), why);
    CHECK(why);
    CHECK(support::contains(why.message(), (directory / "past").native()));
}

TEST_CASE("any damaged file of a saved tab or of a layout is refused, and crashes nothing", "[past_tabs]") {
    std::mt19937 random(GENERATE(range(0u, 6u)));
    const std::string tab = past_tabs::encode(example(5, std::string(300, 'x'))),
                      layout = past_tabs::encode_layout(places({1, 2}));
    for (int round = 0; round < 500; ++round) {
        std::string one = tab, two = layout;
        for (std::string* const bytes : {&one, &two}) {
            bytes->at(random() % bytes->size()) ^= static_cast<char>(1 + random() % 255);
            if (random() % 3 == 0) bytes->resize(random() % bytes->size());
        }
        mato::failure why;
        static_cast<void>(past_tabs::decode(one, why));
        const bool is_refused = static_cast<bool>(why);
        static_cast<void>(past_tabs::decode_layout(two, why));
        // Four bytes of the head have no meaning.
        CHECK((is_refused || one.compare(0, 12, tab, 0, 12) == 0));
        CHECK((why || two.compare(0, 12, layout, 0, 12) == 0));
    }
}

TEST_CASE("a forged file with a right checksum is refused or read, and crashes nothing", "[past_tabs]") {
    mato::failure why;
    past_tab one = example(5, "text");
    one.birth.options.program.argv.clear();
    static_cast<void>(past_tabs::decode(past_tabs::encode(one), why));
    CHECK(why.code == mato::errc::malformed);
    one = example(5, "text");
    one.birth.options.program.directory = "relative";
    static_cast<void>(past_tabs::decode(past_tabs::encode(one), why));
    CHECK(why.code == mato::errc::malformed);
    static_cast<void>(past_tabs::decode(past_tabs::encode(example(5, std::string(past_tabs::most_text + 1, 'x'))), why));
    CHECK(why.code == mato::errc::malformed);
    for (const char* const name : {"", "a/b", "a\nb", "7"}) {
        static_cast<void>(past_tabs::decode_layout(past_tabs::encode_layout({{1, name, "n"}}), why));
        CHECK(why.code == mato::errc::malformed);
    }
    const auto twice = past_tabs::decode_layout(past_tabs::encode_layout(places({1, 2, 1})), why);
    CHECK(twice.size() == 2); // a number once
}
