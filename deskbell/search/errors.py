"""What can go wrong with saved views and the language of the search, and which constraints say so."""

from deskbell.kernel.errors import ConstraintErrors, InvalidError, NotFoundError


class NoSuchViewError(NotFoundError):
    """There is no such view."""

    code = "no_such_view"


CONSTRAINT_ERRORS: ConstraintErrors = {
    "ck_saved_views_name": lambda: InvalidError("A view needs a name.", field="name"),
    "ck_saved_views_team": lambda: InvalidError("A view for a team needs the team.", field="team_id"),
    "fk_saved_views_team_id": lambda: InvalidError("There is no such team.", field="team_id"),
}
