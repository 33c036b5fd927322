// SPDX-License-Identifier: MIT
/// @file config_test.cpp: a file is read completely or not at all, and an error has a position.
#include <mato/config.hpp>

#include "support/catch.hpp"
#include "support/descriptor_census.hpp"
#include "support/temp_directory.hpp"

#include <filesystem>
#include <map>
#include <optional>
#include <thread>

using namespace std::chrono_literals;
using support::write_file;

namespace {

struct settings {
    bool flag = false;
    std::int64_t big = -1;
    std::uint8_t small = 7;
    int number = 42;
    std::string name = "default";
    std::vector<std::string> list{"a"};
    std::chrono::milliseconds span{100};
    int inner = 5;
    int deepest = 6;
};

const mato::config::schema<settings>& keys() {
    using mato::config::schema;
    static const auto built = [] {
        schema<settings> deep, inner, top;
        deep.field("deepest", &settings::deepest);
        inner.field("inner", &settings::inner).table("deep", deep);
        top.field("flag", &settings::flag)
            .field("big", &settings::big)
            .field("small", &settings::small)
            .field("number", &settings::number,
                   std::function([](const int& n) { return n < 0 ? std::string("may not be negative") : std::string(); }))
            .field("name", &settings::name)
            .field("list", &settings::list)
            .field("span", &settings::span)
            .table("table", inner);
        return top;
    }();
    return built;
}

settings good(std::string_view text) {
    mato::failure why;
    auto value = keys().parse(text, "f.toml", {}, why);
    INFO(text << "\n" << why.message());
    REQUIRE_FALSE(why);
    return value;
}

/// The whole detail of the refusal; the value must be the defaults.
std::string bad(std::string_view text) {
    mato::failure why;
    const auto value = keys().parse(text, "f.toml", {}, why);
    INFO(text);
    CHECK(why.code == mato::errc::invalid_config);
    CHECK(why.code == mato::cond::bad_input);
    CHECK(why.step == "configuration");
    CHECK(value.number == 42);
    CHECK_FALSE(value.flag);
    CHECK(value.name == "default");
    return why.detail;
}

bool starts_with(std::string_view text, std::string_view head) { return text.substr(0, head.size()) == head; }

} // namespace

TEST_CASE("every key sets its member, and members without a key keep their value", "[config]") {
    const auto value = good("flag = true\nbig = 9223372036854775807\nsmall = 255\nnumber = 1\nname = \"x\"\n"
                            "list = [\"p\", \"q\"]\nspan = \"2s\"\n[table]\ninner = 8\n[table.deep]\ndeepest = 9\n");
    CHECK(value.flag);
    CHECK(value.big == std::numeric_limits<std::int64_t>::max());
    CHECK(value.small == 255);
    CHECK(value.number == 1);
    CHECK(value.name == "x");
    CHECK(value.list == std::vector<std::string>{"p", "q"});
    CHECK(value.span == 2s);
    CHECK(value.inner == 8);
    CHECK(value.deepest == 9);
    CHECK(good("").number == 42);
    CHECK(good("# nothing but words\n").name == "default");
    CHECK(good("name = \"x\"").number == 42);
}

TEST_CASE("a nested table may be written in each of TOML's ways", "[config]") {
    for (const char* text :
         {"[table]\ninner = 8\ndeep.deepest = 9", "table.inner = 8\ntable.deep.deepest = 9",
          "table = { inner = 8, deep = { deepest = 9 } }", "[table.deep]\ndeepest = 9\n[table]\ninner = 8"}) {
        const auto value = good(text);
        CHECK(value.inner == 8);
        CHECK(value.deepest == 9);
    }
    CHECK(good("[table]\n").inner == 5);
}

