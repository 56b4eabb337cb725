"""Saved views: queries with a name, that people come back to."""

from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from deskbell.accounts.models import Team, User
from deskbell.kernel.access import Allow
from deskbell.kernel.orm import Base, CreatedAt, Id, Str100, UpdatedAt, enum_column

OWN = "owner_id = (select deskbell_actor())"
IN_THE_TEAM = (
    "exists (select from team_members m"
    " where m.team_id = saved_views.team_id and m.user_id = (select deskbell_actor()))"
)
SHARED = f"shared_with = 'everyone' or (shared_with = 'team' and {IN_THE_TEAM})"


class Sharing(StrEnum):
    """Who sees a view beside its owner."""

    NOBODY = "nobody"
    TEAM = "team"
    EVERYONE = "everyone"


class SavedView(Base):
    """A query with a name, the columns of its list and an order among the views. For the desk alone.

    Its owner and administrators change it. `team_id` is set where it is shared with a team, and only there.
    """

    __tablename__ = "saved_views"
    __table_args__ = (
        Index("ix_saved_views_owner_id", "owner_id", "position"),
        Index("ix_saved_views_team_id", "team_id"),
        CheckConstraint("name <> ''", name="name"),
        CheckConstraint("(shared_with = 'team') = (team_id is not null)", name="team"),
        {
            "info": {
                "audit": "full",
                "access": (
                    Allow("admin system", "select insert update delete"),
                    Allow("readonly", "select"),
                    Allow("agent", "select", f"{OWN} or {SHARED}"),
                    Allow("agent", "insert update", OWN, check=f"{OWN} and (team_id is null or {IN_THE_TEAM})"),
                    Allow("agent", "delete", OWN),
                ),
            }
        },
    )

    id: Mapped[Id]
    name: Mapped[Str100]
    query: Mapped[str] = mapped_column(Text, server_default="")
    columns: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    sort: Mapped[str] = mapped_column(String(50), server_default="")
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    shared_with: Mapped[Sharing] = mapped_column(
        enum_column(Sharing, "shared_with"), server_default=Sharing.NOBODY.value
    )
    team_id: Mapped[int | None] = mapped_column(ForeignKey("teams.id"))
    position: Mapped[int] = mapped_column(server_default=text("0"))
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]

    owner: Mapped[User] = relationship(lazy="raise")
    team: Mapped[Team | None] = relationship(lazy="raise")
