from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedback_lab.issues.grouping.clustering import cluster
from feedback_lab.issues.grouping.keywords import finders
from feedback_lab.issues.grouping.naming import IssueName, name_issues
from feedback_lab.issues.grouping.phrases import WEAK, complains, phrases
from feedback_lab.issues.grouping.reading import Reader
from feedback_lab.issues.grouping.unique_titles import LONGEST_TITLE, unique_title, words_of
from feedback_lab.tokens import content_words, tokens

REFUND = [
    "I am still waiting for my refund",
    "Waiting for a refund since March",
    "still waiting for the refund of my order, nobody answers",
    "bad",
]
CRASH = [
    "The app crashes when I open the camera",
    "app crashes with the camera",
    "The app crashes as soon as I take a photo with the camera",
]


OTHERS = [CRASH * 12, [*REFUND, *CRASH] * 6, REFUND * 10]


def names(groups: list[list[str]]) -> dict[int, IssueName]:
    texts = [text for group in groups for text in group]
    labels = np.array([label for label, group in enumerate(groups) for _ in group])
    return name_issues(texts, labels)


def test_a_title_is_a_phrase_that_people_wrote() -> None:
    found = names([REFUND, CRASH])
    assert found[0].title.startswith(("Waiting for my refund", "Waiting for a refund", "Still waiting for"))
    assert found[1].title.startswith("App crashes")


def test_keywords_are_real_words_and_not_stems() -> None:
    written = {word.strip(",").lower() for text in (*REFUND, *CRASH) for word in text.split()}
    for name in names([REFUND, CRASH]).values():
        assert 1 <= len(name.keywords) <= 8
        assert {word.lower() for keyword in name.keywords for word in keyword.split(" ")} <= written


def test_a_misspelling_written_once_is_neither_keyword_nor_title() -> None:
    group = ["the refund is late"] * 9 + ["refnud is laate", "the reefund"]
    name = names([group, CRASH])[0]
    assert name.title == "Refund is late"
    assert {word for keyword in name.keywords for word in keyword.split(" ")} <= {"refund", "is", "late"}


def test_greetings_and_asides_do_not_name_an_issue() -> None:
    greetings = "Hi Hello Sorry Honestly Unfortunately Hmm".split()
    name = names([[f"{greeting}, the refund is late" for greeting in greetings], CRASH])[0]
    assert name.title == "Refund is late"
    assert not {keyword.title() for keyword in name.keywords} & set(greetings)


def test_one_phrase_is_enough_where_it_covers_the_issue() -> None:
    group = ["still no refund for my order"] * 6 + ["the app lost my order"] * 2
    assert "," not in names([group, CRASH])[0].title


def test_a_title_keeps_the_negation_that_makes_it_a_complaint() -> None:
    group = ["does not answer my question", "it doesn't answer my question", "didnt answer my question at all"]
    title = names([group, CRASH])[0].title
    assert title.startswith(("Does not answer my", "Doesn't answer my", "Didnt answer my"))


def test_a_common_word_with_something_stuck_to_it_is_no_title() -> None:
    group = [f"flight was Cancelled Flightled {day}" for day in "monday tuesday friday sunday".split()]
    assert "lightled" not in names([[*group, *["my flight was cancelled"] * 20], CRASH * 9, REFUND * 9])[0].title


def test_praise_that_many_deny_is_no_title() -> None:
    group = ["I don't think the fee schedule is clear"] * 3 + ["not sure the fee schedule is clear, it is late"] * 3
    title = names([group, CRASH])[0].title
    assert "clear" not in title or title.startswith(("Not sure", "Don't think"))


@pytest.mark.parametrize(
    "nobody", ["no one", "nobody", "they never", "I could not find out who", "without someone who"]
)
def test_who_does_not_act_is_denied_in_the_title(nobody: str) -> None:
    group = [f"{nobody} answers the phone {day}" for day in "today yesterday tonight tomorrow now".split()]
    title = names([group, CRASH])[0].title
    assert title != "Answers the phone"


