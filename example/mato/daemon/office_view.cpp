// SPDX-License-Identifier: MIT
#include "office_view.hpp"

#include "inventory.hpp"
#include "screens/text_row.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>

namespace mux {
namespace {

constexpr std::size_t most_directories = 200;        // are looked up: one costs two system calls
constexpr mato::milliseconds directories_span{2000}; // after that they are looked up again
constexpr mato::milliseconds works_within{2000};

std::string short_directory(const std::string& path, const std::string& home) {
    if (home.size() > 1 && path.starts_with(home) && (path.size() == home.size() || path[home.size()] == '/'))
        return std::string("~").append(path, home.size());
    return path;
}

/// "quiet", and from a minute on for how long.
std::string since_text(std::string what, mato::clock::duration span) {
    return span < std::chrono::minutes(1) ? what : what.append(", ").append(span_text(span));
}

/// The directories of the tabs, as last looked up: the Office is drawn more often than a program changes its directory.
class directories {
public:
    explicit directories(std::string home) : home_(std::move(home)) {}

    void begin(mato::clock::time_point now) {
        if (now - looked_up_ < directories_span) return;
        known_.clear();
        looked_up_ = now;
    }
    std::string of(const tab& program) {
        const auto found = known_.find(program.id());
        if (found != known_.end()) return found->second;
        if (known_.size() >= most_directories) return {};
        return known_[program.id()] = short_directory(program.directory(), home_);
    }

private:
    std::string home_;
    std::map<tab_id, std::string> known_;
    mato::clock::time_point looked_up_{};
};

std::string home_of(const environment& variables) {
    const auto found = variables.find("HOME");
    return found == variables.end() ? std::string() : found->second;
}

} // namespace

std::string state_text(const tab_entry& which, const std::string& directory, mato::clock::time_point now) {
    const tab& program = *which.program;
    if (which.says.asks()) return since_text("asks", now - which.says.asks_since());
    if (program.is_past()) return "past";
    if (!program.is_running()) return "ended with " + std::to_string(program.exit_code());
    if (which.says.state() != said_state::none) return std::string(name_of(which.says.state()));
    if (const std::string& command = which.commands.command(); which.commands.is_running() && !command.empty())
        return command.substr(0, command.find(' ')) + " " + span_text(now - which.commands.started());
    if (which.commands.is_at_prompt() && !directory.empty()) return directory;
    const vt::terminal* const screen = program.screen();
    if (now - program.last_output() < works_within) return "working";
    if (screen && !screen->title().empty()) return screen->title();
    if (!directory.empty() && !program.has_foreground_program()) return directory;
    return since_text("quiet", now - program.last_output());
}

office_preview end_of_screen(const vt::terminal& screen, int rows) {
    int last = screen.size().rows - 1;
    while (last > screen.cursor().at.row && screen.row_at(last).used() == 0) --last;
    const int first = std::max(0, last + 1 - std::max(rows, 0));
    office_preview preview;
    vt::text_line line;
    for (int r = first; r <= last; ++r) {
        screen.read_row(r, line);
        vt::row shown;
        for (const vt::text_run& run : line.runs) {
            vt::style look = run.style;
            look.link = 0;
            put_text(shown, run.column, run.column + run.columns, std::string_view(line.text).substr(run.from, run.bytes),
                     look);
        }
        preview.rows.push_back(std::move(shown));
    }
    const vt::position at = screen.cursor().at;
    if (at.row >= first && screen.is_set(vt::mode::cursor_visible)) preview.cursor = vt::position{at.row - first, at.column};
    return preview;
}

office_source office_of(daemon_state& state, const bars& marks, std::uint64_t id) {
    office_source source;
    source.prefix = state.configuration->prefix;
    source.state = [&state, &marks, id, known = directories(home_of(state.variables))]() mutable {
        office_state now;
        const client* const watcher = state.clients.find(id);
        if (!watcher) return now;
        const auto time = mato::clock::now();
        known.begin(time);
        for (const workspace::task& task : state.tabs.names().tasks()) {
            office_task all{task.name, {}};
            for (const auto& named : task.tabs) {
                const tab_entry& entry = state.tabs.entry(named.id);
                const tab& program = *entry.program;
                const std::string directory = known.of(program);
                office_tab each;
                each.id = named.id;
                each.number = all.tabs.size() + 1;
                each.name = named.name;
                each.state = state_text(entry, directory, time);
                each.details = std::to_string(program.size().columns) + "x" + std::to_string(program.size().rows);
                if (!directory.empty()) each.details.append("  ").append(directory);
                if (const std::size_t viewers = state.clients.count_viewers(named.id); viewers > 0)
                    each.details.append("  ").append(std::to_string(viewers)).append(viewers == 1 ? " client" : " clients");
                each.words.append(program.command()).append("\n").append(directory).append("\n");
                each.words.append(entry.commands.command());
                if (program.screen()) each.words.append("\n").append(program.screen()->title());
                each.mark = marks.mark_of(*watcher, named.id);
                each.note = entry.says.note();
                if (each.note.empty() && entry.says.has_asked()) each.note = entry.says.last_notice();
                if (entry.says.asks())
                    each.asks_ms = std::chrono::duration_cast<mato::milliseconds>(time - entry.says.asks_since()).count();
                all.tabs.push_back(std::move(each));
            }
            now.tasks.push_back(std::move(all));
        }
        const auto& closed = state.closed.all();
        for (auto gone = closed.rbegin(); gone != closed.rend(); ++gone) {
            office_tab each;
            each.id = gone->name.id;
            each.name = gone->name.name;
            each.state = span_text(time - gone->at) + " ago";
            each.note = "Enter brings it back";
            now.closed.push_back({gone->name.task, {std::move(each)}});
        }
        return now;
    };
    source.preview = [&state](tab_id shown, int rows) {
        tab_entry* const entry = state.tabs.find(shown);
        const vt::terminal* const screen = entry ? entry->program->screen() : nullptr;
        return screen ? end_of_screen(*screen, rows) : office_preview();
    };
    return source;
}

} // namespace mux
