"""A mixed set of complaints in four languages: topics are told apart within every language."""
# ruff: noqa: E501 - sentences, one to a line

from collections import Counter
from typing import NamedTuple

from feedback_lab.issues.grouping.clustering import cluster


class Speech(NamedTuple):
    """What people of one language say, choices divided by bars: in front of any complaint, behind it, and complaints."""

    before: str
    behind: str
    refund: str
    crash: str
    login: str


TOPICS = ("refund", "crash", "login")
WORLD = {
    "en": Speech(
        "|Hello, |Honestly, |I am angry: |For the second time ",
        "|, please help| and nobody answers| since last week| although I paid|, thanks for nothing",
        "the refund for my order is missing|I still wait for my refund|where is the refund for the parcel",
        "the app crashes when I open the camera|the app crashes at every start|after the update the app crashes",
        "the login code never arrives by text|I cannot log in, the code is rejected|no login code on my phone",
    ),
    "de": Speech(
        "|Hallo, |Ehrlich gesagt: |Ich bin wütend, |Zum zweiten Mal: ",
        "|, bitte helfen Sie mir| und niemand antwortet| seit letzter Woche| obwohl ich bezahlt habe|, danke für nichts",
        "die Rückerstattung für meine Bestellung fehlt|ich warte auf die Rückerstattung|wo bleibt die Rückerstattung für das Paket",
        "die App stürzt mit der Kamera ab|die App stürzt bei jedem Start ab|nach dem Update stürzt die App ab",
        "der Anmeldecode kommt nie per SMS an|die Anmeldung geht nicht, der Anmeldecode ist ungültig|kein Anmeldecode auf meinem Handy",
    ),
    "es": Speech(
        "|Hola, |La verdad, |Estoy enfadado: |Por segunda vez ",
        "|, ayuda por favor| y nadie contesta| desde la semana pasada| aunque he pagado|, gracias por nada",
        "falta el reembolso de mi pedido|sigo esperando el reembolso|dónde está el reembolso del paquete",
        "la aplicación se cierra al abrir la cámara|la aplicación se cierra al iniciar|se cierra la aplicación tras actualizar",
        "el código de acceso nunca llega por mensaje|no puedo entrar, rechaza el código de acceso|sin código de acceso en mi móvil",
    ),
    "ja": Speech(
        "|こんにちは。|正直に言うと、|怒っています。|二回目ですが、",
        "|。助けてください|。誰も答えません|。先週からです|。支払いは済みました|。残念です",
        "注文の返金がありません|返金をまだ待っています|荷物の返金はどこですか",
        "カメラを開くとアプリが落ちます|起動するとアプリが落ちる|更新の後アプリが落ちました",
        "認証コードが届きません|認証コードが拒否されてログインできない|携帯に認証コードが来ない",
    ),
}


def test_topics_are_told_apart_within_every_language() -> None:
    rows = [
        (f"{before}{core}{after}", language, topic)
        for language, speech in WORLD.items()
        for topic in TOPICS
        for number, core in enumerate(getattr(speech, topic).split("|"))
        for turn, before in enumerate(speech.before.split("|"))
        for after in speech.behind.split("|")[(number + turn) % 2 :: 2]
    ]
    found = cluster([text for text, _, _ in rows])
    main = {}
    for place in {(language, topic) for _, language, topic in rows}:
        labels = [int(label) for label, (_, *own) in zip(found.labels, rows, strict=True) if tuple(own) == place]
        issue, count = Counter(labels).most_common(1)[0]
        main[place] = issue
        assert issue >= 0
        assert count / len(labels) > 0.3, place
    for language in WORLD:
        assert len({main[language, topic] for topic in TOPICS}) == len(TOPICS), (language, main)
    assert (found.labels >= 0).mean() > 0.9
