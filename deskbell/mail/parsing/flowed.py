"""Text whose lines a program broke for the way (RFC 3676): put together again."""

from deskbell.mail.parsing.headers import Headers, tolerant


def unwrapped(headers: Headers, text: str) -> str:
    """Return `text`, with its soft line breaks undone if the headers say that it is `format=flowed`."""
    flowed = tolerant(lambda: str(headers.get_param("format") or ""), "").lower() == "flowed"
    if not flowed:
        return text
    delete_space = tolerant(lambda: str(headers.get_param("delsp") or ""), "").lower() == "yes"
    return _joined(text.split("\n"), delete_space=delete_space)


def _joined(lines: list[str], *, delete_space: bool) -> str:
    done: list[str] = []
    paragraph: list[str] = []
    depth = 0
    for line in lines:
        content = line.lstrip(">")
        line_depth = len(line) - len(content)
        content = content.removeprefix(" ")  # space-stuffing
        if paragraph and line_depth != depth:  # 4.5: a paragraph ends where the depth of the quote changes
            done.append(_quoted(depth, "".join(paragraph)))
            paragraph = []
        depth = line_depth
        soft = content.endswith(" ") and content != "-- "
        paragraph.append(content[:-1] if soft and delete_space else content)
        if not soft:
            done.append(_quoted(depth, "".join(paragraph)))
            paragraph = []
    if paragraph:
        done.append(_quoted(depth, "".join(paragraph)))
    return "\n".join(done)


def _quoted(depth: int, text: str) -> str:
    return f"{'>' * depth} {text}" if depth else text