def test_a_distant_negation_counts_for_the_phrase_that_holds_it() -> None:
    group = [f"I can't get {person} to answer the phone" for person in ("someone", "anyone", "them", "somebody", "him")]
    group += ["no one answers the phone", "no one ever answers the phone", *["please answer the phone"] * 3]
    assert names([group, CRASH])[0].title in ("No one answers the phone", "Can't get anyone to answer the phone")


def test_what_few_deny_is_not_denied_in_the_title() -> None:
    group = [f"how long to verify identity documents {first}{last}" for first in "abcd" for last in "klmnopqr"]
    assert "an't" not in names([[*group, *["can't verify identity"] * 10], *OTHERS, *OTHERS])[0].title


def test_what_should_not_be_done_is_no_complaint() -> None:
    advice = list(phrases(tokens("people should not wear face masks")))
    assert advice
    assert not any(complains(phrase.key) or phrase.is_denied for phrase in advice)


def test_this_and_not_that_is_no_complaint() -> None:
    group = [f"it is about the virus test and here {word} not antibody tests" for word in "just also even ever".split()]
    assert not names([group, CRASH])[0].title.startswith("Not")


def test_a_negation_at_the_end_of_a_verb_of_two_words_keeps_both() -> None:
    assert names([["I can't log in", "can't log in since today", "we can't log in"], CRASH])[0].title == "Can't log in"


def test_a_question_why_something_does_not_work_names_it_without_its_subject() -> None:
    group = ["why can't I pay my bill", "why can't we pay my bill", "so why can't they pay my bill"]
    assert names([group, CRASH])[0].title == "Can't pay my bill"


def test_two_thoughts_make_a_title_only_as_a_whole() -> None:
    group = [f"the card but I live abroad {word}" for word in "for with to by".split()]
    assert " but " not in names([group, CRASH])[0].title
    assert names([["refund is late because they moved the office"] * 3, CRASH])[0].title.startswith("Refund is late")


def test_is_not_is_shortened_where_it_begins_a_title() -> None:
    group = ["it isn't available in my country", "isn't available in this country", "the thing isn't available"]
    assert names([group, CRASH])[0].title.startswith("Not available")


def test_a_title_keeps_the_negation_of_other_languages() -> None:
    german = [
        "Die App startet nicht mehr",
        "seit gestern startet die App nicht",
        "sie startet einfach nicht",
        "startet nicht",
    ]
    spanish = ["La tarjeta no funciona", "mi tarjeta no funciona en la tienda", "desde ayer no funciona la tarjeta"]
    french = ["ça ne marche pas", "depuis hier ça ne marche pas du tout", "ne marche pas sur mon téléphone"]
    japanese = ["ログインできない", "パスワードを変えたらログインできない", "何度やってもログインできない"]
    found = names([german, spanish, french, japanese, CRASH])
    assert found[0].title == "Startet nicht"
    assert found[1].title.endswith("o funciona")
    assert found[2].title == "Ne marche pas"
    assert found[3].title == "ログインできない"


def about(subject: str, *complaints: str) -> list[str]:
    """Comments about a subject, each with one of the complaints in turn."""
    places = "here there now again today outside inside still later soon".split()
    return [
        f"the {subject} {places[i % 10]} {place}. {complaints[i % len(complaints)]}" for i, place in enumerate(places)
    ]


def test_a_subject_gets_the_complaint_that_its_comments_share() -> None:
    shared = "it does not answer the question"
    found = names([about("face masks", shared), about("vitamin tablets", shared), *OTHERS])
    assert found[0].title == "Face masks: does not answer the question"
    assert found[1].title == "Vitamin tablets: does not answer the question"


def test_a_distant_negation_counts_for_the_complaint_that_comments_share() -> None:
    words = "really actually directly totally completely probably obviously maybe still".split()
    distant = [f"it does not {word} answer the question" for word in words]
    groups = [about(subject, "it does not answer the question", *distant) * 3 for subject in ("face masks", "tablets")]
    found = names([*groups, *OTHERS])
    assert found[0].title == "Face masks: does not answer the question"


