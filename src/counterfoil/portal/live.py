"""What an open page is told of what others did meanwhile. [U-23; design guide 5.5, principle 10]"""

import msgspec

from counterfoil.order.shapes import FactShape
from counterfoil.portal import story
from counterfoil.portal.timeline import Facts

#: How many sentences the line has room for; what is more is counted.
SENTENCES_MAX = 2


class News(msgspec.Struct, frozen=True):
    """Who did what: the thin line on an open page, until its next news."""

    who: str
    said: str

    @property
    def text(self) -> str:
        """The line as it is announced."""
        return f"{self.who}: {self.said}"


def news_since(facts: Facts, version: int, actor_id: str, names: dict[str, str]) -> News | None:
    """Tell what others did after a version, a person's doings before the system's.

    None where nobody else did anything: one's own doings are known. `names`: states by code.
    """
    others = [
        fact
        for fact in reversed(facts.facts)
        if fact.sequence > version and fact.actor.get("id") != actor_id
    ]
    if not others:
        return None
    by_people = [fact for fact in others if fact.actor.get("kind") == "user"]
    chief = story.who((by_people or others)[-1].actor)
    own = [fact for fact in others if story.who(fact.actor) == chief]
    said = list(dict.fromkeys(_sentence(fact, names) for fact in own))
    told = said[:SENTENCES_MAX]
    more = len(said) - len(told) + len(others) - len(own)
    if more:
        told.append(f"and {more} more {'change' if more == 1 else 'changes'}")
    return News(chief, " · ".join(told))


def _sentence(fact: FactShape, names: dict[str, str]) -> str:
    return story.tell(fact, names).sentence
