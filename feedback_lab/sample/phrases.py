"""Word lists, small talk, faults and complaints of the sample world: pure data in the notation of `words`."""
# ruff: noqa: E501 - sentences, one to a line

from __future__ import annotations

# A country outside the euro area, a place in it and its money.
PLACES = {
    "Switzerland": ("Zurich", "Swiss francs"),
    "the UK": ("London", "pounds"),
    "Norway": ("Oslo", "Norwegian kroner"),
    "Sweden": ("Stockholm", "Swedish kronor"),
    "Denmark": ("Aarhus", "Danish kroner"),
    "Poland": ("Krakow", "zloty"),
    "Turkey": ("Istanbul", "lira"),
    "Morocco": ("Marrakesh", "dirhams"),
    "Egypt": ("Cairo", "Egyptian pounds"),
    "Japan": ("Tokyo", "yen"),
    "Thailand": ("Bangkok", "baht"),
    "Vietnam": ("Hanoi", "dong"),
    "India": ("Mumbai", "rupees"),
    "Canada": ("Toronto", "Canadian dollars"),
    "Mexico": ("Mexico City", "Mexican pesos"),
    "the USA": ("New York", "US dollars"),
    "Brazil": ("Rio", "reais"),
    "Argentina": ("Buenos Aires", "Argentine pesos"),
    "Chile": ("Santiago", "Chilean pesos"),
    "South Africa": ("Cape Town", "rand"),
    "Kenya": ("Nairobi", "shillings"),
    "Australia": ("Sydney", "Australian dollars"),
    "New Zealand": ("Wellington", "New Zealand dollars"),
    "Iceland": ("Reykjavik", "Icelandic kronur"),
    "Hungary": ("Budapest", "forints"),
    "Czechia": ("Prague", "koruna"),
    "Romania": ("Bucharest", "lei"),
    "Serbia": ("Belgrade", "dinars"),
    "Indonesia": ("Bali", "rupiah"),
    "Singapore": ("Singapore", "Singapore dollars"),
    "South Korea": ("Seoul", "won"),
    "Georgia": ("Tbilisi", "lari"),
    "Albania": ("Tirana", "lek"),
    "Tunisia": ("Tunis", "Tunisian dinars"),
    "Jordan": ("Amman", "Jordanian dinars"),
    "Peru": ("Lima", "soles"),
    "Costa Rica": ("San José", "colones"),
    "the Philippines": ("Manila", "Philippine pesos"),
}
SLOTS: dict[str, tuple[str, ...]] = {
    "country": tuple(PLACES),
    "other_country": tuple(
        "Malaysia|Colombia|Israel|Nepal|Sri Lanka|Cuba|China|Bolivia|Oman|Taiwan|Mauritius|Ukraine".split("|")
    ),
    "city": tuple(
        "Dublin|Cork|Galway|London|Leeds|Edinburgh|Berlin|Hamburg|Cologne|Munich|Leipzig|Amsterdam|Utrecht|Rotterdam|"
        "Vienna|Zurich|Oslo|Bergen|Stockholm|Prague|Krakow|Istanbul|Lisbon|Porto|Madrid|Rome|Paris|Lyon|Tokyo|Bangkok|"
        "New York|Chicago|Toronto|Sydney|Cape Town|Limerick|Bremen|Ghent|Antwerp|Basel".split("|")
    ),
    "soon": (
        "tomorrow",
        "on Friday",
        "next week",
        "in two weeks",
        "next month",
        "this weekend",
        "in a few days",
        "on Sunday",
    ),
    "amount": tuple(
        f"€{value}"
        for value in (
            "12",
            "15.90",
            "19",
            "20",
            "25",
            "29.99",
            "35",
            "39",
            "40",
            "45",
            "49.90",
            "50",
            "55",
            "60",
            "64.50",
            "70",
            "75",
            "80",
            "85",
            "89",
            "95",
            "99",
            "100",
            "110",
            "120",
            "129",
            "140",
            "150",
            "165",
            "180",
            "199",
            "200",
            "220",
            "240",
            "250",
            "275",
            "300",
            "320",
            "350",
            "380",
            "400",
            "450",
            "480",
            "500",
            "540",
            "600",
            "650",
            "700",
            "750",
            "800",
            "850",
            "900",
        )
    ),
    "big_amount": tuple(
        f"€{value}"
        for value in (
            "6,000",
            "7,500",
            "8,000",
            "9,500",
            "10,000",
            "12,000",
            "14,500",
            "15,000",
            "18,000",
            "20,000",
            "25,000",
            "30,000",
            "35,000",
            "40,000",
            "48,000",
        )
    ),
    "recipient": tuple(
        "my sister|my brother|my landlord|my mother|my father|a friend|my daughter|my son|the notary|the tax office|a car dealer|"
        "my flatmate|my employer|a craftsman|the kindergarten|my ex|my landlady|a travel agency|my insurance|our builder|"
        "my own account elsewhere|my aunt|the university|a colleague".split("|")
    ),
    "shop": tuple(
        "the gym|my old phone provider|a streaming service|Tallow & Finch|Brightwater Energy|an online shop|PolarFit|"
        "Kestrel Mobile|Mossgrove Books|the parking app|a food delivery|Loomwear|Velotrack|my insurance|Harbour Insurance|"
        "a dating site|Sundial Travel|a software company|Pixelbarn|the fitness studio".split("|")
    ),
    "card": (
        "debit card",
        "Fernway card",
        "credit card",
        "virtual card",
        "card",
        "second card",
        "Plus card",
    ),
    "device": tuple("phone|iPhone|Android phone|tablet|new phone|work phone|iPad|smartphone|old phone".split("|")),
    "plan": ("Standard", "Plus", "Business"),
    "other_plan": ("Plus", "Business"),
    "day": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "other_day": ("Monday", "Tuesday", "Friday", "Saturday", "Sunday", "the weekend", "Wednesday"),
    "days": ("two days", "three days", "four days", "a week", "ten days", "two weeks", "5 days", "a few days"),
    "minutes": ("two", "three", "five", "ten", "15"),
    "number": ("two", "three", "four", "five", "6", "12", "7"),
    "month": tuple("January|February|March|April|May|June|July|August|September|October|November|December".split("|")),
    "goal": ("a holiday", "a bike", "the kitchen", "a rainy day", "the taxes", "a wedding"),
    "reference": (
        "PPX 48213",
        "SUMUPP 7731",
        "KLRN*ORDER",
        "LS MANDATE 0092",
        "REF 2281-A",
        "AMB SERVICES",
        "NXTPY 5519",
        "CARD FEE Q",
    ),
}
# Slots that follow from another one: what may stand in them, by that one's value.
LINKED: dict[str, tuple[str, dict[str, str]]] = {
    "abroad_city": ("country", {country: place[0] for country, place in PLACES.items()}),
    "currency": ("country", {country: place[1] for country, place in PLACES.items()}),
}

