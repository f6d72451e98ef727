"""Comments as numbers: what is counted."""

from __future__ import annotations

from sklearn.feature_extraction.text import CountVectorizer

from feedback_lab.issues.grouping.features import character_counts, folded, spelling

TEXTS = ["The card was declined, the card!", "a card", "Überweisung 25 € fehlt", "カードが使えません", "I", "card card"]


def test_character_counts_are_those_of_a_scan_through_every_text() -> None:
    scan = CountVectorizer(analyzer="char_wb", ngram_range=(3, 5), preprocessor=folded).fit_transform(TEXTS)
    counts = character_counts(TEXTS, 3, 5)
    assert counts.shape == scan.shape
    assert sorted(map(tuple, counts.toarray().T)) == sorted(map(tuple, scan.toarray().T))


def test_of_many_texts_the_rare_and_the_frequent_ngrams_are_left_out() -> None:
    texts = (
        ["alpha everywhere"] * 50 + ["beta everywhere"] * 50 + [f"word{i} everywhere" for i in range(150)] + ["rarest"]
    )
    scan = CountVectorizer(analyzer="char_wb", ngram_range=(4, 4), preprocessor=folded, min_df=3, max_df=0.3)
    assert character_counts(texts, 4, 4).sum() == scan.fit_transform(texts).sum()


def test_texts_without_a_word_have_no_spelling() -> None:
    assert character_counts(["", " "], 3, 5).shape == (2, 0)
    assert spelling(["", " "]).shape == (2, 0)
