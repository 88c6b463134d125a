"""Units that files and libraries write, and those of the package: ms, mV, Hz, pA, and densities of a membrane."""

import re

# What a quantity is measured in here, and what it is called elsewhere, times what it makes of it.
_KNOWN = {
    "ms": {"ms": 1.0, "s": 1e3, "us": 1e-3, "ns": 1e-6, "min": 6e4},
    "mV": {"mV": 1.0, "V": 1e3, "uV": 1e-3},
    "Hz": {"Hz": 1.0, "kHz": 1e3, "MHz": 1e6, "1/s": 1.0, "1/ms": 1e3},
    "pA": {"pA": 1.0, "nA": 1e3, "uA": 1e6, "mA": 1e9, "A": 1e12},
    "nS": {"nS": 1.0, "pS": 1e-3, "uS": 1e3, "mS": 1e6, "S": 1e9},
    "uA/cm2": {"uA/cm2": 1.0, "nA/cm2": 1e-3, "mA/cm2": 1e3, "A/cm2": 1e6, "A/m2": 1e2, "pA/um2": 1e2},
    "mS/cm2": {"mS/cm2": 1.0, "uS/cm2": 1e-3, "S/cm2": 1e3, "S/m2": 0.1},
    "uF/cm2": {"uF/cm2": 1.0, "nF/cm2": 1e-3, "F/m2": 1e2},
    "um": {"um": 1.0, "nm": 1e-3, "mm": 1e3, "cm": 1e4, "m": 1e6},
    "1": {"1": 1.0, "dimensionless": 1.0},
}
_NAMES = {"second": "s", "volt": "V", "hertz": "Hz", "ampere": "A", "siemens": "S", "farad": "F", "meter": "m"}
_PREFIXES = {"milli": "m", "micro": "u", "nano": "n", "pico": "p", "kilo": "k", "mega": "M", "centi": "c"}
_WORD = re.compile(rf"({'|'.join(_PREFIXES)})?({'|'.join(_NAMES)})s?", re.IGNORECASE)
_COUNT = re.compile(r"^1(\.0)? (?!/)")
_FACTORS = {text: (unit, factor) for unit, texts in _KNOWN.items() for text, factor in texts.items()}


def read_unit(text: str) -> tuple[str, float] | None:
    """The unit of the package that a unit is measured in, and the factor to it: ("mV", 1e3) of "V".

    None of a unit that the package has no name for. Names in full, powers and the Greek letter are read too.
    """
    plain = _COUNT.sub("", text.strip())
    for mark, meant in (("µ", "u"), ("μ", "u"), ("**", ""), ("^", ""), (" ", "")):
        plain = plain.replace(mark, meant)
    plain = _WORD.sub(lambda found: _PREFIXES.get((found[1] or "").lower(), "") + _NAMES[found[2].lower()], plain)
    return _FACTORS.get(plain or "1")
