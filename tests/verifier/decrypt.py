# What opens the files of an encrypted bundle, for verify.py --identity: pyrage, or the program age or rage.
import shutil, subprocess

from signed import need, sha256

try:
    import pyrage
except ImportError:
    pyrage = None

# What decrypts with the identities in a file, and the recipients that they are.
def opener(path):
    if pyrage:
        own = [pyrage.x25519.Identity.from_str(text.strip()) for text in open(path) if text.startswith("AGE-SECRET-KEY-1")]
        return lambda data: pyrage.decrypt(data, own), {str(identity.to_public()) for identity in own}
    age = shutil.which("age") or shutil.which("rage") or exit("--identity needs pyrage, or the program age or rage")
    run = lambda program, *more, data=b"": subprocess.run([program, *more, path], input=data, capture_output=True, check=True).stdout
    return lambda data: run(age, "-d", "-i", data=data), set(run(f"{age}-keygen", "-y").decode().split())

# The same, for what has to be as it was signed: its bytes and what its link says of them.
def identities(path):
    decrypt, recipients = opener(path)
    def opened(data, plain):
        data = decrypt(data)
        return need(len(data) == plain["bytes"] and sha256(data) == plain["sha256"]) or data
    return opened, recipients
