#!/usr/bin/env python3
# A second verifier of evidence bundles, written from docs/evidence-format.md and its schema alone. Needs python3-cryptography and python3-jsonschema, for
# time stamps the program openssl, for --identity the program age. One line of JSON for each bundle; the exit code is that of the last verdict.
import argparse, base64, hashlib, json, os, re, subprocess
from datetime import datetime, timedelta
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from jsonschema import Draft202012Validator, FormatChecker

# By exit code; the lowest code of its faults is a bundle's verdict.
VERDICTS = ("sound - - gap_declared unreadable unknown_key wrong_key revoked_key key_not_valid reordered truncated missing bad_signature edited "
            "extended extra not_a_file malformed not_monotonic bad_time_stamp wrong_clock unsealed not_due expired derived replaced").split()
NAME = re.compile(r"session\.json|index\.m3u8|SHA256SUMS|seal\.json|seal\.tsr|(derivation|expired|replaced)\.json|chain/(?!0{5})[0-9]{5}\.jws"
                  r"|(events/(?!0{5})[0-9]{5}\.jsonl|video/(?!0{5})[0-9]{5}\.m4s|video/init-(?!0{4})[0-9]{4}\.mp4)(\.age)?")
# The longest files and texts of what is signed, in bytes.
MOST = {"event": 16384, "link": 4096, "seal": 262144, "tombstone": 16384, "replacement": 16384, "derivation": 24 << 20}
MOST_TEXT, MOST_ENTRIES, MOST_GAPS = {"reason": 1024, "codec": 256, "tool": 256, "settings": 256}, 3 * 99999 + 9999 + 8 + 1000, 1000
KINDS = {InvalidSignature: "bad_signature", FileNotFoundError: "not_a_file", NotADirectoryError: "not_a_file"}
sha256 = lambda data: hashlib.sha256(data).hexdigest()

# What is wrong with a file: the kind of a fault, or None if it was told already.
class Bad(Exception): pass
def need(truth, kind="malformed"):
    if not truth: raise Bad(kind)
def time(text):
    at = datetime.fromisoformat(text)
    return need(at.isoformat(timespec="microseconds")[:26] == text[:26]) or at

# The forms of the schema, which lies beside this file or in the repository's docs. Python's $ would let a line feed pass.
SCHEMA = [os.path.join(os.path.dirname(os.path.abspath(__file__)), folder, "evidence.schema.json") for folder in (".", "../../docs")]
DEFS = json.loads(open(next(filter(os.path.exists, SCHEMA))).read().replace('$"', '\\\\Z"').replace('/\\\\Z"', '/$"'))["$defs"]
DEFS["foreign"] = {word: DEFS["event"][word] for word in ("type", "required", "properties")}  # an event of a later type
EVENTS = [DEFS[alternative["$ref"][8:]]["properties"]["type"]["const"] for alternative in DEFS["event"]["oneOf"]]
checker = FormatChecker(())
checker.checks("date-time", raises=ValueError)(lambda text: text == "" or time(text))
FORMS = {name: Draft202012Validator({"$defs": DEFS, "$ref": f"#/$defs/{name}"}, format_checker=checker) for name in DEFS}

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
    return need(FORMS["foreign" if form == "event" and value.get("type") not in EVENTS else form].is_valid(value)) or value
def line(data): return need(data.endswith(b"\n")) or data[:-1]
def b64(text):
    value = base64.urlsafe_b64decode(text + "==")
    return need(base64.urlsafe_b64encode(value).rstrip(b"=").decode() == text) or value

# Payload and kid of a JWS whose signature is good: compact for links, flattened for all else.
def proved(data, typ, keys):
    flat = canonical(line(data), "jws") if typ != "link" else dict(zip(("protected", "payload", "signature"), data.decode().split("."), strict=True))
    header, payload, signature = canonical(b64(flat["protected"]), "header"), b64(flat["payload"]), b64(flat["signature"])
    need(header["typ"] == f"portcullis-{typ}+jws" and len(signature) == 64)
    need(header["kid"] in keys, "unknown_key")
    Ed25519PublicKey.from_public_bytes(keys[header["kid"]]).verify(signature, f"{flat['protected']}.{flat['payload']}".encode())
    return payload, header["kid"]
def public(path):
    raw = load_pem_public_key(open(path, "rb").read()).public_bytes(Encoding.Raw, PublicFormat.Raw)
    return {sha256(raw)[:16]: raw}

# The DER values in a row: tag, content, whole. Lengths have at most three bytes, and no more than it takes.
def der(data):
    row = []
    while data:
        digits = data[1] - 128 if data[1] > 127 else 0
        start, size = 2 + digits, int.from_bytes(data[2:2 + digits], "big") if data[1] > 127 else data[1]
        need(data[0] & 31 < 31 and digits <= 3 and (data[1] < 128 or (data[2] and size > 127)) and start + size <= len(data))
        row, data = row + [(data[0], data[start:start + size], data[:start + size])], data[start + size:]
    return row

# What lies in the values of such a row, if it has just these tags, then any.
def within(data, *tags, more=False):
    row = der(data)
    return need([tag for tag, *_ in row][:len(tags) if more else None] == list(tags)) or [content for _, content, _ in row]

# The name of an algorithm, if it is one of `names`: hexadecimal digits; without parameters, or with NULL for them.
def algorithm(data, names): return need((name := within(data, 6, *[5] * (data[-2:] == b"\5\0"))[0].hex()) in names) or name

