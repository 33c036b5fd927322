// SPDX-License-Identifier: MIT
/// @file documents_test.cpp: tables and samples of the documents agree with the code.
#include <mato/policies.hpp>

#include "support/catch.hpp"
#include "support/markdown.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <vector>

using mato::cond;
using mato::errc;
using support::cells_of;
using support::code_spans;
using support::lines_of;

namespace {

const std::filesystem::path root = MATO_SOURCE_DIRECTORY;

std::string all_headers() {
    std::string text;
    for (const auto& entry : std::filesystem::directory_iterator(root / "include/mato"))
        if (entry.path().extension() == ".hpp") text += support::read_file(entry.path());
    return text;
}

const std::map<std::string, errc> codes = {{"already_running", errc::already_running},
                                           {"not_running", errc::not_running},
                                           {"unsafe_directory", errc::unsafe_directory},
                                           {"peer_rejected", errc::peer_rejected},
                                           {"server_not_trusted", errc::server_not_trusted},
                                           {"slow_consumer", errc::slow_consumer},
                                           {"not_ready", errc::not_ready},
                                           {"version_mismatch", errc::version_mismatch},
                                           {"busy", errc::busy},
                                           {"frame_too_large", errc::frame_too_large},
                                           {"malformed", errc::malformed},
                                           {"not_single_threaded", errc::not_single_threaded},
                                           {"lock_not_held", errc::lock_not_held},
                                           {"invalid_config", errc::invalid_config},
                                           {"too_many_clients", errc::too_many_clients},
                                           {"handshake_timeout", errc::handshake_timeout},
                                           {"timed_out", errc::timed_out},
                                           {"closed", errc::closed},
                                           {"stopping", errc::stopping},
                                           {"holder_not_proved", errc::holder_not_proved},
                                           {"callback_threw", errc::callback_threw}};
const std::map<std::string, cond> conditions = {{"already_running", cond::already_running},
                                                {"not_running", cond::not_running},
                                                {"not_permitted", cond::not_permitted},
                                                {"busy", cond::busy},
                                                {"transient", cond::transient},
                                                {"bad_input", cond::bad_input}};

} // namespace

TEST_CASE("the table of errors has every code, with its conditions and its exit code", "[documents]") {
    std::vector<std::string> named;
    for (const std::string& line : support::table_rows(root / "docs/errors.md", "| errc |")) {
        const auto row = cells_of(line);
        REQUIRE(row.size() == 4);
        const auto name = code_spans(row[0]).at(0);
        INFO(name);
        REQUIRE(codes.contains(name));
        named.push_back(name);
        const auto said = code_spans(row[1]);
        for (const auto& [word, condition] : conditions) {
            INFO(word);
            CHECK((make_error_code(codes.at(name)) == condition) == (std::count(said.begin(), said.end(), word) > 0));
        }
        CHECK(mato::exit_code_for(codes.at(name)) == std::stoi(row[2]));
    }
    std::sort(named.begin(), named.end());
    CHECK(std::unique(named.begin(), named.end()) == named.end());
    CHECK(named.size() == codes.size());
    CHECK(codes.size() == static_cast<std::size_t>(errc::callback_threw)); // the last one
}

TEST_CASE("the documented exit codes are the toolkit's", "[documents]") {
    std::vector<int> said;
    for (const auto& line : lines_of(root / "docs/errors.md"))
        if (line.starts_with("| 0 | 1 |"))
            for (const std::string& cell : cells_of(line)) said.push_back(std::stoi(cell));
    namespace code = mato::exit_code;
    CHECK(said == std::vector<int>{code::ok, code::forced, code::not_answering, code::version_mismatch, code::usage,
                                   code::unavailable, code::already_running, code::not_permitted, code::bad_config});
}

TEST_CASE("every policy and model that the documents name is in the headers", "[documents]") {
    const std::string headers = all_headers();
    const auto is_defined = [&](const std::string& name) {
        for (const char* kind : {"struct ", "class ", "concept ", "using "}) {
            const std::string wanted = kind + name;
            for (std::size_t at = headers.find(wanted); at != std::string::npos; at = headers.find(wanted, at + 1)) {
                const char next = headers[at + wanted.size()]; // a header ends in a line feed
                if (!std::isalnum(static_cast<unsigned char>(next)) && next != '_') return true;
            }
        }
        return false;
    };
    int checked = 0;
    for (const auto& [file, head] : {std::pair{"include/mato/README.md", "| concept |"}, {"README.md", "| header | gives"}})
        for (const std::string& row : support::table_rows(root / file, head))
            for (std::size_t column = 0; column < 2; ++column)
                for (const auto& name : code_spans(cells_of(row).at(column))) {
                    INFO(file << ": " << name);
                    ++checked;
                    if (name.ends_with(".hpp"))
                        CHECK(std::filesystem::exists(root / "include/mato" / name));
                    else
                        CHECK(is_defined(name));
                }
    CHECK(checked > 50);
}