def test_a_complaint_in_other_words_counts_for_the_one_that_is_shown() -> None:
    ways = ["it does not answer the question", "it does not relate to the question", "irrelevant to the question"]
    neutral = [f"{word} then" for word in "one red tall green warm round wide soft light plain old new raw dry".split()]
    groups = [about(subject, *ways, *neutral) * 3 for subject in ("face masks", "tablets")]
    found = names([*groups, *OTHERS])
    assert found[0].title == "Face masks: does not answer the question"


def test_of_a_subject_too_long_for_a_title_the_end_is_kept() -> None:
    shared = "it does not answer the question"
    group = about("exceptional circumstance supplementary payment", shared)
    title = names([group, about("vitamin tablets", shared), *OTHERS])[0].title
    assert title == "Supplementary payment: does not answer the question"


def test_a_complaint_names_an_issue_rather_than_a_subject_of_hardly_any_comment() -> None:
    different = [f"{one}{other} {other}{one}" for one in "abcdefghij" for other in "klmnopqrst"]
    group = [*["household cyber security"] * 5, *["answer is incomplete"] * 4, *different]
    assert names([group, CRASH])[0].title.startswith("Answer is incomplete")


def test_a_subject_stands_alone_where_its_comments_share_no_complaint() -> None:
    different = [f"{word} then" for word in "one red tall green warm round wide soft light plain".split()]
    few = ["it does not answer the question", *different[1:]]
    group = about("face masks", *different) + about("face masks", *few) * 3
    assert names([group, *OTHERS])[0].title == "Face masks"


@pytest.mark.parametrize(
    ("clause", "language"),
    [
        ("die neue App startet nicht", "de"),
        ("mi tarjeta nueva no funciona", "es"),
        ("mon appli ne marche pas", "fr"),
        ("la mia carta non funziona", "it"),
        ("meu cartão não funciona", "pt"),
        ("mijn nieuwe app werkt niet", "nl"),
    ],
)
def test_every_language_denies(clause: str, language: str) -> None:
    words = tokens(clause, language)
    verb = next(stemmed for stemmed, form, _ in words if form in "startet funciona marche funziona werkt".split())
    found = [phrase for phrase in phrases(words) if verb in phrase.key]
    assert any(complains(phrase.key) for phrase in found)
    assert all(complains(phrase.key) or phrase.is_denied for phrase in found)


def test_an_oddly_inflected_word_is_shown_as_it_usually_is() -> None:
    group = [f"my flight cancelled {day}" for day in "monday tuesday friday".split()]
    group += [f"my flighted cancelled {day}" for day in "monday tuesday friday sunday".split()]
    others = [f"{word} flight" for word in "late long nice short full empty cheap direct early night".split()] * 3
    assert names([group, [f"{other} {i}" for i, other in enumerate(others)]])[0].title == "Flight cancelled"


def test_a_name_that_begins_a_title_keeps_its_letters() -> None:
    group = ["does the iPad version exist", "an iPad version please", "want the iPad version"]
    assert names([group, CRASH])[0].title == "iPad version"


def test_keywords_are_chosen_for_what_they_find_together() -> None:
    rows = {"wide": {1, 2, 3, 4, 90}, "left": {1, 2, 5}, "right": {3, 4, 6}, "far": {7, 8}}
    assert set(finders(list(rows), {1, 2, 3, 4, 5, 6, 7, 8}, rows)) == {"left", "right", "far"}


def test_fewer_candidates_than_keywords_are_all_taken() -> None:
    assert finders([], {1}, {}) == []
    assert finders(["one", "two"], {1, 2}, {"one": {1}, "two": {3}}) == ["one", "two"]


def test_common_words_that_tell_an_issue_only_together_are_a_keyword() -> None:
    asked = [f"how long does the {thing} take" for thing in "payment card order transfer letter".split()]
    others = [[f"how do I stop the {thing}", f"a long {thing}"] for thing in "payment card order transfer".split()]
    assert "how long" in [keyword.lower() for keyword in names([asked, *others])[0].keywords]