TEST_CASE("numbers: the complete range of the member's type, and no value outside it", "[config]") {
    CHECK(good("small = 0").small == 0);
    CHECK(good("big = -9223372036854775808").big == std::numeric_limits<std::int64_t>::min());
    CHECK(good("number = 0x10").number == 16);
    CHECK(bad("small = 256") == "f.toml:1:9: 'small': expected a whole number from 0 to 255");
    CHECK(bad("small = -1") == "f.toml:1:9: 'small': expected a whole number from 0 to 255");
    CHECK(bad("number = 2147483648") == "f.toml:1:10: 'number': expected a whole number from -2147483648 to 2147483647");
    CHECK(starts_with(bad("big = 9223372036854775808"), "f.toml:1:"));
    for (const char* other : {"1.0", "\"1\"", "true", "[1]", "{}", "2026-01-01", "nan"})
        CHECK(starts_with(bad("number = " + std::string(other)), "f.toml:1:10: 'number': expected a whole number from "));
}

TEST_CASE("booleans are true and false only", "[config]") {
    CHECK(good("flag = true").flag);
    CHECK_FALSE(good("flag = false").flag);
    for (const char* other : {"1", "0", "\"true\"", "[]", "1.0"})
        CHECK(bad("flag = " + std::string(other)) == "f.toml:1:8: 'flag': expected true or false");
}

TEST_CASE("strings are strings only", "[config]") {
    CHECK(good("name = ''").name.empty());
    CHECK(good("name = \"\\u00e9\\n\"").name == "é\n");
    CHECK(good("name = '''a\nb'''").name == "a\nb");
    for (const char* other : {"1", "true", "[\"x\"]", "{a = 1}"})
        CHECK(bad("name = " + std::string(other)) == "f.toml:1:8: 'name': expected a string");
}

TEST_CASE("arrays of strings, empty too, and nothing else in them", "[config]") {
    CHECK(good("list = []").list.empty());
    CHECK(good("list = [\n  \"x\",\n  \"y\",\n]").list.size() == 2);
    for (const char* other : {"\"x\"", "[1]", "[\"x\", 2]", "[[\"x\"]]", "{}"})
        CHECK(bad("list = " + std::string(other)) == "f.toml:1:8: 'list': expected an array of strings");
}

TEST_CASE("durations need a number and a unit", "[config]") {
    CHECK(good("span = \"0ms\"").span == 0ms);
    CHECK(good("span = \"250ms\"").span == 250ms);
    CHECK(good("span = \"2s\"").span == 2s);
    CHECK(good("span = \"5m\"").span == 5min);
    CHECK(good("span = \"1h\"").span == 1h);
    CHECK(good("span = \"2147483647ms\"").span.count() == 2147483647);
    for (const char* other : {"\"2147483648ms\"",
                              "\"4294967296ms\"",
                              "\"597h\"",
                              "\"99999999999999999999s\"",
                              "\"\"",
                              "\"5\"",
                              "\"s\"",
                              "\"-1s\"",
                              "\"+1s\"",
                              "\" 1s\"",
                              "\"1 s\"",
                              "\"1s \"",
                              "\"1.5s\"",
                              "\"1d\"",
                              "\"1S\"",
                              "\"1ms1s\"",
                              "5",
                              "5.0",
                              "true",
                              "[\"1s\"]"})
        CHECK(bad("span = " + std::string(other)) ==
              "f.toml:1:8: 'span': expected a duration such as \"250ms\", \"2s\" or \"5m\"");
    CHECK(mato::config::parse_duration("596h") == 596h);
    CHECK_FALSE(mato::config::parse_duration("4294967295h"));
}

TEST_CASE("an unknown key is refused with its position and its tables", "[config]") {
    CHECK(bad("flag = true\n\n  nmae = 1\n") == "f.toml:3:3: unknown key 'nmae'");
    CHECK(bad("flag = true\n[tabel]\ninner = 1\n") == "f.toml:2:2: unknown key 'tabel'");
    CHECK(bad("[table]\ninner = 1\n inenr = 2\n") == "f.toml:3:2: unknown key 'table.inenr'");
    CHECK(bad("[table.deep]\nx = 1") == "f.toml:2:1: unknown key 'table.deep.x'");
    CHECK(bad("table.deep.x = 1") == "f.toml:1:12: unknown key 'table.deep.x'");
    CHECK(bad("Flag = true") == "f.toml:1:1: unknown key 'Flag'");
    CHECK(bad("inner = 1") == "f.toml:1:1: unknown key 'inner'"); // known, but in its table only
}