OPENERS = (
    "Hi, ",
    "Hello, ",
    "Hi there, ",
    "Good morning, ",
    "Good evening. ",
    "Hey, ",
    "Quick question: ",
    "Hello! ",
    "Hi, I have a question. ",
    "Dear Fernway team, ",
)
CLOSERS = (
    " Thanks!",
    " Thank you",
    " thx",
    " Thanks in advance.",
    " Please help.",
    " Many thanks",
    " It's urgent.",
    " Cheers",
)
CHANGES_OF_SUBJECT = ("Another question: ", "Something else: ", "One more thing. ", "Different topic: ", "And also, ")
REPHRASINGS = (
    "That's not what I asked. ",
    "No, I mean: ",
    "Let me say it differently: ",
    "Again: ",
    "I don't think that's right. ",
    "You didn't answer that. ",
    "Sorry, that doesn't help. ",
    "",
)
ACKNOWLEDGEMENTS = ("Ok, ", "Thanks. ", "Alright, ", "Got it. ", "Great, thanks! ", "Hm ok. ", "I see, ")

VAGUE = (
    "That depends on your account and on several other factors. Please see the terms and conditions for details.",
    "There can be different rules for [{about}|this], depending on the circumstances. [Your plan may also play a role.|We recommend checking your documents.]",
    "Generally this is possible under certain conditions. [The exact figures may vary|Details can vary]; please refer to our price list.",
)
PADDING_BEFORE = (
    "Thank you very much for reaching out to us about {about}! Being able to manage your money at any time is important, and I understand that this matter is on your mind. Before I come to the details, let me give you some background. Fernway Bank has always tried to keep its services simple, transparent and fair.",
    "Great question! There is a lot to say about {about}. In general, banks distinguish several cases here, and each has its own rules, exceptions and historical reasons. First of all it is worth looking at how everyday banking has changed over the last years.",
)
PADDING_AFTER = (
    "In addition, please note that the information above is of a general nature and may differ in individual cases. You may also want to look at our articles on security, sustainability and saving. If you have further questions about {about}, about other products or about anything else, I'm always here to help you.",
    "To sum up: there are several points to consider, which I have explained above in detail. Furthermore, you may find it helpful to read the price list, the general terms, the special terms and our blog. Please do not hesitate to ask again at any time.",
)
INVENTED_LINKS = (
    "You find [the form|all details|the full list] at https://help.fernway.example/{slug}/v1/[details|form|faq][-2|].",
    "See https://fernway.example/[support|docs|service]/{slug}-overview for [the steps|more].",
)
GOOD_LINK = "More: https://fernway.example/help/{slug}"
ASKS_AGAIN = (
    "[Of course, I can help with {about}.|I'm happy to help.] Which plan do you have, and what exactly is it about?",
    "Could you please tell me first what your question is about[, and which product you use|]?",
)
NO_HUMAN = (
    "I'm the digital assistant and can answer most questions about {about} myself. Please describe your request again.",
    "I'm sorry, I can't connect you. [Have a look at|Please see] our help pages on {about}.",
)

