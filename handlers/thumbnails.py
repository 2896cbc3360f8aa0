"""Pictures among the files: how large they are, and smaller ones of them."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from handlers.avatars import plain
from models.pictures import THUMBNAIL_PX
from models.uploads import INCOMING, storing

FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/gif": "GIF", "image/webp": "WEBP"}
MAX_PIXELS = 32_000_000
"""What is decoded at most; a JPEG may be larger, since it is scaled down while it is decoded."""
MAX_JPEG_PIXELS = 160_000_000
_ORIENTATION = 0x0112
_LYING = range(5, 9)
"""Orientations by which width and height change places."""


def measure(path: Path, content_type: str) -> tuple[int, int]:
    """How wide and high a picture is shown, from the head of its file; zeros for one that cannot be."""
    # Imported here because most processes never see a picture.
    from PIL import Image

    kind = FORMATS[content_type]
    try:
        # A phone's JPEG may hold several pictures, which has a name of its own.
        with Image.open(path, formats=[kind, "MPO"] if kind == "JPEG" else [kind]) as image:
            width, height = image.size
            if width * height > (MAX_JPEG_PIXELS if kind == "JPEG" else MAX_PIXELS):
                return 0, 0
            # That of the base class: a PNG's own decodes the whole picture to look behind it.
            is_lying = Image.Image.getexif(image).get(_ORIENTATION) in _LYING
    except Exception:
        # Whatever a broken or hostile file makes a decoder raise.
        return 0, 0
    return (height, width) if is_lying else (width, height)


def make_thumbnail(media: Path, source: str, target: str) -> bool:
    """Makes the small picture of a stored one; False if it cannot be decoded. Hashing thread: it computes."""
    content = _shrunk(media / source)
    if content is None:
        return False
    unfinished = media / INCOMING / secrets.token_hex(12)
    with storing(unfinished):
        unfinished.write_bytes(content)
        (media / target).parent.mkdir(parents=True, exist_ok=True)
        os.replace(unfinished, media / target)
    return True


def _shrunk(source: Path) -> bytes | None:
    import io

    from PIL import Image, ImageOps

    out = io.BytesIO()
    with contextlib.suppress(Exception), Image.open(source, formats=[*FORMATS.values(), "MPO"]) as image:
        image.draft("RGB", (THUMBNAIL_PX[0] * 2, THUMBNAIL_PX[1] * 2))
        if image.width * image.height > MAX_PIXELS:
            return None
        picture = ImageOps.exif_transpose(image)
        picture.thumbnail(THUMBNAIL_PX)
        plain(picture, "WEBP").save(out, "WEBP", quality=80)
    return out.getvalue() or None
