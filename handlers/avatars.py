"""Pictures of people: decoded within limits, scaled down and encoded anew, so that nothing of the sent file
but what it shows is ever served."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from handlers.web.backend import Backend
from handlers.web.bodies import Upload
from models.errors import Invalid, TooLarge, Unavailable
from models.uploads import remove_stored, storing

FOLDER = "avatars"
"""Below the media folder. Served to everybody (`models.links.PUBLIC`): the names are random."""
MAX_BYTES = 5 * 1024 * 1024
MAX_PIXELS = 32_000_000
"""More than a phone's camera makes; decoded this is 128 MiB for a moment."""
SIDE_PX = 512
_SUFFIXES = {"JPEG": ".jpg", "PNG": ".png", "GIF": ".gif"}


@dataclass(slots=True)
class Picture:
    """A stored picture; removed again unless it is used."""

    path: str
    used: bool = False


@contextlib.asynccontextmanager
async def stored_avatar(backend: Backend, uploads: Sequence[Upload]) -> AsyncIterator[Picture]:
    """Stores the uploaded `avatar` below the media folder. Raises Invalid, TooLarge."""
    sent = next((upload for upload in uploads if upload.field == "avatar"), None)
    if sent is None:
        raise Invalid({"avatar": ["No file was submitted."]})
    if sent.size > MAX_BYTES:
        raise TooLarge(f"A picture has at most {MAX_BYTES // 1024 // 1024} MB.", "file_too_large")
    # Decoding computes for a while: not in the one thread that all files go through.
    picture = Picture(await backend.store.hash(_store, backend.media, sent.path))
    try:
        yield picture
    except Unavailable:
        # Nobody knows whether the row is there. If it is not, `jobs.uploads` removes the file one day.
        picture.used = True
        raise
    finally:
        if not picture.used:
            remove_soon(backend, picture.path)


def remove_soon(backend: Backend, path: str | None) -> None:
    """Removes a stored picture that nobody has any more."""
    if path is not None:
        backend.store.file_soon(remove_stored, backend.media, [path])


def _store(media: Path, source: Path) -> str:
    content, suffix = reencoded(source)
    path = f"{FOLDER}/{secrets.token_hex(16)}{suffix}"
    target = media / path
    with storing(target):
        _write(target, content)
    return path


def _write(target: Path, content: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with open(target, "xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def reencoded(source: Path) -> tuple[bytes, str]:
    """The picture as this server stores it, and the suffix of its type. Raises Invalid.

    Of an animation the first frame is kept, and only that is decoded.
    """
    # Imported here because most processes never see a picture.
    import io

    from PIL import Image, ImageOps

    out = io.BytesIO()
    try:
        with Image.open(source, formats=list(_SUFFIXES)) as image:
            # Many phones put several pictures into one file, of which the first is a JPEG.
            kind = "JPEG" if image.format == "MPO" else str(image.format)
            if image.width * image.height > MAX_PIXELS:
                raise Invalid({"avatar": [f"At most {MAX_PIXELS // 1_000_000} million pixels."]})
            image.draft("RGB", (SIDE_PX * 2, SIDE_PX * 2))
            picture = ImageOps.exif_transpose(image)
            picture.thumbnail((SIDE_PX, SIDE_PX))
            picture = plain(picture, kind)
            picture.save(out, kind, **({"quality": 88} if kind == "JPEG" else {}))
    except Invalid:
        raise
    except Exception:
        # Whatever a broken or hostile file makes a decoder raise.
        raise Invalid({"avatar": ["Upload a valid picture: JPEG, PNG or GIF."]}) from None
    return out.getvalue(), _SUFFIXES[kind]


def plain(picture: Any, kind: str) -> Any:
    """The pixels alone, in a mode that the type can store: no EXIF, colour profile or text chunks."""
    from PIL import Image

    see_through = "A" in picture.getbands() or "transparency" in picture.info
    picture = picture.convert("RGBA" if see_through and kind != "JPEG" else "RGB")
    plain = Image.new(picture.mode, picture.size)
    plain.paste(picture)
    return plain