LOW_INFORMATION = (
    "bad",
    "👎",
    "wrong",
    "no",
    "nope",
    "useless",
    "not helpful",
    "??",
    "Bad answer",
    "rubbish",
    "no help at all",
    "doesn't help",
    "😡",
    "-",
    "meh",
    "not good",
)
PRAISE = (
    "[Thanks|Thank you|Perfect], [that helped|exactly what I needed|solved it][!|.|]",
    "[Quick|Fast] and [clear|correct|to the point]",
    "👍[👍|]",
    "[very helpful|helpful|great service][, thanks|]",
    "[Worked|Solved] [right away|at once] [on my {device}|]",
    "[Better|Quicker] than [the phone line|waiting on the phone][!|]",
)
EDIT_CLOSERS = (
    "I expect your reply by {other_day}.",
    "My customer number is below.",
    "Otherwise I will contact my lawyer.",
    "Please reply by email only.",
)

COMMENT_OPENERS = (
    "Sorry but ",
    "Hmm, ",
    "Honestly, ",
    "Unfortunately ",
    "Really? ",
    "Again: ",
    "Hi, ",
    "For {about}: ",
)
COMMENT_CLOSERS = (
    " Please fix this.",
    " Not helpful.",
    " Very annoying",
    " 😕",
    " Disappointing.",
    " I expected more.",
    " Please correct it.",
    "!!",
    " As a customer since years I'm not amused.",
)

