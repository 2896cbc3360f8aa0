"""Files that are sent with messages."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.support.raw_http import request_head
from tests.support.team import Member
from tests.support.waiting import eventually

MESSAGES = "/api/chat/messages/"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c63f8cfc0f01f0005000"
    "1ff89993d1d0000000049454e44ae426082"
)


def files_in(media: Path) -> list[Path]:
    """Every file below the media folder, finished or not."""
    return [path for path in media.rglob("*") if path.is_file()]


async def nothing_left(app: Any) -> None:
    """Waits until the file thread has nothing to do; then no file may be there."""
    await eventually(lambda: files_in(app.settings.data_dir / "media") == [])


async def send_file(
    member: Member, room: int, content: bytes, name: str = "a.txt", declared: str = "text/plain"
) -> dict[str, Any]:
    """The attachment as the answer shows it."""
    files = [("attachments", name, content, declared)]
    answer = await member.post(MESSAGES, form={"room": room}, files=files)
    return answer.expect(201).json["attachments"][0]


def path_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def multipart_head(ann: Member, **headers: Any) -> bytes:
    known = {"Authorization": f"Bearer {ann.access}", "Content-Type": "multipart/form-data; boundary=b"}
    return request_head("POST", MESSAGES, known | headers)
