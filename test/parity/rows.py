# SPDX-License-Identifier: MIT
"""The rows: each is one capability of tmux's daemon and client, written once for both programs.

A function returns whether the program has the capability; `b` is one of backends.py. `better` says why mato's way is more than
tmux's where only mato has it, `outside` why a row has no meaning for mato.
"""
import os
import select
import signal
import subprocess

from backends import Viewer, comes

ALL = []


class Row:
    def __init__(self, number, title, run, better="", outside="", outside_of_tmux=""):
        self.number, self.title, self.run = number, title, run
        self.better, self.outside, self.outside_of_tmux = better, outside, outside_of_tmux


def row(number, title, **more):
    def add(run):
        ALL.append(Row(number, title, run, **more))
        return run

    return add


def by(b, tmux, mato):
    """The words of the program at hand."""
    return (tmux if b.name == "tmux" else mato).split(" ")


# ---- A: start, daemon, exit ----


@row("A1", "a command that needs the daemon starts it")
def _(b):
    return b.new("one", "cat") and b.names() == ["one"]


@row("A2", "twenty clients at once start one daemon, and each has its session")
def _(b):
    words = [[*by(b, "new-session -d -s", "new -d -t"), f"s{i}", *([] if b.name == "tmux" else ["--"]), "cat"] for i in range(20)]
    jobs = [subprocess.Popen(b.base() + each, env=b.env, cwd=b.home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for each in words]
    return all(each.wait(60) == 0 for each in jobs) and sorted(b.names()) == sorted(f"s{i}" for i in range(20))


@row("A3", "the daemon has a session of its own and no terminal")
def _(b):
    b.new("one", "cat")
    fields = subprocess.run(["ps", "-o", "sid=,tty=", "-p", str(b.server())], capture_output=True, text=True).stdout.split()
    return fields[0] == str(b.server()) and fields[1] == "?"


@row("A5", "-N never starts a daemon")
def _(b):
    return not b.ok(*by(b, "-N new-session -d cat", "-N new -d -- cat")) and not b.alive()


@row("A8", "the daemon ends with its last session")
def _(b):
    b.new("one", "cat")
    b.kill("one")
    return comes(lambda: not b.alive())


@row("A9", "a daemon can be started without a session", better="tmux's ends at once", outside_of_tmux="it ends at once")
def _(b):
    return b.ok(*by(b, "start-server", "daemon")) and b.server() != 0 and os.path.exists(f"/proc/{b.server()}")


@row("A11", "one command ends the daemon and all programs")
def _(b):
    b.new("one", "sleep 1000")
    return b.ok(*b.stop_words()) and comes(lambda: not b.alive())


@row("A13", "a start that fails is reported to the client, with the reason")
def _(b):
    with open(b.home + "/file", "w", encoding="utf-8"):
        pass
    words = ["-S", b.home + "/file/socket", *by(b, "new-session -d", "new -d")]
    code, _, err = b.run(*words) if b.name == "mato" else backend_without_socket(b, words)
    return code != 0 and "/file" in err


def backend_without_socket(b, words):
    done = subprocess.run(["tmux", "-f", "/dev/null", *words], env=b.env, capture_output=True, text=True, timeout=30)
    return done.returncode, done.stdout, done.stderr


# ---- B: socket ----


@row("B1", "the socket is in a directory that only its user can enter")
def _(b):
    b.new("one", "cat")
    return os.stat(os.path.dirname(b.socket())).st_mode & 0o077 == 0


@row("B6", "a socket file that was removed can be made again")
def _(b):
    b.new("one", "cat")
    pid = b.server()
    os.remove(b.socket())
    if b.name == "tmux":
        os.kill(pid, signal.SIGUSR1)
    return comes(lambda: b.names() == ["one"])


@row("B6b", "a removed socket file is noticed and made again by any command", better="tmux needs SIGUSR1 from a user who knows of it")
def _(b):
    b.new("one", "cat")
    os.remove(b.socket())
    return comes(lambda: b.names() == ["one"])


@row("B7", "after kill -9 of the daemon the next start works")
def _(b):
    b.new("one", "cat")
    pid = b.server()
    for victim in [pid, *children_of(pid)]:
        os.kill(victim, signal.SIGKILL)
    return comes(lambda: not os.path.exists(f"/proc/{pid}")) and comes(lambda: b.new("two", "cat")) and b.names() == ["two"]


def children_of(pid):
    """The other processes of the same program."""
    with open(f"/proc/{pid}/task/{pid}/children", encoding="utf-8") as file:
        return [int(each) for each in file.read().split() if os.readlink(f"/proc/{each}/exe") == os.readlink(f"/proc/{pid}/exe")]


@row("B8", "a path that is too long for a socket is an error with its name")
def _(b):
    long = "/tmp/" + "x" * 150
    code, _, err = b.run("-S", long, *by(b, "new-session -d", "new -d"))
    return code != 0 and "x" * 20 in err


# ---- C: protocol ----


@row("C1", "a command of 100 KB of arguments is carried out", better="tmux's messages hold 16 KiB")
def _(b):
    return b.new("one", "sh", "-c", "cat", "x" * 100_000) and b.has("one")


@row("C6", "bytes that are no message end their connection only")
def _(b):
    import socket
    b.new("one", "cat")
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect(b.socket())
        peer.settimeout(15)
        try:
            peer.sendall(b"GET / HTTP/1.0\r\n\r\n" * 100)
            peer.recv(10)
        except OSError:
            pass
    return b.has("one")


# ---- D: the client ----


@row("D4", "detach: the client says so and exits with 0")
def _(b):
    b.new("one", "printf ready; exec cat")
    viewer = b.attach("one")
    viewer.shows("ready")
    for _ in range(5):  # a key that is typed while a client starts may be lost
        viewer.type(b.prefix() + "d")
        if viewer.ended(3) is not None:
            break
    return viewer.code == 0 and b"detached" in viewer.shown


@row("D4b", "the daemon's end: the client says so and exits with 1")
def _(b):
    b.new("one", "printf ready; exec cat")
    viewer = b.attach("one")
    viewer.shows("ready")
    b.run(*b.stop_words())
    return viewer.ended() == 1


@row("D7", "kill -9 of the client: the terminal has its modes back")
def _(b):
    b.new("one", "printf ready; exec cat")
    viewer = shell_viewer(b)
    if not viewer.shows("ready"):
        return False
    kill_client(b)
    return comes(lambda: viewer.modes() != 0) and viewer.shows("\033[?1049l")


def shell_viewer(b):
    """A shell in a terminal that runs the client, and stays."""
    quoted = " ".join("'" + word + "'" for word in b.base() + b.attach_words("one"))
    viewer = Viewer(["sh", "-c", quoted + "; exec sleep 1000"], b.env)
    b.viewers.append(viewer)
    return viewer


def client_pid(b):
    if b.name == "tmux":
        return int(b.run("list-clients", "-F", "#{client_pid}")[1].split()[0])
    import json
    return [each["pid"] for each in json.loads(b.run("clients", "--json")[1]) if each["tab"]][0]


def kill_client(b):
    os.kill(client_pid(b), signal.SIGKILL)


@row("D8", "kill -9 of the daemon: the terminal has its modes back", better="tmux leaves it raw, without echo")
def _(b):
    b.configure("survive = false")
    b.new("one", "printf ready; exec cat")
    viewer = shell_viewer(b)
    if not viewer.shows("ready"):
        return False
    os.kill(b.server(), signal.SIGKILL)
    return comes(lambda: viewer.modes() != 0)


@row("D8b", "kill -9 of the daemon's process: the programs and their screens survive", better="tmux loses all sessions")
def _(b):
    b.new("one", "printf ready; exec cat")
    b.shows("one", "ready")
    pid = b.server()
    for victim in children_of(pid) or [pid]:
        os.kill(victim, signal.SIGKILL)
    return b.shows("one", "ready")


@row("D10", "the client can be suspended and continued")
def _(b):
    b.new("one", "printf ready; exec cat")
    viewer = Viewer(["sh", "-i"], b.env)
    b.viewers.append(viewer)
    viewer.shows("$")
    viewer.type(" ".join("'" + word + "'" for word in b.base() + b.attach_words("one")) + "\r")
    if not viewer.shows("ready"):
        return False
    pid = client_pid(b)
    viewer.type(b.prefix() + "\x1a")
    if not comes(lambda: state_of(pid) == "T"):
        return False
    before = viewer.shown.count(b"ready")
    viewer.type("fg\r")
    return comes(lambda: (viewer.read(), viewer.shown.count(b"ready") > before)[1])


def state_of(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        return file.read().rsplit(")", 1)[1].split()[0]


@row("D11", "detach -E: a command runs in the client's place, and its code is the client's")
def _(b):
    b.new("one", "printf ready; exec cat")
    viewer = b.attach("one")
    viewer.shows("ready")
    b.run(*by(b, "detach-client -s one -E", "detach -t one -E"), "echo in its place; exit 7")
    return viewer.ended() == 7 and b"in its place" in viewer.shown


@row("D13", "a session does not show itself")
def _(b):
    b.new("one", "printf ready; exec sh")
    b.shows("one", "ready")
    words = " ".join(b.base() + b.attach_words("one"))
    b.send("one", f"{words}; echo code $?", "Enter")
    return b.shows("one", "code 1") or b.shows("one", "code 64", 1)


@row("D14", "attach without a terminal is an error")
def _(b):
    b.new("one", "cat")
    return b.run(*b.attach_words("one"), text="")[0] != 0


@row("D15", "attach with an unknown TERM is an error, or works with what any terminal can do")
def _(b):
    b.new("one", "printf ready; exec cat")
    viewer = b.view(*b.attach_words("one"), env={"TERM": "no-such-terminal"})
    return viewer.shows("ready", 8) or viewer.ended() == 1


@row("D17", "has: 0 for a session that exists, 1 for another")
def _(b):
    b.new("one", "cat")
    return b.has("one") and not b.has("two")


# ---- E: sessions and attachment ----


@row("E1", "a new session has a name, a directory, variables and a size")
def _(b):
    os.mkdir(b.home + "/dir")
    if b.name == "tmux":
        b.run("new-session", "-d", "-s", "one", "-c", b.home + "/dir", "-e", "A=b c", "-x", "100", "-y", "30", "pwd; echo $A; stty size; cat")
    else:
        b.run("new", "-d", "-n", "one", "-c", b.home + "/dir", "-e", "A=b c", "-x", "100", "-y", "30", "--", "pwd; echo $A; stty size; cat")
    return b.shows("one", "/dir\nb c\n30 100")


@row("E2", "new -A attaches to a session that exists, and makes one that does not")
def _(b):
    words = by(b, "new-session -A -s one", "new -A -t one -n one")
    tail = ["printf ready; exec cat"] if b.name == "tmux" else ["--", "printf ready; exec cat"]
    first = b.view(*words, *tail)
    if not first.shows("ready"):
        return False
    second = b.view(*words, *tail)
    return second.shows("ready") and len(b.names()) == 1


@row("E5", "attach -r: what is typed does not reach the program")
def _(b):
    b.new("one", "printf ready; exec cat")
    words = b.attach_words("one")
    viewer = b.view(words[0], "-r", *words[1:])
    viewer.shows("ready")
    viewer.type("lost")
    b.send("one", "kept")
    return b.shows("one", "kept") and "lost" not in b.screen("one")


@row("E5b", "attach -d detaches the other clients")
def _(b):
    b.new("one", "printf ready; exec cat")
    first = b.attach("one")
    first.shows("ready")
    words = b.attach_words("one")
    second = b.view(words[0], "-d", *words[1:])
    return second.shows("ready") and first.ended() == 0


@row("E6", "all clients of a session are detached by one command")
def _(b):
    b.new("one", "printf ready; exec cat")
    viewers = [b.attach("one"), b.attach("one")]
    for each in viewers:
        each.shows("ready")
    b.run(*by(b, "detach-client -s one", "detach -t one"))
    return all(each.ended() == 0 for each in viewers)


@row("E7", "a client is switched to another session, and back")
def _(b):
    b.new("one", "printf FIRST; exec cat")
    b.new("two", "printf SECOND; exec cat")
    viewer = b.attach("one")
    viewer.shows("FIRST")
    b.run(*by(b, "switch-client -t two", "switch two"))
    if not viewer.shows("SECOND"):
        return False
    before = viewer.shown.count(b"FIRST")
    b.run(*by(b, "switch-client -l", "switch -"))
    return comes(lambda: (viewer.read(), viewer.shown.count(b"FIRST") > before)[1])


@row("E8", "sessions and clients are listed for programs")
def _(b):
    b.new("one", "printf ready; exec cat")
    b.attach("one").shows("ready")
    if b.name == "tmux":
        return b.run("list-clients", "-F", "#{client_session}")[1] == "one\n"
    import json
    tabs = json.loads(b.run("ls", "--json")[1])
    return tabs[0]["task"] == "one" and [c for c in json.loads(b.run("clients", "--json")[1]) if c["tab"] == tabs[0]["id"]] != []


@row("E10", "all other sessions are ended by one command")
def _(b):
    b.new("one", "cat")
    b.new("two", "cat")
    words = " ".join(b.base() + by(b, "kill-session -a -t three", "kill --others"))
    b.new("three", f"{words}; exec cat")
    return comes(lambda: b.names() == ["three"])


@row("E11", "a session is renamed")
def _(b):
    b.new("one", "cat")
    b.run(*by(b, "rename-session -t one two", "rename one/one two")) if b.name == "tmux" else b.run("rename", "one/one", "tab") and b.run("rename", "one", "two")
    return b.names() == ["two"]


@row("E4", "session groups", outside="each client of mato has a view of its own, of any tab")
def _(b):
    return b.name == "tmux"


# ---- typing, reading, waiting ----


@row("H1", "keys by name, in the modes that the program has set")
def _(b):
    b.new("one", "printf '\\033[?1h'; stty -icanon; printf ready; exec cat -v")
    b.shows("one", "ready")
    b.send("one", "Up", "C-a", "F5")
    return b.shows("one", "^[OA^A^[[15~")


@row("H2", "text as it is")
def _(b):
    b.new("one", "stty -echo; printf ready; exec cat")
    b.shows("one", "ready")
    b.run(*by(b, "send-keys -l -t one", "send -l one"), "Enter is a word")
    b.send("one", "Enter")
    return b.shows("one", "Enter is a word")


@row("H3", "an unknown key name is an error", better="tmux types the name")
def _(b):
    b.new("one", "cat")
    return not b.send("one", "Esc")


@row("H4", "the screen and history of a session as text")
def _(b):
    b.new("one", "seq 1 100; exec cat")
    b.shows("one", "\n100\n")
    out = b.run(*by(b, "capture-pane -p -S -200 -t one", "capture -S 200 one"))[1]
    return out.startswith("1\n2\n") and "\n100\n" in out


@row("H5", "a signal between scripts that came first is kept")
def _(b):
    b.new("one", "cat")
    b.run(*by(b, "wait-for -S built", "channel signal built"))
    return b.ok(*by(b, "wait-for built", "channel wait built"))


@row("H6", "a script waits for a text of a program", better="tmux has no such wait", outside_of_tmux="no such command")
def _(b):
    b.new("one", "cat")
    b.send("one", "later", "Enter")
    return b.ok("wait", "one", "--text", "^later$", "--timeout", "15s")


@row("H7", "a script gets the exit code of a program that has ended", better="tmux has it only of a pane that is kept", outside_of_tmux="only with remain-on-exit")
def _(b):
    b.configure("exit_empty = false")
    b.new("one", "exit 7")
    return b.run("wait", "one", "--exit")[0] == 7


@row("H8", "a named buffer is set, printed and pasted")
def _(b):
    b.new("one", "stty -echo; printf ready; exec cat")
    b.shows("one", "ready")
    b.run(*by(b, "set-buffer -b words", "buffer set words"), "pasted text\n")
    if b.run(*by(b, "show-buffer -b words", "buffer get words"))[1] != "pasted text\n":
        return False
    b.run(*by(b, "paste-buffer -b words -t one", "buffer paste words one"))
    return b.shows("one", "readypasted text")


@row("H9", "a program's output goes to a command (pipe-pane)")
def _(b):
    b.new("one", "printf ready; exec cat")
    b.shows("one", "ready")
    b.run(*by(b, "pipe-pane -t one", "pipe one --"), f"cat > {b.home}/piped")
    b.send("one", "words", "Enter")
    return comes(lambda: os.path.exists(b.home + "/piped") and "words" in open(b.home + "/piped", encoding="utf-8").read(), 4)


@row("H10", "an ended program is started again in its place")
def _(b):
    if b.name == "tmux":
        b.run("new-session", "-d", "-s", "one", "cat")
        b.run("set-option", "-g", "remain-on-exit", "on")
    else:
        b.configure("remain_on_exit = \"on\"")
        b.new("one", "cat")
    b.send("one", "first", "Enter", "C-d")
    return comes(lambda: b.ok(*by(b, "respawn-pane -t one cat", "respawn one"))) and b.send("one", "second", "Enter") and b.shows("one", "second")


# ---- sizes ----


@row("K1", "a session has the size of the terminal that was used last")
def _(b):
    b.new("one", "printf ready; exec sh")
    first = b.attach("one", columns=100, rows=31)
    first.shows("ready")
    second = b.attach("one", columns=60, rows=21)
    second.shows("ready")
    for _ in range(5):  # the size follows the first key
        first.type("stty size\r")
        if b.shows("one", "31 100", 1) or b.shows("one", "30 100", 1):
            return True
    return False


@row("K2", "a size can be set by command, and given back to the terminals", better="tmux's program learns its size later than the next key")
def _(b):
    b.new("one", "printf ready; exec sh")
    viewer = b.attach("one", columns=100, rows=31)
    viewer.shows("ready")
    b.run(*by(b, "resize-window -t one -x 70 -y 20", "resize one 70x20"))
    b.send("one", "stty size", "Enter")
    if not b.shows("one", "20 70"):
        return False
    b.run(*by(b, "resize-window -A -t one", "resize one auto"))
    b.send("one", "stty size", "Enter")
    return b.shows("one", " 100")


# ---- environment, hooks, control ----


@row("L1", "a variable is set for new programs of a session")
def _(b):
    b.new("one", "cat")
    b.run(*by(b, "set-environment -t one NAME value", "setenv -t one NAME value"))
    if b.name == "tmux":
        b.run("new-window", "-t", "one", "-n", "w", "echo $NAME; cat")
        return comes(lambda: "value" in b.run("capture-pane", "-p", "-t", "one:w")[1], 4)
    b.run("new", "-d", "-t", "one", "-n", "w", "--", "echo $NAME; cat")
    return b.shows("w", "value", 4)


@row("L2", "variables of the terminal that attaches reach new programs (update-environment)")
def _(b):
    b.new("one", "printf ready; exec cat")
    viewer = b.view(*b.attach_words("one"), env={"SSH_AUTH_SOCK": "/of/this/client"})
    viewer.shows("ready")
    viewer.type(b.prefix() + "c")
    viewer.type("echo $SSH_AUTH_SOCK\r")
    return viewer.shows("/of/this/client")


@row("M1", "a program follows events and gives commands over one connection")
def _(b):
    b.new("one", "cat")
    words = by(b, "-C attach-session -t one", "control")
    job = subprocess.Popen(b.base() + words, env=b.env, cwd=b.home, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    job.stdin.write("rename-window -t one changed\n" if b.name == "tmux" else "rename one/one changed\n")
    job.stdin.flush()
    seen = []

    def told():
        while select.select([job.stdout], [], [], 0)[0]:
            got = os.read(job.stdout.fileno(), 65536).decode()
            if not got:
                break
            seen.append(got)
        text = "".join(seen)
        return "changed" in text and ("%window-renamed" in text or "tab-renamed" in text)

    came = comes(told)
    job.kill()
    job.communicate()
    return came


@row("M2", "a command runs when something happens (hooks)")
def _(b):
    b.configure("[hooks]\ntab-opened = \"touch hooked\"")
    b.new("one", "cat")
    if b.name == "tmux":
        b.run("set-hook", "-g", "after-new-window", f"run-shell 'touch {b.home}/hooked'")
        b.run("new-window", "-t", "one", "cat")
    else:
        b.run("new", "-d", "--", "cat")
    return comes(lambda: os.path.exists(b.home + "/hooked"), 4)


@row("N1", "tmux's own command names")
def _(b):
    return b.ok("new-session", "-d", "-s", "one", "cat") and b.ok("has-session", "-t", "one") and b.ok("send-keys", "-t", "one", "hello", "Enter") \
        and comes(lambda: "hello\nhello" in b.run("capture-pane", "-p", "-t", "one")[1]) and b.ok("kill-session", "-t", "one")


@row("P1", "panes: several programs in one window", outside="a tab is one program; two terminals side by side are two views")
def _(b):
    return b.name == "tmux"


@row("P2", "the format language", outside="--json has every value")
def _(b):
    return b.name == "tmux"


@row("Q4", "an upgrade keeps the programs", better="tmux must be ended", outside_of_tmux="no such command")
def _(b):
    b.new("one", "printf ready; exec cat")
    b.shows("one", "ready")
    return b.ok("upgrade", "--program", b.program) and b.shows("one", "ready") and b.send("one", "x", "Enter") and b.shows("one", "x\nx")
