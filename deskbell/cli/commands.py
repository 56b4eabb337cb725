"""How a command is declared: its path, its examples, and the options that every command has."""

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, ParamSpec

import typer

P = ParamSpec("P")
EVERYWHERE = "Options of every command"

DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        metavar="FOLDER",
        help="The embedded database, secrets and attachments. [dim](DESKBELL_DATA_DIR)[/]",
        rich_help_panel=EVERYWHERE,
    ),
]
Debug = Annotated[
    bool,
    typer.Option("--debug", help="Show where in the program an error arose.", rich_help_panel=EVERYWHERE),
]
Explain = Annotated[
    bool,
    typer.Option("--explain", help="Show the plan of each query, as PostgreSQL ran it.", rich_help_panel=EVERYWHERE),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead, for programs.")]
As = Annotated[
    str,
    typer.Option(
        "--as",
        metavar="EMAIL",
        help="Act as this person. [dim](DESKBELL_DEFAULT_ACTOR; otherwise the system)[/]",
        show_default=False,
    ),
]


@dataclass(frozen=True, slots=True)
class Invocation:
    """What this run of the program was asked for: which command, which data directory, whether to show plans."""

    path: str = ""
    data_dir: Path | None = None
    explain: bool = False

    @property
    def act(self) -> str:
        """How the audit log calls it."""
        return f"deskbell {self.path}".strip()


_invocation: ContextVar[Invocation] = ContextVar("deskbell_invocation", default=Invocation())  # noqa: B039 - frozen


def invocation() -> Invocation:
    """Return what was asked for."""
    return _invocation.get()


@contextmanager
def invoked(path: str, data_dir: Path | None, *, explain: bool = False) -> Iterator[None]:
    """Remember what was asked for; what is given to the program itself holds for its commands."""
    before = invocation()
    token = _invocation.set(Invocation(path, data_dir or before.data_dir, explain or before.explain))
    try:
        yield
    finally:
        _invocation.reset(token)


def group(summary: str, *examples: str) -> typer.Typer:
    """Make a group of commands."""
    text = _with_examples(summary, examples)
    return typer.Typer(help=text, no_args_is_help=True, rich_markup_mode="rich", add_completion=False)


def command(
    app: typer.Typer, path: str, *examples: str, dashes: bool = False
) -> Callable[[Callable[P, int | None]], Callable[P, int | None]]:
    """Add a function to `app` as `deskbell <path>`; it returns its exit code, None for 0. Each example is one line.

    With `dashes` an argument may begin with one, like -1.
    """

    def register(function: Callable[P, int | None]) -> Callable[P, int | None]:
        @wraps(function)
        def run(
            *,
            data_dir: Path | None = None,
            debug: bool = False,
            explain: bool = False,
            **given: Any,  # noqa: ANN401 - as the command declares
        ) -> int | None:
            del debug  # `main` looks for --debug
            with invoked(path, data_dir, explain=explain):
                return function(**given)  # type: ignore[call-arg]

        common = {"data_dir": (DataDir, None), "debug": (Debug, False), "explain": (Explain, False)}
        signature = inspect.signature(function)
        more = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
            for name, (annotation, default) in common.items()
        ]
        run.__signature__ = signature.replace(parameters=[*signature.parameters.values(), *more])  # type: ignore[attr-defined]
        run.__annotations__ = {**function.__annotations__, **{name: kind for name, (kind, _) in common.items()}}
        context = {"ignore_unknown_options": True} if dashes else None
        app.command(
            path.rsplit(maxsplit=1)[-1],
            context_settings=context,
            help=_with_examples(inspect.getdoc(function) or "", examples),
        )(run)
        return function

    return register


def _with_examples(text: str, examples: tuple[str, ...]) -> str:
    """Join the lines of each paragraph, as the terminal breaks them where it must, and append the examples."""
    paragraphs = text.split("\n\n")
    told = "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
    shown = "\n".join(f"  [cyan]{example.replace('[', chr(92) + '[')}[/]" for example in examples)
    return f"{told}\n\n[bold]Examples[/]\n{shown}" if examples else told
