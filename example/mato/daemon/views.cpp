// SPDX-License-Identifier: MIT
#include "views.hpp"

#include "office_view.hpp"
#include "protocol/key_names.hpp"
#include "screens/command_prompt.hpp"
#include "screens/find_list.hpp"
#include "tab/key_encoding.hpp"
#include "tab_texts.hpp"
#include "vt/utf8.hpp"
#include "window_size.hpp"

#include <asio/post.hpp>

#include <algorithm>
#include <utility>

namespace mux {
namespace {

constexpr char default_prefix = '\x1c';

/// Pixels of a cell; larger numbers are invalid.
int as_cell(int pixels) { return pixels < 1000 ? std::max(pixels, 0) : 0; }

std::string bytes_of_key(const key_event& key, const keyboard_modes& modes) {
    if (const auto stroke = stroke_of(key)) return encode_key(*stroke, modes);
    std::string bytes;
    if ((key.modifiers & ~unsigned{key_event::shift}) == 0 && key.character >= 0x80)
        vt::append_utf8(bytes, static_cast<char32_t>(key.character));
    return bytes;
}

own_mouse mouse_of(mouse_use use) {
    return use == mouse_use::select ? own_mouse::drags : use == mouse_use::wheel ? own_mouse::wheel : own_mouse::none;
}

} // namespace

std::string pasted_into(const tab& to, std::string text) {
    std::replace(text.begin(), text.end(), '\n', '\r'); // as terminals do
    const vt::terminal* const screen = to.screen();
    return pasted(text, screen && screen->is_set(vt::mode::bracketed_paste) ? paste_marks::bracketed : paste_marks::none);
}

viewer_keys views::keys_now() {
    const settings& now = *state_.configuration;
    if (!keys_) keys_ = std::make_shared<const key_map>(changes_of(now.keys));
    return {parse_prefix(now.prefix).value_or(default_prefix), now.prefix, keys_, mouse_of(now.mouse)};
}

// ---- beginning and ending ----

attachment_info views::attach(client& watcher, tab& shown, const view_options& options) {
    leave(watcher);
    watcher.before.clear();
    watcher.suspended = false;
    watcher.view = options;
    watcher.attached_readonly = options.readonly;
    auto terminal = open_outlet(watcher, options.passes_terminal);
    const bool direct = terminal->is_direct();
    viewer_options wanted{keys_now(), options.size, options.terminal, options.readonly};
    watcher.screen =
        std::make_unique<viewer>(state_.host.context(), std::move(terminal), std::move(wanted), handlers_of(watcher.id()));
    const auto before = state_.returning.arrived(watcher.greeting.pid, shown.id());
    if (before) bars_.choose(watcher, before->bar);
    show_tab(watcher, shown, before ? std::optional(before->activity) : std::nullopt);
    if (const program_paste& paste = shown.paste(); paste.is_away() && paste.client() == watcher.greeting.pid)
        watcher.screen->resume_paste(shown.ends_in_paste());
    return {state_.tabs.name_of(shown.id()), direct};
}

std::unique_ptr<outlet> views::open_outlet(client& watcher, bool passes_terminal) {
    mato::unique_fd terminal = watcher.session->take_descriptor(), release_pipe = watcher.session->take_descriptor();
    if (passes_terminal) {
        mato::failure why;
        if (auto direct = direct_outlet::open(state_.host.context(), std::move(terminal), std::move(release_pipe), why))
            return direct;
        state_.host.log().info("client " + std::to_string(watcher.id()) + " relays its terminal: " + why.message());
    }
    auto relay = std::make_unique<relayed_outlet>(watcher.session);
    watcher.relay = relay.get();
    return relay;
}

viewer::handlers views::handlers_of(std::uint64_t id) {
    return {[this, id](std::string_view bytes) {
                if (client* const typist = state_.clients.find(id)) type(*typist, bytes);
            },
            [this, id](const pressed_action& what) {
                if (client* const from = state_.clients.find(id); from && from->screen) on_action_(*from, what);
            },
            [this, id] {
                client* const asked = state_.clients.find(id);
                if (!asked) return;
                state_.clients.reply<message::answered>(*asked, 0, nothing{});
                if (tab_entry* const shown = state_.tabs.find(asked->attached)) fit(*shown);
            },
            [this, id](int own_style) {
                if (client* const shown = state_.clients.find(id))
                    state_.clients.reply<message::cursor_shaped>(*shown, 0, cursor_style{static_cast<std::uint8_t>(own_style)});
            },
            [this, id] {
                client* const told = state_.clients.find(id);
                if (tab_entry* const shown = told ? state_.tabs.find(told->attached) : nullptr) tell_of_host(*shown->program);
            },
            [this, id] {
                client* const watcher = state_.clients.find(id);
                if (tab_entry* const shown = watcher ? state_.tabs.find(watcher->attached) : nullptr) follow_focus(*shown);
            },
            [this, id] {
                if (client* const gone = state_.clients.find(id)) detach(*gone, message::terminal_lost);
            },
            [this, id](std::string text) { // a read-only client changes nothing, so its copies are its terminal's alone
                const client* const from = state_.clients.find(id);
                if (from && !from->view.readonly) state_.buffers.copy(std::move(text));
            },
            [this, id](bool is_within) {
                const client* const from = state_.clients.find(id);
                tab_entry* const shown = from && !from->view.readonly ? state_.tabs.find(from->attached) : nullptr;
                if (!shown) return;
                tab& program = *shown->program;
                is_within ? program.paste_begins(from->greeting.pid) : program.paste_ends(from->greeting.pid);
            }};
}

/// A single read-only viewer does not set the tab's size, so it is told that it sees a part.
void views::tell_if_cut(client& watcher) {
    tab_entry* const entry = state_.tabs.find(watcher.attached);
    if (!entry || !watcher.screen) return;
    const tab& shown = *entry->program;
    const vt::screen_size tab_size = shown.size(), own = area_of(watcher, shown);
    if (!watcher.view.readonly || (own.columns >= tab_size.columns && own.rows >= tab_size.rows)) return;
    if (state_.clients.count_viewers(shown.id()) > 1) return;
    watcher.screen->tell(std::to_string(tab_size.columns) + "x" + std::to_string(tab_size.rows) +
                         " tab: this terminal shows a part");
}

void views::switch_to(client& watcher, tab& shown) { show_tab(watcher, shown, std::nullopt); }

/// `activity`: when the client was last active; empty: now.
void views::show_tab(client& watcher, tab& shown, std::optional<std::uint64_t> activity) {
    tab_entry& entry = *state_.tabs.find(shown.id());
    const tab_id before = std::exchange(watcher.attached, shown.id());
    state_.tabs.changed();
    if (activity) {
        watcher.activity = *activity;
    } else if (!watcher.view.readonly) { // a read-only client changes nothing, not even where others switch to
        watcher.activity = state_.tabs.use(entry);
        entry.says.seen();
    }
    if (before != 0 && before != shown.id()) {
        std::erase(watcher.before, before);
        watcher.before.push_back(before);
        if (watcher.before.size() > most_before) watcher.before.erase(watcher.before.begin());
    }
    watcher.untaken = 0;
    tab_entry* const left = state_.tabs.find(before);
    if (left) bars_.note_seen(watcher, *left);
    fit(entry);
    watcher.screen->read_keyboard(keyboard_reading::on);
    bars_.renew(watcher);
    watcher.screen->watch(entry.program);
    if (left) follow_focus(*left); // before the tab that has it now
    follow_focus(entry);
    if (before == shown.id()) return;
    if (before != 0) state_.clients.reply<message::switched>(watcher, 0, shown_tab{shown.id()});
    state_.events.tell(
        {.kind = before == 0 ? "client-attached" : "client-switched", .tab = shown.id(), .client = watcher.id()});
    if (left) fit(*left);
}

void views::leave(client& watcher) {
    if (watcher.screen) { // the call may come from one of its callbacks
        watcher.left += traffic_of(*watcher.screen);
        watcher.screen->close();
        watcher.relay = nullptr;
        asio::post(state_.host.context(), [gone = std::shared_ptr<viewer>(std::move(watcher.screen))] {});
    }
    const tab_id id = std::exchange(watcher.attached, 0);
    const bool drops_input = std::exchange(watcher.untaken, 0) > 0;
    if (id == 0) return;
    state_.tabs.changed();
    state_.events.tell({.kind = "client-detached", .tab = id, .client = watcher.id()});
    if (tab_entry* const left = state_.tabs.find(id)) {
        bars_.note_seen(watcher, *left);
        left->program->cancel_input(watcher.id(), 0);
        if (drops_input || left->program->paste().client() == watcher.greeting.pid)
            left->program->give_up_paste(watcher.greeting.pid);
        follow_focus(*left);
        fit(*left);
    }
}

void views::detach(client& watcher, message why) {
    leave(watcher);
    state_.clients.tell(watcher, why);
}

void views::set_access(client& watcher, viewer_access access) {
    watcher.view.readonly = access == viewer_access::readonly;
    if (watcher.screen) watcher.screen->set_access(access);
    if (tab_entry* const shown = state_.tabs.find(watcher.attached)) {
        fit(*shown);
        follow_focus(*shown);
    }
}

void views::suspend(client& watcher) {
    if (std::exchange(watcher.suspended, true)) return;
    if (tab_entry* const shown = state_.tabs.find(watcher.attached)) fit(*shown);
}

void views::resume(client& watcher) {
    if (!std::exchange(watcher.suspended, false)) return;
    if (tab_entry* const shown = state_.tabs.find(watcher.attached)) fit(*shown);
}

std::shared_ptr<tab> views::tab_before(const client& watcher) const {
    for (auto at = watcher.before.rbegin(); at != watcher.before.rend(); ++at)
        if (tab_entry* const there = *at == watcher.attached ? nullptr : state_.tabs.find(*at);
            there && there->program->is_running() && !there->program->is_closing())
            return there->program;
    return state_.tabs.last_used(watcher.attached);
}

void views::end(tab& ended) {
    for (client* each : state_.clients.viewers_of(ended.id())) {
        each->screen->finish();
        if (const auto next = state_.host.is_stopping() ? nullptr : tab_before(*each)) {
            switch_to(*each, *next);
            continue;
        }
        leave(*each);
        state_.clients.reply<message::tab_exited>(*each, 0, exit_status{ended.id(), ended.exit_code()});
    }
}

// ---- from the terminal ----

/// Input from a client's keyboard for the program. @returns false if it accepts none
bool views::type(client& from, std::string_view bytes) {
    tab_entry* const shown = state_.tabs.find(from.attached);
    if (!shown || from.view.readonly || bytes.empty()) return false;
    if (shown->program->is_past()) return press_past(from, bytes), false;
    return type_into(from, *shown, bytes);
}

bool views::type_into(client& from, tab_entry& to, std::string_view bytes) {
    const bool was_latest = from.activity == state_.tabs.last_act();
    from.activity = state_.tabs.use(to);
    if (!was_latest) state_.tabs.changed(); // the next process must know whose size counts, not each key
    from.untaken += bytes.size();
    const bool accepted = to.program->type({from.id(), 0}, std::string(bytes));
    if (!accepted) from.untaken -= bytes.size(); // the program has ended: it reads nothing
    if (from.untaken > input_window_bytes) from.screen->read_keyboard(keyboard_reading::off);
    if (was_latest) return accepted;
    fit(to);
    state_.kept.save(); // no message does
    return accepted;
}

/// For a tab that the Office previews. @returns why it was not passed on; empty: it was, or the program's modes have no bytes
/// for it
std::string views::type_key(std::uint64_t id, tab_id to, const key_event& key) {
    client* const from = state_.clients.find(id);
    tab_entry* const entry = state_.tabs.find(to);
    if (!from || !entry) return "that tab is gone";
    if (from->view.readonly) return "this client is read-only";
    if (!entry->program->screen()) return "nothing is shown of a tab whose emulator is 'raw'";
    if (!entry->program->is_running()) return "the program of that tab has ended";
    entry->says.seen();
    bars_.note_seen(*from, *entry);
    const std::string bytes = bytes_of_key(key, keyboard_modes::of(entry->program->screen()));
    if (bytes.empty() || type_into(*from, *entry, bytes)) return {};
    return "the program accepts no more input";
}

/// A tab of the past has no program: Enter starts it again, d forgets the tab. Pasted text has more than one key.
void views::press_past(const client& from, std::string_view bytes) {
    if (bytes != "\r" && bytes != "d") return;
    const action wanted = bytes == "d" ? action::close_tab : action::run_again;
    asio::post(state_.host.context(), [this, wanted, client_id = from.id(), id = from.attached] { // it may end this viewer
        client* const pressed = state_.clients.find(client_id);
        const tab_entry* const shown = state_.tabs.find(id);
        if (!pressed || !pressed->screen || pressed->attached != id || !shown || !shown->program->is_past()) return;
        on_action_(*pressed, {wanted, static_cast<std::int64_t>(id)});
    });
}

bool views::paste(client& from, std::string text) {
    const tab_entry* const shown = state_.tabs.find(from.attached);
    return shown && type(from, pasted_into(*shown->program, std::move(text)));
}

void views::on_typed_taken(std::uint64_t id, std::size_t bytes) {
    client* const typist = state_.clients.find(id);
    if (!typist) return;
    typist->untaken -= std::min<std::uint64_t>(typist->untaken, bytes);
    if (typist->screen && typist->untaken <= input_window_bytes / 2) typist->screen->read_keyboard(keyboard_reading::on);
}

void views::forget_typed(tab_id id) {
    for (client* each : state_.clients.viewers_of(id)) {
        each->untaken = 0;
        each->screen->read_keyboard(keyboard_reading::on);
    }
}

void views::resize_terminal(client& watcher, vt::screen_size size) {
    watcher.view.size = size;
    tab_entry* const shown = state_.tabs.find(watcher.attached);
    if (!shown) return;
    watcher.activity = state_.tabs.act();
    state_.tabs.changed();
    watcher.screen->resize(size);
    state_.events.tell({.kind = "client-resized", .tab = watcher.attached, .client = watcher.id(), .size = size});
    fit(*shown);
    bars_.renew(watcher);
}

// ---- from the program ----

void views::show_again(tab& shown) {
    const tab_entry* const entry = state_.tabs.find(shown.id());
    for (client* each : state_.clients.viewers_of(shown.id())) each->screen->watch(entry->program);
}

void views::on_output(tab_id id, output_rate rate) {
    if (tab_entry* const wrote = state_.tabs.find(id)) bars_.note_output(*wrote), board_.note_output(*wrote);
    for (client* each : state_.clients.viewers_of(id)) each->screen->update(rate);
    for (auto& [number, each] : state_.clients)
        if (each.screen && each.screen->types_to() == id) each.screen->update(rate);
}

void views::on_events(tab_id id, const std::vector<vt::event>& events) {
    tab_entry* const source = state_.tabs.find(id);
    if (!source) return;
    const auto viewers = state_.clients.viewers_of(id);
    const vt::event *title = nullptr, *directory = nullptr, *bell = nullptr; // the last ones of this read
    for (const vt::event& each : events) {
        if (each.kind == vt::event_kind::title) title = &each;
        if (each.kind == vt::event_kind::directory) directory = &each;
        if (each.kind == vt::event_kind::bell) {
            bell = &each;
            for (client* watcher : viewers) watcher->screen->ring();
        } else if (each.kind == vt::event_kind::notification) {
            board_.read(*source, each);
        } else if (each.kind == vt::event_kind::mark) {
            board_.follow_command(*source, each);
        } else if (each.kind == vt::event_kind::clipboard_set && state_.configuration->clipboard) {
            for (client* watcher : viewers)
                if (watcher->view.terminal.strings && !watcher->view.readonly)
                    watcher->screen->pass("\033]52;" + each.target + ";" + each.text + "\033\\");
        }
    }
    if (title) state_.events.tell({.kind = "title", .tab = id, .text = title->text});
    if (directory) state_.events.tell({.kind = "cwd", .tab = id, .text = directory->text});
    if (!bell) return;
    board_.ring(*source);
    state_.events.tell({.kind = "bell", .tab = id});
}

// ---- sizes and images ----

void views::hold_pastes() {
    bool is_any_away = false;
    for (auto& [id, each] : state_.tabs) {
        if (each.program->paste().is_away())
            is_any_away = true;
        else if (each.program->found().unread_input > 0) // which may have been lost, and had the end mark
            each.program->give_up_paste(0);
    }
    if (!is_any_away) return;
    away_.expires_after(paste_patience);
    away_.async_wait([this](std::error_code cancelled) {
        if (cancelled) return;
        for (auto& [id, each] : state_.tabs)
            if (each.program->paste().is_away()) each.program->give_up_paste(0);
    });
}

void views::hold_sizes() {
    if (state_.returning.empty()) return;
    held_.expires_after(returning_clients::patience);
    held_.async_wait([this](std::error_code cancelled) {
        if (cancelled || state_.returning.empty()) return;
        state_.returning.give_up();
        for (auto& [id, each] : state_.tabs) fit(each);
    });
}

void views::apply_settings() {
    keys_ = nullptr;
    for (auto& [id, each] : state_.tabs) fit(each);
    for (auto& [id, each] : state_.clients)
        if (each.screen) each.screen->set_keys(keys_now());
    board_.apply_settings();
    bars_.renew_all();
}

vt::screen_size views::area_of(const client& watcher, const tab& shown) const {
    vt::screen_size area = watcher.view.size;
    area.rows -= bars_.rows_of(watcher, shown);
    return area;
}

void views::open_office(client& watcher) {
    office_source source = office_of(state_, bars_, watcher.id());
    source.type = [this, id = watcher.id()](tab_id to, const key_event& key) { return type_key(id, to, key); };
    watcher.screen->ask(std::make_unique<office_screen>(std::move(source), watcher.attached));
}

void views::open_find_list(client& watcher, std::string_view typed) {
    watcher.screen->ask_over(std::make_unique<find_list>(texts_of(state_), typed));
}

void views::open_command_prompt(client& watcher) {
    command_names known;
    for (const workspace::task& task : state_.tabs.names().tasks()) {
        known.tasks.push_back(task.name);
        for (const auto& each : task.tabs) known.tabs.push_back({each.id, task.name, each.name});
    }
    watcher.screen->ask(std::make_unique<command_prompt>(std::move(known), watcher.commands));
}

void views::follow_bar(client& watcher) {
    bars_.renew(watcher);
    if (tab_entry* const shown = state_.tabs.find(watcher.attached)) fit(*shown);
}

void views::fit(tab_entry& entry) {
    tab& shown = *entry.program;
    tell_what_is_shown(shown);
    tell_of_host(shown);
    if (entry.has_fixed_size || state_.returning.awaits(shown.id())) return;
    std::vector<sized_viewer> sizes;
    const auto viewers = state_.clients.viewers_of(shown.id());
    const auto counts = [](const client* each) { return !each->view.readonly && !each->suspended; };
    // --ignore-size yields to other viewers; it counts if there are none.
    const bool has_other =
        std::any_of(viewers.begin(), viewers.end(), [&](auto* each) { return counts(each) && !each->view.ignore_size; });
    for (client* each : viewers) {
        const vt::pixel_size cell = each->screen->cell_size();
        sizes.push_back({{area_of(*each, shown), {as_cell(cell.width), as_cell(cell.height)}},
                         each->activity,
                         counts(each) && !(has_other && each->view.ignore_size)});
    }
    resize(shown, choose_size(state_.configuration->window_size, shown.dimensions(), sizes));
}

void views::fix_size(tab_entry& which, vt::screen_size size) {
    which.has_fixed_size = true;
    state_.tabs.changed();
    resize(*which.program, {size, {}});
    which.program->finish_resize();
}

void views::free_size(tab_entry& which) {
    which.has_fixed_size = false;
    state_.tabs.changed();
    fit(which);
    which.program->finish_resize();
}

void views::resize(tab& shown, const terminal_size& size) {
    const vt::screen_size before = shown.size();
    shown.resize(size);
    if (shown.size() != before) state_.events.tell({.kind = "tab-resized", .tab = shown.id(), .size = shown.size()});
}

/// The tab's terminal supports the image protocols of its viewers; without viewers it supports all.
void views::tell_what_is_shown(tab& shown) {
    const auto viewers = state_.clients.viewers_of(shown.id());
    if (viewers.empty()) return shown.know_pictures({true, true, true, false});
    vt::picture_protocols all;
    for (const client* each : viewers) {
        const vt::picture_protocols own = each->screen->pictures();
        all.kitty |= own.kitty, all.sixel |= own.sixel, all.iterm |= own.iterm;
        all.announces_sixel |= own.announces_sixel;
    }
    shown.know_pictures(all);
}

/// The colours are those of the last used terminal that has reported any; a key protocol works if one terminal supports it.
void views::tell_of_host(tab& shown) {
    vt::host_terminal host{nullptr, false, state_.configuration->clipboard, false};
    const client *latest = nullptr, *coloured = nullptr;
    for (const client* each : state_.clients.viewers_of(shown.id())) {
        const vt::host_terminal own = each->screen->host();
        host.kitty_keyboard = host.kitty_keyboard || own.kitty_keyboard;
        if (!latest || each->activity > latest->activity) latest = each;
        if (own.colours && (!coloured || each->activity > coloured->activity)) coloured = each;
    }
    if (latest) host.is_awaited = latest->screen->host().is_awaited;
    if (coloured) host.colours = coloured->screen->host().colours;
    shown.know_host(std::move(host));
}

// xterm ctlseqs, FocusIn and FocusOut
void views::follow_focus(tab_entry& entry) {
    tab& shown = *entry.program;
    const auto viewers = state_.clients.viewers_of(shown.id());
    const bool now = std::any_of(viewers.begin(), viewers.end(), [](const client* each) { return each->screen->has_focus(); });
    if (std::exchange(entry.has_focus, now) == now) return;
    if (shown.screen() && shown.screen()->is_set(vt::mode::focus)) shown.report(now ? "\033[I" : "\033[O");
}

} // namespace mux