TEST_CASE("each sample of the documents is a verbatim part of a program that is built and run", "[documents]") {
    std::string sources;
    for (const char* folder : {"example", "test/process"})
        for (const auto& entry : std::filesystem::directory_iterator(root / folder))
            if (entry.path().extension() == ".cpp") sources += support::read_file(entry.path());
    int samples = 0;
    bool inside = false;
    std::string sample;
    std::vector<std::filesystem::path> documents{root / "README.md"};
    for (const auto& entry : std::filesystem::directory_iterator(root / "docs"))
        if (entry.path().extension() == ".md") documents.push_back(entry.path());
    CHECK(documents.size() >= 5);
    for (const auto& document : documents) {
        for (const std::string& line : lines_of(document)) {
            if (inside && line == "```") {
                INFO(document << "\n" << sample);
                CHECK(support::contains(sources, sample));
                inside = false;
                ++samples;
            } else if (inside) {
                sample += line + "\n";
            } else if (line == "```cpp") {
                inside = true;
                sample.clear();
            }
        }
        CHECK_FALSE(inside);
    }
    CHECK(samples >= 9);
}

TEST_CASE("each @code sample of the headers is a verbatim part of a program that is built and run", "[documents]") {
    const auto trimmed = [](std::string_view line) {
        const auto begin = line.find_first_not_of(' ');
        return std::string(begin == std::string_view::npos ? "" : line.substr(begin)) + "\n";
    };
    std::string sources;
    for (const char* folder : {"example", "test/toolkit"})
        for (const auto& entry : std::filesystem::directory_iterator(root / folder))
            if (entry.path().extension() == ".cpp")
                for (const std::string& line : lines_of(entry.path())) sources += trimmed(line);
    int samples = 0;
    for (const auto& entry : std::filesystem::directory_iterator(root / "include/mato")) {
        if (entry.path().extension() != ".hpp") continue;
        bool inside = false;
        std::string sample;
        for (const std::string& line : lines_of(entry.path())) {
            if (line == "/// @endcode") {
                INFO(entry.path() << "\n" << sample);
                CHECK(support::contains(sources, sample));
                CHECK(std::count(sample.begin(), sample.end(), '\n') <= 12); // lines
                inside = false;
                ++samples;
            } else if (inside) {
                sample += trimmed(std::string_view(line).substr(std::min<std::size_t>(line.size(), 3)));
            } else if (line == "/// @code") {
                inside = true;
                sample.clear();
            }
        }
        CHECK_FALSE(inside);
    }
    CHECK(samples >= 30);
}

TEST_CASE("the examples are complete, short, and each has a Notice line", "[documents]") {
    const std::string ladder = support::read_file(root / "docs/daemon.md");
    for (const auto& entry : std::filesystem::directory_iterator(root / "example")) {
        if (entry.path().extension() != ".cpp") continue;
        INFO(entry.path().filename().native());
        CHECK(lines_of(entry.path()).size() < 80);
        CHECK(support::contains(support::read_file(entry.path()), "\n// Notice: "));
        CHECK(support::contains(ladder, "example/" + entry.path().filename().native()));
    }
    CHECK(lines_of(root / "example/06_reload_and_status.cpp").size() <= 60);
}

TEST_CASE("the tables of tests of survival name tests that exist", "[documents]") {
    std::size_t count = 0;
    for (const std::string& line : lines_of(root / "docs/survival_tests.md")) {
        if (line.find("| `test/") == std::string::npos) continue;
        const auto cells = cells_of(line);
        REQUIRE(cells.size() == 3);
        const auto file = code_spans(cells[1]);
        REQUIRE(file.size() == 1);
        const auto begin = cells[2].find_first_not_of(' '), end = cells[2].find_last_not_of(' ');
        const std::string title = begin == std::string::npos ? "" : cells[2].substr(begin, end + 1 - begin);
        INFO(file[0] << ": " << title);
        const std::string text = support::read_file(root / file[0]);
        CHECK_FALSE(text.empty());
        if (!title.empty()) CHECK(support::contains(text, "TEST_CASE(\"" + title));
        ++count;
    }
    CHECK(count > 40);
}
