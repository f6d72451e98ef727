"""The queue: what the rules open, and what reviewers can and cannot do with it."""

import threading
from datetime import timedelta

import pytest

from feedback_lab import review
from feedback_lab.errors import InputError, ReviewError
from feedback_lab.records import CorrectionType, Kind, Outcome, TaskStatus
from feedback_lab.review import Answer, RunReport, Task
from feedback_lab.store import Store
from tests.builders import MONDAY, interaction, pattern, put, said, thumb

TODAY = MONDAY + timedelta(days=1)
REJECT = Answer(Outcome.REJECT)


def run(store: Store, *rules: str, **options: object) -> RunReport:
    given: dict[str, object] = {"similarity": 0.3, "budget": 40, "now": TODAY} | options
    return review.run_rules(store, rules or ("seed",), **given)  # type: ignore[arg-type]


def all_tasks(store: Store) -> list[Task]:
    return review.tasks(store, tuple(TaskStatus), now=TODAY)


def hold(store: Store, reviewer: str = "ada", **options: object) -> Task:
    (task,) = review.claim(store, reviewer, now=TODAY, **options)  # type: ignore[arg-type]
    return task


def decide(store: Store, task: Task, answer: Answer = REJECT, reviewer: str = "ada") -> review.Decided:
    return review.decide(store, task.task_id, reviewer, task.lease_token or "", answer, now=TODAY)


@pytest.fixture
def three(store: Store) -> Store:
    """Three patterns that cannot be mistaken for each other, one task each."""
    pattern(store, "How do I reset my password?", 7)
    pattern(store, "Where is my parcel from Lisbon?", 5, start=100)
    pattern(store, "Can I pay the invoice by card?", 4, start=200)
    assert run(store).opened == 3
    return store


def test_a_pattern_becomes_one_task_with_its_feedback_reason_and_numbers(store: Store) -> None:
    ids = pattern(store, "How do I reset my password?", 7, 3)
    report = run(store)

    (task,) = all_tasks(store)
    assert (report.evaluated, report.candidates, report.opened) == (10, 1, 1)
    assert set(task.feedback_ids) == set(ids[:7])
    assert "negative" in task.reason
    assert task.evidence["negative"] > 0


def test_similar_wordings_are_one_pattern_and_different_questions_are_not(store: Store) -> None:
    pattern(store, "How do I reset my password?", 3)
    pattern(store, "how can I reset the password", 3, start=10)
    pattern(store, "Where is my parcel from Lisbon?", 3, start=20)

    assert run(store).opened == 2


def test_a_dry_run_says_the_same_and_marks_nothing(store: Store) -> None:
    pattern(store, "How do I reset my password?", 7)
    dry = run(store, dry_run=True)

    assert all_tasks(store) == []
    real = run(store)
    assert (dry.evaluated, dry.candidates, dry.opened) == (real.evaluated, real.candidates, real.opened)


def test_each_rule_sees_each_verdict_once(store: Store) -> None:
    pattern(store, "How do I reset my password?", 7)

    assert run(store).evaluated == 7
    assert run(store).evaluated == 0
    assert run(store, "above_base").evaluated == 7


def test_the_budget_promotes_the_best_and_the_rest_waits_visibly_until_another_day(three: Store) -> None:
    for number, question in enumerate(("Why is my order late?", "Do you ship abroad?", "Which size fits me?")):
        pattern(three, question, 3 + number, start=1000 * (number + 1))
    report = run(three, budget=4)

    assert (report.opened, report.waiting) == (1, 2)
    assert report.candidates == report.opened + report.joined + report.waiting
    tomorrow = run(three, budget=4, now=TODAY + timedelta(days=1))
    assert (tomorrow.candidates, tomorrow.promoted) == (0, 2)


def test_the_better_pattern_opens_first(store: Store) -> None:
    pattern(store, "How do I reset my password?", 3)
    big = pattern(store, "Where is my parcel from Lisbon?", 9, start=100)
    run(store, budget=1)

    (task,) = review.tasks(store, (TaskStatus.OPEN,), now=TODAY)
    assert set(task.feedback_ids) <= set(big)


def test_without_a_budget_everything_opens(store: Store) -> None:
    for number in range(5):
        pattern(store, f"Unrelated question {'abcde'[number] * 6}?", 3, start=100 * number)

    assert run(store, budget=None).opened == 5


def test_new_evidence_joins_the_undecided_task_of_its_pattern(store: Store) -> None:
    pattern(store, "How do I reset my password?", 7)
    run(store)
    later = pattern(store, "How do I reset my password?", 2, start=50)
    report = run(store)

    (task,) = all_tasks(store)
    assert (report.opened, report.joined) == (0, 1)
    assert set(later) <= set(task.feedback_ids)


