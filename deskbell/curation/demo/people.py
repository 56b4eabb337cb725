"""The people of the made-up desk: agents in teams, customers in companies, and the tags."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from deskbell.accounts.models import Role
from deskbell.curation.demo.language import Language
from deskbell.tickets.labels import ensure_tags

DOMAIN = ".example"
"""All addresses end so, which no real one does (RFC 2606): by it a made-up ticket is known."""
_AGENTS = 40
_SPARE_TAGS = (
    "vip", "follow-up", "escalated", "duplicate", "waiting-for-carrier", "waiting-for-parts", "first-order", "reseller",
    "school", "public-sector", "christmas", "black-friday", "summer-sale", "newsletter", "phone-call", "translation",
    "spam", "legal",
)  # fmt: skip
_MEMBERS = 0.7  # share of customers who belong to a company


@dataclass(frozen=True, slots=True)
class Agent:
    """Somebody of the desk."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Customer:
    """Somebody who asks."""

    id: int
    organization_id: int | None
    name: str
    given: str


@dataclass(frozen=True, slots=True)
class Team:
    """A team and its agents, the busiest first."""

    id: int
    members: Sequence[Agent]


@dataclass(frozen=True, slots=True)
class People:
    """Everybody, by id; the most active first. `agent` and `customer` are the addresses of the first ones."""

    customers: Sequence[Customer]
    teams: Mapping[str, Team]
    tags: Mapping[str, int]
    agent: str
    customer: str


@dataclass(frozen=True, slots=True)
class _Person:
    name: str
    email: str
    company: int | None = None

    @property
    def given(self) -> str:
        return self.name.partition(" ")[0]


_REAL = text(
    f"select exists (select from users u where lower(u.email) not like '%{DOMAIN}'"  # noqa: S608 - a constant
    " and exists (select from tickets t where t.creator_id = u.id))"
)


def has_real_tickets(session: Session) -> bool:
    """Whether anybody but made-up people has asked something here."""
    return bool(session.scalar(_REAL))


def tag_names(language: Language) -> tuple[str, ...]:
    """Return all tags, the most frequent first."""
    return tuple(dict.fromkeys((*(tag for topic in language.topics for tag in topic.tags), *_SPARE_TAGS)))


def settle(session: Session, language: Language, seed: int, tickets: int) -> People:
    """Make everybody that this many tickets need, or find those who are there already by address and name."""
    chance = Random(f"people {seed}")  # noqa: S311 - made-up data
    companies = _companies(language, chance, min(max(tickets // 60, 4), 8000))
    customers = _customers(language, chance, companies, min(max(tickets // 12, 10), 50_000))
    agents = [_person(language, chance, number, f"desk{DOMAIN}") for number in range(_AGENTS)]
    organizations = _named(session, _ORGANIZATIONS, companies)
    staff = _added(session, agents, Role.AGENT, {})
    ids = _added(
        session, customers, Role.CUSTOMER, {number: organizations[name] for number, name in enumerate(companies)}
    )
    return People(
        [
            Customer(ids[p.email], None if p.company is None else organizations[companies[p.company]], p.name, p.given)
            for p in customers
        ],
        _teams(session, language, [Agent(staff[agent.email], agent.name) for agent in agents]),
        ensure_tags(session, list(tag_names(language))),
        agents[0].email,
        customers[0].email,
    )


def _companies(language: Language, chance: Random, count: int) -> list[str]:
    names: dict[str, str] = {}
    while len(names) < count:
        name = language.vocabulary.company()
        if name.lower() in names:
            name = f"{name} {1 + int(9000 * chance.random())}"
        names.setdefault(name.lower(), name)
    return list(names.values())


def _customers(language: Language, chance: Random, companies: Sequence[str], count: int) -> list[_Person]:
    people = []
    for number in range(count):
        if chance.random() < _MEMBERS:
            company = int((len(companies) + 1) ** chance.random()) - 1
            domain = "".join(filter(str.isalnum, companies[company].lower())) + DOMAIN
            people.append(_person(language, chance, number, domain.encode("ascii", "ignore").decode(), company))
        else:
            people.append(_person(language, chance, number, f"mail{DOMAIN}"))
    return people


def _person(language: Language, chance: Random, number: int, domain: str, company: int | None = None) -> _Person:
    """Make somebody; the number in the address keeps namesakes apart."""
    vocabulary = language.vocabulary
    name = (
        f"{vocabulary.given[int(len(vocabulary.given) * chance.random())]} "
        + vocabulary.surnames[int(len(vocabulary.surnames) * chance.random())]
    )
    plain = name.encode("ascii", "ignore").decode().lower().replace(" ", ".").strip(".")
    return _Person(name, f"{plain}.{number + 1}@{domain}", company)


_ORGANIZATIONS = "organizations"
_TEAMS = "teams"
_ADD_NAMES = {
    _ORGANIZATIONS: text(
        "insert into organizations (name) select unnest(cast(:names as text[])) on conflict do nothing"
    ),
    _TEAMS: text("insert into teams (name) select unnest(cast(:names as text[])) on conflict do nothing"),
}
_FIND_NAMES = {
    _ORGANIZATIONS: text("select lower(name), id from organizations where lower(name) = any(cast(:names as text[]))"),
    _TEAMS: text("select lower(name), id from teams where lower(name) = any(cast(:names as text[]))"),
}
_ADD_PEOPLE = text("""
insert into users (email, full_name, role, organization_id)
select email, name, :role, company
  from unnest(cast(:emails as text[]), cast(:names as text[]), cast(:companies as bigint[])) as p (email, name, company)
on conflict do nothing
""")
_FIND_PEOPLE = text("select email, id from users where lower(email) = any(cast(:emails as text[]))")
_ADD_MEMBERS = text("""
insert into team_members (team_id, user_id)
select * from unnest(cast(:teams as bigint[]), cast(:users as bigint[])) on conflict do nothing
""")


def _named(session: Session, table: str, names: Sequence[str]) -> dict[str, int]:
    session.execute(_ADD_NAMES[table], {"names": list(names)})
    found = _pairs(session, _FIND_NAMES[table], names=[name.lower() for name in names])
    return {name: found[name.lower()] for name in names}


def _added(session: Session, people: Sequence[_Person], role: Role, organizations: Mapping[int, int]) -> dict[str, int]:
    emails = [person.email for person in people]
    companies = [None if person.company is None else organizations[person.company] for person in people]
    values = {"emails": emails, "names": [person.name for person in people], "companies": companies, "role": role.value}
    session.execute(_ADD_PEOPLE, values)
    return _pairs(session, _FIND_PEOPLE, emails=emails)


def _pairs(session: Session, query: TextClause, **values: object) -> dict[str, int]:
    return {name: number for name, number in session.execute(query, values)}  # noqa: C416 - Row


def _teams(session: Session, language: Language, agents: Sequence[Agent]) -> dict[str, Team]:
    """Deal the agents out; everybody is in one team."""
    names = list(dict.fromkeys(topic.team for topic in language.topics))
    ids = _named(session, _TEAMS, names)
    members = {name: agents[number :: len(names)] for number, name in enumerate(names)}
    pairs = [(ids[name], agent.id) for name in names for agent in members[name]]
    session.execute(_ADD_MEMBERS, {"teams": [team for team, _ in pairs], "users": [user for _, user in pairs]})
    return {name: Team(ids[name], members[name]) for name in names}
