// SPDX-License-Identifier: MIT
/// @file core_program.cpp: uses the parts that need no asio; compiled with many compilers and switches by test/matrix.sh.
#ifdef ONE_HEADER
#include <mato/mato_core.hpp>
#else
#include <mato/client.hpp>
#include <mato/fan_out.hpp>
#include <mato/keeper.hpp>
#include <mato/lock.hpp>
#include <mato/log.hpp>
#include <mato/read_journal.hpp>
#include <mato/service.hpp>
#include <mato/status.hpp>
#include <mato/system_log.hpp>
#include <mato/two_slots.hpp>
#endif

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <unistd.h>

namespace {

void must(const char* what, bool is_right) {
    if (is_right) return;
    std::fprintf(stderr, "%s is wrong\n", what);
    std::exit(1);
}

struct reader {
    mato::outbox out;
    std::string got;
    mato::outbox& box() { return out; }
    void flush() {
        mato::gathered_write write;
        out.gather(write);
        for (std::size_t i = 0; i < write.count; ++i)
            got.append(static_cast<const char*>(write.buffers[i].iov_base), write.buffers[i].iov_len);
        if (write.count > 0) out.wrote(write, write.bytes);
    }
    void fall_behind(const mato::failure&, const std::optional<std::string>&) { out.abandon(); }
    void cut_off(const mato::failure&) { out.abandon(); }
};

struct stream : mato::fan_out<reader, mato::drop_oldest, mato::line<>> {
    using mato::fan_out<reader, mato::drop_oldest, mato::line<>>::fan_out;
};

} // namespace

int main() {
    ::alarm(60); // whatever waits for ever is wrong
    char name[] = "/tmp/mato-matrix-XXXXXX";
    must("mkdtemp", ::mkdtemp(name) != nullptr);
    const std::string directory = name;
    mato::failure why;
    {
        const auto lock = mato::instance_lock::acquire(directory + "/lock", why);
        must("the lock", !why && lock.is_held());
        const auto second = mato::instance_lock::acquire(directory + "/lock", why);
        must("a held lock", why.code == mato::cond::already_running && !second.is_held());
    }
    why = {};
    std::string bytes;
    mato::length_prefixed<>::append(bytes, "frame", why);
    mato::frame_decoder<mato::length_prefixed<>> decoder;
    const auto room = decoder.prepare(bytes.size());
    bytes.copy(room.data(), bytes.size());
    decoder.commit(bytes.size());
    must("a frame", decoder.next(why) == "frame" && !why);

    const auto all = std::make_shared<stream>(4096);
    all->on.gap = [](const mato::frame_gap&) { return std::nullopt; };
    reader one;
    auto* const subscriber = all->join(one, mato::drop_oldest{1 << 20}, {}, why);
    must("subscribe", subscriber != nullptr && !why);
    must("a place", one.out.make_place());
    one.out.follow({all, subscriber});
    for (const char* text : {"one", "two"}) all->publish(text, why);
    all->flush();
    must("a published frame", one.got == "one\ntwo\n" && !why);
    one.out.abandon();

    const auto none =
        mato::client::connect(mato::owned_path(directory + "/socket"), mato::deadline::in(mato::milliseconds(1)), why);
    must("no daemon", !none && why.code == mato::cond::not_running);
    mato::basic_logger<mato::file_log> log(mato::file_log::open(directory + "/log", {}, why), mato::log_level::info);
    log.info("one line");
    must("the memory", mato::usage_meter<>().ask().usage.memory_bytes > 0);
    ::unlink((directory + "/log").c_str());
    must("what is left", ::rmdir(name) == 0);
    std::printf("right\n");
}
