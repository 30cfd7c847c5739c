"""Patience with the hub: what is tried again, for how long, and what is said in the end."""

import re
import time
from collections.abc import Callable
from typing import Any, TypeVar

from midway.errors import DataError

T = TypeVar("T")

WAITS = (1.0, 2.0, 4.0, 8.0)  # seconds before each further try, unless the hub says how long
LONGEST = 300.0  # the hub counts requests in windows of five minutes
AGAIN = "run the same command again: it continues where it stopped"


class CutOffError(Exception):
    """A transfer ended before all bytes were there."""


def patiently(
    what: str,
    revision: str,
    action: Callable[[], T],
    notice: Callable[[str], None],
    *,
    progress: Callable[[], int] = lambda: 0,
    pinned: bool = False,
) -> T:
    """Do `action`, again after a wait where that can help.

    Args:
        what: repository or file, for messages.
        revision: what was asked for, for messages.
        action: asks the hub.
        notice: told before each wait.
        progress: a number that rises as work is done; while it does, patience starts anew.
        pinned: whether `revision` is the lock file's commit.

    Raises:
        DataError: it did not work; says why and what to do.
    """
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, OfflineModeIsEnabled

    # The base is that of the HTTP library in use, whose name depends on the client's version.
    base: type[Exception] = HfHubHTTPError.__bases__[0]
    tries, reached = 0, progress()
    while True:
        try:
            return action()
        except OfflineModeIsEnabled as error:
            raise DataError(
                f"{what}: not all of it is at hand, and HF_HUB_OFFLINE forbids to ask the hub; "
                "unset it and run the same command again"
            ) from error
        except (base, CutOffError) as error:
            if progress() > reached:
                tries, reached = 0, progress()
            pause = _pause(error, tries)
            if pause is None:
                raise DataError(_message(what, revision, error, pinned=pinned)) from error
            tries += 1
            notice(f"{what}: {_reason(error)}; trying again in {pause:.0f} s")
            time.sleep(pause)
        except (HFValidationError, ValueError, KeyError, TypeError, AttributeError) as error:
            why = without_secrets(str(error))[:120]
            raise DataError(
                f"{what}: the answer is not one of a hub ({type(error).__name__}: {why}); check "
                "HF_ENDPOINT and the network's proxy"
            ) from error


def _response(error: Exception) -> Any:
    """Return the hub's answer that an error is about, None if there was none."""
    return getattr(error, "response", None)


def _status(error: Exception) -> int:
    return getattr(_response(error), "status_code", 0)


def _pause(error: Exception, tries: int) -> float | None:
    """Return the seconds to wait before the next try; None to give up."""
    status = _status(error)
    temporary = status in (0, 408, 429) or status >= 500
    if not temporary or tries >= len(WAITS):
        return None
    asked = asked_to_wait(_response(error).headers) if status else None
    if asked is None:
        return WAITS[tries]
    return max(asked, 0.0) if asked <= LONGEST else None


def asked_to_wait(headers: Any) -> float | None:
    """Return the seconds after which a server wants to be asked again, None if it says nothing.

    ``Retry-After`` is understood as a number, and the hub's ``RateLimit: "api";r=0;t=55``.
    """
    after = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", after):
        return float(after)
    limit = re.search(r"\bt=([0-9]{1,9})", headers.get("RateLimit", ""))
    return float(limit[1]) if limit else None


def _reason(error: Exception) -> str:
    """Say what happened in a few words; never with an address, which may hold a signature."""
    if status := _status(error):
        return f"the hub answered {status}"
    if isinstance(error, CutOffError):
        return f"the connection ended after {error}"
    why = without_secrets(str(error))[:120]
    return f"the connection failed ({type(error).__name__}{': ' + why if why else ''})"


def without_secrets(text: str) -> str:
    """Return an error's text in one line, less what must not be shown or stored.

    A server may send back what it was sent, and the address of a file may hold a signature.
    """
    from huggingface_hub import get_token

    if token := get_token():
        text = text.replace(token, "(token)")
    return " ".join(re.sub(r"\w+://[^\s'\")>]+", "(address)", text).split())


def _message(what: str, revision: str, error: Exception, *, pinned: bool) -> str:
    """Say what happened and what to do."""
    from huggingface_hub.errors import EntryNotFoundError, RevisionNotFoundError

    status = _status(error)
    if isinstance(error, RevisionNotFoundError):
        if pinned:
            return (
                f"{what}: the hub no longer has the commit {revision[:12]} of the lock file; "
                "--update takes the one there is now, whose content may differ"
            )
        return (
            f"{what}: the hub has no revision {revision!r}, so the data set is not there as "
            "Parquet; get the publisher's files"
        )
    if isinstance(error, EntryNotFoundError):
        return f"{what}: the hub has no such file at commit {revision[:12]} (404); try --update"
    if status in (401, 403, 404):
        return (
            f"{what}: the hub has no such data set, or not for you ({status}); if it asks to "
            "accept terms, do so on its page, then log in with `hf auth login`"
        )
    if status == 429:
        asked = asked_to_wait(_response(error).headers)
        when = f"in {asked:.0f} s" if asked else "later"
        return f"{what}: the hub answered 429, too many requests; {AGAIN}, {when}"
    return f"{what}: {_reason(error)}; check the network, then {AGAIN}"
