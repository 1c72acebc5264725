"""Which keys the schema allows at a place, to answer an unknown one with the nearest."""

from __future__ import annotations

from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from labtrain.bench.positions import Path
from labtrain.naming import nearest


def allowed_keys(root: type[BaseModel], path: Path) -> str:
    """Say which keys stand near the unknown key at ``path`` and which are allowed there."""
    here: Any = root
    for part in path[:-1]:
        here = _inside(here, part)
    return nearest(path[-1], here.model_fields)


def _inside(kind: Any, key: str) -> Any:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return _bare(kind.model_fields[key].annotation)
    return _bare(get_args(kind)[-1])


def _bare(annotation: Any) -> Any:
    """Strip Annotated and Optional."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _bare(get_args(annotation)[0])
    if origin is Union or origin is UnionType:
        return _bare(next(arm for arm in get_args(annotation) if arm is not type(None)))
    return annotation
