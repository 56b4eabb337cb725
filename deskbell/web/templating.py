"""How pages are rendered: the Jinja2 environment, and the pure filters that turn values into words.

Every filter is a plain function of its arguments (the clock and the time zone are handed in), so pages can be tested
without a server.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from deskbell.web import i18n
from deskbell.web.i18n import gettext as _
from deskbell.web.i18n import marked
from deskbell.web.worded import worded

HERE: Final = Path(__file__).parent
STATIC_PATH: Final = "/static"
_LINE: Final = re.compile(r'(<p) style="margin:0"')
_STYLE: Final = re.compile(r'(<[a-z][^<>]*?) style="[^"<>]*"')
VERSION_MARK: Final = "v-"

LABELS: Final[Mapping[str, str]] = {
    "open": marked("Open"),
    "in_progress": marked("In progress"),
    "waiting_on_customer": marked("Waiting on customer"),
    "resolved": marked("Resolved"),
    "closed": marked("Closed"),
    "low": marked("Low"),
    "medium": marked("Medium"),
    "high": marked("High"),
    "urgent": marked("Urgent"),
    "customer": marked("Customer"),
    "agent": marked("Agent"),
    "admin": marked("Administrator"),
    "email": marked("E-mail"),
    "mail": marked("E-mail"),
    "web": marked("Web"),
    "api": "API",
    "cli": marked("Command line"),
    "import": marked("Import"),
    "sql": "SQL",
}
"""What people call statuses, priorities, roles and channels; another code is itself with a capital letter."""

FILE_KINDS: Final[Mapping[str, str]] = {
    "application/gzip": marked("gzip archive"),
    "application/json": "JSON",
    "application/octet-stream": marked("file"),
    "application/pdf": "PDF",
    "application/zip": marked("ZIP archive"),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": marked("Excel sheet"),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": marked("Word document"),
    "message/rfc822": marked("e-mail"),
    "text/calendar": marked("calendar entry"),
    "text/csv": "CSV",
    "text/html": "HTML",
    "text/plain": marked("text"),
}
PLAYED_KINDS: Final[Mapping[str, str]] = {
    "image": marked("%(kind)s image"),
    "audio": marked("%(kind)s audio"),
    "video": marked("%(kind)s video"),
}

OPTIONAL: Final[Mapping[str, object]] = {
    "viewer": None,  # nobody is logged in
    "query": None,
    "flash": None,
    "form_error": None,  # {form, kind: stale | invalid, message}: which form was refused, and why
    "draft": None,  # what the reader has begun to write to the ticket
    "waiting": None,  # their message on its way
    "typed": None,  # {content, is_internal, status, revision}: what was typed into the refused composer
    "news": None,  # {comments, status, requester}: what stopped the guard
    "preview": None,  # {html, is_internal}: what would be sent
    "past": None,  # {at, index, moments, previous, next, is_now}: the ticket is shown as it was
    "mail": None,  # what of a ticket's mail its page shows to the desk
    "cursor": None,  # the cursor that this page of the list was asked with
    "count_text": None,
    "built_in_views": (),  # a page outside of the workspace has no rail
    "saved_views": (),
    "theme": "",
    "path": "",
    "here": "",  # the path with its query
    "live": "",  # where in the audit log the page was read, if that is known
}
"""What a page may be rendered without. Any other name that a route forgets is an error, not an empty place."""

KEYS: Final[Mapping[str, str]] = {"ArrowDown": "↓", "ArrowUp": "↑", "Escape": "Esc", "Mod": "Ctrl/⌘"}
"""The keys whose name in a browser (UI Events, `key`) is not what stands on them."""
_SIZES: Final = (marked("bytes"), marked("kB"), marked("MB"), marked("GB"), marked("TB"))
_WORD: Final = re.compile(r'(?:"[^"]*"?|[^\s"])+')
_STATUS: Final = "status:"


def build_environment(templates: Path = HERE / "templates", static: Path = HERE / "static") -> Environment:
    """Everything escaped, nothing undefined; `static("base.css")` is the address of that file as it is now."""
    environment = Environment(
        loader=FileSystemLoader(templates),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_callables(i18n.gettext, i18n.ngettext, newstyle=True)  # type: ignore[attr-defined]  # the extension's
    environment.filters |= {
        "ago": ago,
        "age": age,
        "local_time": local_time,
        "local_day": local_day,
        "local_minute": local_minute,
        "local_moment": local_moment,
        "number": i18n.number,
        "iso": iso,
        "bytes": size_in_words,
        "duration": i18n.span,
        "label": label,
        "file_kind": file_kind,
        "initials": initials,
        "key_name": key_name,
        "worded": worded,
        "with_status": with_status,
        "only_status": only_status,
        "unstyled": unstyled,
    }
    environment.globals |= {**OPTIONAL, "language": i18n.current, "languages": i18n.languages}
    environment.globals["static"] = static_urls(static).__getitem__
    for file, name in (("ui", "status"), ("ui", "priority"), ("icons", "icon")):
        macro = vars(environment.get_template(f"macros/{file}.html").module)[name]
        environment.globals[f"drawn_{name}"] = _once(macro)
    return environment


def unstyled(html: str) -> Markup:
    """Mark sanitised HTML as safe, without styles: a page's policy refuses them, each with a line on the console.

    The single lines that Outlook makes of paragraphs remain such.
    """
    return Markup(_STYLE.sub(r"\1", _LINE.sub(r'\1 class="line"', html)))  # noqa: S704 - sanitised when it came


def _once(macro: Callable[[str], Markup]) -> Callable[[str], Markup]:
    """Make a macro that shows a code write it once in each language: a list of fifty has hundreds of them."""

    @lru_cache(maxsize=500)
    def written(code: str, _language: str) -> Markup:
        return macro(code)

    return lambda code: written(code, i18n.current().code)


def static_urls(folder: Path) -> dict[str, str]:
    """Name of each file beneath `folder` → its address, which a browser may keep for ever.

    The address holds a digest of all files, so that scripts and styles that name each other by relative paths lead to
    the same version.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.name.encode() + path.read_bytes())
    version = digest.hexdigest()[:10]
    names = (path.relative_to(folder).as_posix() for path in files)
    return {name: f"{STATIC_PATH}/{VERSION_MARK}{version}/{name}" for name in names}


