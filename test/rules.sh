#!/bin/sh
# Rules of the tree that a compiler does not check. Prints what breaks one, and fails; prints nothing else.
#   sh test/rules.sh              check
#   sh test/rules.sh --code-map   print the code map that ARCHITECTURE.md must hold
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

policies="lock pid_file signals shutdown detach readiness endpoint listener peer descriptors framing overflow retry config status log"
vocabulary="error unique_fd scope_exit clock sys version"

# Layers: arrows point down only.
alternatives=$(echo "$policies" | tr ' ' '|')
upper="connection|server|broadcast|policies|daemon|client|mato"
for policy in $policies; do
    complain "A policy includes a policy or a higher layer:" "$(grep -nHE "#include \"($alternatives|$upper)\.hpp\"" "include/mato/$policy.hpp" || true)"
done
for word in $vocabulary; do
    complain "The vocabulary includes a policy or a higher layer:" "$(grep -nHE "#include \"($alternatives|$upper)\.hpp\"" "include/mato/$word.hpp" || true)"
done
complain "A mechanism includes the composition:" "$(grep -nHE '#include "(policies|daemon|client|mato)\.hpp"' include/mato/connection.hpp include/mato/server.hpp include/mato/broadcast.hpp || true)"
complain "asio below layer 3, or its umbrella:" "$( (for header in $policies $vocabulary; do grep -nHE '#include <asio' "include/mato/$header.hpp" || true; done; grep -nHE '#include <asio\.hpp>' $(sources) || true) )"
complain "toml++ outside config.hpp:" "$(grep -nHE '#include <toml' $(sources) | grep -v '^include/mato/config.hpp' || true)"
complain "Operating-system #ifs outside detail/platform.hpp:" "$(grep -rnHE '#\s*(el)?if.*__(linux|APPLE|FreeBSD|unix)__' include | grep -v detail/platform.hpp || true)"
complain "The seam outside sys.hpp:" "$(grep -rnH 'MATO_SYSTEM' include example --include='*.hpp' --include='*.cpp' | grep -v '^include/mato/sys.hpp' || true)"
complain "The program includes the toolkit's details:" "$(grep -rnH 'mato/detail/' example || true)"
complain "A macro of ours outside platform.hpp, sys.hpp and version.hpp:" "$(grep -rnHE '#\s*define' include | grep -vE '(platform|sys|version)\.hpp' || true)"
if [ -d example/mato/vt ]; then
    complain "The emulator includes the toolkit, asio or POSIX:" "$(grep -rnHE '#include [<"](mato/|asio|sys/|unistd|fcntl|termios|poll)' example/mato/vt || true)"
fi
complain "curses or terminfo outside view/terminfo.cpp:" "$(grep -nHE '#include <(term|n?curses)\.h>' $(sources) | grep -v '^example/mato/view/terminfo.cpp' || true)"
complain "Tests that sleep instead of waiting for a fact:" "$(grep -rnHE '\b(sleep_for|sleep_until|usleep|nanosleep|sleep)\s*\(' test --include='*.cpp' --include='*.hpp' || true)"
complain "Left-overs:" "$(grep -nHE 'TODO|FIXME|\bXXX\b|HACK' $(sources) || true)"
complain "Files without a licence line:" "$(grep -L 'SPDX-License-Identifier: MIT' $(sources) | grep -vE '^example/[0-9]' || true)"

# Documents say what the tree says.
complain "ARCHITECTURE.md's code map differs; 'sh test/rules.sh --code-map' prints it:" "$(
    sed -n '/<!-- code map -->/,/<!-- end of code map -->/p' ARCHITECTURE.md | grep '^- ' >/tmp/mato-map.$$ || true
    code_map | diff /tmp/mato-map.$$ - || true
    rm -f /tmp/mato-map.$$)"
complain "README.md's first sample is not example/01_echo_daemon.cpp verbatim:" "$(
    awk '/^```cpp/{on=1; next} /^```/{if (on) exit} on' README.md | diff example/01_echo_daemon.cpp - || true)"

# One look.
if command -v clang-format >/dev/null 2>&1; then
    # shellcheck disable=SC2046
    complain "clang-format would change:" "$(clang-format --dry-run $(sources) 2>&1 | grep -oE '^[^:]+:[0-9]+' | sort -u | head -n 40 || true)"
fi
exit $broken
