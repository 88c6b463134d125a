"""Descriptions as text of JSON."""

import json
from collections.abc import Iterable
from typing import Any

from ._document import Decoder, Encoder, known_classes

FORMAT, VERSION = "jaxneuro_json", 1


def as_json(x: Any, place: str) -> str:
    """A description as text of JSON, its numbers to the last digit."""
    document = {FORMAT: VERSION, "value": Encoder(inline=True).encode(x, place)}
    return json.dumps(document, indent=1, allow_nan=False)


def from_json(text: str, kind: type, classes: Iterable[type]) -> Any:
    """What `as_json` wrote, which has to be of class `kind`; raises `ValueError`, one sentence."""
    try:
        document = json.loads(text)
        version = document[FORMAT]
    except (TypeError, KeyError, ValueError):
        raise ValueError(f"`text` is not what `{kind.__name__}.to_json()` wrote.") from None
    if version != VERSION:
        raise ValueError(f"`text` is of format {version}, and this version of jaxneuro reads format {VERSION}.")
    try:
        made = Decoder([], known_classes(classes)).decode(document["value"])
    except ValueError as error:
        raise ValueError(f"`text`: {error}") from None
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise ValueError(f"`text` is damaged: {error!r}.") from None
    if not isinstance(made, kind):
        raise ValueError(f"`text` holds a {type(made).__name__} and not a {kind.__name__}.")
    return made
