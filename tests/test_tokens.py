from hypothesis import given
from hypothesis import strategies as st

from feedback_lab.tokens import LONGEST_WORD, content_words, language_of, misspellings, pieces, respelled, tokens, words


def test_links_mentions_and_entities_are_dropped_and_numbers_fold_to_zero() -> None:
    assert words("@airline see https://x.example/a?b=1 &amp; pay 12.50 by 2024") == ["see", "pay", "0", "by", "0"]


def test_english_endings_fall_together() -> None:
    assert {words(form)[0] for form in ("crash", "crashed", "crashing")} == {"crash"}
    assert {words(form)[0] for form in ("delivery", "deliveries")} == {"deliveri"}
    assert words("stopped") == words("stopping") == words("stops") == words("stop")


def test_words_that_carry_the_complaint_are_kept_and_function_words_are_not() -> None:
    assert content_words("It does not work and I am on hold again") == ["not", "work", "on", "hold", "again"]


def test_function_words_of_other_languages_are_dropped() -> None:
    assert content_words("Die App stürzt ab, wenn ich die Karte öffne") == ["app", "stürzt", "ab", "karte", "öffne"]
    assert content_words("la aplicación se cierra cuando pago con tarjeta") == [
        "aplicación",
        "cierra",
        "pago",
        "tarjeta",
    ]


def test_a_german_word_that_looks_english_is_not_stemmed() -> None:
    assert content_words("Ich habe die Rechnung nicht bekommen") == ["rechnung", "nicht", "bekommen"]
    assert language_of(["ich", "habe", "die"]) == "de"
    assert language_of(["refund"]) == "en"


def test_japanese_is_cut_by_its_scripts() -> None:
    assert content_words("アプリが落ちる。返金がまだ届いていません") == ["アプリ", "落", "返金", "届"]


def test_chinese_and_thai_become_pairs_of_characters() -> None:
    assert content_words("退款没有到") == ["退款", "款没", "没有", "有到"]
    assert content_words("แพง") == ["แพ", "พง"]


def test_combining_marks_stay_in_their_word() -> None:
    assert words("मुझे पैसा वापस") == ["मुझे", "पैसा", "वापस"]


def test_emoji_and_emptiness_have_no_words() -> None:
    assert words("👎👎") == words("") == words(" \n\t") == []


def test_a_word_without_end_is_cut() -> None:
    assert words("a" * 1_000_000) == ["a" * LONGEST_WORD]


def test_programming_languages_keep_their_signs() -> None:
    assert words("c++ and c#") == ["c++", "and", "c#"]


@given(st.text())
def test_any_text_gives_content_words_that_are_among_its_words(text: str) -> None:
    assert set(content_words(text)) <= set(words(text))
    assert all(0 < len(word) <= LONGEST_WORD for word in words(text))


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz '", max_size=60))
def test_case_does_not_matter(text: str) -> None:
    assert words(text) == words(text.upper())


def test_a_rare_word_one_edit_from_a_common_one_is_a_misspelling() -> None:
    texts = ["the answer is about fees"] * 8 + ["no anwser", "aboout fees", "an answwr", "another bank", "anwsre"]
    fixed = misspellings(map(pieces, texts))
    assert fixed == {"anwser": "answer", "aboout": "about", "answwr": "answer"}
    assert respelled("No Anwser, aboout_x about", fixed) == "No answer, about_x about"


def test_common_words_short_words_and_other_forms_are_not_respelled() -> None:
    texts = ["the limit of the card"] * 8 + ["the limits", "care", "climb"] + ["timit"] * 3
    assert misspellings(map(pieces, texts)) == {}


@given(st.text(alphabet="abcs '_+#@&;:/.0123\nTHEnotis", max_size=60))
def test_plain_text_is_read_as_it_is_beside_a_letter_that_is_not_plain(text: str) -> None:
    assert [*tokens(text), ("ж", "ж", False)] == tokens(f"{text} ж")


def test_the_language_of_a_whole_text_decides_about_a_part() -> None:
    assert tokens("die Rechnungen", "de")[1][0] == "rechnungen"
    assert tokens("die bills")[0] == ("die", "die", True)
