"""Dates in texts of charts."""

import re

from charts.reading import MONTHS

# A day and a month, and what follows: `20 Nov`, `November 20`, without a year.
_MONTH = f"(?:{'|'.join(MONTHS)})[a-z]*"


DATE_WITHOUT_YEAR = re.compile(rf"\b\d{{1,2}} {_MONTH}\b(?! \d{{4}})|\b{_MONTH} \d{{1,2}}\b(?!, \d{{4}}|\d)")
