"""A code of an app beside the password."""

from tests.http.examples.book import Book, Stage
from tests.support.http import PASSWORD
from tests.support.one_time_codes import App

SETTINGS = {"require_second_factor": ("hr",)}
OWN = "/api/users/profile/second-factor/"
STEP = "/api/v2/auth/second-factor/"


async def tell(book: Book, stage: Stage) -> None:
    ceo, ann, eve = await stage.newcomers("ceo", "ann", "eve")
    password = {"current_password": PASSWORD}
    await book.show(ann, f"GET {OWN}")
    setup = (await book.show(ann, f"POST {OWN}", password)).json
    app = App(setup["secret"])
    codes = (await book.show(ann, f"POST {OWN}confirm/", {"otp": app.code()})).json["recovery_codes"]
    log_in = {"username": "ann", "password": PASSWORD}
    needed = (await stage.client.post("/api/auth/token/", json=log_in)).expect(401).json
    first = {"token": needed["second_step"]}
    await book.show(None, f"POST {STEP}", first | {"otp": app.wrong_code()}, status=401)
    await book.show(None, f"POST {STEP}", first | {"otp": codes[0]})
    renewed = (await book.show(ann, f"POST {OWN}recovery-codes/", password | {"otp": codes[1]})).json
    await book.show(ann, f"POST {OWN}off/", password | {"otp": renewed["recovery_codes"][0]})
    (await ceo.post(f"/api/users/{eve.id}/change_role/", json={"role": "hr"})).expect(200)
    log_in = {"username": "eve", "password": PASSWORD}
    refused = (await stage.client.post("/api/auth/token/", json=log_in)).expect(401).json
    await book.show(None, f"POST {STEP}begin/", {"token": refused["second_step"]})
    await book.show(ceo, "POST /api/users/{id}/reset_second_factor/", id=ann.id)
