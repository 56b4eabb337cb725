"""Tables of people, organizations, teams, API tokens and log-in sessions."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Computed, ForeignKey, Index, LargeBinary, String, Text, func, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from deskbell.kernel.access import OWN_ROWS, Allow
from deskbell.kernel.orm import CLOCK, Base, CreatedAt, Id, Str100, Str255, UpdatedAt, enum_column

HASHES = ("password_hash",)


class Role(StrEnum):
    """What a person is to the desk."""

    CUSTOMER = "customer"
    AGENT = "agent"
    ADMIN = "admin"


class Organization(Base):
    """A customer's company. Where it shares its tickets, its members see each other's."""

    __tablename__ = "organizations"
    __table_args__ = (
        Index("uq_organizations_name", func.lower(text("name")), unique=True),
        {
            "info": {
                "audit": "full",
                "access": (
                    Allow("agent admin system", "select insert update"),
                    Allow("readonly", "select"),
                    Allow("customer", "select", "id = (select deskbell_organization())"),
                ),
            }
        },
    )

    id: Mapped[Id]
    name: Mapped[Str255]
    shares_tickets: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]


class User(Base):
    """A person: customer, agent or administrator.

    People are deactivated or anonymised, never deleted: nobody holds the DELETE privilege. `password_hash` can be
    selected by the system alone and is loaded only when asked for.
    """

    __tablename__ = "users"
    __table_args__ = (
        Index("uq_users_email", func.lower(text("email")), unique=True),
        Index("ix_users_organization_id", "organization_id"),
        Index(
            "ix_users_full_name",
            func.lower(text("full_name")).label("lowered"),
            postgresql_ops={"lowered": "text_pattern_ops"},
        ),
        CheckConstraint("email = btrim(email) and position('@' in email) > 1", name="email_form"),
        {
            "info": {
                "audit": "full",
                "access": (
                    Allow("system", "select insert update"),
                    Allow("admin", "select", but=HASHES),
                    Allow("admin", "insert update"),
                    Allow("readonly agent", "select", but=HASHES),
                    Allow("agent", "insert", check="role = 'customer'", but=HASHES),
                    Allow(
                        "agent",
                        "update",
                        "role = 'customer' or id = (select deskbell_actor())",
                        columns=("email", "full_name", "organization_id", "locale", "time_zone"),
                    ),
                    Allow("customer", "select", "id = (select deskbell_actor())", but=HASHES),
                    Allow(
                        "customer",
                        "update",
                        "id = (select deskbell_actor())",
                        columns=("full_name", "locale", "time_zone"),
                    ),
                ),
            }
        },
    )

    id: Mapped[Id]
    email: Mapped[Str255]
    full_name: Mapped[Str255] = mapped_column(String(255), server_default="")
    role: Mapped[Role] = mapped_column(enum_column(Role, "role"), server_default=Role.CUSTOMER.value)
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))
    is_staff: Mapped[bool] = mapped_column(Computed("role <> 'customer'", persisted=True))
    password_hash: Mapped[str | None] = mapped_column(
        String(255), deferred=True, deferred_raiseload=True, info={"audit": "secret"}
    )
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organizations.id"))
    locale: Mapped[str] = mapped_column(String(35), server_default="en")
    time_zone: Mapped[str] = mapped_column(String(64), server_default="UTC")
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]
    last_login: Mapped[datetime | None]

    organization: Mapped[Organization | None] = relationship(lazy="raise")
    teams: Mapped[list["Team"]] = relationship(
        secondary="team_members", back_populates="members", lazy="raise", viewonly=True
    )


class Person(Base):
    """What may be known of somebody: a view, in which a customer reads names but nobody's address but their own."""

    __tablename__ = "people"
    __table_args__ = ({"info": {"view": True}},)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    full_name: Mapped[str]
    is_staff: Mapped[bool]
    email: Mapped[str | None]


class Team(Base):
    """A group of agents that tickets can be given to."""

    __tablename__ = "teams"
    __table_args__ = (
        Index("uq_teams_name", func.lower(text("name")), unique=True),
        {
            "info": {
                "audit": "full",
                "access": (
                    Allow("admin system", "select insert update"),
                    Allow("agent readonly", "select"),
                ),
            }
        },
    )

    id: Mapped[Id]
    name: Mapped[Str255]
    description: Mapped[str] = mapped_column(Text, server_default="")
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]

    members: Mapped[list[User]] = relationship(
        secondary="team_members", back_populates="teams", lazy="raise", viewonly=True
    )


class TeamMember(Base):
    """Somebody is in a team."""

    __tablename__ = "team_members"
    __table_args__ = (
        Index("ix_team_members_user_id", "user_id"),
        {
            "info": {
                "audit": "full",
                "access": (
                    Allow("admin system", "select insert delete"),
                    Allow("agent readonly", "select"),
                ),
            }
        },
    )

    team_id: Mapped[int] = mapped_column(ForeignKey("teams.id"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    created_at: Mapped[CreatedAt]


class ApiToken(Base):
    """A key to the API. Only its SHA-256 is kept, so it can be shown once, when it is made."""

    __tablename__ = "api_tokens"
    __table_args__ = (
        Index("uq_api_tokens_token_hash", "token_hash", unique=True),
        Index("ix_api_tokens_user_id", "user_id"),
        {
            "info": {
                "audit": "full",
                "access": (
                    Allow("system", "select insert update"),
                    Allow("admin readonly", "select", but=("token_hash",)),
                    Allow("admin", "insert"),
                    Allow("admin", "update", columns=("name", "revoked_at")),
                    Allow("agent customer", "select", OWN_ROWS, but=("token_hash",)),
                    Allow("agent customer", "insert", OWN_ROWS),
                    Allow("agent customer", "update", OWN_ROWS, columns=("name", "revoked_at")),
                ),
            }
        },
    )

    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    name: Mapped[Str100]
    token_hash: Mapped[bytes] = mapped_column(
        LargeBinary(32), deferred=True, deferred_raiseload=True, info={"audit": "secret"}
    )
    hint: Mapped[str] = mapped_column(String(16))
    scopes: Mapped[list[str]] = mapped_column(ARRAY(String(50)), server_default=text("'{}'"))
    created_at: Mapped[CreatedAt]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    user: Mapped[User] = relationship(lazy="raise")


class LoginSession(Base):
    """Somebody is logged in with a browser."""

    __tablename__ = "login_sessions"
    __table_args__ = (
        Index("uq_login_sessions_token_hash", "token_hash", unique=True),
        Index("ix_login_sessions_user_id", "user_id"),
        Index("ix_login_sessions_expires_at", "expires_at"),
        {
            "info": {
                "audit": "full",
                "access": (
                    Allow("system", "select insert update delete"),
                    Allow("admin", "select delete", but=("token_hash",)),
                    Allow("agent customer", "select delete", OWN_ROWS, but=("token_hash",)),
                ),
            }
        },
    )

    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    token_hash: Mapped[bytes] = mapped_column(
        LargeBinary(32), deferred=True, deferred_raiseload=True, info={"audit": "secret"}
    )
    address: Mapped[str] = mapped_column(String(64), server_default="")
    user_agent: Mapped[str] = mapped_column(String(255), server_default="")
    created_at: Mapped[CreatedAt]
    expires_at: Mapped[datetime] = mapped_column(server_default=CLOCK)


def display_name(person: Any) -> str:  # noqa: ANN401 - User, Person or a row with the same names
    """Return what to call somebody: the name, else the part of the address before the @."""
    return person.full_name or (person.email or "").partition("@")[0] or f"#{person.id}"