def test_a_feedback_is_in_at_most_one_undecided_task_also_across_rules(store: Store) -> None:
    pattern(store, "How do I reset my password?", 7, suggested_answer="Use the link in your profile.")
    pattern(store, "Where is my parcel from Lisbon?", 40, 60, start=500)
    run(store, "seed", "above_base", "user_correction")
    run(store, "user_correction", "seed")

    ids = [one for task in all_tasks(store) for one in task.feedback_ids]
    assert len(ids) == len(set(ids))


def test_a_decision_consumes_its_feedback_and_only_enough_newer_evidence_reopens(store: Store) -> None:
    pattern(store, "How do I reset my password?", 7)
    run(store)
    decide(store, hold(store))
    pattern(store, "How do I reset my password?", 2, start=50)
    assert run(store).candidates == 0

    pattern(store, "How do I reset my password?", 2, start=60)
    assert run(store).opened == 1


def test_a_users_correction_opens_a_task_by_question(store: Store) -> None:
    pattern(store, "Wann fährt der Zug?", 1, suggested_answer="Um neun.")
    pattern(store, "  wann fährt der ZUG? ", 1, start=10, suggested_answer="Um neun Uhr.")
    pattern(store, "Where is my parcel?", 1, start=20)
    report = run(store, "user_correction")

    (task,) = all_tasks(store)
    assert report.opened == 1
    assert len(task.feedback_ids) == 2
    assert task.suggested_action == "update knowledge base"


def test_comments_without_questions_are_compared_with_comments(store: Store) -> None:
    for number in range(4):
        put(store, [interaction(f"i{number}", None)])
        put(store, [thumb(f"f{number}", False, comment="The exchange rate shown is wrong")])
    put(store, [interaction("i9", "The exchange rate shown is wrong"), thumb("f9", True)])
    run(store)

    (task,) = all_tasks(store)
    assert len(task.feedback_ids) == 4


def test_corrections_without_question_and_comment_open_a_task_for_each_text(store: Store) -> None:
    texts = ["Call us.", "Call us.", "Write to us."]
    for number, proposed in enumerate(texts):
        put(
            store,
            [
                interaction(f"i{number}", None),
                said(f"f{number}", Kind.CORRECTION, suggested_answer=proposed, rater_hash=f"r{number}"),
            ],
        )

    assert run(store, "seed", "user_correction").opened == 2
    put(store, [interaction("i9", None), said("f9", Kind.CORRECTION, suggested_answer="Call us.", rater_hash="r9")])
    assert run(store, "user_correction").joined == 1
    assert sorted(len(task.feedback_ids) for task in all_tasks(store)) == [1, 3]


def test_an_unknown_rule_is_named_with_those_that_exist(store: Store) -> None:
    with pytest.raises(InputError, match="above_base, seed, user_correction"):
        run(store, "nonsense")


