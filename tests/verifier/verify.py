#!/usr/bin/env python3
# A second verifier of evidence bundles, written from docs/evidence-format.md and its schema alone.
#
# One line of JSON for each bundle: {"path", "verdict", "faults": [{"path", "kind"}]}. Exit code: that of the last verdict.
# Needs python3-cryptography, python3-jsonschema, the openssl program for time stamps, and for --identity pyrage, or the program age or rage.
import argparse, base64, hashlib, json, os, re, shutil, subprocess
from datetime import datetime, timedelta, timezone

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from jsonschema import Draft202012Validator

try:
    import pyrage
except ImportError:
    pyrage = None

# By exit code; the lowest code of its faults is a bundle's verdict.
VERDICTS = ("sound - - gap_declared unreadable unknown_key wrong_key revoked_key key_not_valid reordered truncated missing bad_signature edited "
            "extended extra not_a_file malformed not_monotonic bad_time_stamp wrong_clock unsealed not_due expired derived").split()
NAME = re.compile(r"session\.json|index\.m3u8|SHA256SUMS|seal\.json|seal\.tsr|derivation\.json|expired\.json|chain/(?!0{5})[0-9]{5}\.jws"
                  r"|(events/(?!0{5})[0-9]{5}\.jsonl|video/(?!0{5})[0-9]{5}\.m4s|video/init-(?!0{4})[0-9]{4}\.mp4)(\.age)?")
MOST_ENTRIES, MOST_GAPS, MOST_LINE = 3 * 99999 + 9999 + 7 + 1000, 1000, 16384

# Beside this file in an export, in docs/ of the repository.
SCHEMA = [os.path.join(os.path.dirname(os.path.abspath(__file__)), folder, "evidence.schema.json") for folder in (".", "../../docs")]
DEFS = json.load(open(next(filter(os.path.exists, SCHEMA))))["$defs"]
EVENTS = [DEFS[alternative["$ref"][8:]]["properties"]["type"]["const"] for alternative in DEFS["event"]["oneOf"]]
DEFS["foreign"] = {key: DEFS["event"][key] for key in ("type", "required", "properties")}  # an event of a later type
for name, members in {"jws": ["payload", "protected", "signature"], "header": ["alg", "kid", "typ"]}.items():
    DEFS[name] = {"type": "object", "required": members, "properties": dict.fromkeys(members, {"type": "string"}), "additionalProperties": False}
FORMS = {name: Draft202012Validator({"$defs": DEFS, "$ref": f"#/$defs/{name}"}) for name in DEFS}
KINDS = {InvalidSignature: "bad_signature", FileNotFoundError: "not_a_file", NotADirectoryError: "not_a_file"}
time, sha256 = datetime.fromisoformat, lambda data: hashlib.sha256(data).hexdigest()

# What is wrong with a file: the kind of a fault, or None if it was told already.
class Bad(Exception): pass

def need(truth, kind="malformed"):
    if not truth: raise Bad(kind)

# Integers from 0 to 2^53 - 1, ASCII names, at most 127 deep.
def plain(value, depth=0):
    nested = type(value) in (dict, list)
    need(depth + nested <= 127 and (type(value) not in (int, float) or (type(value) is int and 0 <= value < 1 << 53)))
    for name, inner in value.items() if type(value) is dict else [("", item) for item in value] if nested else []:
        need(name.isascii())
        plain(inner, depth + 1)

def canonical(text, form):
    value = json.loads(text.decode())
    need(json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() == text)
    plain(value)
    need(FORMS[form if form != "event" or value.get("type") in EVENTS else "foreign"].is_valid(value))
    return value

def line(data):
    need(data.endswith(b"\n"))
    return data[:-1]

def b64(text):
    value = base64.urlsafe_b64decode(text + "==")
    need(base64.urlsafe_b64encode(value).rstrip(b"=").decode() == text)
    return value

# Payload and kid of a JWS whose signature is good: compact for links, flattened for all else.
def proved(data, typ, keys):
    flat = None if typ == "link" else canonical(line(data), "jws")
    head, body, sealed = [flat[part] for part in ("protected", "payload", "signature")] if flat else data.decode().split(".")
    header, payload, signature = canonical(b64(head), "header"), b64(body), b64(sealed)
    need(header["alg"] == "EdDSA" and header["typ"] == f"portcullis-{typ}+jws" and len(signature) == 64)
    need(header["kid"] in keys, "unknown_key")
    Ed25519PublicKey.from_public_bytes(keys[header["kid"]]).verify(signature, f"{head}.{body}".encode())
    return payload, header["kid"]

