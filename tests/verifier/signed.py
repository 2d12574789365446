# What is signed, for verify.py: canonical JSON of the schema's forms, JWS, and the keys that a verifier is given.
import base64, hashlib, json, os
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from jsonschema import Draft202012Validator

# Which texts are times, outside of events.
TIMES = ("started", "ended", "made", "due", "at")

# Beside this file in an export, in docs/ of the repository.
SCHEMA = [os.path.join(os.path.dirname(os.path.abspath(__file__)), folder, "evidence.schema.json") for folder in (".", "../../docs")]
DEFS = json.load(open(next(filter(os.path.exists, SCHEMA))))["$defs"]
EVENTS = [DEFS[alternative["$ref"][8:]]["properties"]["type"]["const"] for alternative in DEFS["event"]["oneOf"]]
DEFS["foreign"] = {key: DEFS["event"][key] for key in ("type", "required", "properties")}  # an event of a later type
for name, members in {"jws": ["payload", "protected", "signature"], "header": ["alg", "kid", "typ"]}.items():
    DEFS[name] = {"type": "object", "required": members, "properties": dict.fromkeys(members, {"type": "string"}), "additionalProperties": False}
FORMS = {name: Draft202012Validator({"$defs": DEFS, "$ref": f"#/$defs/{name}"}) for name in DEFS}
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
    need(form == "event" or all(time(value[name]) for name in TIMES if name in value))
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

def public(path):
    raw = load_pem_public_key(open(path, "rb").read()).public_bytes(Encoding.Raw, PublicFormat.Raw)
    return {sha256(raw)[:16]: raw}

# The keys by their names, and what is known of their validity, from --key, --keys and --root.
def trusted(key, listed, root):
    keys, valid = public(key) if key else {}, {}
    if listed:
        data = open(listed, "rb").read()
        told = canonical(proved(data, "keys", public(root))[0] if root else line(data), "key_list")["keys"]
        valid = {key["kid"]: key for key in told if sha256(b64(key["x"]))[:16] == key["kid"]}
        keys |= {kid: b64(key["x"]) for kid, key in valid.items()}
    return keys, valid
