"""People, organizations, teams, tokens and log-in."""

from datetime import UTC, datetime
from typing import Annotated, Literal, Self
from zoneinfo import available_timezones

from pydantic import AfterValidator, AwareDatetime, ConfigDict, Field

from deskbell.accounts.login import Identity
from deskbell.accounts.models import ApiToken, Organization, Person, Role, Team, User
from deskbell.accounts.passwords import MAXIMUM_LENGTH, MINIMUM_LENGTH
from deskbell.web.schemas.base import EXAMPLE_TIME, Flag, Id, Input, Output, Str100, Str255, Text, absent


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("not a name of the tz database, such as Europe/Berlin")
    return name


Zone = Annotated[Text, Field(max_length=64, examples=["Europe/Berlin"]), AfterValidator(_known_zone)]
Locale = Annotated[str, Field(max_length=35, pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$", examples=["en"])]
Email = Annotated[Text, Field(min_length=3, max_length=254, examples=["anna@example.com"])]
Name = Annotated[Text, Field(max_length=255, examples=["Anna Example"])]
Password = Annotated[
    Text, Field(min_length=MINIMUM_LENGTH, max_length=MAXIMUM_LENGTH, examples=["correct horse battery"])
]


class PersonOut(Output):
    """What may be known of somebody. The address of others is null for customers."""

    id: int = Field(examples=[42])
    full_name: str = Field(examples=["Anna Example"])
    email: str | None = Field(examples=["anna@example.com"])
    is_staff: bool = Field(examples=[False])

    @classmethod
    def of(cls, person: Person | None) -> Self | None:
        """Present a person, or nobody."""
        if person is None:
            return None
        return cls(id=person.id, full_name=person.full_name, email=person.email, is_staff=person.is_staff)


class UserOut(Output):
    """A person as the desk sees them, or as they see themselves."""

    model_config = ConfigDict(from_attributes=True)

    id: int = Field(examples=[42])
    email: str = Field(examples=["anna@example.com"])
    full_name: str = Field(examples=["Anna Example"])
    role: Role = Field(examples=["customer"])
    is_active: bool
    organization_id: int | None
    locale: str = Field(examples=["en"])
    time_zone: str = Field(examples=["Europe/Berlin"])
    created_at: datetime = Field(examples=[EXAMPLE_TIME])
    updated_at: datetime = Field(examples=[EXAMPLE_TIME])
    last_login: datetime | None = Field(examples=[EXAMPLE_TIME])

    @classmethod
    def of(cls, user: User) -> Self:
        """Present a user."""
        return cls.model_validate(user)


class MeOut(Output):
    """Who you are to the API."""

    id: int = Field(examples=[7])
    email: str = Field(examples=["agent@example.com"])
    full_name: str = Field(examples=["Alex Agent"])
    role: Role = Field(examples=["agent"])
    time_zone: str = Field(examples=["UTC"])
    scopes: list[str] = Field(description="Of the token; empty allows everything that you may do.", examples=[["read"]])

    @classmethod
    def of(cls, me: Identity) -> Self:
        """Present the caller."""
        return cls(
            id=me.user_id,
            email=me.email,
            full_name=me.full_name,
            role=me.role,
            time_zone=me.time_zone,
            scopes=list(me.scopes),
        )


class UserIn(Input):
    """A new person."""

    email: Email
    full_name: Name = ""
    role: Role = Role.CUSTOMER
    organization_id: Id | None = None
    time_zone: Zone = "UTC"
    password: Password | None = Field(None, description="Without one they cannot log in to the pages.")


class UserChange(Input):
    """What changes about a person; what is left out stays. Role and activity are for administrators."""

    email: Email = Field(default_factory=absent)
    full_name: Name = Field(default_factory=absent)
    role: Role = Field(default_factory=absent)
    is_active: Flag = Field(default_factory=absent)
    organization_id: Id | None = None
    locale: Locale = Field(default_factory=absent)
    time_zone: Zone = Field(default_factory=absent)


class MeChange(Input):
    """What you can change about yourself."""

    full_name: Name = Field(default_factory=absent)
    locale: Locale = Field(default_factory=absent)
    time_zone: Zone = Field(default_factory=absent)


class OrganizationOut(Output):
    """A customer's company."""

    model_config = ConfigDict(from_attributes=True)

    id: int = Field(examples=[3])
    name: str = Field(examples=["Example Bank"])
    shares_tickets: bool = Field(description="Whether its members see each other's tickets.")
    created_at: datetime = Field(examples=[EXAMPLE_TIME])
    updated_at: datetime = Field(examples=[EXAMPLE_TIME])

    @classmethod
    def of(cls, organization: Organization) -> Self:
        """Present an organization."""
        return cls.model_validate(organization)


class OrganizationIn(Input):
    """A new organization."""

    name: Str255 = Field(examples=["Example Bank"])
    shares_tickets: Flag = False


class OrganizationChange(Input):
    """What changes about an organization; what is left out stays."""

    name: Str255 = Field(default_factory=absent, examples=["Example Bank"])
    shares_tickets: Flag = Field(default_factory=absent)


class TeamOut(Output):
    """A group of agents."""

    model_config = ConfigDict(from_attributes=True)

    id: int = Field(examples=[5])
    name: str = Field(examples=["Cards"])
    description: str = Field(examples=["Lost, late and broken cards"])
    created_at: datetime = Field(examples=[EXAMPLE_TIME])
    updated_at: datetime = Field(examples=[EXAMPLE_TIME])

    @classmethod
    def of(cls, team: Team) -> Self:
        """Present a team."""
        return cls.model_validate(team)


class TeamIn(Input):
    """A new team."""

    name: Str255 = Field(examples=["Cards"])
    description: Annotated[Text, Field(max_length=1000)] = ""


class TokenOut(Output):
    """An API token. Its secret cannot be read again; `hint` is how it begins."""

    model_config = ConfigDict(from_attributes=True)

    id: int = Field(examples=[11])
    name: str = Field(examples=["nightly export"])
    hint: str = Field(examples=["dbt_9f2c"])
    scopes: list[str] = Field(examples=[["read"]])
    created_at: datetime = Field(examples=[EXAMPLE_TIME])
    expires_at: datetime | None = Field(examples=[EXAMPLE_TIME])
    revoked_at: datetime | None = Field(examples=[None])

    @classmethod
    def of(cls, token: ApiToken) -> Self:
        """Present a token."""
        return cls.model_validate(token)


class NewTokenOut(TokenOut):
    """A token that was just made, with its secret: this once, and null when the answer is repeated."""

    secret: str | None = Field(None, examples=["dbt_Zx0…"])


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("This moment is outside of the years 1 to 9999 in UTC.") from None


class TokenIn(Input):
    """A new API token for yourself."""

    name: Str100 = Field(examples=["nightly export"])
    scopes: list[Literal["read", "mail"]] = Field(
        [],
        max_length=2,
        description="Empty: whatever you may do yourself. `read` changes nothing, `mail` delivers mail.",
    )
    expires_at: Annotated[AwareDatetime, AfterValidator(_in_utc)] | None = Field(None, examples=[EXAMPLE_TIME])


class LoginIn(Input):
    """Log in with a password."""

    email: Annotated[Text, Field(max_length=254, examples=["anna@example.com"])]
    password: Annotated[Text, Field(max_length=MAXIMUM_LENGTH, examples=["correct horse battery"])]


class LoginOut(Output):
    """You are logged in: the session is in the cookie. Send the CSRF token as `X-CSRF-Token` with every change."""

    csrf_token: str = Field(examples=["p0Ge…"])
    expires_at: datetime = Field(examples=[EXAMPLE_TIME])