# What a signature may be called, by its hash.
SHA256 = "608648016503040201"
HASHES = {f"60864801650304020{n}": ["2a864886f70d010101", f"2a864886f70d01010{rsa}", f"2a8648ce3d04030{n + 1}"] for n, rsa in ((1, "b"), (2, "c"), (3, "d"))}

# When an authority saw the seal: the form of its answer is looked at here; its hashes, signature and certificates by openssl.
def stamped(data, folder, authorities):
    status, token = within(within(data, 48)[0], 48, 48)
    granted, *texts = within(status, 2, *[48] * (len(der(status)) > 1))
    need(granted in (b"\0", b"\1") and all(tag == 12 and [text.decode()] for row in texts for tag, text, _ in der(row)))
    signed = within(within(token, 6, 160)[1], 48)[0]
    version, hashes, content, *carried, signers = within(signed, 2, 49, 48, *[160] * (len(der(signed)) > 4), 49)
    number, of, hashed, attributes, called, _ = within(within(signers, 48)[0], 2, 48, 48, 160, 48, 4)
    need(version == b"\3" and number == b"\1" and algorithm(called, HASHES[algorithm(hashed, [algorithm(within(hashes, 48)[0], HASHES)])]))
    need(all(tag == 48 and within(one, 6, 49) for tag, one, _ in der(attributes)))
    certificates = [[value for value in der(der(one)[0][1]) if value[0] != 160] for row in carried for tag, one, _ in der(row) if need(tag == 48) is None]
    need(len(certificates) <= 16 and of in [issuer[2] + number[2] for number, _, issuer, *_ in certificates])
    told = within(within(within(within(content, 6, 160)[1], 4)[0], 48)[0], 2, 6, 48, 2, 24, more=True)
    algorithm(within(told[2], 48, 4)[0], [SHA256])
    second, fraction = re.fullmatch(r"([0-9]{14})(?:\.([0-9]{1,9}))?Z", told[4].decode()).groups()
    at = datetime.strptime(second + "+0000", "%Y%m%d%H%M%S%z") + timedelta(microseconds=int((fraction or "").ljust(6, "0")[:6]))
    words = ["-data", "seal.json", "-in", "seal.tsr", "-CAfile", authorities, "-partial_chain", "-auth_level", "2", "-attime", str(int(at.timestamp()))]
    return need(subprocess.run(["openssl", "ts", "-verify", *words], cwd=folder, capture_output=True).returncode == 0) or at

# What an encrypted file holds, if it is what its link says.
def opened(data, plain):
    data = age("age", "-d", "-i", data=data)
    return need(len(data) == plain["bytes"] and sha256(data) == plain["sha256"]) or data

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
            self.found |= need(entries <= MOST_ENTRIES, "extra") or ({path: whole} if own else {})
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
        return need([entry["path"] for entry in seal["files"]] == ["SHA256SUMS", "index.m3u8", "session.json"]) or seal
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
        try: return stamped(data, self.folder, os.path.abspath(words.tsa)) if self.seal and words.tsa else None
        except Exception: raise Bad("bad_time_stamp")
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
        # Init segments come first, then segments; all are encrypted or none.
        need([entry["path"] for entry in told["files"]] == sorted(made, key=lambda path: ("init" not in path, path)))
        need({path.endswith(".age") for path in made} | {"plain" in entry for entry in made.values()} != {True, False})
        need(self.seal and self.sealed == told["of"], "reordered")
        need(told["session"] == self.seal["session"])
        self.signer("derivation.json", key, time(told["made"]))
        self.derived, self.made = True, made
    def read_events(self, data, session):
        for row in data.split(b"\n")[:-1]:
            need(len(row) < MOST["event"])
            event = canonical(row, "event")
            gap = event["type"] == "gap" and {name: event[name] for name in ("from_us", "to_us")}
            need(event["session"] == session and (not gap or gap["from_us"] <= gap["to_us"]))
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
                if data is not None and "plain" in there: data = self.guard(path, opened, data, there["plain"]) if self.opens else None
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
            for told, found in (("events", self.events), ("gaps", self.gaps)):
                self.claim("seal.json", unproved or not self.counted or self.seal[told] == found)
        self.rest(links, unproved)

words = argparse.ArgumentParser(description="A second verifier of evidence bundles.")
for name in ("--key", "--keys", "--root", "--tsa", "--identity"): words.add_argument(name)
words.add_argument("bundle", nargs="+")
words = words.parse_args()
keys, valid = public(words.key) if words.key else {}, {}
if words.keys:
    data = open(words.keys, "rb").read()
    told = canonical(proved(data, "keys", public(words.root))[0] if words.root else line(data), "key_list")["keys"]
    valid = {key["kid"]: key for key in told if sha256(b64(key["x"]))[:16] == key["kid"]}
    keys |= {kid: b64(key["x"]) for kid, key in valid.items()}
age = lambda program, *more, data=b"": subprocess.run([program, *more, words.identity], input=data, capture_output=True, check=True).stdout
recipients = set(age("age-keygen", "-y").decode().split()) if words.identity else set()
for bundle in words.bundle:
    check = Check(bundle)
    good = [(check.expired, 23), (check.replaced, 25), (check.derived, 24), (check.seal and check.seal["gaps"], 3), (True, 0)]
    code = min((VERDICTS.index(kind) for _, kind in check.faults), default=next(code for holds, code in good if holds))
    print(json.dumps({"path": bundle, "verdict": VERDICTS[code], "faults": [{"path": path, "kind": kind} for path, kind in sorted(check.faults)]}))
raise SystemExit(code)