def ago(moment: datetime, now: datetime) -> str:
    """How long before `now`: `5 min ago`; `just now` within a minute and in the future."""
    return i18n.before(now - moment)


def age(moment: datetime, now: datetime) -> str:
    """How long before `now`, where there is little room: `15h`, `6d`."""
    return i18n.age(now - moment)


def local_time(moment: datetime, zone: str | tzinfo) -> str:
    """`22 Nov 2026, 23:09` where the reader lives; UTC where `zone` is no name of the tz database."""
    return i18n.date_and_time(moment, _zone(zone))


def local_day(moment: datetime, zone: str | tzinfo) -> str:
    """`22 Nov 2026` where the reader lives."""
    return i18n.day(moment, _zone(zone))


def local_moment(moment: datetime, zone: str | tzinfo) -> str:
    """`22 Nov 2026, 23:09 CET`: the time where the reader lives, with the zone that holds there then."""
    return f"{local_time(moment, zone)} {moment.astimezone(_zone(zone)).tzname()}"


def local_minute(moment: datetime, zone: str | tzinfo) -> str:
    """`2026-11-22T23:09` where the reader lives, as `<input type=datetime-local>` has it (HTML, 2.3.5.5)."""
    return moment.astimezone(_zone(zone)).strftime("%Y-%m-%dT%H:%M")


def iso(moment: datetime) -> str:
    """For machines: RFC 3339 in UTC, to the second."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def size_in_words(size: int) -> str:
    """`820 bytes`, `1.4 MB`; a kB has 1024 bytes, as in file managers and in the limits on attachments."""
    if size == 1:
        return _("1 byte")
    step = min(max(size.bit_length() - 1, 0) // 10, len(_SIZES) - 1)
    return f"{i18n.number(round(size / 1024**step, 1))} {_(_SIZES[step])}"


def label(code: str) -> str:
    """A status, priority, channel or column as people say it: `waiting_on_customer` → `Waiting on customer`."""
    return _(LABELS.get(code) or code.removesuffix("_id").replace("_", " ").capitalize())


def key_name(key: str) -> str:
    """What stands on a key, or on several that are pressed together: `Mod+k` → `Ctrl/⌘ k`."""
    *held, last = key.split("+") if key[1:] else [key]
    return " ".join([*(KEYS.get(each, each) for each in held), KEYS.get(last, last)])


def file_kind(media_type: str) -> str:
    """`image/png` → `PNG image`; a type without a familiar name is given as it is."""
    main, _separator, sub = media_type.partition("/")
    if main in PLAYED_KINDS and sub:
        return _(PLAYED_KINDS[main]) % {"kind": sub.partition("+")[0].removeprefix("x-").upper()}
    return _(FILE_KINDS[media_type]) if media_type in FILE_KINDS else media_type


def initials(name: str) -> str:
    """First letters of the first and the last word, `?` where a name has no letter."""
    letters = [word[0] for word in re.findall(r"[^\W_]+", name)]
    return "".join(letters[:1] + letters[1:][-1:]).upper() or "?"


def with_status(query: str, status: str | None) -> str:
    """The query with its `status:` words replaced by one, or by none; everything else stays as it was typed."""
    kept = [word for word in _words(query) if not word.lstrip("-").startswith(_STATUS)]
    return " ".join([f"{_STATUS}{status}", *kept] if status else kept)


def only_status(query: str) -> str | None:
    """The one status that the query asks for; `""` when it asks for none, `None` when it asks for more than that."""
    asked = [word for word in _words(query) if word.lstrip("-").startswith(_STATUS)]
    if not asked:
        return ""
    first = asked[0].removeprefix(_STATUS)
    return first if len(asked) == 1 and first != asked[0] else None


def _words(query: str) -> list[str]:
    """Words of a query; quotation marks hold their content together."""
    return _WORD.findall(query)


def _zone(zone: str | tzinfo) -> tzinfo:
    if isinstance(zone, tzinfo):
        return zone
    try:
        return ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC
