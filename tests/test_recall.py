"""Recall: the entry that answers the question comes first, without a threshold."""

import pytest

from feedback_lab.recall import recall
from feedback_lab.records import Entry, EntryStatus

QUESTIONS = """
How do I reset my password?|Where is my parcel?|Can I pay by invoice?|How do I cancel my plan?|What does shipping cost?
Do you deliver abroad?|How do I change my address?|Is there a student discount?|Can I return worn shoes?
When is the office open?|How do I export my data?|Which browsers work?|Can I share my account?|How long is the warranty?
Do you have an app?|How do I contact support?|Why was my card declined?|Can I change my order?|Is my data encrypted?
How do I add a colleague?|What is the refund period?|Are gift cards refundable?|Can I pause my plan?
Where do I find my invoice?|How do I delete my account?|Does the price include tax?|Is smoking allowed in the park?
Do I need a visa for Portugal?|When is the library open on Sundays?|How do I book a tennis court?
"""


def entries(*questions: str, answer: str = "See the help page.") -> list[Entry]:
    return [Entry(f"k{number}", question, answer) for number, question in enumerate(questions)]


def thirty() -> list[Entry]:
    return entries(*(part.strip() for part in QUESTIONS.replace("\n", "|").split("|") if part.strip()))


def test_the_playground_is_found_among_thirty_other_entries() -> None:
    playground = Entry("play", "May children go to the playground?", "Yes, since June, in groups of up to six.")
    hits = recall([*thirty(), playground], "is the playground open for my children")
    assert len(thirty()) == 30
    assert hits[0].entry == playground
    assert len(hits) == 5
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_the_same_question_scores_highest_and_scores_are_shares() -> None:
    known = thirty()
    for entry in known:
        hit = recall(known, entry.question, k=1)[0]
        assert hit.entry == entry
        assert 0 < hit.score <= 1


def test_an_answer_counts_less_than_a_question() -> None:
    in_question, in_answer = Entry("q", "Opening hours of the pool?", "9 to 5"), Entry("a", "Swimming?", "Ask the pool")
    assert [hit.entry.entry_id for hit in recall([in_answer, in_question], "pool")] == ["q", "a"]
    assert recall([in_answer], "pool")[0].score > 0


def test_retired_entries_are_not_recalled() -> None:
    retired = Entry("k1", "Is it open?", "Yes.", EntryStatus.RETIRED)
    assert recall([retired], "is it open") == []
    assert [hit.entry.entry_id for hit in recall([retired, Entry("k2", "Is it open?", "No.")], "open")] == ["k2"]


def test_ties_keep_the_order_of_creation_and_nothing_in_common_still_answers() -> None:
    same = entries(*["Is it open?"] * 6)
    assert [hit.entry.entry_id for hit in recall(same, "is it open", k=4)] == ["k0", "k1", "k2", "k3"]
    assert [hit.entry.entry_id for hit in recall(thirty(), "xylophone zzz", k=3)] == ["k0", "k1", "k2"]


@pytest.mark.parametrize("query", ["", " ", "???", "\ud800", "💥"])
def test_a_query_without_a_word_answers_in_order(query: str) -> None:
    assert [hit.entry.entry_id for hit in recall(thirty(), query, k=2)] == ["k0", "k1"]


def test_no_entries_and_no_k_give_nothing() -> None:
    assert recall([], "anything") == []
    assert recall(thirty(), "password", k=0) == []


@pytest.mark.parametrize(
    ("question", "query"),
    [
        ("子供は公園で遊べますか", "公園は開いていますか"),
        ("Можно ли детям на площадку?", "площадка открыта для детей?"),
        ("هل يمكن للأطفال الذهاب إلى الملعب؟", "هل الملعب مفتوح"),
        ("क्या बच्चे खेल के मैदान जा सकते हैं?", "खेल का मैदान खुला है"),
        ("Dürfen Kinder auf den Spielplatz?", "ist der Spielplatz offen"),
        ("เด็กไปสนามเด็กเล่นได้ไหม", "สนามเด็กเล่นเปิดไหม"),
    ],
)
def test_other_scripts_are_recalled_too(question: str, query: str) -> None:
    hits = recall([*thirty(), Entry("other", question, "🙂")], query)
    assert hits[0].entry.entry_id == "other"
