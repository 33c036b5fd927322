#!/bin/sh
# Records the tab that the picture shows: sh docs/picture/record.sh MATO, with the program's absolute path. Then `cmake --build build/dev
# --target picture` draws it. It needs bash and make, and takes seconds.
set -eu
mato=$1
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
work=$(mktemp -d)
export XDG_STATE_HOME="$work/state" XDG_CONFIG_HOME="$work/config" HOME="$work"
trap '"$mato" stop >/dev/null 2>&1 || true; rm -rf "$work"' EXIT
mkdir -p "$work/state" "$work/bin" "$work/site"
ln -s "$mato" "$work/bin/mato"
cat >"$work/site/Makefile" <<'END'
all:
	@printf '\033[32m[1/3]\033[m parser.cpp\n\033[32m[2/3]\033[m server.cpp\n\033[32m[3/3]\033[m linking site\n'
END
cat >"$work/.bashrc" <<'END'
PS1='\[\033[1;36m\]~/site\[\033[m\] $ '
bind 'set enable-bracketed-paste off'
END
cd "$work/site"
export PATH="$work/bin:$PATH"
"$mato" new -d -n here -t demo -x 80 -y 17 -- bash -i
"$mato" wait here --text '~/site \$' >/dev/null
"$mato" record --force here "$here/session.cast" &
recorder=$!
say() { # COMMAND REGEX: types it, and waits for the end of its output
    "$mato" send here -l "$1
"
    "$mato" wait here --text "$2" --timeout 20s >/dev/null
}
say "mato new -d -t site -n build -- sh -c 'make; exec cat'" '^2$'
say "mato new -d -t site -n server -- sh -c 'echo serving; exec cat'" '^3$'
say "mato wait build --text 'linking' && mato capture build --ansi | head -3" 'linking site'
say "mato send server reload Enter && mato wait server --text reload" 'text reload$'
say "mato ls" '^  3  server'
"$mato" wait here --idle 1s >/dev/null
"$mato" kill here >/dev/null
wait "$recorder" || true