TEST_CASE("a wrong type is refused with the position of the value", "[config]") {
    CHECK(bad("name = \"ok\"\nflag   =   3") == "f.toml:2:12: 'flag': expected true or false");
    CHECK(starts_with(bad("[table]\n  inner = \"x\""), "f.toml:2:11: 'table.inner': expected a whole number"));
    CHECK(bad("table = 5") == "f.toml:1:9: 'table' must be a table; write [table]");
    CHECK(bad("[[table]]\ninner = 1").find("'table' must be a table; write [table]") != std::string::npos);
    CHECK(starts_with(bad("[number]\nx = 1"), "f.toml:1:1: 'number': expected a whole number"));
    CHECK(starts_with(bad("name = \"é\"; "), "f.toml:1:11: ")); // columns count characters
}

TEST_CASE("a value refused by its check is reported with the check's reason", "[config]") {
    CHECK(good("number = 0").number == 0);
    CHECK(bad("flag = true\nnumber = -1") == "f.toml:2:10: 'number': may not be negative");
}

TEST_CASE("broken syntax is refused with line and column", "[config]") {
    CHECK(starts_with(bad("flag = \n"), "f.toml:1:8: "));
    CHECK(starts_with(bad("flag = true\nname = \"open\nnumber = 1"), "f.toml:2:13: "));
    CHECK(starts_with(bad("flag = true\n[table\n"), "f.toml:2:7: "));
    CHECK(starts_with(bad("= 1"), "f.toml:1:1: "));
    CHECK(starts_with(bad("a\n"), "f.toml:1:2: "));
    CHECK(starts_with(bad(std::string_view("a = \"\0\"", 7)), "f.toml:1:6: "));
    CHECK(starts_with(bad("a = \"\xff\""), "f.toml:1:"));
}

TEST_CASE("a duplicate key or table is refused with the position of the second", "[config]") {
    CHECK(starts_with(bad("number = 1\nnumber = 2\n"), "f.toml:2:"));
    CHECK(starts_with(bad("[table]\ninner = 1\n[table]\ninner = 2"), "f.toml:3:"));
    CHECK(starts_with(bad("[table]\ninner = 1\ninner = 1"), "f.toml:3:"));
}

