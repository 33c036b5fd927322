#!/bin/sh
# Checks rules of the tree that a compiler does not check. Prints only violations, and then fails.
#   sh test/rules.sh              check
#   sh test/rules.sh --code-map   print the code map for ARCHITECTURE.md
set -eu
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
cd "$root"
broken=0
complain() { # TITLE TEXT
    [ -n "$2" ] || return 0
    printf '%s\n%s\n' "$1" "$2"
    broken=1
}
sources() { find include example test -name '*.hpp' -o -name '*.cpp' | sort; }
headers() { find include/mato example/mato -name '*.hpp' | sort; }

code_map() {
    headers | while read -r header; do
        line=$(grep -m 1 -o '@file [a-z0-9_]*\.hpp: .*' "$header" | sed 's/^@file [a-z0-9_]*\.hpp: //')
        printf -- '- `%s`: %s\n' "$header" "$line"
    done
}
if [ "${1:-}" = --code-map ]; then
    code_map
    exit 0
fi

# Toolkit: includes go down, by the "Layer:" line at the top of each header. A policy includes no other policy.
layer_of() { grep -m 1 -oE '^///.*Layer: [0-9]' "$1" | grep -oE '[0-9]$' || true; }
complain "A header of the toolkit with no 'Layer: 0' to 'Layer: 4' line:" "$(find include/mato -name '*.hpp' | sort | while read -r header; do
    case $(layer_of "$header") in [0-4]) ;; *) echo "$header" ;; esac; done)"
complain "A header of the toolkit includes one of a higher layer, or a policy includes a policy:" "$(
    find include/mato -name '*.hpp' | sort | while read -r header; do
        own=$(layer_of "$header")
        grep -oE '^#include "[a-z_/]+\.hpp"' "$header" | cut -d '"' -f 2 | while read -r name; do
            included=$(dirname "$header")/$name
            [ -f "$included" ] || included=include/mato/$name
            other=$(layer_of "$included")
            if [ "${other:-9}" -gt "${own:-0}" ] || { [ "$own" = 2 ] && [ "$other" = 2 ]; }; then echo "$header ($own) includes $name ($other)"; fi
        done
    done)"
# Within layer 3, lowest first; those marked "no asio" have none.
mechanisms="system_log privileges spawn child orphan_reaper file_watch read_limits shared_path memory_file read_journal two_slots descriptors kept keeper listener frame_ring key_index outbox partial_frames selection subscription subscriber fan_out connection session broadcast server"
complain "A mechanism (layer 3) that test/rules.sh does not name:" "$(grep -lE '^///.*Layer: 3' include/mato/*.hpp | while read -r header; do
    case " $mechanisms " in *" $(basename "$header" .hpp) "*) ;; *) echo "$header" ;; esac; done)"
for word in $mechanisms; do
    later=$(echo "$mechanisms " | sed "s/.*\b$word //" | tr ' ' '|')none
    complain "A mechanism includes one above it:" "$(grep -nHE "#include \"($later)\.hpp\"" "include/mato/$word.hpp" || true)"
done
complain "asio in a header that does not have it in its 'Layer:' line, or asio's umbrella:" "$( (grep -rlE '^///.*Layer: ([0-2]|3 \(mechanism; no asio|4 \(composition\), free of asio)' include/mato |
    xargs grep -nHE '#include (<(boost/)?asio|".*asio_[a-z]+\.hpp)' || true; grep -nHE '#include <asio\.hpp>' $(sources) || true) )"
complain "toml++ outside config.hpp:" "$(grep -nHE '#include <toml' $(sources) | grep -v '^include/mato/config.hpp' || true)"
complain "Operating-system #ifs outside detail/platform.hpp:" "$(grep -rnHE '#\s*(el)?if.*__(linux|APPLE|FreeBSD|unix)__' include | grep -v detail/platform.hpp || true)"
complain "The seam outside sys.hpp:" "$(grep -rnH 'MATO_SYSTEM' include example --include='*.hpp' --include='*.cpp' | grep -vE '^include/mato/sys(_[a-z]+)?.hpp' || true)"
complain "The program includes the toolkit's details:" "$(grep -rnH 'mato/detail/' example || true)"
complain "A macro of ours outside platform.hpp, abi.hpp, sys.hpp and version.hpp:" "$(grep -rnHE '#\s*define' include | grep -vE '(platform|abi|sys|version)\.hpp' || true)"
complain "A header outside the inline namespace:" "$(grep -L 'inline namespace MATO_ABI {' $(grep -rl '^namespace mato' include) || true)"
complain "A feature switch that abi.hpp does not name:" "$(grep -ohE 'MATO_HAS_[A-Z0-9_]+' include/mato/detail/platform.hpp | sort -u | while read -r switch; do
    grep -qw "$switch" include/mato/detail/abi.hpp || echo "$switch"; done)"
