// SPDX-License-Identifier: MIT
#include "office_view.hpp"

#include "inventory.hpp"
#include "screens/text_row.hpp"

#include <algorithm>
#include <chrono>

namespace mux {
namespace {

constexpr std::size_t most_directories = 200; // are looked up each time: one costs two system calls
constexpr mato::milliseconds works_within{2000};

std::string short_directory(const std::string& path, const std::string& home) {
    if (home.size() > 1 && path.starts_with(home) && (path.size() == home.size() || path[home.size()] == '/'))
        return std::string("~").append(path, home.size());
    return path;
}

std::string span_text(mato::clock::duration span) {
    const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(span).count();
    if (minutes < 1) return "quiet";
    if (minutes < 60) return "quiet, " + std::to_string(minutes) + " min";
    return "quiet, " + std::to_string(minutes / 60) + " h";
}

std::string home_of(const environment& variables) {
    const auto found = variables.find("HOME");
    return found == variables.end() ? std::string() : found->second;
}

} // namespace

std::string state_text(const tab_entry& which, const std::string& directory, mato::clock::time_point now) {
    const tab& program = *which.program;
    if (which.has_rung) return "asks";
    if (!program.is_running()) return "ended with " + std::to_string(program.exit_code());
    const vt::terminal* const screen = program.screen();
    if (now - program.last_output() < works_within) return "works";
    if (screen && !screen->title().empty()) return screen->title();
    if (!directory.empty() && !program.has_foreground_program()) return directory;
    return span_text(now - program.last_output());
}

std::vector<vt::row> end_of_screen(const vt::terminal& screen, int rows) {
    int last = screen.size().rows - 1;
    while (last > screen.cursor().at.row && screen.row_at(last).used() == 0) --last;
    const int first = std::max(0, last + 1 - std::max(rows, 0));
    std::vector<vt::row> all;
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
        all.push_back(std::move(shown));
    }
    return all;
}

office_source office_of(daemon_state& state, const bars& marks, std::uint64_t id) {
    office_source source;
    source.state = [&state, &marks, id] {
        office_state now;
        const client* const watcher = state.clients.find(id);
        if (!watcher) return now;
        const std::string home = home_of(state.variables);
        const auto time = mato::clock::now();
        std::size_t looked_up = 0;
        for (const workspace::task& task : state.tabs.names().tasks()) {
            office_task all{task.name, {}};
            for (const auto& named : task.tabs) {
                const tab_entry& entry = state.tabs.entry(named.id);
                const tab& program = *entry.program;
                const std::string directory =
                    looked_up++ < most_directories ? short_directory(program.directory(), home) : std::string();
                office_tab each;
                each.id = named.id;
                each.number = all.tabs.size() + 1;
                each.name = named.name;
                each.state = state_text(entry, directory, time);
                each.details = std::to_string(program.size().columns) + "x" + std::to_string(program.size().rows);
                if (!directory.empty()) each.details.append("  ").append(directory);
                if (const std::size_t viewers = state.clients.count_viewers(named.id); viewers > 0)
                    each.details.append("  ").append(std::to_string(viewers)).append(viewers == 1 ? " client" : " clients");
                each.words.append(program.command()).append("\n").append(directory);
                if (program.screen()) each.words.append("\n").append(program.screen()->title());
                each.mark = marks.mark_of(*watcher, named.id);
                all.tabs.push_back(std::move(each));
            }
            now.tasks.push_back(std::move(all));
        }
        return now;
    };
    source.preview = [&state](tab_id shown, int rows) {
        tab_entry* const entry = state.tabs.find(shown);
        const vt::terminal* const screen = entry ? entry->program->screen() : nullptr;
        return screen ? end_of_screen(*screen, rows) : std::vector<vt::row>();
    };
    return source;
}

} // namespace mux
