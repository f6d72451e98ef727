"""What is said in the sample world: a session's questions, the assistant's answers, the users' comments."""

from __future__ import annotations

import re
from random import Random

from feedback_lab.sample import phrases
from feedback_lab.sample.texts import TOPICS, Intent
from feedback_lab.sample.words import Writer

# How often a fault appears in a bad answer, beside the intent's own factual fault.
FAULTS = {
    "ignored_question": 2.0,
    "too_vague": 1.4,
    "broken_link": 1.3,
    "too_long": 1.2,
    "false_action": 1.2,
    "no_human": 1.0,
    "forgets_context": 2.4,
    "wrong_language": 0.9,
}
FACTS = {"outdated_fee": 4.0, "old_menu": 4.5, "wrong_limit": 5.5, "wrong_hours": 28.0}
# What the assistant may name although the user has not.
ASSISTANTS_OWN = ("minutes", "days", "card", "about", "slug", "goal")
_SENTENCE_START = re.compile(r"(?:^|[.!?] )[a-z]")


class Talk:
    """One session's conversation: remembers the topic, what was asked, and the amounts and places named."""

    def __init__(self, rng: Random, plan_name: str, german_locale: bool, carelessness: float) -> None:
        self._rng = rng
        self._writer = Writer(rng, phrases.SLOTS, phrases.LINKED)
        self._german_locale = german_locale
        self._carelessness = carelessness
        self._kept = {"plan": plan_name, "other_plan": "Plus" if plan_name != "Plus" else "Business"}
        self._chosen = dict(self._kept)
        self._asked: list[str] = []
        self.topic = ""
        self.intent_name = ""
        self._intent: Intent | None = None
        self.rephrased = False

    @property
    def intent(self) -> Intent:
        """The intent of the latest question."""
        if self._intent is None:
            raise LookupError("nothing has been asked yet")
        return self._intent

    def question(self, topic: str, previous_was_bad: bool) -> str:
        """The next question, in the words and with the care of this user; sets `topic`, `intent`, `rephrased`."""
        rng = self._rng
        self.rephrased = False
        if topic != self.topic:
            prefix = rng.choice(phrases.CHANGES_OF_SUBJECT) if self.topic else self._opener()
            self._chosen = dict(self._kept)
            self.topic = topic
            self._ask_new()
        elif previous_was_bad and rng.random() < 0.45:
            self.rephrased = True
            prefix = rng.choice(phrases.REPHRASINGS)
        else:
            prefix = rng.choice(phrases.ACKNOWLEDGEMENTS) if rng.random() < 0.35 and not previous_was_bad else ""
            if not (rng.random() < 0.6 and self._ask_followup()):
                self._ask_new()
        text = self._writer.expand(rng.choice(self.intent.questions), self._chosen)
        text = _join(prefix, _sentence(text))
        if rng.random() < 0.13 and text[-1] in ".?!":
            text += rng.choice(phrases.CLOSERS)
        return self._writer.typed(text, self._carelessness)

    def _opener(self) -> str:
        return self._rng.choice(phrases.OPENERS) if self._rng.random() < 0.4 else ""

    def _ask_new(self) -> None:
        """Turn to an intent of the topic that was not asked yet (to any, when all were)."""
        intents = TOPICS[self.topic].intents
        fresh = [name for name in intents if name not in self._asked] or list(intents)
        self.intent_name = self._rng.choices(fresh, [intents[name].weight for name in fresh])[0]
        self._intent = intents[self.intent_name]
        self._asked.append(self.intent_name)

    def _ask_followup(self) -> bool:
        fresh = [each for each in TOPICS[self.topic].followups if each.questions[0] not in self._asked]
        if not fresh:
            return False
        self._intent = self._rng.choices(fresh, [each.weight for each in fresh])[0]
        self.intent_name = ""
        self._asked.append(self._intent.questions[0])
        return True

    def pick_fault(self, turn: int) -> str:
        """A fault that a bad answer to the current question may have, by name of its complaint."""
        weights = dict(FAULTS)
        if turn == 1:
            del weights["forgets_context"]
        weights["wrong_language"] *= 2.2 if self._german_locale else 0.4
        if self.topic == "contact":
            weights["no_human"] *= 2
        if self.intent.fault:
            weights[self.intent.fault] = FACTS[self.intent.fault]
        return self._rng.choices(list(weights), list(weights.values()))[0]

    def answer(self, fault: str) -> str:
        """The assistant's answer to the current question; with `fault` (a complaint's name) it shows that fault."""
        replacement = self._faulty(fault)
        if replacement:
            return replacement
        template = self._writer.choose_fitting(self.intent.answers, {*self._chosen, *ASSISTANTS_OWN})
        good = self._reply(template, wrong=bool(fault) and fault == self.intent.fault)
        if fault == "too_long":
            before, after = self._rng.choice(phrases.PADDING_BEFORE), self._rng.choice(phrases.PADDING_AFTER)
            return f"{self._reply(before)}\n\n{good}\n\n{self._reply(after)}"
        if fault == "broken_link":
            return f"{good} {self._reply(self._rng.choice(phrases.INVENTED_LINKS))}"
        if not fault and self._rng.random() < 0.12:
            return f"{good} {self._reply(phrases.GOOD_LINK)}"
        return good

    def _faulty(self, fault: str) -> str:
        """The whole answer where the fault replaces it, else nothing."""
        topic, rng = TOPICS[self.topic], self._rng
        if fault == "ignored_question":
            others = [each for each in topic.intents.values() if each is not self.intent]
            return self._reply(rng.choice(rng.choice(others).answers))
        if fault == "false_action":
            return self._reply(f"[Done.|All set.|Certainly.] {topic.action}[ Is there anything else?|]")
        templates = {
            "too_vague": phrases.VAGUE,
            "no_human": phrases.NO_HUMAN,
            "forgets_context": phrases.ASKS_AGAIN,
            "wrong_language": (topic.german,),
        }
        return self._reply(rng.choice(templates[fault])) if fault in templates else ""

    def _reply(self, template: str, *, wrong: bool = False) -> str:
        """The assistant's words."""
        text = self._expand(template, wrong=wrong, replies=True)
        return _SENTENCE_START.sub(lambda match: match[0].upper(), text)

    def _expand(self, template: str, *, wrong: bool = False, replies: bool = False) -> str:
        chosen = self._chosen
        chosen["about"] = self._writer.expand(TOPICS[self.topic].about, chosen)
        chosen["slug"] = TOPICS[self.topic].slug
        return self._writer.expand(template, chosen, wrong=wrong, replies=replies)

    def entry_text(self, answer: str) -> str:
        """The answer where the assistant follows a knowledge entry."""
        return self._reply(f"[Sure.|Good question.|||] {answer}[ Is there anything else?||||]")

    def suggestion(self) -> str:
        """The better answer as a user writes it: the right facts in one or two sentences."""
        answer = self._reply(self._rng.choice(self.intent.answers))
        sentences = [sentence for sentence in answer.split(". ") if " " in sentence]
        short = ". ".join(sentences[: self._rng.choice((1, 1, 2))]).rstrip(".") + "."
        return self._writer.typed(short, self._carelessness * 0.5)

    def edited(self, draft: str) -> str:
        """A draft after the user's hand: another ending, sometimes fewer words."""
        body = draft.split("'", 1)[-1].rstrip("'").removesuffix("Kind regards")
        closing = self._expand(self._rng.choice(phrases.EDIT_CLOSERS))
        return f"{body.strip()} {closing}"

    def complaint(self, fault: str) -> str:
        """A comment that complains of `fault`, in one of very many wordings."""
        rng = self._rng
        text = _sentence(self._expand(rng.choice(phrases.COMPLAINTS[fault])))
        if rng.random() < 0.16:
            text = _join(self._expand(rng.choice(phrases.COMMENT_OPENERS)) + " ", text)
        if rng.random() < 0.15:
            text = f"{text.rstrip('.?!')}. {_sentence(self._expand(rng.choice(phrases.COMPLAINTS[fault])))}"
        if rng.random() < 0.15:
            closer = rng.choice(phrases.COMMENT_CLOSERS)
            text += closer if closer.startswith("!") or not text[-1].isalnum() else f".{closer}"
        return self._writer.typed(text, self._carelessness + 0.12)

    def grumble(self) -> str:
        """A comment that says no more than that the answer was bad."""
        return self._rng.choice(phrases.LOW_INFORMATION)

    def praise(self) -> str:
        """A short friendly comment."""
        return self._writer.typed(self._expand(self._rng.choice(phrases.PRAISE)), self._carelessness)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _join(prefix: str, text: str) -> str:
    """`text` after `prefix`, going on in lower case after a comma or colon."""
    if prefix.rstrip().endswith((",", ":")) or prefix in ("Sorry but ", "Unfortunately "):
        starts_with_name = text.startswith(("I ", "I'", "Fernway", "PIN", "SMS")) or text[1:2].isupper()
        return prefix + (text if starts_with_name else text[:1].lower() + text[1:])
    return prefix + text