complain "A header names a test that is not there:" "$(grep -rhE '^///.* Test: ' include | grep -oE '[a-z_]+_test' | sort -u | while read -r name; do
    [ -n "$(find test -name "$name.cpp")" ] || echo "$name"; done)"
if [ -d example/mato/vt ]; then
    complain "The emulator includes the toolkit, asio or POSIX:" "$(grep -rnHE '#include [<"](mato/|asio|sys/|unistd|fcntl|termios|poll)' example/mato/vt |
        grep -v '<sys/platform/x86.h>' || true)" # glibc's, but of the processor: no system is called
    complain "A room outside vt includes what is internal to it:" "$(grep -rnHE '#include "vt/(emulator|snapshot|parser|screen|history)\.hpp"' example/mato || true)"
fi
# Rooms of the multiplexer, from the top floor down (example/mato/DESIGN.md). Includes go down; client/launch alone starts the daemon.
rooms="client daemon keeper tab screens protocol view pty vt"
complain "A file of example/mato outside its rooms:" "$(git ls-files example/mato 2>/dev/null | sed 's,^example/mato/,,' | while read -r file; do
    case $file in main.cpp | CMakeLists.txt | README.md | DESIGN.md | service/*) continue ;; esac
    case " $rooms " in *" ${file%%/*} "*) ;; *) echo "$file" ;; esac; done)"
for room in $rooms; do
    [ -d "example/mato/$room" ] || continue
    above=$(echo "$rooms " | sed "s/\b$room .*//" | tr ' ' '|')none
    complain "A room includes one above it:" "$(grep -rnHE "#include \"($above)/" "example/mato/$room" || true)"
done
complain "The client includes the daemon outside client/launch:" "$(grep -rnHE '#include "daemon/' example/mato/client | grep -v '^example/mato/client/launch\.' || true)"
# A build that compiles files together (MATO_FAST_BUILD) would call one for the other where their parameters fit.
complain "Functions of one name in the anonymous namespaces of several files:" "$(
    find example/mato -name '*.cpp' -not -path '*/vt/*' | sort | xargs awk -f test/anonymous_names.awk | sort -u |
        awk '{ count[$1]++; files[$1] = files[$1] " " $2 } END { for (name in count) if (count[name] > 1) print name ":" files[name] }' | sort)"
# The daemon's parts, lowest first.
parts="multiplexer_daemon settings workspace window_size returning_clients prefix_keys outlet viewer viewer_screens viewer_mouse tab_counter tab_command pending_requests closed_tabs past_tabs typed_lines text_reading client_table tab_attention tab_changes tab_table event_feed output_stream restart_facts kept_tabs handed_over channels paste_buffers state past_saver inventory bars notice_board office_view tab_texts views tab_programs recovery past_restore upgrading naming command_keys requests text_requests shared_requests multiplexer"
for part in $parts; do
    later=$(echo "$parts " | sed "s/.*\b$part //" | tr ' ' '|')none
    complain "A part of the daemon includes one above it:" "$(grep -nHE "#include \"(daemon/)?($later)\.hpp\"" "example/mato/daemon/$part.hpp" "example/mato/daemon/$part.cpp" 2>/dev/null || true)"
done
complain "A part of the daemon that test/rules.sh does not name:" "$(for file in example/mato/daemon/*; do
    part=$(basename "$file" | sed 's/\..*//')
    case " $parts " in *" $part "*) ;; *) echo "$file" ;; esac; done)"
# HEADER and the names that need it; <concepts> and the POSIX headers have too many.
while read -r header names; do
    complain "<$header> is included but not used:" "$(grep -rlF "#include <$header>" include example test --include='*.hpp' | while read -r file; do
        grep -vE '^ *(//|#include)' "$file" | grep -qE "\b($names)" || echo "$file"; done)"
