"""The TypeScript client in clients/typescript: made of what a server serves, compiled, and talking."""

import json
import shutil
import subprocess
import urllib.request
from pathlib import Path

import pytest

from tests.support import npm
from tests.support.http import PASSWORD
from tests.support.server_process import ROOT

CLIENT = ROOT / "clients" / "typescript"
MADE = ("node_modules", "dist", "generated", "documents")


def run(folder: Path, *words: str) -> str:
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


@pytest.fixture
def client_folder(tmp_path) -> Path:
    """The client as it lies in the repository, with a conversation beside it and what it needs."""
    folder = tmp_path / "client"
    shutil.copytree(CLIENT, folder, ignore=shutil.ignore_patterns(*MADE))
    shutil.copy(npm.DOCUMENTS / "conversation.ts", folder / "src")
    npm.install_locked(folder)
    return folder


def test_a_client_made_of_both_documents_compiles_strictly_and_has_a_conversation(client_folder, process):
    person = {"email": "ann@example.org", "username": "ann", "password": PASSWORD}
    request = urllib.request.Request(f"{process.url}/api/register/", json.dumps(person).encode())
    request.add_header("Content-Type", "application/json")
    urllib.request.urlopen(request, timeout=60).close()

    run(client_folder, "node", "generate.mjs", process.url)
    run(client_folder, "node_modules/.bin/tsc", "--project", "tsconfig.json")
    # Before node 22 it stands behind a flag, which later ones still take.
    words = ["node", "--experimental-websocket", "dist/conversation.js", process.url, "ann", PASSWORD]
    told = json.loads(run(client_folder, *words))
    assert told["changed"]["data"]["status"] == "in_progress"
    assert told["changed"]["seq"] > 0
    del told["changed"]
    assert told == {
        "refused": 401,
        "me": "ann",
        "task": "Paint the fence",
        "said": "Who has the blue paint?",
        "sender": "ann",
    }