def test_a_keyword_does_not_run_over_an_and() -> None:
    group = ["I want a refund and never got one", "no refund and never an answer", "a refund and never a word"]
    keywords = names([group, CRASH])[0].keywords
    assert not any(" and " in f" {keyword} " for keyword in keywords)
    assert "refund never" in keywords


def test_a_subject_is_named_with_what_people_say_of_it() -> None:
    group = ["customer service", "the customer service", "this customer service", "customer service again"] * 2
    title = names([[*group, *["terrible customer service here"] * 3], CRASH])[0].title
    assert title == "Terrible customer service"


def test_what_others_posted_does_not_name_an_issue() -> None:
    group = [
        "stop it RT @brand: our fleet is on fleek",
        'lol "@brand: our fleet is on fleek"',
        "RT @brand fleet on fleek",
    ]
    title = names([[*group * 3, *["the tweets are embarrassing"] * 3], CRASH])[0].title
    assert "fleek" not in title
    assert "mbarrassing" in title


def test_a_clause_is_not_cut_before_the_word_that_completes_it() -> None:
    group = ["answer is off topic"] * 5 + ["the answer is off the topic", "off topic answer"]
    assert not names([group, CRASH])[0].title.endswith("off")
    assert names([["internet was cut off"] * 4, CRASH])[0].title.endswith("cut off")


def test_two_names_of_one_reading_are_those_of_two_readings() -> None:
    texts = [*REFUND, *CRASH]
    reader = Reader(texts)
    for labels in (np.array([0] * 4 + [1] * 3), np.array([0, 0, 1, 1, -1, -1, -1])):
        assert name_issues(texts, labels, reader=reader) == name_issues(texts, labels)


def test_markup_is_neither_keyword_nor_title() -> None:
    name = names(
        [["<p>Wrong price<br>here</p>", "the price is <b>wrong</b><br/>", "wrong price&nbsp;<br>"] * 4, CRASH]
    )[0]
    assert name.title == "Wrong price"
    assert not {"br", "b", "p", "nbsp"} & set(name.keywords)


def test_a_number_that_differs_from_comment_to_comment_is_left_out() -> None:
    group = [f"invoice {number} is wrong" for number in (123, 77, 4711, 99)]
    assert names([group, CRASH])[0].title == "Invoice is wrong"


def test_shouting_does_not_set_the_case_of_a_title() -> None:
    assert names([["MY ORDER IS LATE", "ORDER IS LATE AGAIN", "the order is late"], CRASH])[0].title == "Order is late"


def test_too_long_is_a_complaint() -> None:
    group = ["too long", "the answers are too long", "way too long", "far too long for a simple question"]
    assert names([group, CRASH])[0].title in ("Too long", "Answers are too long")


def test_a_measure_ends_a_title_only_behind_what_it_measures() -> None:
    assert names([["wrong opening hours"] * 3, CRASH])[0].title == "Wrong opening hours"
    assert not names([["refund after two hours", "refund in three hours"], CRASH])[0].title.endswith("hours")


def test_what_is_wrong_names_an_issue_rather_than_a_judgement() -> None:
    group = ["not helpful"] * 5 + [
        "forgets my first message",
        "it forgets the first message",
        "forgets my first message",
    ]
    assert "irst message" in names([group, CRASH])[0].title


def test_why_something_has_not_happened_is_a_question_with_its_why() -> None:
    group = [f"why hasn't my parcel arrived {word}" for word in "today yet again".split()]
    assert names([group, CRASH])[0].title == "Why hasn't my parcel arrived"


def test_a_second_complaint_must_say_something_of_its_own() -> None:
    group = ["the link is broken"] * 3 + ["it does not work"] * 3 + ["dead and gone", "nowhere", "lost page"]
    assert "work" not in names([group, CRASH])[0].title


def test_a_title_that_another_one_contains_says_what_is_its_own() -> None:
    taken = {words_of("Pending cash withdrawal")}
    assert unique_title(["cash withdrawal", "cash withdrawal, card stolen"], taken) == "Cash withdrawal, card stolen"
    assert unique_title(["cash withdrawal", "card stolen"], taken) == "Cash withdrawal"


def test_japanese_titles_and_keywords_are_whole_words() -> None:
    plans = [
        "料金プランの説明",
        "料金プランの違い",
        "料金プランの変更",
        "引っ越しの手続き",
        "引っ越しの案内",
        "引っ越しの日付",
    ]
    name = names([plans, ["電話番号がない"] * 3])
    assert name[0].title.startswith("料金プラン")
    assert "の" not in name[0].title.split(",")[0]
    assert "引" not in name[0].keywords
    assert "話番" not in name[1].keywords


def test_a_comment_in_another_language_does_not_represent() -> None:
    group = ["the battery drains on my phone", "battery drain makes the device hot", "screen is hot, battery drains"]
    foreign = "батарея battery drain hot телефон садится греется"
    assert names([[*group * 2, foreign], *OTHERS])[0].representative != foreign


def test_no_comment_has_no_name() -> None:
    assert name_issues([], np.zeros(0, np.int64)) == {}


def test_unassigned_comments_are_not_named() -> None:
    assert name_issues(["a", "b"], np.array([-1, -1])) == {}


def test_the_representative_is_a_typical_comment_of_sensible_length() -> None:
    long = "refund " + "and so on and so forth " * 40
    assert names([[*REFUND, long], CRASH])[0].representative in REFUND[:3]


def test_clear_cases_represent_rather_than_doubtful_ones() -> None:
    texts = ["waiting for my refund today", "waiting for your refund today", "waiting for our refund today"]
    found = name_issues(texts, np.zeros(3, np.int64), np.array([0.1, 0.2, 0.9]))
    assert found[0].representative == texts[2]


def test_the_representative_shows_what_the_title_says() -> None:
    titled = [f"package arrived damaged {word}" for word in "today again yesterday monday friday".split()]
    loud = [f"delivery courier depot parcel van {word}" for word in "one two three four".split()]
    name = names([titled + loud, CRASH])[0]
    assert name.title == "Package arrived damaged"
    assert name.representative in titled


def test_of_comments_that_differ_the_more_typical_are_samples() -> None:
    texts = ["refund is late", "money came late", "refund never came", *[f"hello {word}" for word in "abcdefghijkl"]]
    scores = np.array([1.0, 0.9, 0.9] + [0.5] * 12)
    assert set(name_issues(texts, np.zeros(len(texts), np.int64), scores)[0].samples) <= set(texts[:3])


def test_samples_are_untouched_comments_that_differ() -> None:
    group = [
        "  Refund LATE!!  ",
        "refund late",
        "refund late",
        "my money did not come back to the card",
        "refund late?",
    ]
    samples = names([group, CRASH])[0].samples
    assert len(samples) == 3
    assert set(samples) <= set(group)
    assert len(set(samples)) == 3
    assert "my money did not come back to the card" in samples


def test_samples_are_not_three_times_the_same_sentence() -> None:
    same = [f"the refund is late {word}" for word in "again today still now here".split()]
    other = "late refund without a reason"
    rest = [f"hello {word}" for word in "abcdefghijkl"]
    texts = [*same, other, *rest]
    scores = np.array([1.0] * len(same) + [0.5] * (1 + len(rest)))
    name = name_issues(texts, np.zeros(len(texts), np.int64), scores)[0]
    assert name.representative in same
    assert other in name.samples


def test_samples_repeat_only_where_there_are_too_few_texts() -> None:
    assert names([["refund late"] * 3])[0].samples == ("refund late",) * 3


def test_titles_are_unique_even_where_issues_say_the_same() -> None:
    found = names([list(REFUND) for _ in range(12)])
    assert len({name.title.casefold() for name in found.values()}) == 12