class Check:
    def __init__(self, folder):
        self.folder, self.faults, self.found, self.judged, self.gaps, self.counted = folder, [], {}, set(), [], True
        self.manifest = self.seal = self.stamped = self.sums = self.expired = self.derived = None
        self.made = {}  # of a derived bundle: what is in place of the video, of what was not looked at yet
        self.seq = self.at_us = self.events = 0
        if self.guard(".", self.walk, "") is not None: self.all()

    # What `act` gives; None after a fault of the file `path`, which is told if it has a name.
    def guard(self, path, act, *rest):
        try:
            return act(*rest)
        except Exception as error:
            kind = error.args[0] if type(error) is Bad else KINDS.get(type(error), "unreadable" if isinstance(error, OSError) else "malformed")
            self.faults += [(path, kind)] if path and kind else []

    def claim(self, path, truth, kind="malformed"):
        self.guard(path, need, truth, kind)

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
        need(path in self.found, "missing")
        need(self.found[path], None)
        with open(os.path.join(self.folder, path), "rb") as file:
            size = os.fstat(file.fileno()).st_size
            need(most in (None, size) if digest else size <= most, "edited" if digest else "malformed")
            data = file.read()
        need(not digest or sha256(data) == digest, "edited")
        return data

    def read_seal(self):
        need("seal.json" in self.found, "unsealed")
        payload, self.sealed_by = proved(self.read("seal.json", 262144), "seal", keys)
        seal = canonical(payload, "seal")
        need([entry["path"] for entry in seal["files"]] == ["SHA256SUMS", "index.m3u8", "session.json"])
        need(time(seal["ended"]) and len(seal["reason"].encode()) <= 1024)
        self.seal = seal

    def link(self, n):
        data = self.read(f"chain/{n:05}.jws", 4096)
        payload, key = proved(data, "link", keys)
        return canonical(payload, "link"), key, sha256(data)

    def read_manifest(self):
        data, first = self.guard("session.json", self.read, "session.json", 65536), self.guard(None, self.link, 1)
        self.judged.discard("chain/00001.jws")
        sealed, own = self.seal and self.seal["files"][2]["sha256"], None if data is None else sha256(data)
        said = [digest for digest in (sealed, first and first[0]["n"] == 1 and first[0]["prev"]) if digest]
        self.session = own if own and (not said or own in said) else (said + [None])[0]
        self.claim("session.json", own in (None, self.session), "edited")
        if own and own == self.session:
            self.manifest = self.guard("session.json", lambda: time((read := canonical(line(data), "manifest"))["started"]) and read)
        self.opens = self.manifest and recipients & set(self.manifest.get("recipients", []))
        if sealed and sealed != self.session:
            self.seal = self.claim("seal.json", False, "reordered")
        self.claim("seal.json", not self.seal or not self.manifest or self.seal["session"] == self.manifest["id"])

    def signer(self, path, key, when):
        own = valid.get(key, {})
        self.claim(path, not own.get("until") or not when or when <= time(own["until"]), "key_not_valid")
        self.claim(path, not own.get("revoked") or (self.stamped and self.stamped < time(own["revoked"])), "revoked_key")

    def read_time_stamp(self):
        data = self.read("seal.tsr", 65536)
        if not self.seal or not words.tsa: return
        size = data[1] & 127 if data[1:2] > b"\x7f" else 0  # one DER value and nothing behind it, which openssl does not ask for
        need(len(data) > 4 and len(data) == 2 + size + int.from_bytes(data[2:2 + size] or data[1:2], "big"), "bad_time_stamp")
        openssl = lambda *more: subprocess.run(["openssl", "ts", *more, "-in", "seal.tsr"], cwd=self.folder, capture_output=True)
        said = re.search(rb"(?m)^Time stamp: (\w+ +\d+ \d+:\d+:\d+)[.\d]* (\d+) GMT$", openssl("-reply", "-text").stdout)
        need(said, "bad_time_stamp")
        stamped = datetime.strptime(b" ".join(said.groups()).decode(), "%b %d %H:%M:%S %Y").replace(tzinfo=timezone.utc)
        checks = ("-data", "seal.json", "-CAfile", os.path.abspath(words.tsa), "-attime", str(int(stamped.timestamp())))
        need(openssl("-verify", *checks).returncode == 0, "bad_time_stamp")
        self.stamped = stamped

    def read_tombstone(self):
        data, faults = self.read("expired.json", 16384), len(self.faults)
        if not self.seal: return
        payload, key = proved(data, "tombstone", keys)
        told = canonical(payload, "tombstone")
        due, at, kept = time(told["due"]), time(told["at"]), self.seal.get("keep", {}).get("until", self.seal["ended"])
        need(len(told["reason"].encode()) <= 1024)
        need(told["session"] == self.seal["session"] and told["seal"] == sha256(self.read("seal.json", 262144)), "reordered")
        need(time(kept) <= due <= at, "not_due")
        stamped, self.stamped = self.stamped, None  # it is the seal's, and proves nothing of what came later
        self.signer("expired.json", key, at)
        self.stamped, self.expired = stamped, len(self.faults) == faults

    # Whether the file is not there because the recording's time is over.
    def gone(self, path):
        return self.expired and path not in self.found and (path == "index.m3u8" or path.startswith(("events/", "video/")))

    def read_sums(self, sums, index, session):
        data, listed = self.read("SHA256SUMS", sums["bytes"], sums["sha256"]), {}
        for row in line(data).decode().split("\n"):
            entry = re.fullmatch("([0-9a-f]{64})  (.*)", row)
            need(entry and NAME.fullmatch(entry[2]) and entry[2] not in listed)
            listed[entry[2]] = entry[1]
        need(all(listed.get(file["path"]) == file["sha256"] for file in (index, session)))
        return listed

    def read_derivation(self):
        payload, key = proved(self.read("derivation.json", 24 << 20), "derivation", keys)
        derivation = canonical(payload, "derivation")
        paths = [entry["path"] for entry in derivation["files"]]
        # Init segments come first, then segments, as their kinds are listed in the names.
        need(paths == sorted(set(paths), key=lambda path: ("init" not in path, path)))
        need(time(derivation["made"]) and all(len(derivation[text].encode()) <= 256 for text in ("codec", "tool", "settings")))
        need(self.seal and sha256(self.read("seal.json", 262144)) == derivation["of"], "reordered")
        need(derivation["session"] == self.seal["session"])
        stamped, self.stamped = self.stamped, None  # as with a tombstone
        self.signer("derivation.json", key, time(derivation["made"]))
        self.stamped, self.derived, self.made = stamped, derivation, dict(zip(paths, derivation["files"]))

    def read_events(self, data, session):
        for row in data.split(b"\n")[:-1]:
            need(len(row) < MOST_LINE)
            event = canonical(row, "event")
            need(time(event["time"]) and event["session"] == session and (event["type"] != "gap" or event["from_us"] <= event["to_us"]))
            need(event["seq"] > self.seq and event["at_us"] >= self.at_us, "not_monotonic")
            self.seq, self.at_us, self.events = event["seq"], event["at_us"], self.events + 1
            if event["type"] == "gap":
                last = self.gaps.pop() if len(self.gaps) == MOST_GAPS else event
                self.gaps.append({"from_us": min(event["from_us"], last["from_us"]), "to_us": max(event["to_us"], last["to_us"])})
        return not data or line(data) is not None

    def decrypted(self, data, plain):
        data = decrypt(data)
        need(len(data) == plain["bytes"] and sha256(data) == plain["sha256"])
        return data

    def read_files(self, link):
        for entry in link["files"]:
            path, plain = entry["path"], entry.get("plain")
            if self.gone(path):
                self.judged.add(path)
                self.made.pop(path, None)
                self.counted &= not path.startswith("events/")
            elif path not in self.judged:
                there = self.made.pop(path, None) if self.derived and path.startswith("video/") else entry
                self.claim("derivation.json", there)
                data = self.guard(path, self.read, path, there["bytes"], there["sha256"]) if there else self.judged.add(path)
                if plain and data is not None:
                    data = self.guard(path, self.decrypted, data, plain) if self.opens else None
                if path.startswith("events/"):
                    self.counted &= data is not None and bool(self.guard(path, self.read_events, data, link["session"]))
            self.claim("SHA256SUMS", not self.sums or self.sums.get(path) == entry["sha256"])

    def read_link(self, n, path):
        link, key, digest = self.link(n)
        session = self.manifest["id"] if self.manifest else self.seal["session"] if self.seal else link["session"]
        need(link["session"] == session and link["n"] == n and self.last in (None, link["prev"]), "reordered")
        need(not self.sums or self.sums.get(path) == digest, "reordered")
        self.claim(path, n > 1 or not self.manifest or self.manifest["key"] == key, "wrong_key")
        self.signer(path, key, self.manifest and time(self.manifest["started"]) + timedelta(microseconds=link["to_us"]))
        self.claim(path, link["from_us"] <= link["to_us"] and (not self.sure or link["from_us"] == self.to_us), "not_monotonic")
        paths = [entry["path"] for entry in link["files"]]
        age = ".age" * ("recipients" in self.manifest if self.manifest else paths[0].endswith(".age"))
        new, video = [path for path in paths if path.startswith("video/init-")], f"video/{n:05}.m4s{age}"
        good = paths == [f"events/{n:05}.jsonl{age}"] + new[:1] + [video] * (video in paths)
        good = good and all(("plain" in entry) == bool(age) == entry["path"].endswith(".age") for entry in link["files"])
        good = good and (video not in paths or new or self.init) and (not new or new[0] > self.init)
        self.claim(path, good or not self.sure)
        self.init, self.to_us = new[0] if good and new else self.init, max(self.to_us, link["to_us"])
        self.read_files(link)
        return digest

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
            if lost and self.sums and path in self.sums:
                self.guard(path, self.read, path, None, self.sums[path])
            else:
                self.claim(path, not self.sums and (lost or grows), "extended")
        for path in self.sums or []:
            self.claim(path, path in self.judged or path in self.found or self.gone(path), "missing")

    def all(self):
        self.guard("seal.json", self.read_seal)
        self.read_manifest()
        if {"seal.tsr", "seal.json"} <= set(self.found): self.guard("seal.tsr", self.read_time_stamp)
        since = self.manifest and valid.get(self.manifest["key"], {}).get("from")
        self.claim("session.json", not since or time(self.manifest["started"]) >= time(since), "key_not_valid")
        if {"seal.json", "expired.json"} <= set(self.found) and not self.seal: self.guard("expired.json", self.read_tombstone)
        if self.seal:
            ended, index = time(self.seal["ended"]), self.seal["files"][1]
            self.signer("seal.json", self.sealed_by, ended)
            self.claim("seal.json", not self.stamped or ended <= self.stamped + timedelta(minutes=5), "wrong_clock")
            if "expired.json" in self.found: self.guard("expired.json", self.read_tombstone)
            self.sums = self.guard("SHA256SUMS", self.read_sums, *self.seal["files"])
            self.gone("index.m3u8") or self.guard("index.m3u8", self.read, "index.m3u8", index["bytes"], index["sha256"])
        if "derivation.json" in self.found: self.guard("derivation.json", self.read_derivation)
        there = max((int(path[6:11]) for path in self.found if path.startswith("chain/")), default=0)
        links = self.seal["links"] if self.seal else there
        unproved = self.chain(links, there)
        self.counted &= not unproved
        self.claim("derivation.json", unproved or not self.made)
        self.judged |= set(self.made)
        if self.seal and self.last and self.last != self.seal["last"]:
            self.claim(f"chain/{links:05}.jws" if links else "seal.json", False, "reordered")
        elif self.seal:
            self.claim("seal.json", not self.last or self.to_us <= self.seal["duration_us"], "not_monotonic")
            for member, found in (("events", self.events), ("gaps", self.gaps)):
                self.claim("seal.json", not self.counted or self.seal[member] == found)
        self.rest(links, unproved)

