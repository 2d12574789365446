#!/usr/bin/env python3
"""Records what real desktops send, as seeds of the target desktop_stream: Xvnc, x11vnc on Xvfb, and QEMU, each encoding in turn.

A seed is one byte of the target's modes (1: all encodings asked for; 4: a screen of 720x400), then what followed ServerInit.
"""
import os
import shutil
import socket
import struct
import subprocess
import tempfile
import time
from pathlib import Path

SEEDS = Path(__file__).parent / "seeds" / "desktop_stream"
ENCODINGS = {"raw": 0, "rre": 2, "hextile": 5, "tight": 7, "zrle": 16}
PSEUDO = [1, -223, -224, -239, -258, -308]
# A seed longer than this is cut: the parser's states are in its beginning.
LONGEST = 12 * 1024
PATIENCE = 20


def until(what, ask):
    """The first answer of `ask` that is true; fails after PATIENCE seconds."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            if answer := ask():
                return answer
        except OSError:
            pass
        time.sleep(0.05)
    raise SystemExit(f"waited in vain: {what}")


def dial(path):
    stream = socket.socket(socket.AF_UNIX)
    stream.settimeout(PATIENCE)
    stream.connect(str(path))
    return stream


def exactly(stream, length):
    data = b""
    while len(data) < length:
        more = stream.recv(length - len(data))
        if not more:
            raise OSError("closed")
        data += more
    return data


def enter(path, encoding, jpeg):
    """Shakes hands without a password and asks for one encoding; returns the stream and the screen's size."""
    stream = dial(path)
    exactly(stream, 12)
    stream.sendall(b"RFB 003.008\n")
    exactly(stream, exactly(stream, 1)[0])
    stream.sendall(b"\x01")
    assert exactly(stream, 4) == bytes(4)
    stream.sendall(b"\x01")
    init = exactly(stream, 24)
    exactly(stream, struct.unpack(">I", init[20:])[0])
    size = struct.unpack(">HH", init[:4])
    stream.sendall(bytes([0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0]))
    wishes = [encoding, *PSEUDO, *([-26] if jpeg else [])]
    stream.sendall(struct.pack(">BxH", 2, len(wishes)) + b"".join(struct.pack(">i", one) for one in wishes))
    return stream, size


def listen(stream, size, seconds=1.5):
    """What the desktop sends while it is asked for updates."""
    data, end = b"", time.monotonic() + seconds
    incremental = 0
    stream.settimeout(0.3)
    while time.monotonic() < end and len(data) < LONGEST:
        stream.sendall(struct.pack(">BBHHHH", 3, incremental, 0, 0, *size))
        incremental = 1
        try:
            data += stream.recv(1 << 16)
        except TimeoutError:
            pass
    return data[:LONGEST]


def keep(name, mode, data):
    assert data, name
    (SEEDS / name).write_bytes(bytes([mode]) + data)
    print(f"{name}: {len(data)} bytes")


def record(name, path, mode, jpeg=False, stir=None):
    for label, encoding in ENCODINGS.items():
        stream, size = enter(path, encoding, jpeg)
        if stir:
            stir()
        keep(f"{name}-{label}{'-jpeg' if jpeg else ''}", mode if label != "raw" else mode & ~1, listen(stream, size))
        stream.close()


def display():
    return next(f":{number}" for number in range(300, 400) if not Path(f"/tmp/.X11-unix/X{number}").exists())


def main():
    shutil.rmtree(SEEDS, ignore_errors=True)
    SEEDS.mkdir(parents=True)
    children = []
    with tempfile.TemporaryDirectory() as folder:
        run = lambda *words, **more: children.append(  # noqa: E731
            subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more)
        )
        try:
            name, path = display(), Path(folder) / "xvnc"
            run("Xvnc", name, "-geometry", "64x48", "-depth", "24", "-SecurityTypes", "None", "-rfbport", "0",
                "-rfbunixpath", str(path), "-AlwaysShared", "-nolisten", "tcp")
            until("Xvnc", lambda: dial(path))
            there = {**os.environ, "DISPLAY": name}
            run("xterm", "-geometry", "9x3+0+0", "-e", "while :; do date +%N; sleep 0.1; done", env=there)
            stir = lambda: subprocess.run(["xsetroot", "-cursor_name", "watch", "-mod", "4", "3"], env=there, check=True)  # noqa: E731
            record("xvnc", path, 1, stir=stir)
            record("xvnc", path, 1, jpeg=True, stir=stir)

            name, path = display(), Path(folder) / "x11vnc"
            run("Xvfb", name, "-screen", "0", "64x48x24", "-nolisten", "tcp")
            until("Xvfb", lambda: Path(f"/tmp/.X11-unix/X{name[1:]}").exists())
            run("x11vnc", "-display", name, "-unixsock", str(path), "-rfbport", "0", "-shared", "-forever", "-nopw", "-quiet")
            until("x11vnc", lambda: dial(path))
            run("xterm", "-geometry", "9x3+0+0", "-e", "while :; do date +%N; sleep 0.1; done", env={**os.environ, "DISPLAY": name})
            record("x11vnc", path, 1, jpeg=True)

            path = Path(folder) / "qemu"
            run("qemu-system-x86_64", "-display", f"vnc=unix:{path}", "-net", "none", "-m", "64")
            until("QEMU", lambda: dial(path))
            record("qemu", path, 5)
        finally:
            for child in children:
                child.kill()
                child.wait()


if __name__ == "__main__":
    main()
