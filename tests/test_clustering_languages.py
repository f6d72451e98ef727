"""A mixed set of complaints in four languages: topics are told apart within every language."""
# ruff: noqa: E501 - sentences, one to a line

from collections import Counter

from feedback_lab.issues.grouping.clustering import cluster

# Per language: what people add to any complaint (in front, behind), and what they complain about.
WORLD = {
    "en": (
        ["", "Hello, ", "Honestly, ", "I am angry: ", "For the second time "],
        ["", ", please help", " and nobody answers", " since last week", " although I paid", ", thanks for nothing"],
        {
            "refund": ["the refund for my order is missing", "I still wait for my refund", "where is the refund for the parcel"],
            "crash": ["the app crashes when I open the camera", "the app crashes at every start", "after the update the app crashes"],
            "login": ["the login code never arrives by text", "I cannot log in, the code is rejected", "no login code on my phone"],
        },
    ),
    "de": (
        ["", "Hallo, ", "Ehrlich gesagt: ", "Ich bin wütend, ", "Zum zweiten Mal: "],
        ["", ", bitte helfen Sie mir", " und niemand antwortet", " seit letzter Woche", " obwohl ich bezahlt habe", ", danke für nichts"],
        {
            "refund": ["die Rückerstattung für meine Bestellung fehlt", "ich warte auf die Rückerstattung", "wo bleibt die Rückerstattung für das Paket"],
            "crash": ["die App stürzt mit der Kamera ab", "die App stürzt bei jedem Start ab", "nach dem Update stürzt die App ab"],
            "login": ["der Anmeldecode kommt nie per SMS an", "die Anmeldung geht nicht, der Anmeldecode ist ungültig", "kein Anmeldecode auf meinem Handy"],
        },
    ),
    "es": (
        ["", "Hola, ", "La verdad, ", "Estoy enfadado: ", "Por segunda vez "],
        ["", ", ayuda por favor", " y nadie contesta", " desde la semana pasada", " aunque he pagado", ", gracias por nada"],
        {
            "refund": ["falta el reembolso de mi pedido", "sigo esperando el reembolso", "dónde está el reembolso del paquete"],
            "crash": ["la aplicación se cierra al abrir la cámara", "la aplicación se cierra al iniciar", "se cierra la aplicación tras actualizar"],
            "login": ["el código de acceso nunca llega por mensaje", "no puedo entrar, rechaza el código de acceso", "sin código de acceso en mi móvil"],
        },
    ),
    "ja": (
        ["", "こんにちは。", "正直に言うと、", "怒っています。", "二回目ですが、"],
        ["", "。助けてください", "。誰も答えません", "。先週からです", "。支払いは済みました", "。残念です"],
        {
            "refund": ["注文の返金がありません", "返金をまだ待っています", "荷物の返金はどこですか"],
            "crash": ["カメラを開くとアプリが落ちます", "起動するとアプリが落ちる", "更新の後アプリが落ちました"],
            "login": ["認証コードが届きません", "認証コードが拒否されてログインできない", "携帯に認証コードが来ない"],
        },
    ),
}  # fmt: skip


def test_topics_are_told_apart_within_every_language() -> None:
    rows = [
        (f"{before}{core}{after}", language, topic)
        for language, (openings, endings, topics) in WORLD.items()
        for topic, cores in topics.items()
        for number, core in enumerate(cores)
        for turn, before in enumerate(openings)
        for after in endings[(number + turn) % 2 :: 2]
    ]
    found = cluster([text for text, _, _ in rows])
    main = {}
    for place in {(language, topic) for _, language, topic in rows}:
        labels = [int(label) for label, (_, *own) in zip(found.labels, rows, strict=True) if tuple(own) == place]
        issue, count = Counter(labels).most_common(1)[0]
        main[place] = issue
        assert issue >= 0
        assert count / len(labels) > 0.3, place
    for language, (_, _, topics) in WORLD.items():
        assert len({main[language, topic] for topic in topics}) == len(topics), (language, main)
    assert (found.labels >= 0).mean() > 0.9