def public(path):
    raw = load_pem_public_key(open(path, "rb").read()).public_bytes(Encoding.Raw, PublicFormat.Raw)
    return {sha256(raw)[:16]: raw}

# What decrypts with the identities in a file, and the recipients that they are.
def identities(path):
    if pyrage:
        own = [pyrage.x25519.Identity.from_str(text.strip()) for text in open(path) if text.startswith("AGE-SECRET-KEY-1")]
        return lambda data: pyrage.decrypt(data, own), {str(identity.to_public()) for identity in own}
    age = shutil.which("age") or shutil.which("rage") or exit("--identity needs pyrage, or the program age or rage")
    run = lambda program, *more, data=b"": subprocess.run([program, *more, path], input=data, capture_output=True, check=True).stdout
    return lambda data: run(age, "-d", "-i", data=data), set(run(f"{age}-keygen", "-y").decode().split())

words = argparse.ArgumentParser(description="A second verifier of evidence bundles.")
for name in ("--key", "--keys", "--root", "--tsa", "--identity"): words.add_argument(name)
words.add_argument("bundle", nargs="+")
words = words.parse_args()
keys, valid = public(words.key) if words.key else {}, {}
if words.keys:
    data = open(words.keys, "rb").read()
    listed = canonical(proved(data, "keys", public(words.root))[0] if words.root else line(data), "key_list")["keys"]
    valid = {key["kid"]: key for key in listed if sha256(b64(key["x"]))[:16] == key["kid"]}
    keys |= {kid: b64(key["x"]) for kid, key in valid.items()}
decrypt, recipients = identities(words.identity) if words.identity else (None, set())
for bundle in words.bundle:
    check = Check(bundle)
    code = min((VERDICTS.index(kind) for _, kind in check.faults), default=23 if check.expired else 24 if check.derived else 3 if check.seal and check.seal["gaps"] else 0)
    faults = [{"path": path, "kind": kind} for path, kind in sorted(check.faults)]
    print(json.dumps({"path": bundle, "verdict": VERDICTS[code], "faults": faults}))
raise SystemExit(code)
