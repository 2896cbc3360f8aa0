"""The figures of the server, for Prometheus and whoever else may read them."""

from __future__ import annotations

from handlers.web.base import BaseHandler
from handlers.web.endpoint import Route, endpoint
from handlers.web.proxy import is_among
from models.errors import NotFound

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Figures(BaseHandler):
    """What Prometheus reads."""

    @endpoint(answers={200: bytes}, public=True, throttled=False, errors=(404,))
    async def get(self) -> None:
        """Figures of all workers, as text for Prometheus. Only for the addresses of the setting
        `metrics_from`; for others there is nothing here."""
        metrics = self.settings["metrics"]
        if metrics is None or not is_among(self.request.remote_ip, self.backend.settings.metrics_from):
            raise NotFound()
        self.set_header("Content-Type", CONTENT_TYPE)
        self.write(await self.store.file(metrics.render))


routes = [Route("/metrics/", Figures)]
