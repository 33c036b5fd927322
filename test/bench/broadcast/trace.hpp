// SPDX-License-Identifier: MIT
/// @file trace.hpp: a terminal's output to viewers that each keep a screen: measures when all of them show the program's
/// screen.
///
/// mato's broadcast publishes as fast as the program writes; a viewer that lags gets the screen instead (resync). The limit
/// cannot send screens: its producer waits for the slowest viewer, so it is measured without a slow one.
#pragma once

#include "../mux/payloads.hpp"
#include "../support/scratch.hpp"
#include "bare.hpp"
#include "mato_hub.hpp"

#include "vt/terminal.hpp"

#include <fstream>
#include <sstream>

namespace bench {

struct trace_result {
    double seconds = 0;       ///< until the last viewer shows the program's screen
    double slow_after_ms = 0; ///< after the program's last byte
    double slow_share = 0;    ///< bytes sent to the slow viewer, relative to the trace
    double fast_share = 0;    ///< the same for each of the others
};

class trace_run {
public:
    static constexpr std::size_t trace_bytes = std::size_t{32} << 20, viewers = 8;
    static constexpr double slow_rate = 1e6; ///< bytes per second

    explicit trace_run(bool bare) : bare_(bare), setup_{scratch_.path(), frame_bytes, viewers, bare ? 0u : 1u, 0} {}