done <<END
algorithm (std|ranges)::(min|max|clamp|copy|move|find|any_of|all_of|none_of|count|sort|stable_sort|equal|fill|remove|rotate|reverse|search|transform|for_each|lower_bound|upper_bound|lexicographical|mismatch|replace|generate|unique|is_sorted|partition|nth_element)
array std::(to_)?array
atomic std::atomic
charconv std::(from|to)_chars
chrono (std::chrono|[0-9](ms|s|min|h)\b)
cstdint u?int[0-9]+_t
cstring (mem(cpy|cmp|move|set|chr)|str(len|n?cmp|n?cpy|chr|rchr|str|error|signal|dup))
deque std::deque
filesystem (std::filesystem|fs::)
functional std::(function|hash|less|greater|equal_to|invoke|ref|bind|plus)
limits std::numeric_limits
map std::map
memory (std::)?(unique_ptr|shared_ptr|weak_ptr|make_unique|make_shared|enable_shared_from_this|addressof|destroy|construct_at)
optional (std::)?(optional|nullopt)
random std::(random_device|mt19937|uniform|minstd)
span std::(span|as_bytes)
string std::(string\b|to_string|getline|sto|char_traits)
string_view std::string_view
utility std::(move|forward|exchange|swap|pair|in_range|as_const|declval|cmp_|make_pair|index_sequence|unreachable|in_place)
variant std::(variant|visit|monostate|get_if|holds_alternative)
vector std::vector
END
complain "curses or terminfo outside view/terminfo.cpp:" "$(grep -nHE '#include <(term|n?curses)\.h>' $(sources) | grep -v '^example/mato/view/terminfo.cpp' || true)"
complain "Tests that sleep instead of waiting for a fact:" "$(grep -rnHE '\b(sleep_for|sleep_until|usleep|nanosleep|sleep)\s*\(' test --include='*.cpp' --include='*.hpp' || true)"
complain "Left-overs:" "$(grep -nHE 'TODO|FIXME|\bXXX\b|HACK' $(sources) || true)"
complain "Files without a licence line:" "$(grep -L 'SPDX-License-Identifier: MIT' $(sources) | grep -vE '^example/[0-9]' || true)"

# Plain English: see CONTRIBUTING.md "How text reads".
complain "A word that test/words.sh refuses; say it in plain English, or allow a literal meaning in test/words.allow:" "$(sh test/words.sh --list)"
complain "A type of the toolkit without a description of two sentences, '///' above it:" "$(for header in include/mato/*.hpp; do
    awk -v file="$header" '
        /^namespace detail \{/ { hidden = 1 }
        /^\} \/\/ namespace detail/ { hidden = 0 }
        /^\/\/\// { text = text " " $0 }
        !hidden && /^(template <.*> *)?(requires.*)?(class|struct|enum class) [a-z_]+/ && !/;$/ {
            if (gsub(/[.:?](\047|\)|`)* /, "&", text) < 1) print file ":" FNR ": " $0
        }
        !/^(\/\/\/|template <.*>$|requires|template <.*[a-z]$)/ { text = "" }' "$header"
done)"
complain "A public function of the toolkit with a bool parameter; a call should say what it asks for, so give it a named type:" "$(
    for header in include/mato/*.hpp; do
        awk -v file="$header" '
            /^namespace detail \{/ { hidden = 1 }
            /^\} \/\/ namespace detail/ { hidden = 0 }
            /^ *(private|protected):/ { closed = 1 }
            /^ *public:/ || /^\};/ { closed = 0 }
            /^\/\/ ---- implementation ----/ { exit }
            { sub(/\/\/.*/, "") }
            !hidden && !closed && /[(,] *(const )?bool( [a-z_]+)?( = [a-z]+)?[,)]/ && !/concept|requires/ { print file ":" FNR ": " $0 }' "$header"
    done)"
complain "A public header that README.md's table does not name:" "$(for header in include/mato/*.hpp; do
    sed -n '/^| header | gives/,/^$/p' README.md | grep -qF "\`$(basename "$header")\`" || echo "$header"; done)"
complain "README.md has more than 150 lines; move text to docs/:" "$(awk 'END { if (NR > 150) print NR " lines" }' README.md)"

# Documents agree with the tree.
complain "ARCHITECTURE.md's code map differs; 'sh test/rules.sh --code-map' prints it:" "$(
    sed -n '/<!-- code map -->/,/<!-- end of code map -->/p' ARCHITECTURE.md | grep '^- ' >/tmp/mato-map.$$ || true
    code_map | diff /tmp/mato-map.$$ - || true
    rm -f /tmp/mato-map.$$)"
complain "README.md's first sample is not example/04_echo_daemon.cpp verbatim:" "$(
    awk '/^```cpp/{on=1; next} /^```/{if (on) exit} on' README.md | diff example/04_echo_daemon.cpp - || true)"

if command -v cmake >/dev/null 2>&1; then
    complain "The single header:" "$(cmake -DCHECK=ON -P single_include/amalgamate.cmake 2>&1 || true)"
fi

# Format.
if command -v clang-format >/dev/null 2>&1; then
    # shellcheck disable=SC2046
    complain "clang-format would change:" "$(clang-format --dry-run $(sources) 2>&1 | grep -oE '^[^:]+:[0-9]+' | sort -u | head -n 40 || true)"
fi
exit $broken
