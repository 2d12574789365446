#!/usr/bin/env python3
# A second verifier of evidence bundles, written from docs/evidence-format.md and its schema alone.
#
# One line of JSON for each bundle: {"path", "verdict", "faults": [{"path", "kind"}]}. Exit code: that of the last verdict.
# Needs signed.py beside it (python3-cryptography, python3-jsonschema), the openssl program for time stamps, and decrypt.py for --identity.
import argparse, json, os, re, subprocess
from datetime import datetime, timedelta, timezone
from cryptography.exceptions import InvalidSignature
from signed import Bad, canonical, line, need, proved, sha256, time, trusted

# By exit code; the lowest code of its faults is a bundle's verdict.
VERDICTS = ("sound - - gap_declared unreadable unknown_key wrong_key revoked_key key_not_valid reordered truncated missing bad_signature edited "
            "extended extra not_a_file malformed not_monotonic bad_time_stamp wrong_clock unsealed not_due expired derived replaced").split()
NAME = re.compile(r"session\.json|index\.m3u8|SHA256SUMS|seal\.json|seal\.tsr|(derivation|expired|replaced)\.json|chain/(?!0{5})[0-9]{5}\.jws"
                  r"|(events/(?!0{5})[0-9]{5}\.jsonl|video/(?!0{5})[0-9]{5}\.m4s|video/init-(?!0{4})[0-9]{4}\.mp4)(\.age)?")
# The longest files and texts of what is signed, in bytes.
MOST = {"event": 16384, "link": 4096, "seal": 262144, "tombstone": 16384, "replacement": 16384, "derivation": 24 << 20}
KINDS = {InvalidSignature: "bad_signature", FileNotFoundError: "not_a_file", NotADirectoryError: "not_a_file"}
MOST_TEXT, MOST_ENTRIES, MOST_GAPS = {"reason": 1024, "codec": 256, "tool": 256, "settings": 256}, 3 * 99999 + 9999 + 8 + 1000, 1000

