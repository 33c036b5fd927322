# SPDX-License-Identifier: MIT
"""The two programs that the parity suite drives: tmux and mato, with the same operations.

Each has a private directory, socket and environment, and is stopped at the end. Nothing sleeps: facts are waited for, with a
deadline.
"""
import errno
import fcntl
import os
import pty
import select
import shutil
import signal
import struct
import subprocess
import tempfile
import termios
import time

PATIENCE = 15.0  # seconds that any fact may take


def comes(fact, limit=PATIENCE):
    """Whether `fact()` becomes true in time; it is asked again after a pause that another process may use."""
    until = time.monotonic() + limit
    while True:
        if fact():
            return True
        if time.monotonic() > until:
            return False
        select.select([], [], [], 0.02)


class Viewer:
    """A terminal in which a program runs: everything that it shows is in `shown`."""

    def __init__(self, argv, env, columns=80, rows=24):
        self.shown = b""
        self.code = None
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.execvpe(argv[0], argv, env)

    def modes(self):
        return termios.tcgetattr(self.master)[3] & (termios.ICANON | termios.ECHO)

    def read(self):
        while select.select([self.master], [], [], 0)[0]:
            try:
                got = os.read(self.master, 65536)
            except OSError as why:
                if why.errno == errno.EIO:
                    return
                raise
            if not got:
                return
            self.shown += got

    def shows(self, text, limit=PATIENCE):
        def has():
            self.read()
            return text.encode() in self.shown

        return comes(has, limit)

    def type(self, data):
        os.write(self.master, data if isinstance(data, bytes) else data.encode())

    def ended(self, limit=PATIENCE):
        """The exit code; None: it still runs."""

        def gone():
            self.read()
            if self.code is None:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
                if pid:
                    self.code = os.waitstatus_to_exitcode(status)
            return self.code is not None

        return self.code if comes(gone, limit) else None

    def close(self):
        if self.code is None:
            try:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
            except (ProcessLookupError, ChildProcessError):
                pass
        os.close(self.master)


class Backend:
    def __init__(self):
        self.home = tempfile.mkdtemp(prefix="parity-")
        self.viewers = []
        self.env = {k: v for k, v in os.environ.items() if k == "PATH"}
        self.env.update(HOME=self.home, SHELL="/bin/sh", TERM="xterm-256color", LC_ALL="C.UTF-8", PS1="$ ",
                        XDG_STATE_HOME=self.home + "/state", XDG_CONFIG_HOME=self.home + "/config", TMUX_TMPDIR=self.home)
        os.makedirs(self.home + "/config/mato")
        os.makedirs(self.home + "/state")
        self.configure("")

    def run(self, *words, env=None, text=None, limit=60):
        """(exit code, standard output, standard error)."""
        done = subprocess.run(self.base() + list(words), env=dict(self.env, **(env or {})), input=text, capture_output=True,
                              text=True, timeout=limit, cwd=self.home)
        return done.returncode, done.stdout, done.stderr

    def ok(self, *words, **more):
        return self.run(*words, **more)[0] == 0

    def view(self, *words, env=None, **size):
        viewer = Viewer(self.base() + list(words), dict(self.env, **(env or {})), **size)
        self.viewers.append(viewer)
        return viewer

    def shows(self, name, text, limit=PATIENCE):
        return comes(lambda: text in self.screen(name), limit)

    def end(self):
        for each in self.viewers:
            each.close()
        try:
            self.run(*self.stop_words(), limit=20)
        except subprocess.TimeoutExpired:
            pass
        comes(self.kill_what_is_left)
        shutil.rmtree(self.home, ignore_errors=True)

    def kill_what_is_left(self):
        """A daemon whose socket a row has removed, and programs: all that have this backend's HOME."""
        mark = b"HOME=" + self.home.encode() + b"\0"
        left = 0
        for each in os.listdir("/proc"):
            if not each.isdigit() or int(each) == os.getpid():
                continue
            try:
                with open(f"/proc/{each}/environ", "rb") as file:
                    if b"\0" + mark not in b"\0" + file.read():
                        continue
                os.kill(int(each), signal.SIGKILL)
                left += 1
            except OSError:
                pass
        return left == 0


class Tmux(Backend):
    name = "tmux"

    def base(self):
        return ["tmux", "-f", "/dev/null", "-S", self.socket()]

    def socket(self):
        return self.home + "/socket"

    def configure(self, text):
        pass

    def stop_words(self):
        return ["kill-server"]

    def new(self, name, *command, env=None, **more):
        return self.run("new-session", "-d", "-s", name, "-x", "80", "-y", "24", *command, env=env, **more)[0] == 0

    def screen(self, name):
        return self.run("capture-pane", "-p", "-t", name)[1]

    def names(self):
        return self.run("list-sessions", "-F", "#S")[1].split("\n")[:-1]

    def attach_words(self, name):
        return ["attach-session", "-t", name]

    def attach(self, name, **size):
        return self.view(*self.attach_words(name), **size)

    def has(self, name):
        return self.ok("has-session", "-t", "=" + name)

    def send(self, name, *keys):
        return self.ok("send-keys", "-t", name, *keys)

    def kill(self, name):
        return self.ok("kill-session", "-t", name)

    def server(self):
        out = self.run("display-message", "-p", "#{pid}")[1].strip()
        return int(out) if out else 0

    def prefix(self):
        return "\x02"

    def alive(self):
        return self.ok("list-sessions")


class Mato(Backend):
    name = "mato"
    program = ""

    def base(self):
        return [self.program]

    def socket(self):
        return self.home + "/state/mato/daemon.sock"

    def configure(self, text):
        with open(self.home + "/config/mato/config.toml", "w", encoding="utf-8") as file:
            file.write(text + "\n[bar]\nshow = \"never\"\n")

    def stop_words(self):
        return ["stop", "--now"]

    def new(self, name, *command, env=None, **more):
        words = ["--", *command] if command else []
        return self.run("new", "-d", "-t", name, "-n", name, "-x", "80", "-y", "24", *words, env=env, **more)[0] == 0

    def screen(self, name):
        return self.run("capture", name)[1]

    def names(self):
        return [line for line in self.run("ls")[1].split("\n") if line and not line.startswith(" ")]

    def attach_words(self, name):
        return ["attach", name]

    def attach(self, name, **size):
        return self.view(*self.attach_words(name), **size)

    def has(self, name):
        return self.ok("has", name)

    def send(self, name, *keys):
        return self.ok("send", name, *keys)

    def kill(self, name):
        return self.ok("kill", "-t", name)

    def server(self):
        try:
            with open(self.home + "/state/mato/daemon.pid", encoding="utf-8") as file:
                return int(file.read().split()[0])
        except (OSError, ValueError, IndexError):
            return 0

    def prefix(self):
        return "\x1c"

    def alive(self):
        return self.ok("ls")