def test_the_same_words_in_another_order_are_the_same_title() -> None:
    found = names(
        [
            [f"flight delayed {day}" for day in ("monday", "friday")],
            ["delayed flight", "a delayed flight", "delayed flight home"],
        ]
    )
    assert set(found[0].title.lower().split()) != set(found[1].title.lower().split())


def test_capitals_inside_sentences_are_kept() -> None:
    group = ["they say the PIN is wrong", "why is my PIN wrong", "again a wrong PIN at the ATM"]
    assert "PIN" in names([group, CRASH])[0].keywords


def test_too_much_of_something_is_a_title() -> None:
    group = ["far too expensive for students", "way too expensive", "It is too expensive", "premium is too expensive"]
    assert names([group, CRASH])[0].title == "Too expensive"


def test_a_title_keeps_the_number_of_a_name() -> None:
    group = ["there is no GPT 4", "no GPT 4 in the app", "I paid and get no GPT 4", "no GPT 4"]
    assert names([group, CRASH])[0].title == "No GPT 4"


def test_a_title_leaves_out_numbers_that_only_single_comments_have() -> None:
    group = [f"the call dropped {number} times" for number in range(2, 9)]
    assert names([group, CRASH])[0].title == "Call dropped"


def test_articles_of_short_comments_are_no_keywords() -> None:
    group = ["La app no funciona", "no funciona la app", "La app no abre y no funciona", "el pago no funciona"]
    assert not {"la", "el", "y", "en"} & set(names([group * 2, CRASH])[0].keywords)


def test_japanese_titles_are_whole_words() -> None:
    group = ["アプリが落ちる", "開くとアプリが落ちる", "毎回アプリが落ちる"]
    assert names([group, REFUND])[0].title.startswith("アプリが落ちる")


def test_an_issue_without_a_single_word_still_has_a_title() -> None:
    found = names([["👎", "👎👎", "!!"], CRASH])
    assert found[0].title
    assert found[0].representative in ("👎", "👎👎", "!!")


def test_real_comments_get_titles_that_fit_on_a_note(shared_data: Path) -> None:
    rows = pd.read_csv(shared_data / "feedbackqa.csv")
    rows = rows[rows["label"].isin(["Bad", "Could be Improved"])].dropna(subset=["text"])
    texts = [str(text) for text in rows["text"].sample(1_500, random_state=7)]
    found = cluster(texts)
    issues = name_issues(texts, found.labels, found.scores)
    titles = [name.title for name in issues.values()]
    assert sorted(issues) == list(range(found.n_clusters))
    assert len({title.casefold() for title in titles}) == len(titles)
    for label, name in issues.items():
        members = {texts[row] for row in np.flatnonzero(found.labels == label)}
        assert {name.representative, *name.samples} <= members
        assert len(set(name.samples)) == 3
        assert 3 <= len(name.title) <= LONGEST_TITLE
        assert name.title[0] == name.title[0].upper()
        assert set(content_words(name.title)) - WEAK


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.text(max_size=30), st.integers(-1, 3)), min_size=1, max_size=20), st.data())
def test_any_grouping_is_named_with_unique_titles_and_own_samples(
    rows: list[tuple[str, int]], data: st.DataObject
) -> None:
    texts, labels = [text for text, _ in rows], np.array([label for _, label in rows])
    scores = np.array(data.draw(st.lists(st.floats(0, 1), min_size=len(rows), max_size=len(rows))))
    found = name_issues(texts, labels, scores)
    assert set(found) == set(labels.tolist()) - {-1}
    assert len({name.title.casefold() for name in found.values()}) == len(found)
    for label, name in found.items():
        assert set(name.samples) <= {text for text, own in rows if own == label}
        assert len(name.title) <= LONGEST_TITLE


def test_a_label_needs_no_scores_and_names_do_not_depend_on_numbering() -> None:
    texts = [*REFUND, *CRASH]
    forward = name_issues(texts, np.array([0] * 4 + [1] * 3))
    renumbered = name_issues(texts, np.array([7] * 4 + [2] * 3))
    assert forward[0] == renumbered[7]
    assert forward[1] == renumbered[2]
