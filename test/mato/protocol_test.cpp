// SPDX-License-Identifier: MIT
/// @file protocol_test.cpp: each side reads what the other writes, and rejects everything else.
#include "protocol/protocol.hpp"

#include "support/catch.hpp"

#include <limits>
#include <random>
#include <set>

namespace {

// One value of every kind of field, at both ends of its range and between.
class filler {
public:
    enum class kind { zero, most, odd };
    explicit filler(kind how) : how_(how) {}
    void operator()(auto&... values) { (put(values), ...); }

private:
    template <class T> void put(T& value) {
        if constexpr (requires { value.fields(*this); })
            value.fields(*this);
        else if constexpr (std::is_same_v<T, mux::vt::screen_size>)
            value = how_ == kind::zero ? T{0, 0} : how_ == kind::most ? T{65535, 65535} : T{0x1234, 0x5678};
        else if constexpr (std::is_enum_v<T>)
            value = how_ == kind::zero ? T{} : last_of(T{});
        else if constexpr (std::is_same_v<T, mux::colour_depth>)
            value = how_ == kind::zero ? mux::colour_depth::none : mux::colour_depth::direct;
        else if constexpr (std::is_same_v<T, mux::inquiry>)
            value = how_ == kind::zero ? mux::inquiry::none : mux::inquiry::all;
        else if constexpr (std::is_same_v<T, mux::said_state>)
            value = how_ == kind::zero ? mux::said_state::none : mux::said_state::done;
        else if constexpr (std::is_same_v<T, bool>)
            value = how_ != kind::zero;
        else
            value = how_ == kind::zero   ? std::numeric_limits<T>::min()
                    : how_ == kind::most ? std::numeric_limits<T>::max()
                                         : static_cast<T>(0x1122334455667788 + ++turn_);
    }
    void put(std::string& text) {
        text = how_ == kind::zero   ? std::string()
               : how_ == kind::most ? std::string(70'000, '\xff')
                                    : std::string("a\0b\nü", 6);
    }
    template <class T> void put(std::vector<T>& items) {
        items.resize(how_ == kind::zero ? 0 : how_ == kind::most ? 3 : 2);
        for (T& item : items) put(item);
    }
    kind how_;
    int turn_ = 0;
};

template <class Body> Body filled(filler::kind how) {
    Body body{};
    filler fill(how);
    body.fields(fill);
    return body;
}

template <class Body> std::string body_of(const Body& value) {
    return mux::encode_body(mux::message::done, 1, value).substr(8);
}

// clang-format off
#define BODIES mux::hello, mux::welcome, mux::refusal, mux::target, mux::resized_terminal, mux::view_options, mux::new_tab, \
    mux::tab_name, mux::attach_request, mux::detach_request, mux::tab_info, mux::tab_list, mux::client_info, mux::client_list, \
    mux::send_request, mux::sent, mux::kill_request, mux::rename_request, mux::task_count, mux::status_report, \
    mux::stop_request, mux::exit_status, mux::bytes_taken, mux::attachment_info, mux::show_request, \
    mux::capture_request, mux::captured, mux::wait_output, mux::change_wait, mux::tab_changed, mux::output_request, mux::output_found, mux::ended_list, mux::after_detaching, mux::name_only, mux::buffer_content, mux::paste_request, mux::buffer_list, mux::read_request, mux::text_read, mux::resize_request, mux::record_request, mux::recording_info, \
    mux::stream_output, mux::stream_screen, mux::stream_size, mux::stream_end, mux::respawn_request, mux::move_request, mux::daemon_event, \
    mux::event_snapshot, mux::shown_tab, mux::state_request, mux::notice_request
// clang-format on

struct text_body {
    std::string text;
    void fields(auto& f) { f(text); }
};

std::string u32(std::uint32_t value) {
    std::string bytes;
    for (int i = 0; i < 4; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xff);
    return bytes;
}

} // namespace

// ---- the contract ----

TEST_CASE("a payload begins with type and id, little-endian, and the rest is its body", "[protocol]") {
    const auto payload = mux::encode_bytes(mux::message::input, 0x01020304, "xyz");
    CHECK(payload == u32(static_cast<std::uint32_t>(mux::message::input)) + "\x04\x03\x02\x01xyz");
    const auto parsed = mux::parse_header(payload);
    REQUIRE(parsed);
    CHECK(parsed->type == mux::message::input);
    CHECK(parsed->id == 0x01020304);
    CHECK(parsed->body == "xyz");
    CHECK(mux::encode_bytes(mux::message::done, 7, {}).size() == 8);
}

TEMPLATE_TEST_CASE("every message is decoded as it was encoded, at the limits of every range", "[protocol]", BODIES) {
    for (const auto how : {filler::kind::zero, filler::kind::most, filler::kind::odd}) {
        const auto bytes = body_of(filled<TestType>(how));
        const auto back = mux::decode<TestType>(bytes);
        REQUIRE(back);
        CHECK(body_of(*back) == bytes);
    }
}

TEST_CASE("each field arrives in its place", "[protocol]") {
    mux::hello greeting;
    greeting.features = 0x8000'0000'0000'0001;
    greeting.pid = 0xffff'ffff;
    greeting.tty = "/dev/pts/7";
    greeting.program = std::string("a\0b", 3);
    const auto heard = mux::decode<mux::hello>(body_of(greeting));
    REQUIRE(heard);
    CHECK(heard->magic == mux::hello_magic);
    CHECK(heard->features == greeting.features);
    CHECK(heard->pid == 0xffff'ffff);
    CHECK(heard->tty == "/dev/pts/7");
    CHECK(heard->program == greeting.program);

    mux::new_tab wanted;
    wanted.task = "work";
    wanted.argv = {"sh", "", "-c"};
    wanted.view.size = {1, 65535};
    wanted.view.readonly = true;
    wanted.then = mux::after_opening::wait;
    const auto asked = mux::decode<mux::new_tab>(body_of(wanted));
    REQUIRE(asked);
    CHECK(asked->task == "work");
    CHECK(asked->argv == wanted.argv);
    CHECK(asked->view.size == wanted.view.size);
    CHECK(asked->view.readonly);
    CHECK_FALSE(asked->view.detach_others);
    CHECK(asked->then == mux::after_opening::wait);

    mux::tab_info tab;
    tab.exit_code = -1;
    tab.pid = std::numeric_limits<std::int32_t>::min();
    tab.running = false;
    const auto list = mux::decode<mux::tab_list>(body_of(mux::tab_list{{tab, {}}}));
    REQUIRE(list);
    REQUIRE(list->tabs.size() == 2);
    CHECK(list->tabs[0].exit_code == -1);
    CHECK(list->tabs[0].pid == tab.pid);
    CHECK_FALSE(list->tabs[0].running);
    CHECK(list->tabs[1].running);

    mux::daemon_event event{.number = 9, .at = -1, .kind = "tab-moved", .tab = 4, .task = "to", .name = "sh", .text = "from"};
    event.size = {65535, 1};
    const auto told = mux::decode<mux::daemon_event>(body_of(event));
    REQUIRE(told);
    CHECK(told->number == 9);
    CHECK(told->at == -1);
    CHECK(told->kind == "tab-moved");
    CHECK(told->tab == 4);
    CHECK(told->task + told->name + told->text == "toshfrom");
    CHECK(told->size == event.size);

    mux::status_report report;
    report.started = -1;
    CHECK(mux::decode<mux::status_report>(body_of(report))->started == -1);
}

TEST_CASE("a hello has these bytes in every version", "[protocol]") {
    mux::hello greeting;
    greeting.tty = "t";
    greeting.program = "p";
    CHECK(mux::encode_body(mux::message::hello, 9, greeting) ==
          u32(1) + u32(9) + "mato" + u32(1) + u32(1) + std::string(8, '\0') + u32(0) + u32(1) + "t" + u32(1) + "p");
    CHECK(mux::encode_body(mux::message::refused, 9, mux::refusal{3, "no"}) == u32(3) + u32(9) + u32(3) + u32(2) + "no");
}

TEST_CASE("the numbers of messages never change", "[protocol]") {
    using mux::message;
    const std::pair<message, std::uint32_t> pinned[] = {
        {message::hello, 1},
        {message::welcome, 2},
        {message::refused, 3},
        {message::done, 4},
        {message::error, 5},
        {message::new_tab, 16},
        {message::tab_opened, 17},
        {message::attach, 18},
        {message::attached, 19},
        {message::detach, 20},
        {message::list_tabs, 21},
        {message::tabs, 22},
        {message::list_clients, 23},
        {message::clients, 24},
        {message::find_tab, 25},
        {message::send, 26},
        {message::sent, 27},
        {message::cancel_send, 28},
        {message::kill, 29},
        {message::rename, 30},
        {message::status, 31},
        {message::status_report, 32},
        {message::reload, 33},
        {message::stop, 34},
        {message::wait_exit, 35},
        {message::exit_status, 36},
        {message::input, 37},
        {message::resize, 38},
        {message::show, 39},
        {message::hide, 40},
        {message::output_taken, 41},
        {message::capture, 42},
        {message::captured, 43},
        {message::wait_output, 44},
        {message::output_came, 45},
        {message::resize_tab, 46},
        {message::record, 47},
        {message::recording, 48},
        {message::output, 64},
        {message::tab_exited, 65},
        {message::detached, 66},
        {message::stopping, 67},
        {message::input_taken, 68},
        {message::terminal_lost, 69},
        {message::suspend, 70},
        {message::answered, 71},
        {message::stream_output, 72},
        {message::stream_screen, 73},
        {message::stream_size, 74},
        {message::stream_end, 75},
        {message::respawn, 49},
        {message::move_tab, 50},
        {message::follow_events, 51},
        {message::event, 76},
        {message::event_snapshot, 77},
        {message::cursor_shaped, 78},
        {message::switched, 79},
        {message::restarting, 80},
        {message::read_text, 55},
        {message::text_read, 56},
        {message::undo_close, 57},
        {message::wait_change, 90},
        {message::change_came, 91},
        {message::find_output, 92},
        {message::output_found, 93},
        {message::list_ended, 120},
        {message::ended_tabs, 121},
        {message::run_instead, 122},
        {message::list_buffers, 123},
        {message::buffers, 124},
        {message::set_buffer, 125},
        {message::get_buffer, 126},
        {message::buffer_text, 127},
        {message::remove_buffer, 128},
        {message::paste_buffer, 129},
        {message::wait_channel, 130},
        {message::signal_channel, 131},
    };
    for (const auto& [type, number] : pinned) {
        CHECK(static_cast<std::uint32_t>(type) == number);
        CHECK((number & mux::skippable) == 0);
    }
    CHECK(mux::skippable == 0x8000'0000);
}

// ---- the refusals ----

namespace {

/// Where older programs end a message: before each member that was added later.
struct ends_of_older_programs {
    std::set<std::size_t> at;
    std::string written{};
    void operator()(auto&... members) { (add(members), ...); }

private:
    template <class T> void add(mux::added_field<T>& member) {
        at.insert(written.size());
        mux::field_writer writer(written);
        writer(member);
    }
    void add(auto& member) {
        mux::field_writer writer(written);
        writer(member);
    }
};

} // namespace

TEST_CASE("a truncated header is rejected", "[protocol]") {
    const auto payload = mux::encode_bytes(mux::message::done, 1, {});
    for (std::size_t size = 0; size < 8; ++size) CHECK_FALSE(mux::parse_header(std::string_view(payload).substr(0, size)));
    CHECK(mux::parse_header(payload)->body.empty());
}

TEMPLATE_TEST_CASE("a body cut at any byte is rejected", "[protocol]", BODIES) {
    const auto bytes = body_of(filled<TestType>(filler::kind::odd));
    ends_of_older_programs ends;
    filled<TestType>(filler::kind::odd).fields(ends);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        INFO("cut at " << size << " of " << bytes.size());
        CHECK(mux::decode<TestType>(std::string_view(bytes).substr(0, size)).has_value() == (ends.at.count(size) == 1));
    }
}

TEST_CASE("a member that was added to a message may be missing", "[protocol]") {
    auto wanted = filled<mux::new_tab>(filler::kind::odd);
    REQUIRE(wanted.remains.value);
    const auto bytes = body_of(wanted);
    CHECK(mux::decode<mux::new_tab>(bytes)->remains.value);
    const auto older = mux::decode<mux::new_tab>(std::string_view(bytes).substr(0, bytes.size() - 1));
    REQUIRE(older);
    CHECK_FALSE(older->remains.value);
    CHECK(older->argv == wanted.argv);
}

TEMPLATE_TEST_CASE("fields that a later version appends are ignored", "[protocol]", BODIES) {
    const auto bytes = body_of(filled<TestType>(filler::kind::odd));
    for (const std::string& more : {std::string("\xff"), std::string(100, 'x')}) {
        const auto back = mux::decode<TestType>(bytes + more);
        REQUIRE(back);
        CHECK(body_of(*back) == bytes);
    }
}

TEST_CASE("a bool that is neither 0 nor 1, and an unknown enumerator, are rejected", "[protocol]") {
    for (int byte = 0; byte < 256; ++byte) {
        const auto read = mux::decode<mux::stop_request>(std::string(1, static_cast<char>(byte)));
        CHECK(read.has_value() == (byte <= 1));
        if (read) CHECK(read->now == (byte == 1));
        auto tab = body_of(mux::new_tab());
        tab[tab.size() - 3] = static_cast<char>(byte); // `then`; two bools follow it
        CHECK(mux::decode<mux::new_tab>(tab).has_value() == (byte <= 3));
    }
}

TEST_CASE("a false length or count is rejected", "[protocol]") {
    for (const std::uint32_t lie : {1u, 2u, 0x7fff'ffffu, 0x8000'0000u, 0xffff'ffffu}) {
        CHECK_FALSE(mux::decode<text_body>(u32(lie)));
        CHECK_FALSE(mux::decode<mux::tab_list>(u32(lie)));
        CHECK_FALSE(mux::decode<mux::tab_list>(u32(lie) + std::string(40, '\0')));
    }
    CHECK(mux::decode<text_body>(u32(3) + "abc")->text == "abc");
    CHECK_FALSE(mux::decode<text_body>(u32(4) + "abc"));
}

// ---- the edges ----

namespace {
// Counts its own copies: a huge count must not make a huge vector.
struct counted {
    static inline int made = 0;
    std::uint64_t wide = 0;
    std::string text;
    counted() { ++made; }
    counted(const counted& other) : wide(other.wide), text(other.text) { ++made; }
    counted(counted&& other) noexcept : wide(other.wide), text(std::move(other.text)) { ++made; }
    counted& operator=(const counted&) = default;
    ~counted() = default;
    void fields(auto& f) { f(wide, text); }
};
struct many {
    std::vector<counted> items;
    void fields(auto& f) { f(items); }
};
} // namespace

TEST_CASE("memory is proportional to the received bytes, not to the announced count", "[protocol]") {
    counted::made = 0;
    const std::string two = std::string(12, '\0') + std::string(12, '\0');
    CHECK_FALSE(mux::decode<many>(u32(1'000'000) + two));
    CHECK(counted::made == 0);                     // more than there are bytes: not begun
    CHECK_FALSE(mux::decode<many>(u32(24) + two)); // no more than bytes, but more than items
    CHECK(counted::made <= 10);                    // two complete items, one truncated, and those the vector moves
    REQUIRE(mux::decode<many>(u32(2) + two));
}

TEST_CASE("random bytes never decode to a message that encodes differently", "[protocol]") {
    std::mt19937 random(7);
    const auto check = [&]<class Body>(Body*, const std::string& bytes) {
        if (const auto read = mux::decode<Body>(bytes)) {
            const auto again = body_of(*read);
            CHECK(bytes.starts_with(again));
        }
    };
    for (int round = 0; round < 3000; ++round) {
        std::string bytes(random() % 120, '\0');
        for (char& c : bytes) c = random() % 3 == 0 ? static_cast<char>(random()) : static_cast<char>(random() % 3);
        check(static_cast<mux::hello*>(nullptr), bytes);
        check(static_cast<mux::new_tab*>(nullptr), bytes);
        check(static_cast<mux::tab_list*>(nullptr), bytes);
        check(static_cast<mux::status_report*>(nullptr), bytes);
        check(static_cast<mux::welcome*>(nullptr), bytes);
    }
}

TEST_CASE("the input windows fit into the frames that carry them", "[protocol]") {
    CHECK(mux::input_chunk_bytes + 8 < (1u << 20));
    CHECK(mux::input_chunk_bytes <= mux::input_window_bytes);
    CHECK(mux::oldest_version <= mux::newest_version);
}
