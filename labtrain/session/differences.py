"""What has changed since a record was made: packages, code, machine; said before a replay begins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_COMPARED = ("labtrain", "python", "machine", "platform")
_RUN_ONLY = {*_COMPARED, "git", "packages", "executable", "argv", "host", "user", "cpus", "pid"}
_COMMIT_DIGITS = 10


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Compare two provenances (:func:`labtrain.session.provenance.gather_provenance`).

    Who ran it, where, and with which command line is no difference.

    Returns
    -------
    list of str
        Such as ``"numpy: 2.3.1 then, 2.4.0 now"``; empty where nothing that decides results has changed.
    """
    found = [_told(name, then.get(name), now.get(name)) for name in _COMPARED]
    found += _git(then.get("git", {}), now.get("git", {}))
    found += _entries("", then.get("packages", {}), now.get("packages", {}))
    for name in sorted((then.keys() & now.keys()) - _RUN_ONLY):  # what parts of labtrain registered
        found += _entries(f"{name} ", then.get(name, {}), now.get(name, {}))
    return [text for text in found if text]


def _entries(of: str, then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    return [_told(of + name, then.get(name), now.get(name)) for name in sorted(then.keys() | now.keys())]


def _told(name: str, then: Any, now: Any) -> str:
    if then == now:
        return ""
    return f"{name}: {_or_none(then)} then, {_or_none(now)} now"


def _or_none(value: Any) -> str:
    return "none" if value is None else " ".join(str(value).split())


def _git(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    commits = [str(one.get("commit"))[:_COMMIT_DIGITS] for one in (then, now)]
    if commits[0] != commits[1]:
        return [_told("code (commit)", *commits)]
    same = then.get("diff") == now.get("diff")
    return [] if same else ["code: changed and not committed, then or now"]