COMPLAINTS: dict[str, tuple[str, ...]] = {
    "outdated_fee": (
        "[The fee|That fee|The price|The charge] [is|you quote is|it names is] [outdated|old|not current|from the old price list][, it's {right} now|]",
        "[It's|It is|I pay] {right}, not {wrong}[, see the new price list|, look at your own price list|]",
        "[these are|it gave me|that's] [the old fees|old prices|last year's charges|the fees of the old price list]",
        "[The assistant|The bot|It] [says|told me|claims] {wrong} but [the price list|my statement|your website] says {right}",
        "[Wrong|Outdated] [fee|price|charges] for {about}, [the price list has changed|please update your price list|was changed a while ago]",
        "[charged|was charged] something else than the fee [it told me|stated here], [obviously|probably] [an old price|outdated price list]",
        "[doesn't know|does not know] the [new|current] [fees|price list|prices][ for {about}|]",
    ),
    "old_menu": (
        "[There is no|I don't have|can't find|There isn't] such [a menu|a button|an item|menu item] [in the app|in my app|on the {device}|in the current version]",
        "[The menu|This menu|That button|The screen] [doesn't exist|is gone|was removed|looks completely different][ in the new app| since the update|]",
        "[The steps|These instructions|The description] [are|is] for [an old version of the app|the old app|another app], [the settings look different|the menu is different|I see other buttons]",
        "[app has changed|the app was redesigned], [settings|menu|buttons] [moved|are somewhere else]",
        "[looked everywhere|searched the whole app] for {wrong} [and didn't find it|, no such menu|, not in the settings]",
        "steps don't match [what I see on the screen|the screens of my app|my {device} at all]",
    ),
    "wrong_limit": (
        "[The limit|That limit|The amount] [is wrong|is not correct|isn't right][, it is {right}|, mine is {right}|]",
        "[it says|says|told me] {wrong} [but|although] [the real limit is|I can set|it is] {right}",
        "[Wrong|Incorrect] [limit|maximum|amount] [for {about}|given|stated]",
        "[I was able to|I could] [raise|set] [it|the limit] to {right}[, so this is wrong|, the answer is false|]",
        "[limit in the app|the app shows a limit that] is [different|not what is written here|higher than the answer says]",
        "the maximum [is|should be] {right}, [not {wrong}|please check your limits]",
    ),
    "wrong_hours": (
        "[You are|The phone line is|The line is|Hotline is] [closed|not open|not available] [then|at that time|on Sundays], [wrong hours|I called for nothing|nobody answers]",
        "[Wrong|Incorrect|Old] [opening hours|hours|times][, called and it was closed|, nobody there|, should be {right}|]",
        "I [called|rang|phoned] [on {other_day}|at 9 pm|on Sunday] [because it said you are open|as told here] and [it was closed|got the tape|nobody picked up the phone]",
        "[hours|opening hours] [are|is] {right}, not {wrong}",
        "[the times|opening times] [on your website|on the recording] are [different|shorter]",
    ),
    "broken_link": (
        "[The link|That link|Link] [doesn't work|is dead|leads nowhere|is broken|gives an error|gives a 404]",
        "[Page not found|404|error 404] [when I click|when I open|on] [the link|that page|the address]",
        "[This page|The page in the link|That web address] [does not exist|doesn't exist|was never there]",
        "[made up|invented] [link|web page|URL][, page not found|, there is no such page|]",
        "[clicked|tried] the link [on my {device}|twice|in two browsers], [only an error page|404|nothing opens]",
    ),
    "ignored_question": (
        "[Didn't answer|Does not answer|Doesn't answer|Never answered] my question[ about {about}| at all|]",
        "[I asked|My question was about] [something else|something completely different|another thing][, please read the question|]",
        "[That's|This is] [not what I asked|no answer to my question|an answer to another question]",
        "[ignored|ignores|missed|misses] [my question|what I asked|the actual question|half of my question]",
        "[answer|reply] has nothing to do with [the question|my question|{about}]",
        "[asked about|I wanted to know about] {about} and [got|get] [an answer about something else|something unrelated|a different topic]",
    ),
    "too_long": (
        "[Way too long|Far too long|Too long|much too long][, nobody reads that| for a simple question|, please keep it short|]",
        "[so much text|a wall of text|half a novel|endless text] [for a simple question|when one sentence would do|on a {device}]",
        "[Can you|Could you|Please] [be shorter|keep it short|make answers shorter|come to the point]",
        "[I had to|had to] [scroll|read] [forever|three screens|ages] to find [the one sentence|the answer|what I need]",
        "[long-winded|too many words|too wordy], [just give me the answer|one sentence is enough|the answer is buried in the text]",
    ),
    "too_vague": (
        "[Too vague|Very vague|vague answer|So vague][, I need figures|, no figures|, what is the actual number|]",
        "['It depends'|\"depends\"|It depends on what?] [is not an answer|doesn't help|tells me nothing][, I need something concrete|]",
        "[no concrete|nothing concrete|No specific] [information|answer|figures|numbers] [about {about}|, only general phrases|]",
        "[only|just] [general phrases|generalities|empty phrases], [nothing concrete|I could have guessed that|no details]",
        "[sends me|refers me] to the [terms and conditions|price list] instead of [saying it|a concrete answer|giving the figures]",
    ),
    "wrong_language": (
        "[Why is the answer|The answer is|Reply was] in German[? I wrote in English|, I asked in English| and I don't speak German|]",
        "[I don't speak|I don't understand|can't read] German[, please answer in English|, wrote in English|]",
        "[wrong language|Answer in the wrong language][, English please|, I wrote English and got German|]",
        "[please|pls] [answer|reply] in English[ next time|, not German|]",
        "[suddenly|all of a sudden] [switched|switches] to German[ in the middle of the chat|]",
    ),
    "forgets_context": (
        "[I already|I've already|already] [told you|said|wrote] [that|this|it] [above|before|two messages ago][, why do I have to repeat it|]",
        "[asks|asked|keeps asking] [the same thing again and again|me again|the same again|for things I already told it]",
        "[it forgets|forgot|doesn't remember] [what I said|what I wrote before|the conversation|my first message]",
        "[have to|I have to] repeat [myself|everything] [again|every time|over and over]",
        "[no memory|goes round in circles|starts from scratch], [I told you already|I've said that already|we had that already]",
    ),
    "no_human": (
        "[I want to|I just want to|let me] [talk|speak] to [a human|a real person|someone][, not a bot|, not a machine|]",
        "[no way|impossible] to [reach|get] [a human|a person|a real person|an agent]",
        "[Where|How] do I [get|reach] [a real person|a human being|a human agent] [here|at your bank|]?",
        "[bot won't|it won't|refuses to] [connect me|put me through] [to a person|to an agent|to a human]",
        "[need|I need] a [human|person|real agent] for [this|{about}][, please connect me|]",
    ),
    "false_action": (
        "[It said|The bot said|it claims] [it was done|it has done it|everything is done] but [nothing happened|nothing was done|nothing changed]",
        "[Nothing happened|Nothing was done], [although|even though] [it said done|it says it is done|it claims so]",
        "[claims|pretends] to have [done it|done something|taken care of it], [not true|that's a lie|nothing happened in my account]",
        "[checked my account|looked in the app], [nothing has been done|nothing changed|it did not do what it said]",
        "[it can't|the assistant can't] even do that[, but says it's done|, why does it say done]",
        "said [it took care of|it was done with] {about}, [and nothing happened|nothing happened until today]",
    ),
}
