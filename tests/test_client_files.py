"""The client's files: joined, compressed and addressed by version when the server starts."""

import gzip
import hashlib
import json
import re
import subprocess

import pytest

from handlers import bundle, pages
from tests.support.database import sqlite_only


def run(sources: dict[str, str], folder) -> str:
    """What the joined modules print."""
    for name, text in bundle.bundles(sources, "js/main.js").items():
        (folder / name).write_text(text)
    (folder / "package.json").write_text('{"type": "module"}')
    done = subprocess.run(["node", "js-main.js"], cwd=folder, capture_output=True, text=True, timeout=30)
    assert done.stderr == ""
    return done.stdout


def test_joined_modules_do_what_they_did_alone(tmp_path):
    sources = {
        "js/main.js": (
            'import twice, { three as drei } from "./numbers.js";\n'
            'import { name } from "./words.js";\n'
            'import "./words.js";\n'
            'import("./later.js").then(({ later }) => console.log(later()));\n'
            "console.log(twice(drei), name);\n"
        ).replace("twice, { three as drei }", "{ three as drei, twice }"),
        "js/numbers.js": (
            "const three = 3;\nexport function twice(n) {\n  return 2 * n;\n}\nexport { three };\n"
        ),
        "js/words.js": 'export { label as name } from "./deep/label.js";\n',
        "js/deep/label.js": 'export const label = "a label";\nexport default label;\n',
        "js/later.js": (
            'import label from "./deep/label.js";\nimport { own } from "./own.js";\n'
            "export const later = () => `${label}, ${own}`;\n"
        ),
        "js/own.js": 'export const own = "later";\n',
    }
    assert run(sources, tmp_path) == "6 a label\na label, later\n"


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ('import { a } from "./b.js";\n', "a circle"),
        ('import { a } from "./nowhere.js";\n', "not there"),
        ("export let count = 0;\n", "export let"),
        ('import * as all from "./a.js";\n', r"import \* as all"),
    ],
)
def test_what_cannot_be_joined_is_told_at_the_start(source, complaint):
    sources = {"js/main.js": source, "js/b.js": 'import { c } from "./main.js";\n', "js/a.js": ""}
    with pytest.raises(bundle.BundleError, match=complaint):
        bundle.bundles(sources, "js/main.js")


def test_a_type_that_a_comment_names_is_no_module_to_fetch_later():
    sources = {
        "js/main.js": '/** @param {import("./types.js").Row} row */\nexport const f = (row) => row;\n',
        "js/types.js": "export const unused = 1;\n",
    }
    assert list(bundle.bundles(sources, "js/main.js")) == ["js-main.js"]


def test_comments_stay_behind_but_not_the_code_beside_them(tmp_path):
    """From a comment that code followed to the end of the next one, everything was gone."""
    source = (
        "/* What it is. */\n// A line.\nconst one = 1;\n"
        "/** @type {number} */ const two = 2;\nconst three = 3;\n/**\n * Says it.\n */\n"
        "console.log(one, two, three);\n"
    )
    assert run({"js/main.js": source}, tmp_path) == "1 2 3\n"
    (joined,) = bundle.bundles({"js/main.js": source}, "js/main.js").values()
    assert "What it is" not in joined and "Says it" not in joined


def test_each_joined_file_is_a_script(tmp_path):
    joined = [file for path, file in pages.load().items() if "/bundle/js-" in path or path == "js/main.js"]
    assert len(joined) > 5
    for number, file in enumerate(joined):
        (tmp_path / f"{number}.mjs").write_bytes(file.content)
        subprocess.run(["node", "--check", tmp_path / f"{number}.mjs"], check=True, timeout=30)


def test_the_protocol_page_is_one_module_at_the_address_that_copies_on_disk_know():
    files = pages.load()
    module = files["js/main.js"].content.decode()
    assert "export const { start } =" in module
    assert not re.search(r"^import ", module, re.MULTILINE)
    assert len(files["js/main.js"].compressed) < 60_000


def test_a_style_sheet_holds_what_it_imports():
    sources = {"css/all.css": '@import "one.css";\np { margin: 0; }\n', "css/one.css": "b { color: red; }\n"}
    assert bundle.styles(sources, "css/all.css") == "b { color: red; }\np { margin: 0; }\n"


def test_each_library_is_the_one_that_the_list_names():
    folder = pages.STATIC / "vendor"
    entries = json.loads((folder / "vendor.json").read_text())
    assert {path.name for path in folder.glob("*.js")} == set(entries)
    for name, entry in entries.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == entry["sha256"], name
        assert (folder / f"{name.removesuffix('.js')}.LICENCE.txt").stat().st_size > 500


@sqlite_only
@pytest.mark.gen_test
async def test_what_has_a_version_in_its_address_is_kept_for_good_and_comes_compressed(client):
    page = (await client.get("/", headers={"Accept": "text/html"})).expect(200)
    assert page.headers["Cache-Control"] == "no-cache"
    addresses = re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text)
    assert len(addresses) == 4
    for address in addresses:
        answer = (await client.get(address)).expect(200)
        assert "immutable" in answer.headers["Cache-Control"]
        assert "Accept-Encoding" in answer.headers["Vary"]
        if len(answer.body) > 1_000:  # the test's client has unpacked it
            assert answer.headers["X-Consumed-Content-Encoding"] == "gzip"
    (await client.get(re.sub("/v/[0-9a-f]+/", "/v/0123456789ab/", addresses[-1]))).expect(404)


def test_the_first_load_is_small():
    """With what the API answers it stays within 120 kB; the page also asks for its rooms and the like."""
    files = pages.load()
    first = [
        "index.html",
        *(
            path
            for path in files
            if re.search(r"^v/\w+/(bundle/js-app-main.js|bundle/client.css|early.js)$", path)
        ),
    ]
    assert len(first) == 4
    assert sum(len(files[path].compressed) for path in first) < 100_000
    assert all(gzip.decompress(files[path].compressed) == files[path].content for path in first)
