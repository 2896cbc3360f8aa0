"""Pictures: their sizes, the small ones of them, and files that only claim to be pictures."""

import io
import os
import struct
import time
import zlib

import pytest
from PIL import Image

from handlers import thumbnails
from jobs import uploads as job
from models.people import Person
from tests.support.database import sqlite_only
from tests.support.team import sign_up
from tests.support.uploads import PNG, files_in, nothing_left, path_of, send_file

LARGE = (1600, 900)


def picture(kind="JPEG", size=LARGE, mode="RGB", **options):
    out = io.BytesIO()
    Image.new(mode, size, "red").save(out, kind, **options)
    return out.getvalue()


def lying_jpeg():
    """As a phone that was held upright makes it."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return picture(exif=exif)


def bomb(width=60_000, height=60_000):
    """A PNG of a few hundred bytes whose head claims 3.6 billion pixels."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0" * 9))
        + chunk(b"IEND", b"")
    )


def thumbnails_in(app):
    media = app.settings.data_dir / "media"
    return [path for path in files_in(media) if "thumbnails" in path.parts]


@pytest.mark.parametrize(
    ("content", "name", "size"),
    [
        (picture(), "a.jpg", LARGE),
        (lying_jpeg(), "a.jpg", LARGE[::-1]),
        (picture("PNG", mode="RGBA"), "a.png", LARGE),
        (picture("GIF", mode="P"), "a.gif", LARGE),
        (picture("WEBP"), "a.webp", LARGE),
        (PNG, "small.png", (1, 1)),
    ],
    ids=["jpeg", "lying", "png", "gif", "webp", "small"],
)
@sqlite_only
@pytest.mark.gen_test
async def test_a_picture_has_its_size_and_a_large_one_a_small_one(app, client, content, name, size):
    [ann] = await sign_up(client, "ann")
    sent = await send_file(ann, await ann.group(), content, name)
    assert (sent["width"], sent["height"]) == size
    if size == (1, 1):
        assert sent["thumbnail_url"] is None
        return
    answer = (await client.get(path_of(sent["thumbnail_url"]))).expect(200)
    assert answer.headers["Content-Type"] == "image/webp"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    with Image.open(io.BytesIO(answer.body)) as small:
        assert small.width <= 640 and small.height <= 480
        assert (small.width > small.height) is (size[0] > size[1])
    kept = thumbnails_in(app)
    assert len(kept) == 1
    kept[0].write_bytes(b"made once")
    assert (await client.get(path_of(sent["thumbnail_url"]))).body == b"made once"


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (bomb(), "bomb.png"),
        (PNG[:40], "cut.png"),
        (b"\x89PNG\r\n\x1a\n<script>alert(1)</script>", "claims.png"),
        (b"GIF89a" + b"\xff" * 4000, "claims.gif"),
        (b"\xff\xd8\xff\xe0" + b"\0" * 400, "claims.jpg"),
    ],
    ids=["bomb", "cut", "script", "gif", "jpeg"],
)
@sqlite_only
@pytest.mark.gen_test
async def test_a_picture_that_is_none_stays_a_file(app, client, content, name):
    [ann] = await sign_up(client, "ann")
    sent = await send_file(ann, await ann.group(), content, name)
    assert sent.get("width") is sent.get("height") is sent.get("thumbnail_url") is None
    assert (await ann.get(sent["file"])).expect(200).body == content
    (await ann.get(f"/media/thumbnails/{sent['file'].removeprefix('/media/')}.webp")).expect(404)
    assert not thumbnails_in(app)


@pytest.mark.gen_test
async def test_a_small_picture_is_for_those_who_may_see_the_large_one_and_goes_with_it(app, client):
    ann, ben = await sign_up(client, "ann", "ben")
    room = await ann.group()
    message = (
        (
            await ann.post(
                "/api/chat/messages/", form={"room": room}, files=[("attachments", "a.jpg", picture(), "x/y")]
            )
        )
        .expect(201)
        .json
    )
    [sent] = message["attachments"]
    signed = path_of(sent["thumbnail_url"])
    plain = signed.partition("?")[0]
    (await ann.get(plain)).expect(200)
    (await client.get(signed)).expect(200)
    (await ben.get(plain)).expect(404)
    (await client.get(plain)).expect(401)
    # A link to the one is none to the other.
    query = path_of(sent["file_url"]).partition("?")[2]
    (await client.get(f"{plain}?{query}")).expect(404)
    (await ann.get("/media/thumbnails/../avatars/x.webp")).expect(404)
    (await ann.delete(f"/api/chat/messages/{message['id']}/")).expect(204)
    (await client.get(signed)).expect(404)
    await nothing_left(app)


@sqlite_only
@pytest.mark.gen_test
async def test_one_whose_large_picture_is_gone_is_swept(app, client):
    [ann] = await sign_up(client, "ann")
    await app.store.write(lambda: Person.update(date_joined=0).execute())
    sent = await send_file(ann, await ann.group(), picture(), "a.jpg")
    (await client.get(path_of(sent["thumbnail_url"]))).expect(200)
    [kept] = thumbnails_in(app)
    media = app.settings.data_dir / "media"
    left = media / "thumbnails/chat_attachments/2020/01/01/gone.jpg.webp"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"x")

    for path in (kept, left):
        os.utime(path, (time.time() - 2 * 86400,) * 2)
    await job.Sweep(app.store, media).round()
    assert thumbnails_in(app) == [kept]


def test_a_picture_that_cannot_be_decoded_makes_no_small_one(tmp_path):
    (tmp_path / "a.png").write_bytes(picture("PNG")[:200])
    assert not thumbnails.make_thumbnail(tmp_path, "a.png", "thumbnails/a.png.webp")
    assert files_in(tmp_path) == [tmp_path / "a.png"]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_a_picture_is_measured_without_being_decoded(tmp_path, monkeypatch, kind):
    """A PNG of 650 kB with 169 million pixels took 650 MiB and two seconds, while all other files waited."""
    file = tmp_path / "picture"
    file.write_bytes(picture(kind))

    def load(self):
        raise AssertionError("decoded")

    for name in ("PngImagePlugin.PngImageFile", "ImageFile.ImageFile", "WebPImagePlugin.WebPImageFile"):
        monkeypatch.setattr(f"PIL.{name}.load", load)
    assert thumbnails.measure(file, f"image/{kind.lower()}") == LARGE
