"""An authenticator app, as far as tests need one."""

import time

import pyotp

from tests.support.http import PASSWORD
from tests.support.team import Member

OWN = "/api/users/profile/second-factor/"


class App:
    """Shows codes for a secret."""

    def __init__(self, secret: str) -> None:
        self._codes = pyotp.TOTP(secret)

    def code(self, steps: int = 0) -> str:
        """The present code, or one that comes so many steps later."""
        return self._codes.at(int(time.time()) + 30 * steps)

    def wrong_code(self) -> str:
        """Six digits that are none of its codes for a while."""
        near = {self.code(steps) for steps in range(-3, 4)}
        return next(code for code in map("{:06}".format, range(10)) if code not in near)


async def switch_on(member: Member) -> tuple[App, list[str]]:
    """The app of somebody who has a second factor from here on, and their recovery codes. The present code
    is used up."""
    setup = (await member.post(OWN, json={"current_password": PASSWORD})).expect(200).json
    app = App(setup["secret"])
    answer = await member.post(f"{OWN}confirm/", json={"otp": app.code()})
    return app, answer.expect(200).json["recovery_codes"]
