// SPDX-License-Identifier: MIT
/// @file replay_filter_test.cpp: queries in earlier output are removed, everything else is unchanged, for any split.
#include "view/replay_filter.hpp"

#include "support/catch.hpp"
#include "support/program_output.hpp"

#include <string>

namespace {

/// The result of a replay that ends with `bytes`, fed in pieces of `size`.
std::string replayed(std::string_view bytes, std::size_t size = 1000) {
    mux::replay_filter filter;
    std::string out;
    for (std::size_t at = 0; at < bytes.size(); at += size) filter.feed(bytes.substr(at, size), out);
    filter.finish(out);
    return out;
}

} // namespace

TEST_CASE("queries are removed, in every form and for any split", "[replay]") {
    for (const std::string question : {"\033[c",
                                       "\033[0c",
                                       "\033[>c",
                                       "\033[=0c",
                                       "\033Z",
                                       "\033[5n",
                                       "\033[6n",
                                       "\033[?6n",
                                       "\033[?996n",
                                       "\033[?2026$p",
                                       "\033[4$p",
                                       "\033[>q",
                                       "\033[>0q",
                                       "\033[?u",
                                       "\033[14t",
                                       "\033[16t",
                                       "\033[18t",
                                       "\033[21t",
                                       "\033[x",
                                       "\033[1x",
                                       "\033[?1;1S",
                                       "\033[?4m",
                                       "\033[1;1;1;1;2;2*y",
                                       "\033[1$w",
                                       "\033[&u",
                                       "\033['|",
                                       "\033[#|",
                                       "\033P$qm\033\\",
                                       "\033P+q4d73\033\\",
                                       "\033]11;?\a",
                                       "\033]11;?\033\\",
                                       "\033]4;1;?\a",
                                       "\033]4;1;?;2;?\a",
                                       "\033]10;?;?\a",
                                       "\033]21;foreground=?\a",
                                       "\033]52;c;?\a",
                                       "\033]52;c;aGk=\a",
                                       "\033]52;c;aGk=\033\\",
                                       "\033]52;c;a\001Gk=\a",
                                       "\033]1337;ReportCellSize\a",
                                       "\033_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\033\\",
                                       "\005",
                                       "\033[\0016n",
                                       "\033]5\0012;c;x\a",
                                       "\302\233c",
                                       "\302\23511;?\302\234",
                                       "\302\220+q4d73\033\\",
                                       "\302\232"}) {
        CAPTURE(question);
        for (std::size_t size : std::initializer_list<std::size_t>{1, 2, 3, 7, 1000})
            CHECK(replayed("a" + question + "b", size) == "ab");
        CHECK(replayed(question + question) == "");
    }
    CHECK(replayed("x\033]52;c;" + std::string(100'000, 'A') + "\ay", 4096) == "xy");
    CHECK(replayed("x\033]11;" + std::string(100'000, ' ') + "?\ay", 4096) == "xy");
    CHECK(replayed("x\033[" + std::string(100'000, '0') + "cy", 4096) == "xy");
}

TEST_CASE("everything else is replayed unchanged", "[replay]") {
    for (const std::string bytes : {"plain\r\n",
                                    "\303\251\342\202\254\302\240",
                                    "\302",
                                    "\033[1;31mred\033[m",
                                    "\033[?25l\033[?1049h\033[2J",
                                    "\033[2 q",
                                    "\033[3;4H",
                                    "\033[!p",
                                    "\033[?1c",
                                    "\033[>4;1m",
                                    "\033[>1u",
                                    "\033[2;1t",
                                    "\033[22;0t",
                                    "\033[5S",
                                    "\033[2*x",
                                    "\033[65;1;1;2;2$x",
                                    "\033]2;a title?\a",
                                    "\033]0;?\a",
                                    "\033]8;;http://a/?q=?;\033\\x",
                                    "\033]11;#123456\a",
                                    "\033]4;1;rgb:1/2/3\033\\",
                                    "\033]104\a",
                                    "\033]777;notify;a;b\a",
                                    "\033]1337;File=inline=1:AAAA\a",
                                    "\033]133;A\a",
                                    "\033Pq#0;2;0;0;0~\033\\",
                                    "\033X sos \033\\",
                                    "\033^ pm \033\\",
                                    "\033(B\0337\0338\033=",
                                    "\033\033[A",
                                    "\033[1\030x",
                                    "\033]2;cut\033[mx",
                                    "\033P1\030x",
                                    "\377\376\200"}) {
        CAPTURE(bytes);
        for (std::size_t size : std::initializer_list<std::size_t>{1, 2, 3, 1000}) CHECK(replayed(bytes, size) == bytes);
    }
    for (unsigned seed = 1; seed <= 50; ++seed) {
        support::program_output from(seed);
        std::string all;
        for (int i = 0; i < 20; ++i) all += from.burst();
        CHECK((replayed(all, static_cast<std::size_t>(from.number(1, 50))) == replayed(all)));
    }
}

TEST_CASE("kitty's images are replayed so that the terminal does not answer", "[replay]") {
    CHECK(replayed("\033_Ga=T,f=24,i=7,s=1,v=1;AAAA\033\\x") == "\033_Ga=T,f=24,i=7,s=1,v=1,q=2;AAAA\033\\x");
    CHECK(replayed("\033_Gq=1,a=p,i=7\033\\x", 1) == "\033_Ga=p,i=7,q=2\033\\x");
    CHECK(replayed("\033_Gm=1;AA\033\\\033_Gm=0;AA\033\\", 3) == "\033_Gm=1,q=2;AA\033\\\033_Gm=0,q=2;AA\033\\");
    CHECK(replayed("\033_Ga=T;" + std::string(100'000, 'A') + "\033\\", 4096) ==
          "\033_Ga=T,q=2;" + std::string(100'000, 'A') + "\033\\");
    CHECK(replayed("\033_other;AA\033\\") == "\033_other;AA\033\\");
}

TEST_CASE("a sequence that is cut by the end of the replay continues in new output", "[replay]") {
    for (const std::string whole : {"\033[6n", "\033]11;?\033\\", "\033P+q4d73\033\\", "\033]2;title\033\\", "\302\2336n"})
        for (std::size_t at = 1; at < whole.size(); ++at) {
            mux::replay_filter filter;
            std::string out;
            filter.feed(whole.substr(0, at), out);
            filter.finish(out);
            filter.feed_new(whole.substr(at), out);
            CAPTURE(whole, at);
            CHECK((out == whole ||
                   (whole[1] == 'P' && out.empty()))); // new queries are sent; what is removed is removed completely
        }
    const std::string clipboard = "\033]52;c;aGk=\033\\";
    for (std::size_t at = 6; at < clipboard.size(); ++at) {
        mux::replay_filter filter;
        std::string out;
        filter.feed(clipboard.substr(0, at), out);
        filter.finish(out);
        CHECK(filter.is_inside_dropped());
        filter.feed_new(clipboard.substr(at) + "new\033[6n", out);
        CHECK_FALSE(filter.is_inside_dropped());
        CHECK(out == "new\033[6n");
    }
    mux::replay_filter cancelled;
    std::string out;
    cancelled.feed("\033]52;c;aG", out);
    cancelled.finish(out);
    cancelled.feed_new("k=\033[1mx", out);
    CHECK(out == "\033[1mx");
}