TEST_CASE("endless nesting is refused without following it", "[config]") {
    CHECK(starts_with(bad("a = " + std::string(100'000, '[')), "f.toml:1:"));
    std::string inline_tables, dotted = "a";
    for (int i = 0; i < 50'000; ++i) inline_tables += "{a=";
    CHECK(starts_with(bad("a = " + inline_tables), "f.toml:1:"));
    while (dotted.size() < mato::config::schema<settings>::max_file_bytes - 10) dotted += ".a";
    CHECK(starts_with(bad(dotted + "=1"), "f.toml:1:"));
    CHECK(starts_with(bad("[" + dotted + "]"), "f.toml:1:"));
}

TEST_CASE("a key may have 64 dots, one more is refused with its position; dots elsewhere do not count", "[config]") {
    std::string most = "a";
    for (int i = 0; i < 64; ++i) most += ".a";
    CHECK(bad(most + " = 1") == "f.toml:1:1: unknown key 'a'");
    CHECK(bad("flag = true\n" + most + ".a = 1") == "f.toml:2:130: a key has more than 65 parts; shorten it");
    CHECK(bad("['é'." + most + "]") == "f.toml:1:133: a key has more than 65 parts; shorten it");
    CHECK(bad("list = [\"x\", '''y'''', {" + most + ".a = 1}]").find("a key has more than 65 parts; shorten it") !=
          std::string::npos);
    const std::string dots(1000, '.');
    CHECK(good("name = \"" + dots + "\\\"" + dots + "\" # " + dots + "\n# " + dots).name == dots + "\"" + dots);
    CHECK(good("name = '" + dots + "'").name == dots);
    CHECK(good("name = '''\n" + dots + "''" + dots + "'''''").name == dots + "''" + dots + "''");
    CHECK(good("name = \"\"\"" + dots + "\"\"\"").name == dots);
    CHECK(good("list = [\"" + dots + "\", '" + dots + "', '']").list.size() == 3);
}

TEST_CASE("a missing file or directory gives the defaults and no error", "[config]") {
    const support::temp_directory directory;
    for (const auto& path : {directory / "none", directory / "none" / "none"}) {
        mato::failure why;
        CHECK(keys().load(path, {.number = 3}, why).number == 3);
        CHECK_FALSE(why);
    }
    write_file(directory / "file", "");
    mato::failure why;
    CHECK(keys().load(directory / "file" / "below", {}, why).number == 42);
    CHECK_FALSE(why);
    CHECK(keys().load(directory / "file", {.number = 3}, why).number == 3);
    CHECK_FALSE(why);
}

TEST_CASE("a file is named in full in its errors", "[config]") {
    const support::temp_directory directory;
    const auto path = directory / "mato.toml";
    write_file(path, "number = 8\nnonsense = 1\n");
    mato::failure why;
    CHECK(keys().load(path, {.number = 3}, why).number == 3);
    CHECK(why.message() == "configuration: " + path.native() + ":2:1: unknown key 'nonsense'");
    write_file(path, "number = 8\n");
    CHECK(keys().load(path, {.number = 3}, why).number == 8);
    CHECK_FALSE(why);
}

TEST_CASE("a file of the largest size is read, one byte more is EFBIG", "[config]") {
    constexpr std::size_t max = mato::config::schema<settings>::max_file_bytes;
    const support::temp_directory directory;
    const std::string text = "number = 8\n#";
    mato::failure why;
    write_file(directory / "most", text + std::string(max - text.size(), 'x'));
    CHECK(keys().load(directory / "most", {}, why).number == 8);
    CHECK_FALSE(why);
    write_file(directory / "more", text + std::string(max - text.size() + 1, 'x'));
    CHECK(keys().load(directory / "more", {}, why).number == 42);
    CHECK(why.code == std::error_code(EFBIG, std::system_category()));
    CHECK(why.path == (directory / "more").native());
    CHECK(keys().load("/dev/zero", {}, why).number == 42);
    CHECK(why.code == std::error_code(EFBIG, std::system_category()));
}

TEST_CASE("errors of open and read are reported with step and path", "[config]") {
    const support::temp_directory directory;
    mato::failure why;
    static_cast<void>(keys().load(directory.path(), {}, why));
    CHECK(why.code == std::error_code(EISDIR, std::system_category()));
    CHECK(why.step == "read configuration");
    CHECK(why.path == directory.path().native());
    std::filesystem::create_symlink(directory / "loop", directory / "loop");
    static_cast<void>(keys().load(directory / "loop", {}, why));
    CHECK(why.code == std::error_code(ELOOP, std::system_category()));
    CHECK(why.step == "open configuration");
}

TEST_CASE("a reload that fails changes nothing, and its error is kept until one succeeds", "[config]") {
    const support::temp_directory directory;
    const auto path = directory / "mato.toml";
    mato::config::reloadable<settings> current(keys(), path, {.number = 3});
    CHECK(current->number == 3);
    CHECK(current.path() == path);
    write_file(path, "number = 8\nname = \"first\"\n");
    mato::failure why;
    current.reload(why);
    REQUIRE_FALSE(why);
    CHECK(current->number == 8);
    for (const char* broken : {"number = 9\nflag = 1\n", "number = 9\nwhat = 1\n", "number = 9\nname = \n", "number = -9\n"}) {
        write_file(path, broken);
        current.reload(why);
        INFO(broken);
        CHECK(why.code == mato::errc::invalid_config);
        CHECK(why.detail.find(path.native() + ":") == 0);
        CHECK(current.last_error().message() == why.message());
        CHECK((*current).number == 8);
        CHECK(current->name == "first");
        CHECK_FALSE(current->flag);
    }
    write_file(path, "name = \"second\"\n");
    current.reload(why);
    CHECK_FALSE(why);
    CHECK_FALSE(current.last_error());
    CHECK(current->name == "second");
    CHECK(current->number == 3); // the key is gone: the default, not the last value
    std::filesystem::remove(path);
    for (int n = 0; n < 2; ++n) { // for every reload
        current.reload(why);
        CHECK(why.code == std::errc::no_such_file_or_directory);
        CHECK(why.path == path);
        CHECK(current.last_error().message() == why.message());
        CHECK(current->name == "second");
    }
    write_file(path, ""); // an empty file: all defaults, without an error
    current.reload(why);
    CHECK_FALSE(why);
    CHECK(current->name == "default");
}

TEST_CASE("a file that never existed gives the defaults at every reload", "[config]") {
    const support::temp_directory directory;
    mato::config::reloadable<settings> current(keys(), directory / "none.toml", {.number = 3});
    mato::failure why;
    for (int n = 0; n < 2; ++n) {
        current.reload(why);
        CHECK_FALSE(why);
        CHECK(current->number == 3);
    }
}

namespace {

enum class speed { slow, fast };
struct server {
    std::string host = "localhost";
    std::optional<int> port{};
    bool operator==(const server&) const = default;
};
struct wide {
    double ratio = 0.5;
    float share = 0;
    speed how = speed::slow;
    std::optional<std::string> title{};
    std::filesystem::path file{};
    std::vector<int> ports{80};
    std::vector<speed> speeds{};
    std::map<std::string, double> weights{};
    std::map<std::string, std::vector<std::string>> groups{};
    server main{};
    std::vector<server> others{server{"default", 1}};
};

} // namespace

template <> struct mato::config::enum_words<speed> {
    static constexpr std::pair<std::string_view, speed> words[] = {
        {"slow", speed::slow}, {"fast", speed::fast}, {"quick", speed::fast}};
};

namespace {

wide read_wide(std::string_view text, mato::failure& why) {
    mato::config::schema<server> of_server;
    of_server.field("host", &server::host).field("port", &server::port);
    mato::config::schema<wide> keys;
    keys.field("ratio", &wide::ratio).field("share", &wide::share).field("how", &wide::how).field("title", &wide::title);
    keys.field("file", &wide::file).field("ports", &wide::ports).field("speeds", &wide::speeds);
    keys.field("weights", &wide::weights).field("groups", &wide::groups);
    keys.table("main", &wide::main, of_server).tables("other", &wide::others, of_server);
    return keys.parse(text, "f.toml", {}, why);
}
std::string refused(std::string_view text) {
    mato::failure why;
    const wide value = read_wide(text, why);
    INFO(text);
    CHECK(why.code == mato::errc::invalid_config);
    CHECK((value.ratio == 0.5 && value.main == server{} && value.others.size() == 1)); // nothing was applied
    return why.detail;
}

} // namespace

TEST_CASE("floating point, enumerations, optional values, paths, arrays and maps are read", "[config]") {
    mato::failure why;
    const wide got = read_wide("ratio = 2\nshare = -1.5e3\nhow = 'quick'\ntitle = ''\nfile = '/etc/x'\nports = [1, 2]\n"
                               "speeds = ['fast', 'slow']\nweights = { a = 1, 'b c' = 0.25 }\n[groups]\nx = ['y']\n",
                               why);
    INFO(why.message());
    REQUIRE_FALSE(why);
    CHECK((got.ratio == 2 && got.share == -1500 && got.how == speed::fast && got.title == "" && got.file == "/etc/x"));
    CHECK((got.ports == std::vector{1, 2} && got.speeds == std::vector{speed::fast, speed::slow}));
    CHECK(got.weights == std::map<std::string, double>{{"a", 1}, {"b c", 0.25}});
    CHECK(got.groups == std::map<std::string, std::vector<std::string>>{{"x", {"y"}}});
    const wide none = read_wide("ports = []", why);
    CHECK((none.ports.empty() && !none.title && none.how == speed::slow && none.others.size() == 1));
}

TEST_CASE("a table fills a struct in the struct, and each of several tables one of its elements", "[config]") {
    mato::failure why;
    const wide got = read_wide("main.port = 7\n[[other]]\nhost = 'a'\n[[other]]\n[[other]]\nport = 9\n", why);
    INFO(why.message());
    REQUIRE_FALSE(why);
    CHECK(got.main == server{"localhost", 7});
    CHECK(got.others == std::vector<server>{{"a", {}}, {"localhost", {}}, {"localhost", 9}});
    CHECK(read_wide("other = []", why).others.empty());
    CHECK(refused("[main]\nhost = 'x'\nwhat = 1") == "f.toml:3:1: unknown key 'main.what'");
    CHECK(refused("[[other]]\n[[other]]\nport = 'x'").starts_with("f.toml:3:8: 'other[1].port': expected a whole number"));
    CHECK(refused("main = 1") == "f.toml:1:8: 'main' must be a table; write [main]");
    CHECK(refused("[other]\nport = 1") == "f.toml:1:1: 'other' must be tables; write [[other]] for each");
    CHECK(refused("other = [{ port = 1 }, 2]") == "f.toml:1:24: 'other' must be tables; write [[other]] for each");
}

TEST_CASE("values of the wrong kind are refused with what is expected", "[config]") {
    for (const char* text : {"ratio = 'x'", "ratio = nan", "ratio = inf", "ratio = -inf", "share = 1e39", "ratio = true"})
        CHECK(refused(text).ends_with(": expected a number"));
    for (const char* text : {"how = 'Fast'", "how = ''", "how = 1"})
        CHECK(refused(text) == "f.toml:1:7: 'how': expected one of \"slow\", \"fast\", \"quick\"");
    for (const char* text : {"file = ''", "file = 1", "file = \"a\\u0000b\""})
        CHECK(refused(text) == "f.toml:1:8: 'file': expected a path, a string that is not empty");
    CHECK(refused("title = 1") == "f.toml:1:9: 'title': expected a string");
    CHECK(refused("ports = [1, 'x']").starts_with("f.toml:1:9: 'ports': expected an array, each item a whole number from"));
    CHECK(refused("ports = 1").starts_with("f.toml:1:9: 'ports': expected an array"));
    CHECK(refused("speeds = ['fast', 'x']").ends_with("expected an array, each item one of \"slow\", \"fast\", \"quick\""));
    CHECK(refused("weights = { a = 'x' }") == "f.toml:1:11: 'weights': expected a table, each value a number");
    CHECK(refused("weights = 1") == "f.toml:1:11: 'weights': expected a table, each value a number");
    CHECK(refused("groups = { a = ['x', 1] }").ends_with("expected a table, each value an array of strings"));
}

TEST_CASE("a user's type is read by a user's reader", "[config]") {
    static_assert(mato::config::readable<std::string> && mato::config::readable<unsigned>);
    static_assert(!mato::config::readable<void*> && !mato::config::readable<std::vector<void*>>);
}

TEST_CASE("a finished schema serves several threads", "[config]") {
    std::vector<std::thread> threads;
    std::vector<int> sums(4);
    for (int& sum : sums)
        threads.emplace_back([&sum] {
            for (int i = 0; i < 50; ++i) {
                std::error_code why;
                sum += keys().parse("number = " + std::to_string(i), "f", {}, why).number;
            }
        });
    for (auto& thread : threads) thread.join();
    for (const int sum : sums) CHECK(sum == 49 * 50 / 2);
}

TEST_CASE("loading leaks no descriptor, with any outcome", "[config]") {
    const support::temp_directory directory;
    write_file(directory / "good", "number = 1");
    write_file(directory / "bad", "number = ");
    const auto before = support::open_descriptors();
    for (const auto& path : {directory / "good", directory / "bad", directory / "none", directory.path()}) {
        std::error_code why;
        static_cast<void>(keys().load(path, {}, why));
    }
    CHECK(support::open_descriptors() == before);
}
