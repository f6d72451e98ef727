"""The names that people give to a field's column; compared without case, spaces and signs."""

from __future__ import annotations

import re

NAMES: dict[str, str] = {
    "interaction_id": "trace_id request_id run_id span_id generation_id completion_id response_id message_id",
    "session_id": "session conversation conversation_id thread_id chat_id dialog_id dialogue_id session_uuid",
    "turn": "turn_number turn_index turn_id message_index",
    "role": "speaker author_role sender message_role author",
    "content": "message text body utterance message_text",
    "created_at": "timestamp date time datetime created ts created_time event_time start_time submitted_at date_time",
    "input": "question prompt user_message query user_input request user_query instruction user_prompt "
    "input_question input_query input_prompt input_text question_text prompt_text",
    "output": "answer response completion assistant_message bot_response model_output reply ai_response generated_text "
    "output_answer output_response output_text answer_text response_text",
    "model": "model_name model_id llm engine ai_model",
    "prompt_version": "prompt_id prompt_name template_version prompt_template prompt_hash",
    "user": "user_id username customer_id user_name customer user_email",
    "feedback_id": "score_id annotation_id review_id",
    "rated_at": "feedback_time feedback_timestamp feedback_date feedback_created_at rating_time rated_on reviewed_at",
    "rater": "annotator rater_id annotator_id rated_by reviewer reviewed_by",
    "population": "",
    "kind": "feedback_type feedback_kind type_of_feedback event_type",
    "value": "rating stars score thumb thumbs vote feedback_score user_rating star_rating csat nps reaction "
    "feedback_value feedback_rating feedback_thumb feedback_thumbs feedback_vote thumbs_up_down feedback user_feedback",
    "scale": "",
    "polarity": "sentiment verdict feedback user_feedback",
    "comment": "text review feedback_text user_comment user_feedback feedback comments remark review_text explanation "
    "feedback_comment comment_text rating_comment feedback_reason",
    "suggested_answer": "correction corrected_answer expected_output better_answer ideal_answer expected_answer "
    "suggested_response corrected_output",
}

# The same in other languages, for what nearly every file has.
ABROAD: dict[str, str] = {
    "created_at": "datum zeitpunkt zeitstempel fecha 日付 日時",
    "input": "frage eingabe pregunta pergunta 質問",
    "output": "antwort ausgabe réponse respuesta resposta 回答",
    "user": "nutzer benutzer utilisateur usuario usuário",
    "value": "bewertung sterne évaluation valoración calificación avaliação 評価",
    "comment": "kommentar commentaire comentario comentário コメント",
}


def key_of(name: str) -> str:
    """The name as it is compared: "User-Rating" -> "userrating"."""
    return re.sub(r"[\W_]+", "", name.lower())


NAME_KEYS = {
    name: frozenset(key_of(word) for word in f"{words} {ABROAD.get(name, '')}".split()) for name, words in NAMES.items()
}
