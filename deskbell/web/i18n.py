"""The languages of the pages. They stand in `kernel.languages`, as mails are written in them as well."""

from deskbell.kernel.languages import (
    CATALOGS,
    SOURCE,
    Language,
    age,
    before,
    current,
    date_and_time,
    day,
    gettext,
    languages,
    marked,
    ngettext,
    number,
    preferred,
    span,
    speaking,
)

_ = gettext

__all__ = [
    "CATALOGS",
    "SOURCE",
    "Language",
    "_",
    "age",
    "before",
    "current",
    "date_and_time",
    "day",
    "gettext",
    "languages",
    "marked",
    "ngettext",
    "number",
    "preferred",
    "span",
    "speaking",
]
