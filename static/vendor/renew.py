"""Fetches the libraries of `vendor.json` from the npm registry: `make vendor`.

To renew one, change its version, take its "integrity" and "sha256" away, and run this again. What stands
there is checked: the archive against the registry's checksum, the file here against its own.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import sys
import tarfile
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent
LIST = HERE / "vendor.json"
REGISTRY = "https://registry.npmjs.org"
# Browsers resolve no package names: each becomes the file that stands here.
NAMES = {
    "preact": "./preact.js",
    "preact/hooks": "./hooks.js",
    "@preact/signals-core": "./signals-core.js",
}
_FROM = re.compile(r'((?:import|export)\s*\{[^}]*\}\s*from\s*)"([^".][^"]*)";?')
_LAST_EXPORT = re.compile(r"(?<=[;}])export\s*(?=\{|default\b)")
_SOURCE_MAP = re.compile(r"\n?//# sourceMappingURL=.*")


def main() -> None:
    """Fetches all of them, or says which differs from its checksum."""
    entries = json.loads(LIST.read_text())
    for name, entry in entries.items():
        archive = fetch(entry)
        content = adapted(member(archive, entry["file"]))
        agree(entry, "sha256", hashlib.sha256(content).hexdigest(), name)
        (HERE / name).write_bytes(content)
        licence = next(text for file in ("LICENSE", "LICENSE.md") if (text := member(archive, file)))
        (HERE / f"{Path(name).stem}.LICENCE.txt").write_bytes(licence)
        print(f"{name}: {entry['package']} {entry['version']}")
    LIST.write_text(json.dumps(entries, indent=2) + "\n")


def fetch(entry: dict[str, str]) -> bytes:
    """The package's archive, as the registry published it."""
    package, version = entry["package"], entry["version"]
    address = f"{REGISTRY}/{package}/-/{package.split('/')[-1]}-{version}.tgz"
    with urllib.request.urlopen(address, timeout=60) as answer:
        archive = answer.read()
    digest = base64.b64encode(hashlib.sha512(archive).digest()).decode()
    agree(entry, "integrity", f"sha512-{digest}", package)
    return archive


def agree(entry: dict[str, str], field: str, found: str, name: str) -> None:
    """Notes a checksum that is not known yet; ends the run where it is another."""
    if entry.setdefault(field, found) != found:
        sys.exit(f"{name}: {field} is {found}, not {entry[field]}")


def member(archive: bytes, name: str) -> bytes:
    """A file of the package; nothing where it has none of that name."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as package:
        try:
            file = package.extractfile(f"package/{name}")
        except KeyError:
            return b""
        return file.read() if file else b""


def adapted(content: bytes) -> bytes:
    """The module with relative addresses, and each import and export on a line of its own."""
    text = _SOURCE_MAP.sub("", content.decode())
    text = _FROM.sub(lambda found: f'{found[1]}"{NAMES[found[2]]}";\n', text)
    return _LAST_EXPORT.sub("\nexport ", text).strip().encode() + b"\n"


if __name__ == "__main__":
    main()
