"""What can go wrong with people, and which constraints say so."""

from typing import ClassVar

from deskbell.kernel.errors import ConflictError, ConstraintErrors, InvalidError, UnauthenticatedError


class EmailTakenError(ConflictError):
    """Somebody with this e-mail address exists already."""

    code = "email_taken"


class NameTakenError(ConflictError):
    """This name is taken."""

    code = "name_taken"


class WrongCredentialsError(UnauthenticatedError):
    """E-mail address or password is wrong."""

    code: ClassVar[str] = "wrong_credentials"


CONSTRAINT_ERRORS: ConstraintErrors = {
    "uq_users_email": EmailTakenError,
    "uq_organizations_name": lambda: NameTakenError("There is an organization of this name already."),
    "uq_teams_name": lambda: NameTakenError("There is a team of this name already."),
    "fk_users_organization_id": lambda: InvalidError("There is no such organization.", field="organization_id"),
    "fk_team_members_team_id": lambda: InvalidError("There is no such team.", field="team_id"),
    "fk_team_members_user_id": lambda: InvalidError("There is no such user.", field="user_id"),
    "pk_team_members": lambda: ConflictError("They are in this team already."),
    "ck_users_email_form": lambda: InvalidError("This is not an e-mail address.", field="email"),
}