class Check:
    def __init__(self, folder):
        self.folder, self.faults, self.found, self.judged, self.gaps, self.counted = folder, [], {}, set(), [], True
        self.manifest = self.seal = self.stamped = self.sums = self.expired = self.replaced = self.derived = None
        self.made, self.seq, self.at_us, self.events = {}, 0, 0, 0  # made: what is in place of the video, of what was not looked at yet
        if self.guard(".", self.walk, "") is not None: self.all()

    # What `act` gives; None after a fault of the file `path`, which is told if it has a name.
    def guard(self, path, act, *rest):
        try: return act(*rest)
        except Exception as error:
            kind = error.args[0] if type(error) is Bad else KINDS.get(type(error), "unreadable" if isinstance(error, OSError) else "malformed")
            self.faults += [(path, kind)] if path and kind else []

    def claim(self, path, truth, kind="malformed"): self.guard(path, need, truth, kind)

    def walk(self, place, entries=0):
        for entry in os.scandir(os.path.join(self.folder, place)):
            path, folder = place + entry.name, not place and entry.name in ("chain", "events", "video")
            if folder and entry.is_dir(follow_symlinks=False):
                entries = self.walk(path + "/", entries)
                continue
            entries, whole, own = entries + 1, entry.is_file(follow_symlinks=False) and not folder, NAME.fullmatch(path)
            need(entries <= MOST_ENTRIES, "extra")
            self.found |= {path: whole} if own else {}
            self.claim(path, own and whole, "extra" if whole else "not_a_file")
        return entries

    # The bytes of a file of at most `most` bytes; with a `digest`, of just as many and with this SHA-256.
    def read(self, path, most, digest=None):
        self.judged.add(path)
        need(self.found.get(path), None if path in self.found else "missing")
        with open(os.path.join(self.folder, path), "rb") as file: data = file.read(-1 if most is None else most + 1)
        need(most is None or (len(data) == most if digest else len(data) <= most), "edited" if digest else "malformed")
        return need(not digest or sha256(data) == digest, "edited") or data

    # What a signed file says, the key of its signature, its hash.
    def statement(self, path, typ):
        payload, key = proved(data := self.read(path, MOST[typ]), typ, keys)
        told = canonical(payload, typ)
        return need(all(len(told.get(text, "").encode()) <= most for text, most in MOST_TEXT.items())) or (told, key, sha256(data))

    def read_seal(self):
        need("seal.json" in self.found, "unsealed")
        seal, self.sealed_by, self.sealed = self.statement("seal.json", "seal")
        need([entry["path"] for entry in seal["files"]] == ["SHA256SUMS", "index.m3u8", "session.json"])
        return need("keep" not in seal or time(seal["keep"]["until"])) or seal

    def read_manifest(self):
        data, first = self.guard("session.json", self.read, "session.json", 65536), self.guard(None, self.statement, "chain/00001.jws", "link")
        self.judged.discard("chain/00001.jws")
        sealed, own = self.seal and self.seal["files"][2]["sha256"], None if data is None else sha256(data)
        said = [digest for digest in (sealed, first and first[0]["n"] == 1 and first[0]["prev"]) if digest]
        self.session = own if own and (not said or own in said) else (said + [None])[0]
        self.claim("session.json", own in (None, self.session), "edited")
        if own and own == self.session: self.manifest = self.guard("session.json", lambda: canonical(line(data), "manifest"))
        self.opens = self.manifest and recipients & set(self.manifest.get("recipients", []))
        if sealed and sealed != self.session: self.seal = self.claim("seal.json", False, "reordered")
        self.claim("seal.json", not self.seal or not self.manifest or self.seal["session"] == self.manifest["id"])

    # Whether a key counts for a file of this time; what was written after the seal has no time stamp.
    def signer(self, path, key, when, stamped=None):
        own = valid.get(key, {})
        self.claim(path, not own.get("until") or not when or when <= time(own["until"]), "key_not_valid")
        self.claim(path, not own.get("revoked") or (stamped and stamped < time(own["revoked"])), "revoked_key")

    def read_time_stamp(self):
        data = self.read("seal.tsr", 65536)
        if not self.seal or not words.tsa: return
        size = data[1] & 127 if data[1:2] > b"\x7f" else 0  # one DER value and nothing behind it, which openssl does not ask for
        need(len(data) > 4 and len(data) == 2 + size + int.from_bytes(data[2:2 + size] or data[1:2], "big"), "bad_time_stamp")
        openssl = lambda *more: subprocess.run(["openssl", "ts", *more, "-in", "seal.tsr"], cwd=self.folder, capture_output=True)
        said = re.search(rb"(?m)^Time stamp: (\w+ +\d+ \d+:\d+:\d+)[.\d]* (\d+) GMT$", openssl("-reply", "-text").stdout)
        need(said, "bad_time_stamp")
        stamped = datetime.strptime(b" ".join(said.groups()).decode(), "%b %d %H:%M:%S %Y").replace(tzinfo=timezone.utc)
        checked = openssl("-verify", "-data", "seal.json", "-CAfile", os.path.abspath(words.tsa), "-attime", str(int(stamped.timestamp())))
        return need(checked.returncode == 0, "bad_time_stamp") or stamped

    # A tombstone that counts: of a recording whose time is over, or of video that was replaced while nothing locked it.
    def tombstone(self, path, typ):
        if not self.seal: return self.read(path, MOST[typ]) and None
        (told, key, _), seal, faults = self.statement(path, typ), self.seal, len(self.faults)
        need(told["session"] == seal["session"] and told["seal"] == self.sealed, "reordered")
        kept = seal["keep"]["until"] if "keep" in seal and (typ == "tombstone" or seal["keep"]["lock"] != "none") else seal["ended"]
        need(time(kept) <= time(told.get("due", told["at"])) <= time(told["at"]), "not_due")
        self.signer(path, key, time(told["at"]))
        return len(self.faults) == faults

    # Whether the file is not there because a tombstone says so.
    def gone(self, path):
        went = ("index.m3u8", "events/", "video/") if self.expired else ("video/",) if self.replaced else ()
        return path not in self.found and path.startswith(went)

    def read_sums(self, sums, index, session):
        rows = [row.split("  ", 1) for row in line(self.read("SHA256SUMS", sums["bytes"], sums["sha256"])).decode().split("\n")]
        listed = {path: digest for digest, path in rows}
        need(len(listed) == len(rows) and all(re.fullmatch("[0-9a-f]{64}", digest) and NAME.fullmatch(path) for digest, path in rows))
        return need(all(listed.get(file["path"]) == file["sha256"] for file in (index, session))) or listed

    def read_derivation(self):
        told, key, _ = self.statement("derivation.json", "derivation")
        made = {entry["path"]: entry for entry in told["files"]}
        # Init segments come first, then segments, as their kinds are listed in the names; all are encrypted or none.
        need([entry["path"] for entry in told["files"]] == sorted(made, key=lambda path: ("init" not in path, path)))
        need({path.endswith(".age") for path in made} | {"plain" in entry for entry in made.values()} != {True, False})
        need(all(path.endswith(".age") == ("plain" in entry) for path, entry in made.items()))
        need(self.seal and self.sealed == told["of"], "reordered")
        need(told["session"] == self.seal["session"])
        self.signer("derivation.json", key, time(told["made"]))
        self.derived, self.made = True, made

    def read_events(self, data, session):
        for row in data.split(b"\n")[:-1]:
            need(len(row) < MOST["event"])
            event = canonical(row, "event")
            gap = event["type"] == "gap" and {name: event[name] for name in ("from_us", "to_us")}
            need(time(event["time"]) and event["session"] == session and (not gap or gap["from_us"] <= gap["to_us"]))
            need(event["seq"] > self.seq and event["at_us"] >= self.at_us, "not_monotonic")
            self.seq, self.at_us, self.events = event["seq"], event["at_us"], self.events + 1
            last = self.gaps.pop() if gap and len(self.gaps) == MOST_GAPS else gap
            self.gaps += [{"from_us": min(gap["from_us"], last["from_us"]), "to_us": max(gap["to_us"], last["to_us"])}] if gap else []
        return not data or line(data) is not None

    def read_files(self, link):
        for entry in link["files"]:
            path, events = entry["path"], entry["path"].startswith("events/")
            there = self.made.pop(path, None) if self.derived and not events else entry
            if self.gone(path):
                self.judged, self.counted = self.judged | {path}, self.counted and not events
            elif path not in self.judged:
                self.claim("derivation.json", there)
                data = self.guard(path, self.read, path, there["bytes"], there["sha256"]) if there else self.judged.add(path)
                if data is not None and "plain" in there: data = self.guard(path, decrypt, data, there["plain"]) if self.opens else None
                if events: self.counted &= data is not None and bool(self.guard(path, self.read_events, data, link["session"]))
            self.claim("SHA256SUMS", not self.sums or self.sums.get(path) == entry["sha256"])

    def read_link(self, n, path):
        link, key, digest = self.statement(path, "link")
        session = self.manifest["id"] if self.manifest else self.seal["session"] if self.seal else link["session"]
        follows = link["session"] == session and link["n"] == n and self.last in (None, link["prev"])
        need(follows and (not self.sums or self.sums.get(path) == digest), "reordered")
        self.claim(path, n > 1 or not self.manifest or self.manifest["key"] == key, "wrong_key")
        self.signer(path, key, self.manifest and time(self.manifest["started"]) + timedelta(microseconds=link["to_us"]), self.stamped)
        self.claim(path, link["from_us"] <= link["to_us"] and (not self.sure or link["from_us"] == self.to_us), "not_monotonic")
        paths = [entry["path"] for entry in link["files"]]
        age = ".age" * ("recipients" in self.manifest if self.manifest else paths[0].endswith(".age"))
        new, video = [path for path in paths if path.startswith("video/init-")], f"video/{n:05}.m4s{age}"
        good = paths == [f"events/{n:05}.jsonl{age}"] + new[:1] + [video] * (video in paths)
        good = good and all(("plain" in entry) == bool(age) == entry["path"].endswith(".age") for entry in link["files"])
        good = good and (video not in paths or new or self.init) and (not new or new[0] > self.init)
        self.claim(path, good or not self.sure)
        self.init, self.to_us = new[0] if good and new else self.init, max(self.to_us, link["to_us"])
        return self.read_files(link) or digest

    # Links up to the last that is there, or that the seal counts; the segments that none of them proves.
    def chain(self, links, there):
        self.last, self.sure, self.to_us, self.init, unproved = self.session, True, 0, "", set()
        for n in range(1, links + 1):
            path = f"chain/{n:05}.jws"
            self.claim(path, n != there + 1, "truncated")
            self.last = self.guard(path, self.read_link, n, path) if n <= there else self.judged.add(path)
            self.sure = self.last is not None
            unproved |= set() if self.sure else {n}
        return unproved

    def rest(self, links, unproved):
        for path in [path for path, whole in self.found.items() if whole and path not in self.judged]:
            n = int(match[1]) if (match := re.search("/([0-9]{5})[.]", path)) else None
            lost, newer = n in unproved if n else bool(unproved), path[:11] == "video/init-" and path[:15] > self.init[:15]
            grows = not self.seal and (path in ("index.m3u8", "SHA256SUMS") or n == links + 1 or newer)
            if lost and self.sums and path in self.sums: self.guard(path, self.read, path, None, self.sums[path])
            else: self.claim(path, not self.sums and (lost or grows), "extended")
        for path in self.sums or []: self.claim(path, path in self.judged or path in self.found or self.gone(path), "missing")

    def all(self):
        there = lambda path, of="seal.json": path in self.found and of in self.found
        self.seal = self.guard("seal.json", self.read_seal)
        self.read_manifest()
        if there("seal.tsr"): self.stamped = self.guard("seal.tsr", self.read_time_stamp)
        since = self.manifest and valid.get(self.manifest["key"], {}).get("from")
        self.claim("session.json", not since or time(self.manifest["started"]) >= time(since), "key_not_valid")
        if self.seal:
            ended, index = time(self.seal["ended"]), self.seal["files"][1]
            self.signer("seal.json", self.sealed_by, ended, self.stamped)
            self.claim("seal.json", not self.stamped or ended <= self.stamped + timedelta(minutes=5), "wrong_clock")
        if there("expired.json"): self.expired = self.guard("expired.json", self.tombstone, "expired.json", "tombstone")
        if there("replaced.json") and not there("derivation.json"):
            self.replaced = self.guard("replaced.json", self.tombstone, "replaced.json", "replacement")
        if self.seal:
            self.sums = self.guard("SHA256SUMS", self.read_sums, *self.seal["files"])
            self.gone("index.m3u8") or self.guard("index.m3u8", self.read, "index.m3u8", index["bytes"], index["sha256"])
        if there("derivation.json", "derivation.json"): self.guard("derivation.json", self.read_derivation)
        last = max((int(path[6:11]) for path in self.found if path.startswith("chain/")), default=0)
        links = self.seal["links"] if self.seal else last
        unproved = self.chain(links, last)
        self.claim("derivation.json", unproved or not self.made)
        self.judged |= set(self.made)
        if self.seal and self.last and self.last != self.seal["last"]:
            self.claim(f"chain/{links:05}.jws" if links else "seal.json", False, "reordered")
        elif self.seal:
            self.claim("seal.json", not self.last or self.to_us <= self.seal["duration_us"], "not_monotonic")
            for member, found in (("events", self.events), ("gaps", self.gaps)): self.claim("seal.json", unproved or not self.counted or self.seal[member] == found)
        self.rest(links, unproved)

words = argparse.ArgumentParser(description="A second verifier of evidence bundles.")
for name in ("--key", "--keys", "--root", "--tsa", "--identity"): words.add_argument(name)
words.add_argument("bundle", nargs="+")
words = words.parse_args()
keys, valid = trusted(words.key, words.keys, words.root)
decrypt, recipients = __import__("decrypt").identities(words.identity) if words.identity else (None, set())
for bundle in words.bundle:
    check = Check(bundle)
    good = [(check.expired, 23), (check.replaced, 25), (check.derived, 24), (check.seal and check.seal["gaps"], 3), (True, 0)]
    code = min((VERDICTS.index(kind) for _, kind in check.faults), default=next(code for holds, code in good if holds))
    print(json.dumps({"path": bundle, "verdict": VERDICTS[code], "faults": [{"path": path, "kind": kind} for path, kind in sorted(check.faults)]}))
raise SystemExit(code)
