// SPDX-License-Identifier: MIT
#include "tab/tab_record.hpp"

#include "support/catch.hpp"

#include <fcntl.h>

using namespace mux;

namespace {

tab_record::birth example() {
    tab_record::birth opened;
    tab_options& o = opened.options;
    o.id = 1'234'567'890'123;
    o.command = "vi \xff file";
    o.size = {{30, 100}, {9, 18}};
    o.history_lines = 10'000, o.replay_bytes = 1 << 17, o.input_bytes = 1 << 24;
    o.clipboard = o.survive = true;
    o.program = {"/bin/sh", {"sh", "-c", ""}, {"A=1", "B=two\nlines", "EMPTY="}, "/tmp", {077, {1024, 4096}}, o.size};
    opened.task = "Task 1", opened.name = "editor";
    return opened;
}

mato::unique_fd copy_of(const tab_record& record) {
    return mato::unique_fd(::fcntl(record.native_handle(), F_DUPFD_CLOEXEC, 3));
}

} // namespace

TEST_CASE("a record has everything that a tab was opened with", "[tab_record]") {
    const auto given = example();
    mato::failure why;
    auto record = tab_record::create(given, why);
    REQUIRE_FALSE(why);
    CHECK_FALSE(record.exit_code());
    CHECK_FALSE(record.is_closing());
    record.ended(255);
    record.closes();
    tab_record::birth found;
    auto next = tab_record::adopt(copy_of(record), found, why);
    REQUIRE_FALSE(why);
    CHECK(next.exit_code() == 255);
    CHECK(next.is_closing());
    next.runs();
    CHECK_FALSE(record.exit_code());
    record.ended(0);
    CHECK(next.exit_code() == 0);
    const tab_options &a = given.options, &b = found.options;
    CHECK(a.id == b.id);
    CHECK(a.command == b.command);
    CHECK(a.size == b.size);
    CHECK(a.emulator == b.emulator);
    CHECK(a.history_lines == b.history_lines);
    CHECK(a.replay_bytes == b.replay_bytes);
    CHECK(a.input_bytes == b.input_bytes);
    CHECK(b.clipboard);
    CHECK(b.survive);
    CHECK(a.program.program == b.program.program);
    CHECK(a.program.argv == b.program.argv);
    CHECK(a.program.environment == b.program.environment);
    CHECK(a.program.directory == b.program.directory);
    CHECK(a.program.limits.umask == b.program.limits.umask);
    CHECK(a.program.limits.descriptors.rlim_cur == b.program.limits.descriptors.rlim_cur);
    CHECK(a.program.limits.descriptors.rlim_max == b.program.limits.descriptors.rlim_max);
    CHECK(b.program.size == a.size);
    CHECK(found.task == given.task);
    CHECK(found.name == given.name);
}

TEST_CASE("a record that is damaged at any byte is refused or read, and is never trusted", "[tab_record]") {
    mato::failure why;
    const auto record = tab_record::create(example(), why);
    auto memory = mato::memory_file::adopt(copy_of(record), why);
    REQUIRE_FALSE(why);
    for (std::size_t at = 0; at < memory.size(); ++at)
        for (const unsigned flip : {0x01U, 0x80U, 0xffU}) {
            char& byte = memory.bytes()[at];
            byte = static_cast<char>(static_cast<unsigned char>(byte) ^ flip);
            mato::failure refused;
            tab_record::birth found;
            const auto read = tab_record::adopt(copy_of(record), found, refused);
            CHECK((refused || (found.options.size.cells.rows > 0 && found.options.id != 0)));
            byte = static_cast<char>(static_cast<unsigned char>(byte) ^ flip);
        }
}

TEST_CASE("what is not a tab's record is refused with the reason", "[tab_record]") {
    mato::failure why;
    tab_record::birth found;
    auto other = mato::memory_file::create("other", 4096, why);
    REQUIRE_FALSE(why);
    CHECK_FALSE(tab_record::adopt(std::move(other).release(), found, why).exit_code());
    CHECK(why.code == mato::errc::malformed);
    CHECK(why.detail == "it is not a tab's record");
}
