"""The HTTP door, mounted under /api beside the dashboard. Today it answers one question: is the lab well?"""

from collections.abc import Callable

from fastapi import FastAPI
from fastapi.responses import JSONResponse

from feedback_lab import __version__
from feedback_lab.errors import LabError
from feedback_lab.store import Store


def create_api(store_of: Callable[[], Store]) -> FastAPI:
    """The API of one process. `store_of` answers the open store, or raises LabError where there is none."""
    api = FastAPI(title="Feedback Lab", version=__version__, docs_url=None, redoc_url=None)

    @api.get("/v1/health")
    def health() -> JSONResponse:
        """200 while the lab can be read and written, 503 with the reason where it cannot."""
        answer: dict[str, object] = {"status": "ok", "version": __version__}
        try:
            store = store_of()
            reason = store.damage
            if reason is None:
                answer["commits"] = store.scalar("SELECT acknowledged FROM ledger")
        except LabError as error:
            reason = str(error)
        if reason is not None:
            return JSONResponse(answer | {"status": "error", "reason": reason}, status_code=503)
        return JSONResponse(answer)

    return api
