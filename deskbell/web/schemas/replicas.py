"""Replicas, for administrators."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Self

from pydantic import Field

from deskbell.kernel.replica_states import ReplicaState
from deskbell.web.schemas.base import Output


class ReplicaOut(Output):
    """A replica as it was just now. What is not known of one that was not reached, or is no standby, is null."""

    name: str = Field(examples=["deskbell_app@replica.example.org:5432/deskbell"])
    is_reachable: bool
    is_standby: bool | None
    replayed: str | None = Field(description="Its position in the primary's log.", examples=["0/347AC10"])
    lag_bytes: int | None = Field(description="Of that log, what it had not replayed.", examples=[0])
    lag_seconds: float | None = Field(
        description="How long that took it since, or how old the last change is that it knows.", examples=[0.0]
    )
    problem: str | None = Field(description="Why it is not asked for figures; null: it is.")


class ReplicasOut(Output):
    """All replicas, in the order of the setting."""

    items: list[ReplicaOut]

    @classmethod
    def of(cls, states: Iterable[ReplicaState]) -> Self:
        """Present them."""
        return cls(items=[ReplicaOut(**asdict(state)) for state in states])
