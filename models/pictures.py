"""Files that are pictures: their sizes, and where smaller ones of them lie."""

from __future__ import annotations

from typing import Any

from models.people import media_url

FOLDER = "thumbnails/"
"""Below the media folder. What lies here is made again when somebody asks for it."""
THUMBNAIL_PX = (640, 480)
"""Width and height at most: twice of what a page shows, for displays with small pixels."""
_SUFFIX = ".webp"


def thumbnail_path(path: str) -> str:
    """Where the small picture of a stored one lies."""
    return f"{FOLDER}{path}{_SUFFIX}"


def original_path(path: str) -> str:
    """The stored file that a path below the media folder is of: of a small picture the large one."""
    return path.removeprefix(FOLDER).removesuffix(_SUFFIX) if is_thumbnail(path) else path


def is_thumbnail(path: str) -> bool:
    """Whether the path is that of a small picture."""
    return path.startswith(FOLDER) and path.endswith(_SUFFIX)


def has_thumbnail(width: int | None, height: int | None) -> bool:
    """Whether a picture of this size has a small one: not one that is small already."""
    return (width or 0) > THUMBNAIL_PX[0] or (height or 0) > THUMBNAIL_PX[1]


def picture_json(path: str, width: int | None, height: int | None) -> dict[str, Any]:
    """What a picture has more than other files. A width of 0 is one that was found to be none."""
    if width is None:
        return {}
    url = media_url(thumbnail_path(path)) if has_thumbnail(width, height) else None
    return {"width": width or None, "height": height or None, "thumbnail_url": url}