    [[nodiscard]] trace_result measure() {
        child sender(0, [this] { send(); });
        must(sender, [this] { return page_->listening.load(); });
        child shown(1, [this] { show(); });
        const std::uint64_t from = now_ns();
        must(shown, [this] { return page_->joins == viewers; });
        trace_result result;
        const std::uint64_t end = now_ns();
        result.seconds = static_cast<double>(end - from) * 1e-9;
        result.slow_after_ms = static_cast<double>(end - page_->latency[0]) * 1e-6;
        result.slow_share = static_cast<double>(page_->frames[0]) / static_cast<double>(trace_bytes);
        for (std::size_t i = 1; i < viewers; ++i)
            result.fast_share += static_cast<double>(page_->frames[i]) / static_cast<double>(trace_bytes) / (viewers - 1);
        page_->now = phase::stop;
        if (!shown.end(milliseconds(5000)) || !sender.end(milliseconds(5000))) throw std::runtime_error("trace: did not end");
        return result;
    }

private:
    static constexpr std::size_t frame_bytes = 4096; // the size of a pty's read
    static constexpr char output_mark = 'o', screen_mark = 's';
    static constexpr milliseconds patience{60'000};
    static constexpr std::size_t ahead_frames = 128; // lead over the slowest viewer, for the limit

    [[nodiscard]] static mux::vt::terminal fresh() {
        mux::vt::terminal_options options;
        options.size = {24, 80};
        options.limits.history.lines = 0; // only the screen is compared
        return mux::vt::terminal(options);
    }
    [[nodiscard]] std::string final_screen() const { return scratch_.path() + "/final"; }

    static void must(child& who, const std::function<bool()>& holds) {
        if (!wait_until(patience, [&] { return holds() || who.ended(); }) || who.ended())
            throw std::runtime_error("trace: a side ended, or hangs");
    }

    class hub final : public socket_publisher {
    public:
        hub(const setup& s, page& shared, const mux::vt::terminal& model) : socket_publisher(s, shared) {
            stream_.on.snapshot = [&model](std::uint64_t) { return screen_mark + model.save(); };
        }
        void publish(std::string_view payload) override { stream_.publish(payload); }
        void turn(bool wait) override {
            context_.restart();
            if (wait)
                context_.run_for(std::chrono::microseconds(500));
            else
                context_.poll();
        }

    private:
        void add(int fd, std::string) override {
            subscribers_.push_back(std::make_shared<mato::connection>(context_, mato::unique_fd(fd)));
            stream_.subscribe(subscribers_.back());
        }
        asio::io_context context_{1};
        mato::basic_broadcast<mato::connection, mato::resync> stream_{context_};
        std::vector<std::shared_ptr<mato::connection>> subscribers_;
    };

    /// A program: a flood of lines, an editor that scrolls, coloured text, a screen that is redrawn completely.
    [[nodiscard]] static std::string trace() {
        payloads from;
        std::string all;
        for (std::size_t kind : {0u, 5u, 3u, 4u, 2u}) all += from.make(kind, trace_bytes / 5);
        all.resize(trace_bytes - trace_bytes % (frame_bytes - 1), 'x');
        return all;
    }

    void send() {
        const std::string bytes = trace();
        mux::vt::terminal model = fresh();
        std::unique_ptr<socket_publisher> to;
        if (bare_)
            to = std::make_unique<bare_publisher>(setup_, *page_, 128 * 1024);
        else
            to = std::make_unique<hub>(setup_, *page_, model);
        page_->listening = true;
        while (page_->connects < viewers) let_pass(milliseconds(1));
        to->accept_waiting(1);
        std::uint64_t published = 0;
        std::string frame;
        for (std::string_view left = bytes; !left.empty(); left.remove_prefix(frame_bytes - 1)) {
            while (bare_ && published >= slowest() + ahead_frames) to->turn(true);
            frame.assign(1, output_mark).append(left.substr(0, frame_bytes - 1));
            model.feed(left.substr(0, frame_bytes - 1));
            to->publish(frame);
            if (++published % 16 == 0) to->turn(false);
        }
        std::ofstream(final_screen()) << model.save();
        page_->latency[0] = now_ns();
        page_->now = phase::draining;
        while (page_->now != phase::stop) to->turn(true);
    }
    [[nodiscard]] std::uint64_t slowest() const {
        std::uint64_t least = page_->next[0];
        for (std::size_t i = 1; i < viewers; ++i) least = std::min<std::uint64_t>(least, page_->next[i]);
        return least;
    }

    /// Each viewer's screen, instead of the checks of sequence and bytes.
    class screens {
    public:
        explicit screens(page& shared) : page_(shared), since_(now_ns()) {
            for (std::size_t i = 0; i < viewers; ++i) all_.push_back(fresh());
        }
        [[nodiscard]] bool is_throttled(std::size_t viewer) const { return slow_ && viewer == 0; }
        [[nodiscard]] bool may_read(std::size_t viewer) const {
            return !is_throttled(viewer) ||
                   static_cast<double>(page_.frames[0]) < slow_rate * 1e-9 * static_cast<double>(now_ns() - since_);
        }
        void received(std::size_t viewer, std::string_view payload) {
            page_.frames[viewer] += payload.size();
            ++page_.next[viewer];
            if (payload[0] == output_mark)
                all_[viewer].feed(payload.substr(1));
            else if (all_[viewer].restore(payload.substr(1)) != mux::vt::snapshot_error::none)
                throw std::runtime_error("trace: a screen cannot be read");
        }
        void has_slow() { slow_ = true; }
        [[nodiscard]] std::size_t count_same(const mux::vt::terminal& as) const {
            return static_cast<std::size_t>(
                std::count_if(all_.begin(), all_.end(), [&](const auto& each) { return each.is_same(as); }));
        }

    private:
        page& page_;
        std::uint64_t since_;
        bool slow_ = false;
        std::vector<mux::vt::terminal> all_;
    };

    void show() {
        screens all(*page_);
        if (!bare_) all.has_slow();
        stream_reader<split_by_length, screens> from(setup_, all, *page_);
        for (std::size_t i = 0; i < viewers; ++i) from.join(i);
        std::optional<mux::vt::terminal> wanted;
        while (page_->now != phase::stop) {
            from.drain();
            if (page_->now != phase::draining) continue;
            if (!wanted) {
                std::ostringstream bytes;
                bytes << std::ifstream(final_screen()).rdbuf();
                wanted = fresh();
                if (wanted->restore(bytes.str()) != mux::vt::snapshot_error::none)
                    throw std::runtime_error("trace: no final screen");
            }
            page_->joins = all.count_same(*wanted);
        }
    }

    bool bare_;
    scratch_directory scratch_;
    setup setup_;
    shared_page page_;
};

} // namespace bench