def test_two_runs_at_once_open_a_pattern_once(store: Store) -> None:
    pattern(store, "How do I reset my password?", 7)
    threads = [threading.Thread(target=run, args=(store,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(all_tasks(store)) == 1


def test_two_reviewers_never_hold_one_task(three: Store) -> None:
    held: list[Task] = []

    def work(name: str) -> None:
        held.extend(review.claim(three, name, 1, now=TODAY))

    threads = [threading.Thread(target=work, args=(f"r{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(held) == len({task.task_id for task in held}) == 3


def test_claiming_again_returns_what_is_held_with_the_same_token(three: Store) -> None:
    first, again = hold(three), hold(three)

    assert (again.task_id, again.lease_token) == (first.task_id, first.lease_token)
    assert len(review.claim(three, "ada", 3, now=TODAY)) == 3


def test_two_browsers_of_one_name_never_hold_the_same_task(three: Store) -> None:
    (first,) = review.claim(three, "ada", tokens=(), now=TODAY)
    (second,) = review.claim(three, "ada", tokens=(), now=TODAY)
    assert second.task_id != first.task_id

    (renewed,) = review.claim(three, "ada", tokens=[first.lease_token or ""], now=TODAY)
    assert (renewed.task_id, renewed.lease_token) == (first.task_id, first.lease_token)


def test_a_task_taken_over_in_another_browser_is_decided_only_there(three: Store) -> None:
    first = hold(three, tokens=())
    (taken,) = review.claim(three, "ada", task_id=first.task_id, tokens=(), now=TODAY)

    with pytest.raises(ReviewError, match="claimed again"):
        decide(three, first)
    assert decide(three, taken).task_id == first.task_id


def test_an_empty_queue_gives_nothing(store: Store) -> None:
    assert review.claim(store, "ada") == []


def test_when_a_lease_is_over_another_may_claim_and_the_old_token_decides_nothing(three: Store) -> None:
    stale = hold(three)
    later = TODAY + timedelta(minutes=16)
    assert next(t for t in review.tasks(three, now=later) if t.task_id == stale.task_id).status is TaskStatus.OPEN
    (taken,) = review.claim(three, "ben", task_id=stale.task_id, now=later)

    assert taken.lease_token != stale.lease_token
    with pytest.raises(ReviewError, match="held by ben"):
        review.decide(three, stale.task_id, "ada", stale.lease_token or "", REJECT, now=later)
    assert review.find(three, stale.task_id, now=later).status is TaskStatus.CLAIMED


def test_an_expired_lease_decides_nothing_even_when_nobody_took_it(three: Store) -> None:
    stale = hold(three)

    with pytest.raises(ReviewError, match="claim it again"):
        review.decide(three, stale.task_id, "ada", stale.lease_token or "", REJECT, now=TODAY + timedelta(hours=1))


def test_a_task_that_another_holds_is_refused_by_name(three: Store) -> None:
    task = hold(three)

    with pytest.raises(ReviewError, match="held by ada until"):
        review.claim(three, "ben", task_id=task.task_id, now=TODAY)


def test_a_task_that_does_not_exist_is_named(store: Store) -> None:
    with pytest.raises(ReviewError, match="no task 'nowhere'"):
        review.claim(store, "ada", task_id="nowhere")


def test_a_released_task_is_free_for_others(three: Store) -> None:
    task = hold(three)

    assert review.release(three, task.task_id, "ada", "stale") is False
    assert review.release(three, task.task_id, "ada", task.lease_token or "") is True
    assert hold(three, "ben").task_id == task.task_id


def test_a_skipped_task_comes_last_for_me_and_first_for_you(three: Store) -> None:
    task = hold(three)
    review.skip(three, task.task_id, "ada", now=TODAY)
    review.skip(three, task.task_id, "ada", now=TODAY)

    assert [t.task_id for t in review.claim(three, "ada", 3, now=TODAY)][-1] == task.task_id
    for mine in review.claim(three, "ada", 3, now=TODAY):
        review.release(three, mine.task_id, "ada", mine.lease_token or "")
    assert hold(three, "ben").task_id == task.task_id


@pytest.mark.parametrize("outcome", [o for o in Outcome if o not in (Outcome.ACCEPT, Outcome.EDIT)])
def test_these_outcomes_close_the_pattern_and_write_nothing(three: Store, outcome: Outcome) -> None:
    task = hold(three)
    done = decide(three, task, Answer(outcome, reason="because"))

    assert done.closed == len(task.feedback_ids)
    assert done.target_id is None
    assert three.rows("SELECT * FROM outbox") == []
    assert review.find(three, task.task_id).status is TaskStatus.DONE


def test_a_task_is_decided_once(three: Store) -> None:
    task = hold(three)
    decide(three, task)

    with pytest.raises(ReviewError, match="decided already"):
        decide(three, task)
    assert three.scalar("SELECT count(*) FROM decision") == 1


def test_an_edit_posts_the_reviewers_text_with_its_sources(three: Store) -> None:
    task = hold(three)
    done = decide(three, task, Answer(Outcome.EDIT, "Use the link."))

    payload = three.scalar("SELECT payload FROM outbox")
    assert (payload["action"], payload["id"], payload["answer"]) == ("entry", done.target_id, "Use the link.")
    assert payload["question"] == "How do I reset my password?"
    assert set(payload["sources"]) == set(task.feedback_ids)
    assert (payload["decided_by"], payload["decided_at"]) == ("ada", "2026-11-03T09:00:00Z")


def test_an_edit_without_text_is_refused_and_the_task_stays_held(three: Store) -> None:
    task = hold(three)

    with pytest.raises(InputError, match="needs its text"):
        decide(three, task, Answer(Outcome.EDIT, "  "))
    assert review.find(three, task.task_id, now=TODAY).locked_by == "ada"


def test_text_that_nobody_could_see_is_refused_before_anything_is_decided(three: Store) -> None:
    task = hold(three)

    with pytest.raises(InputError, match="needs its text"):
        decide(three, task, Answer(Outcome.EDIT, "\u200b\u202e \u2060"))
    assert review.find(three, task.task_id, now=TODAY).status is TaskStatus.CLAIMED


def test_accept_publishes_the_users_suggestion(store: Store) -> None:
    pattern(store, "Wann fährt der Zug?", 1, suggested_answer="Um neun.")
    run(store, "user_correction")
    decide(store, hold(store), Answer(Outcome.ACCEPT))

    assert store.scalar("SELECT payload FROM outbox")["answer"] == "Um neun."


def test_accept_finds_a_suggestion_that_came_beside_the_vote(store: Store) -> None:
    pattern(store, "How do I reset my password?", 3)
    put(store, [said("f99", Kind.CORRECTION, on="i1", rater_hash="r1", suggested_answer="Ask the desk.")])
    run(store)
    task = hold(store)

    assert review.case(store, task.task_id).suggestions == [("f99", "Ask the desk.")]
    decide(store, task, Answer(Outcome.ACCEPT))
    assert store.scalar("SELECT payload FROM outbox")["answer"] == "Ask the desk."


def test_accept_without_a_suggestion_points_to_edit(three: Store) -> None:
    with pytest.raises(ReviewError, match="use edit"):
        decide(three, hold(three), Answer(Outcome.ACCEPT))


def test_a_correction_without_a_question_needs_one_for_knowledge_but_not_for_behaviour(store: Store) -> None:
    for number in range(3):
        put(store, [interaction(f"i{number}", None), thumb(f"f{number}", False, comment="Too long, too polite")])
    run(store)
    task = hold(store)

    with pytest.raises(InputError, match="fill in the question"):
        decide(store, task, Answer(Outcome.EDIT, "Be brief."))
    decide(store, task, Answer(Outcome.EDIT, "Be brief.", CorrectionType.BEHAVIOR))
    assert store.scalar("SELECT payload FROM outbox")["action"] == "instruction"


def test_undo_opens_the_task_again_and_posts_a_retirement(three: Store) -> None:
    task = hold(three)
    done = decide(three, task, Answer(Outcome.EDIT, "Use the link."))
    undone = review.undo(three, "ada", now=TODAY + timedelta(minutes=1))

    payload = three.scalar("SELECT payload FROM outbox WHERE decision_id = :one", one=undone.decision_id)
    assert (payload["action"], payload["id"]) == ("retire_entry", done.target_id)
    assert payload["supersedes"] == done.decision_id
    assert review.find(three, task.task_id).status is TaskStatus.OPEN
    assert three.scalar("SELECT count(*) FROM decision") == 2


def test_undo_goes_back_one_decision_at_a_time_and_then_says_so(three: Store) -> None:
    first = hold(three)
    decide(three, first)
    second = hold(three)
    review.decide(three, second.task_id, "ada", second.lease_token or "", REJECT, now=TODAY + timedelta(seconds=1))

    assert review.undo(three, "ada").task_id == second.task_id
    assert review.undo(three, "ada").task_id == first.task_id
    with pytest.raises(ReviewError, match="no decision"):
        review.undo(three, "ada")


def test_what_was_undone_counts_as_decided_no_more(three: Store) -> None:
    decide(three, hold(three))
    decide(three, hold(three))
    assert review.decided_since(three, TODAY) == 2
    assert review.decided_since(three, TODAY + timedelta(seconds=1)) == 0

    review.undo(three, "ada", now=TODAY)
    assert review.decided_since(three, TODAY) == 1


def test_undo_takes_back_only_ones_own_decision(three: Store) -> None:
    decide(three, hold(three))

    with pytest.raises(ReviewError, match="ben has no decision"):
        review.undo(three, "ben")


@pytest.mark.parametrize("name", ["", "   ", "x" * 81])
def test_a_reviewer_needs_a_name(store: Store, name: str) -> None:
    with pytest.raises(InputError, match="1 to 80 characters"):
        review.claim(store, name)


def test_a_case_shows_the_session_in_order_the_feedback_and_what_is_related(store: Store) -> None:
    pattern(store, "How do I reset my password?", 3)
    put(store, [interaction("t1", "Hello", session_id="s", turn=1), interaction("t3", "Bye", session_id="s", turn=3)])
    store.write(
        lambda c: c.exec_driver_sql("UPDATE interaction SET session_id = 's', turn = 2 WHERE interaction_id = 'i0'")
    )
    run(store)
    task = hold(store)
    seen = review.case(store, task.task_id)

    if seen.flagged_id == "i0":
        assert [turn.interaction_id for turn in seen.turns] == ["t1", "i0", "t3"]
    assert seen.flagged is not None
    assert [one.interaction_id for one in seen.feedback] == [seen.flagged_id]
    assert {one.feedback.interaction_id for one in seen.related} == {"i0", "i1", "i2"} - {seen.flagged_id}
