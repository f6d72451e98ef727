"""What people ask the help assistant of the fictional Fernway Bank, and what it answers: pure data.

The notation is that of `words`. Every `«right~wrong»` is a fact; `fault` names the complaint that
its wrong half brings. An intent with an `entry` has a knowledge entry in the sample world.
"""
# ruff: noqa: E501 - sentences, one to a line

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Intent:
    """One thing that people want to know: how often (relative), in which words, and what is answered."""

    weight: float
    questions: tuple[str, ...]
    answers: tuple[str, ...]
    fault: str = ""
    entry: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic: how users name it, its questions, what may be asked afterwards, and what goes wrong in it."""

    about: str
    intents: dict[str, Intent]
    followups: tuple[Intent, ...]
    action: str
    german: str
    slug: str


TOPICS: dict[str, Topic] = {
    "fees_abroad": Topic(
        about="[paying abroad|card fees abroad|using my card in {country}]",
        intents={
            "cash": Intent(
                4,
                (
                    "[What does it cost|How much do you charge|What's the fee] [to withdraw cash|to take out {amount}|to use an ATM] in {country}[| with my {card}]?",
                    "[I'm|We're] [flying|going|travelling] to {country} {soon}. [What are the fees for|How much will I pay for] [cash withdrawals|taking out cash] [there|in {abroad_city}]?",
                    "cash machine [fee|charge|cost] {country} {plan} [plan|account]?",
                    "[I took out|I withdrew] {amount} in {abroad_city} and [was charged a fee|there's a fee on my statement]. [How is that calculated|Why]?",
                ),
                (
                    "Withdrawing cash in {country} costs «1.5 %~2.2 %» of the amount, at least «€2~€5». The first «three~two» withdrawals of each month are free on the {plan} plan. [The operator of the machine may add a charge of its own.|]",
                    "On the {plan} plan you pay «1.5 %~2.2 %» for cash in {country}, with a minimum of «€2~€5». Choose to be charged in the local currency, otherwise the machine sets its own rate.",
                ),
                "outdated_fee",
                (
                    "What does it cost to withdraw cash outside the euro area?",
                    "1.5 % of the amount, at least €2. The first three withdrawals each month are free. The operator of the machine may add its own charge.",
                ),
            ),
            "pay": Intent(
                4,
                (
                    "[Do you charge|Is there a fee|Do I pay extra] [for paying by card|when I pay with my {card}] in {country}?",
                    "[How much is|What is] the foreign transaction fee [for|on] [a hotel|a restaurant|a rental car] in {abroad_city}[, {country}|]?",
                    "I paid {amount} in [a shop|a hotel|a restaurant] in {abroad_city}, [why is there a foreign fee|what is this extra charge] [on top|of a few euros]?",
                    "[card payment|paying by card] in {country}, [any fees|what charges] [with|on] [{plan}|my plan]?",
                ),
                (
                    "Card payments in {country} cost «0.9 %~1.75 %» of the amount on the {plan} plan. [It is shown as a line of its own in your statement.|Payments in euros are always free.]",
                    "For payments in a foreign currency we charge «0.9 %~1.75 %». [Payments in euros are free|There is no charge in euro countries], also in {abroad_city} if the shop bills in euros.",
                ),
                "outdated_fee",
                (
                    "Is there a fee for paying by card in a foreign currency?",
                    "Yes, 0.9 % of the amount. Payments in euros are free.",
                ),
            ),
            "rate": Intent(
                2,
                (
                    "[Which|What] exchange rate do you use [for|when I pay in] {currency}?",
                    "[How do you|How does Fernway] convert [{amount} from|payments in] {currency}? [Is there a mark-up|Do you add a margin]?",
                ),
                (
                    "We convert {currency} at the card network's rate of the booking day[, without a margin|]. The currency fee of «0.9 %~1.75 %» comes on top.",
                    "The rate is the card network's daily rate for {currency}; you see it in the app under the payment. We add «0.9 %~1.75 %» as currency fee.",
                ),
                "outdated_fee",
                (
                    "Which exchange rate applies to card payments abroad?",
                    "The card network's rate of the booking day, without a margin, plus 0.9 % currency fee.",
                ),
            ),
            "online": Intent(
                2,
                (
                    "[If I order|When I buy something] for {amount} from [a shop|a website] in {country}, [do I pay a currency fee|what will you charge me]?",
                    "[Is there|Do you take] a fee for [online orders|subscriptions] in {currency}?",
                ),
                (
                    "Online payments in {currency} count as foreign payments: «0.9 %~1.75 %» of the amount. If the shop bills in euros there is no fee.",
                ),
                "outdated_fee",
            ),
        },
        followups=(
            Intent(
                3,
                ("[And|ok and] [in|what about] {other_country}?", "[Does that also apply to|Same in] {other_country}?"),
                (
                    "The same fees apply in {other_country}: «0.9 %~1.75 %» for payments and «1.5 %~2.2 %» for cash, unless you pay in euros.",
                ),
                "outdated_fee",
            ),
            Intent(
                2,
                (
                    "[Would it be cheaper|Is it cheaper|Do I save anything] with the {other_plan} plan?",
                    "so what would I pay in total for {amount}?",
                ),
                (
                    "The currency fee is the same on every plan; Plus and Business add «two~one» more free withdrawals a month. For {amount} that makes a difference of a few euros at most.",
                ),
                "outdated_fee",
            ),
            Intent(
                1,
                ("[Should I|Is it better to] [choose|pick] euros or the local currency at the [terminal|machine]?",),
                (
                    "Always choose the local currency. [The terminal's own conversion is usually 3 to 8 % worse than ours.|If you choose euros, the operator sets the rate.] Our fee stays «0.9 %~1.75 %».",
                ),
                "outdated_fee",
            ),
        ),
        action="I have refunded the foreign fee of your last payment.",
        german="Kartenzahlungen in {country} kosten 0,9 % des Betrags. Bargeld am Automaten kostet 1,5 %, mindestens 2 Euro.",
        slug="fees-abroad",
    ),
    "sign_in": Topic(
        about="[signing in|logging in|the login]",
        intents={
            "new_phone": Intent(
                4,
                (
                    "[I have|I've got|I bought] a new {device}, how do I [set up|move|activate] the [app|Fernway app] [on it|there]?",
                    "[my old {device} is broken|I lost my old phone]. How can I [log in|sign in|get into the app] on the new {device}?",
                    "[How do I|How to] [transfer|move] the [app|security key|sign-in approval] [from my old phone|to another phone|to my {device}]?",
                ),
                (
                    "Install the app on the new {device}, enter your customer number and choose «'Move from another device' on the first screen~Settings > Security > Devices > Add device». [Then confirm the code that we send to your phone number.|Your old device is signed out at once.]",
                    "On the {device}, open the app and tap «'Move from another device'~the menu, then Security, then 'Register device'». Scan the code shown by the old one, or ask for a letter with a code (2 to 3 working days) if you no longer have it.",
                ),
                "old_menu",
                (
                    "How do I move the app to a new phone?",
                    "Install the app, enter your customer number and choose 'Move from another device' on the first screen. Confirm the code from your old phone, or ask for one by letter.",
                ),
            ),
            "locked": Intent(
                3,
                (
                    "[My account is locked|I'm locked out|My access is blocked] after [three|too many|{number}] wrong [passwords|PINs|attempts]. [What now|How do I unlock it]?",
                    "[I forgot|I can't remember] my [password|app PIN|passcode], [how can I reset it|what do I do]?",
                    "[cannot log in|can't sign in] since {day}, [it says locked|says access blocked|password rejected]",
                ),
                (
                    "[Tap|Choose] «'Trouble signing in?' below the passcode field~Menu > Profile > Reset access» and [identify yourself with your card and a selfie|enter the last four digits of your {card}]. Access is open again after about {minutes} minutes.",
                    "You can unlock it yourself: «'Trouble signing in?' below the passcode field~Services > Access > Unlock in the web menu», then the number of your {card}. The new passcode works straight away.",
                ),
                "old_menu",
                (
                    "My access is locked. How do I unlock it?",
                    "Tap 'Trouble signing in?' below the passcode field and identify yourself with your card and a selfie.",
                ),
            ),
            "code": Intent(
                3,
                (
                    "[I don't get|I'm not receiving|I get no] [SMS code|security code|confirmation code] [on my {device}|when I log in|since {day}].",
                    "The [code|push message] [never arrives|doesn't arrive|comes too late] on my {device}[, tried {number} times|]. [Help|What can I do]?",
                ),
                (
                    "We no longer send codes by SMS; sign-ins are approved in the app under «the bell at the top right~Menu > Messages > Approvals». [Allow notifications for the app on your {device}.|Open the app if no message appears.]",
                    "[Please check|Check] that your {device} has a connection, open the app and tap «the bell at the top right~Menu > Messages > Approvals». The request waits there for {minutes} minutes.",
                ),
                "old_menu",
                (
                    "Why does the security code not arrive?",
                    "Codes by SMS have ended. Open the app and tap the bell at the top right: the sign-in waits there for your approval.",
                ),
            ),
            "biometrics": Intent(
                1.5,
                (
                    "[How do I|Can I] [turn on|use|enable] [fingerprint|face recognition] [on my {device}|to sign in]?",
                    "[Fingerprint|Face] [login|sign-in] [stopped working|is gone] [on my {device}|after the update]",
                ),
                (
                    "Open «your picture at the top left, then 'Sign-in and security'~Settings > General > Biometrics» and switch it on. [Your {device} must have a screen lock.|You'll be asked for your passcode once.]",
                ),
                "old_menu",
            ),
        },
        followups=(
            Intent(
                3,
                (
                    "[I don't see|I can't find|There is no] [that|such a button|this] on my {device}[, where exactly is it|]?",
                    "[Where|On which screen] do I find that[ on the {device}|]?",
                ),
                (
                    "In the current version it is «under your picture at the top left~in the grey menu at the bottom, under 'More'». [If it is missing, please update the app in the store.|]",
                ),
                "old_menu",
            ),
            Intent(
                2,
                (
                    "[How long does|How many days does] [the letter|that|unlocking] take?",
                    "And if I [am abroad|am in {city}|have no phone] [right now|]?",
                ),
                (
                    "[Usually {minutes} minutes; a letter takes 2 to 3 working days.|A letter takes 2 to 3 working days, inside the app it is immediate.] [You can also sign in on the web with your card reader.|]",
                ),
            ),
        ),
        action="I have reset your access and sent you a new code.",
        german="Öffnen Sie die App auf dem neuen Gerät und wählen Sie 'Von anderem Gerät umziehen'. Danach bestätigen Sie den Code.",
        slug="sign-in",
    ),
    "pending_transfer": Topic(
        about="[my transfer|a transfer that is late|transfers]",
        intents={
            "when": Intent(
                6,
                (
                    "[When will my transfer of {amount} to {recipient} arrive|How long does a transfer of {amount} to {recipient} take|When is my payment to {recipient} there]?",
                    "[I sent|I transferred] {amount} to {recipient} on {day}, [it still says pending|it hasn't arrived|where is it]?",
                    "[Transfer|Payment] [to {recipient}|of {amount}] [is pending|pending] since {day}[, why|]?",
                ),
                (
                    "Transfers within the euro area arrive [on the next working day|by the next working day]; {amount} sent on {day} after 15:00 goes out one working day later. Instant transfers take ten seconds.",
                    "A transfer to {recipient} takes one working day. [If it says 'pending', we are still checking it; that takes {minutes} minutes as a rule.|At weekends nothing is booked.]",
                ),
                "",
                (
                    "When does a transfer arrive?",
                    "Always within three working days. Please wait for five working days before you contact us about a missing transfer.",
                ),
            ),
            "cancel": Intent(
                3,
                (
                    "[Can I|How do I] [cancel|stop|call back] [a transfer|the {amount}] [I sent to {recipient}|to {recipient}]?",
                    "[I sent|I just sent] {amount} to the wrong [account|person|IBAN]! [What can I do|Can you stop it]?",
                ),
                (
                    "As long as it says 'scheduled' you can delete it under Payments. Once booked we can only ask {recipient}'s bank to return the {amount}; [that costs nothing and|that is free and] takes up to ten working days.",
                    "[Standard transfers|A standard transfer] can be withdrawn until 15:00 of the same day: open it in the app and tap 'Withdraw'. Instant transfers cannot be called back.",
                ),
                "",
                (
                    "Can I cancel a transfer?",
                    "While it is 'scheduled', yes: delete it under Payments. Once booked, use 'Ask for return' in its details.",
                ),
            ),
            "instant": Intent(
                2,
                (
                    "[Do you offer|Does Fernway have] instant transfers[ to {recipient}|]?",
                    "[Why can't I|How do I] send {amount} as an instant [transfer|payment] to {recipient}?",
                ),
                (
                    "Yes, tick 'Instant' before you confirm. Instant transfers are [free|free of charge] up to «€15,000~€5,000» and arrive in ten seconds, if the other bank takes part.",
                ),
                "wrong_limit",
            ),
            "check": Intent(
                1,
                (
                    "What does 'recipient name does not match' mean for my transfer to {recipient}?",
                    "[The app says|It says] the name of {recipient} doesn't match the IBAN, [can I still send {amount}|is that dangerous]?",
                ),
                (
                    "We compare the name with the one at the other bank. [Check|Ask {recipient} for] the exact name of the account holder; you may send the {amount} anyway, at your own risk.",
                ),
            ),
        },
        followups=(
            Intent(
                3,
                (
                    "[And if it's|what if it is] still not there [on {other_day}|in {days}]?",
                    "[Can|Could] you [check|trace] [it|where it is]?",
                ),
                (
                    "Then start a trace: open the payment and tap 'Where is my money?'. [We ask the other bank and answer within {days}.|You get an answer by message within {days}.]",
                ),
            ),
            Intent(
                2,
                (
                    "[Is that the same|Does that apply] for [standing orders|transfers to {other_country}|payments on {other_day}]?",
                ),
                (
                    "[Standing orders go out in the morning of the day you set.|Transfers outside the euro area take two to four working days.] The cut-off is 15:00 on working days.",
                ),
            ),
        ),
        action="I have stopped the transfer for you and the money is back on your account.",
        german="Eine Überweisung dauert einen Bankarbeitstag. Nach 15 Uhr wird sie am nächsten Bankarbeitstag ausgeführt.",
        slug="transfer-status",
    ),
    "transfer_limit": Topic(
        about="[my transfer limit|the limit|limits]",
        intents={
            "raise": Intent(
                8,
                (
                    "[How can I|How do I|Can I] [raise|increase|change] my [daily limit|transfer limit|limit] [to {big_amount}|for {days}|]?",
                    "[I need to|I have to|I want to] [send|transfer|pay] {big_amount} to {recipient} [but the limit is too low|but my limit won't let me|today]. What [can I do|do I do]?",
                    "[raise|increase] limit [for a transfer of {big_amount}|to {big_amount}][ please|, {recipient}|]",
                ),
                (
                    "[Open|Go to] Payments, tap the three dots and choose 'Limits'. You can set up to «€50,000 a day for 24 hours~€10,000 a day»; [the new limit holds at once|it counts at once after your approval].",
                    "In the app you can raise the daily limit to «€50,000 for 24 hours~€10,000» yourself. For more than that, [write to us|call us] with the reason; {big_amount} to {recipient} [is no problem|can be arranged].",
                ),
                "wrong_limit",
                (
                    "How do I raise my transfer limit?",
                    "Payments > three dots > Limits. Up to €50,000 a day for 24 hours, at once. For more, call us with the reason.",
                ),
            ),
            "current": Intent(
                3,
                (
                    "[What is|How high is] my [daily|weekly] [transfer limit|limit for transfers][ on {plan}|]?",
                    "[What's the most|How much] I can [send|transfer] [in one day|per day|at once][ with the {plan} plan|]?",
                ),
                (
                    "The standard limit on the {plan} plan is «€5,000~€2,500» a day. You see yours under Payments > Limits.",
                    "Without changes you can send «€5,000~€2,500» a day, instant transfers included.",
                ),
                "wrong_limit",
                (
                    "What is my transfer limit?",
                    "€5,000 a day unless you changed it. You see it under Payments > Limits.",
                ),
            ),
            "rejected": Intent(
                2,
                (
                    "[Why was|Why is] my transfer of {big_amount} [rejected|refused|declined]?",
                    "'Limit exceeded' [when I send|for] {big_amount} to {recipient}, [but I only sent {amount} today|why]?",
                ),
                (
                    "'Limit exceeded' counts all transfers of the last 24 hours, scheduled ones too. Your limit is «€5,000~€2,500» unless you raised it; with the {big_amount} you are above it.",
                ),
                "wrong_limit",
            ),
            "card_limit": Intent(
                1,
                ("[Where do I|How can I] change the [payment|cash] limit of my {card}[ to {amount}|]?",),
                (
                    "Tap the card, then 'Limits'. For cash you can set up to «€1,000~€500» a day, for payments up to «€10,000~€3,000».",
                ),
                "wrong_limit",
            ),
        },
        followups=(
            Intent(
                3,
                (
                    "[How long does the change take|When does it take effect|How long does the higher limit last]?",
                    "[Does it go back|Is it reset] [by itself|automatically] after {days}?",
                ),
                (
                    "It holds at once and falls back by itself after «24 hours~30 days». [You get a message when it does.|]",
                ),
                "wrong_limit",
            ),
            Intent(
                2,
                (
                    "[Can I|Could I] [split it into|send] {number} transfers [instead|of {amount} instead]?",
                    "And for {big_amount}?",
                ),
                (
                    "[Yes, but|You can, but] the limit counts the sum of 24 hours, so it makes no difference. Raise it to «€50,000~€10,000» for a day instead.",
                ),
                "wrong_limit",
            ),
        ),
        action="I have raised your limit to {big_amount}.",
        german="Das Tageslimit ändern Sie unter Zahlungen > Limits. Möglich sind bis zu 50.000 Euro für 24 Stunden.",
        slug="limits",
    ),
    "savings_rate": Topic(
        about="[the savings rate|interest on savings|my savings account]",
        intents={
            "current": Intent(
                4,
                (
                    "[What|How much] interest [do you pay|do I get] on [savings|the savings account|{big_amount} in savings]?",
                    "[What is|What's] the [current|latest] [savings rate|interest rate][ for {big_amount}| on {plan}|]?",
                    "how much interest would {big_amount} bring in [a year|{number} months]?",
                ),
                (
                    "The savings account pays «2.1 %~2.6 %» a year, [from the first euro|up to €100,000]. Interest is paid [at the end of each quarter|every quarter].",
                    "At the moment «2.1 %~2.6 %» a year. For {big_amount} that is paid out in four parts, at the end of each quarter.",
                ),
                "outdated_fee",
                ("What interest does the savings account pay?", "2.1 % a year up to €100,000, paid each quarter."),
            ),
            "withdraw": Intent(
                2.5,
                (
                    "[Can I|How do I] [take|move|withdraw] {amount} [out of|from] my savings [account|] [at any time|before {day}|]?",
                    "[Is there|Do you have] a notice period [for|when I withdraw] [savings|{amount} from savings]?",
                ),
                (
                    "Your savings are [available at any time|never locked]: move {amount} to your current account and it is there in seconds. Interest runs until the day before.",
                ),
                "",
                (
                    "Can I withdraw savings at any time?",
                    "Yes, without notice: the transfer to your current account takes seconds.",
                ),
            ),
            "tax": Intent(
                1.5,
                (
                    "[How is|Is] the interest [on my savings|of {amount}] taxed?",
                    "[Where can I|How do I] [enter|change] my tax [exemption|allowance] for the savings account?",
                ),
                (
                    "We pass interest tax on to the tax office when interest is paid. [Enter your allowance under Profile > Tax.|You can enter an allowance under Profile > Tax; it counts from the next quarter.]",
                ),
            ),
            "safe": Intent(
                1,
                (
                    "[Is my money|Are {big_amount}] [safe|insured] with Fernway?",
                    "up to what amount are [my savings|deposits] [protected|insured]?",
                ),
                ("Deposits are protected by law up to €100,000 per person[, savings and current account together|].",),
            ),
        },
        followups=(
            Intent(
                3,
                (
                    "[When|How often] is [it|the interest] paid[ out|]?",
                    "[And for|What about] {big_amount}?",
                    "[Since when|Until when] is that the rate?",
                ),
                (
                    "Interest is paid each quarter; the rate of «2.1 %~2.6 %» is variable and [can change|may change] with the market. [We tell you before it changes.|]",
                ),
                "outdated_fee",
            ),
            Intent(
                2,
                (
                    "[Can I|Is it possible to] open a second [one|savings account] [for {recipient}|for a holiday|for {goal}]?",
                ),
                ("Yes, up to ten, each with a name and a goal such as {goal}. Tap the plus on the start screen.",),
            ),
        ),
        action="I have opened a savings account for you and moved {amount} there.",
        german="Das Sparkonto bringt derzeit 2,1 % im Jahr. Die Zinsen werden am Ende jedes Quartals gutgeschrieben.",
        slug="savings",
    ),
    "card_delivery": Topic(
        about="[my new card|the card delivery|my card order]",
        intents={
            "when": Intent(
                4,
                (
                    "[When will my [new card|{card}] [arrive|come]|How long does a {card} to {city} take|How long until my {card} is here]?",
                    "[I ordered|I applied for] a {card} {days} ago[ and it's still not here|, where is it]?",
                    "[still no card|card not arrived|card not here yet], ordered on {day}, [I live in {city}|address is {city}]",
                ),
                (
                    "Cards arrive by post within [five to seven|5 to 7] working days, the PIN is in the app. [If it isn't there after ten working days, order a new one free of charge.|You can use the virtual card at once.]",
                    "Delivery to {city} takes five to seven working days. [The envelope is plain, please look through your post.|You see the status under Cards > Delivery.]",
                ),
                "",
                (
                    "When will my card arrive?",
                    "Within five to seven working days by post. The status stands under Cards > Delivery.",
                ),
            ),
            "address": Intent(
                2.5,
                (
                    "[Can you|Could you] send [my card|the {card}] to [another address|my address in {city}|my parents in {city}]?",
                    "[I moved|I have moved] to {city}, [will the card go to|is the card sent to] my [old|new] address?",
                ),
                (
                    "Change your address under Profile > Address before you order; a card that is under way can't be redirected. [If it went to the old address, block it and order it again to {city}.|]",
                ),
                "",
                (
                    "Can my card go to another address?",
                    "Change the address under Profile > Address before ordering. Cards under way can't be redirected; order again free of charge.",
                ),
            ),
            "pin": Intent(
                2,
                (
                    "[Where do I find|How do I get|I haven't got] the PIN [for|of] my [new {card}|{card}]?",
                    "[Can I|How can I] [change|choose] the PIN of my {card}?",
                ),
                (
                    "Tap the card in the app, then 'Show PIN'. [We don't send PINs by post.|You can change it at any Fernway cash machine.]",
                ),
            ),
            "activate": Intent(
                1.5,
                (
                    "[How do I|Where can I] activate [my|the] new {card}?",
                    "[card arrived|got the card] {day}, [does it need activating|it's declined everywhere]",
                ),
                (
                    "Tap 'Activate' below the picture of the card in the app[ and enter the three digits on its back|]. The first payment must be with the PIN.",
                ),
            ),
        },
        followups=(
            Intent(
                3,
                (
                    "[Can I|Is it possible to] [track|speed up|express] [it|the delivery]?",
                    "[What do I do|And] if it's not here by {other_day}?",
                ),
                (
                    "[There is no tracking, cards go by ordinary post.|] Express delivery costs «€12~€25» and takes two working days. [After ten working days we replace it free of charge.|]",
                ),
                "outdated_fee",
            ),
            Intent(
                2,
                ("[How do I|Can I] pay [until then|in the meantime][ in {city}|]?",),
                ("Use the virtual card: it is ready in the app and works with your {device} [in shops too|].",),
            ),
        ),
        action="I have sent a new card to {city} by express.",
        german="Die Karte kommt innerhalb von fünf bis sieben Werktagen mit der Post. Die PIN finden Sie in der App.",
        slug="card-delivery",
    ),
    "lost_card": Topic(
        about="[my lost card|blocking my card|my stolen card]",
        intents={
            "block": Intent(
                4,
                (
                    "[I lost|I've lost|I can't find] my {card} [in {city}|on {day}|somewhere]. [How do I block it|What now|Please help]!",
                    "[My {card}|My wallet with the {card}] was stolen [in {abroad_city}|in {country}|on {day}], [what should I do|block it please]",
                    "[block|freeze] my {card} [now|immediately|please][, lost in {city}|]",
                ),
                (
                    "[Block it right now|Please block it at once]: tap the {card} in the app, then 'Block'. [Without the app call +353 1 555 0144, day and night.|If you only mislaid it, 'Freeze' can be undone.]",
                    "Open Cards, choose the {card} and tap 'Block'. We replace it free of charge; payments after the block are not yours to bear. [Tell the police in {city} if it was stolen.|]",
                ),
                "",
                (
                    "How do I block a lost or stolen card?",
                    "Tap the card in the app, then 'Block', or call +353 1 555 0144 day and night.",
                ),
            ),
            "replacement": Intent(
                2,
                (
                    "[How do I|Where can I] [order|get] a [replacement|new {card}] [after the loss|for the one I lost|for the blocked one]?",
                    "[What does|How much is] a replacement [card|{card}][ for a stolen one|]?",
                ),
                (
                    "After blocking, tap 'Replace'. The new {card} is «free of charge~€10» and arrives in five to seven working days.",
                ),
                "outdated_fee",
                (
                    "What does a replacement card cost?",
                    "Nothing. Tap 'Replace' after blocking; it arrives in five to seven working days.",
                ),
            ),
            "unknown_payment": Intent(
                2.5,
                (
                    "[There is|I see] a payment of {amount} [that I don't know|I didn't make] [from {day}|to {shop}]. [Is my card stolen|What do I do]?",
                    "[someone|somebody] paid {amount} [at {shop}|in {city}] with my {card}!",
                ),
                (
                    "Freeze the {card} first. Then tap the payment of {amount} and choose 'I don't know this payment'; we look into it and [answer within {days}|pay the money back if it was fraud].",
                ),
            ),
            "unblock": Intent(
                1.5,
                ("[I found|I've found] my {card} again, [can I unblock it|how do I unfreeze it]?",),
                (
                    "A frozen card can be used again: tap 'Unfreeze'. A blocked card stays blocked for your safety[; order a new one under Cards|].",
                ),
            ),
        },
        followups=(
            Intent(
                2,
                (
                    "[Will I|Do I] get the {amount} back?",
                    "[Who pays|What happens] if someone [used it|paid with it] [before|on {other_day}]?",
                ),
                (
                    "Payments that you did not approve are refunded, usually within {days}. [You bear at most €50 of what happened before the block.|]",
                ),
            ),
            Intent(
                2,
                ("[And|What about] the card in my {device}?", "[Do|Will] my subscriptions [stop|still work]?"),
                (
                    "The copy in your {device} is blocked with it and comes back with the new card. [Subscriptions get the new number by themselves in most cases.|]",
                ),
            ),
        ),
        action="I have blocked your {card} for you and ordered a new one.",
        german="Tippen Sie in der App auf die Karte und dann auf 'Sperren'. Die Ersatzkarte ist kostenlos.",
        slug="lost-card",
    ),
    "open_account": Topic(
        about="[opening an account|my application|the identification]",
        intents={
            "documents": Intent(
                3,
                (
                    "[What|Which] documents do I need to open [an account|a {plan} account][ as a student| from {country}|]?",
                    "[Can I|Is it possible to] open an account with a passport from {country}?",
                ),
                (
                    "You need [a valid passport or identity card|a valid identity document], an address in the EU and a phone number. [For passports from {country} we also ask for a residence permit.|Students add their certificate for the free Plus plan.]",
                ),
                "",
                (
                    "Which documents do I need to open an account?",
                    "A valid passport or identity card, an EU address and a phone number; for some passports a residence permit too.",
                ),
            ),
            "video": Intent(
                3,
                (
                    "[The video identification|The video call|Identification] [failed|broke off|doesn't work] [on my {device}|{number} times|again]. [What now|Is there another way]?",
                    "[When|At what times] can I do the video identification[ on {day}|]?",
                ),
                (
                    "The video call is open «daily from 7:00 to 23:00~on working days from 9:00 to 17:00». [You can also identify yourself at a post office.|Good light and a stable connection on the {device} help most.]",
                ),
                "wrong_hours",
                (
                    "What can I do if the video identification fails?",
                    "Try again daily from 7:00 to 23:00, or print the coupon and identify yourself at a post office.",
                ),
            ),
            "status": Intent(
                2.5,
                (
                    "[I applied|I sent my application] {days} ago, [what is the status|why is it not open yet|still waiting]?",
                    "[How long does|How many days does] it take until [my account|the {plan} account] is open?",
                ),
                (
                    "After the identification it takes [one to two working days|up to two working days]. If we need anything we write to you; please look in your spam folder too.",
                ),
            ),
            "child": Intent(
                1,
                ("[Can I|How can I] open an account for my [son|daughter|child][ ({number})|, a teenager|]?",),
                (
                    "From the age of seven, under 'Family' in the app. [Both parents confirm it.|You can set limits and see all payments.]",
                ),
            ),
        },
        followups=(
            Intent(
                2,
                (
                    "[Does it|Will it] cost anything[ per month|]?",
                    "[what does the {other_plan} plan cost|how much is the {other_plan} plan then]?",
                ),
                (
                    "Standard is free, Plus costs «€4.90~€3.90» and Business «€9.90~€7.90» a month. You can change at any time.",
                ),
                "outdated_fee",
            ),
            Intent(
                2,
                ("[Can I|Could I] do that [in {city}|at a post office|on {other_day}] [too|as well|]?",),
                (
                    "Yes, [at any post office with the coupon from the app|with the coupon, at every post office]; it takes about {minutes} minutes.",
                ),
            ),
        ),
        action="I have approved your application, your account is open now.",
        german="Sie brauchen einen gültigen Ausweis, eine Adresse in der EU und eine Telefonnummer. Die Prüfung dauert ein bis zwei Werktage.",
        slug="open-account",
    ),
    "direct_debit": Topic(
        about="[a direct debit|the debit from {shop}|direct debits]",
        intents={
            "refund": Intent(
                4,
                (
                    "[How do I|Can I] [return|get back|reverse] a direct debit of {amount} [from|by] {shop}?",
                    "{shop} [took|debited|collected] {amount} [on {day}|twice|without asking], [I want it back|how do I get it back]",
                ),
                (
                    "Tap the debit of {shop} and choose 'Return'. You have «eight~six» weeks for that, without a reason; the {amount} is back [at once|within minutes].",
                ),
                "wrong_limit",
                (
                    "How do I return a direct debit?",
                    "Tap it and choose 'Return'. You have eight weeks, without giving a reason.",
                ),
            ),
            "stop": Intent(
                2.5,
                (
                    "[How can I|I want to] [stop|block|forbid] {shop} [from taking money|from debiting me]?",
                    "[cancel|revoke] the direct debit [mandate|authorisation] [for|of] {shop}",
                ),
                (
                    "Under Payments > Direct debits you can block {shop}. [Please cancel the contract there as well, the block doesn't end it.|Mandates themselves are revoked with the company.]",
                ),
                "",
                (
                    "How do I stop a company from debiting my account?",
                    "Payments > Direct debits > Block. The contract must be cancelled with the company.",
                ),
            ),
            "draft": Intent(
                1.5,
                (
                    "[Write|Draft|Can you write] [a message|a letter|an email] to {shop} that they should [pay back {amount}|stop debiting me|cancel my mandate]",
                ),
                (
                    "Here is a draft: 'Dear Sir or Madam, on {day} you debited {amount} from my account without a valid mandate. Please return the amount within 14 days and confirm this in writing. Kind regards'",
                    "You could write: 'To whom it may concern: I hereby revoke the direct debit mandate for my account with immediate effect. Please confirm by email and return the {amount} debited on {day}.'",
                ),
            ),
            "bounced": Intent(
                2,
                (
                    "[Why was|Why has] the direct debit of {shop} [returned|rejected|bounced]?",
                    "{shop} says the debit of {amount} [bounced|was rejected][ on {day}|], why?",
                ),
                (
                    "There wasn't enough money on the account when {shop} collected the {amount}. We try again on the next working day; a returned debit costs «€1.50~€4».",
                ),
                "outdated_fee",
            ),
        },
        followups=(
            Intent(
                2,
                (
                    "[How long|Until when] [can I do that|do I have]?",
                    "and for a debit from [last month|{days} ago|{day}]?",
                ),
                ("For debits with a mandate «eight~six» weeks, for those without one 13 months.",),
                "wrong_limit",
            ),
            Intent(
                2,
                ("[Will|Can] {shop} [charge me for that|sue me|debit again]?", "does that cost me anything?"),
                (
                    "[With us a return costs nothing.|Returning is free with us.] {shop} may charge its own costs if the debit was justified.",
                ),
            ),
        ),
        action="I have returned the direct debit of {shop}.",
        german="Tippen Sie auf die Lastschrift und wählen Sie 'Zurückgeben'. Das geht acht Wochen lang ohne Angabe von Gründen.",
        slug="direct-debit",
    ),
    "contact": Topic(
        about="[your phone line|customer service|opening hours]",
        intents={
            "hours": Intent(
                4,
                (
                    "[When|At what times] [can I|is it possible to] [call|phone|reach] [you|customer service][ on {day}|]?",
                    "[What are|I need] [your opening hours|the opening times] [in {city}|on {day}|of the phone line]",
                    "[is anyone there|are you open] on {day}?",
                ),
                (
                    "Our phone line is open «Monday to Saturday from 8:00 to 20:00~every day from 6:00 to 22:00»; blocking cards works day and night. [The chat answers at any time.|]",
                    "You reach us «Monday to Saturday from 8:00 to 20:00~every day, Sundays too» on +353 1 555 0120.",
                ),
                "wrong_hours",
                (
                    "When is the phone line open?",
                    "Monday to Saturday from 8:00 to 20:00 on +353 1 555 0120; blocking cards day and night.",
                ),
            ),
            "human": Intent(
                2.5,
                (
                    "[I want to|Can I|Please let me] [talk|speak] to [a real person|an employee|someone] about {amount}[ from {shop}|]",
                    "[give me|connect me with] [a human|an agent|a member of staff][ please|]",
                ),
                (
                    "[Of course.|Sure.] Tap 'Person' at the top of this chat; the waiting time is about {minutes} minutes. By phone: «Monday to Saturday from 8:00 to 20:00~every day from 6:00 to 22:00».",
                ),
                "wrong_hours",
            ),
            "branch": Intent(
                1.5,
                (
                    "[Is there|Do you have] a branch [in {city}|near {city}]?",
                    "[Where can I|Can I] pay in {amount} in cash in {city}?",
                ),
                (
                    "We have no branches. [In {city} you can pay in cash at partner shops, see 'Cash' in the app.|Cash can be paid in at partner shops.] The first «€100~€300» a month are free.",
                ),
                "wrong_limit",
            ),
            "complaint": Intent(
                1.5,
                (
                    "[Where do I|How can I] [complain|make a complaint] about [{shop}|a payment of {amount}|customer service|the phone line]?",
                ),
                (
                    "Write to complaints@fernway.example or use 'Feedback' in the app. You get an answer within 15 working days[, and can turn to the ombudsman after that|].",
                ),
                "",
                (
                    "How do I make a complaint?",
                    "Write to complaints@fernway.example. You get an answer within 15 working days.",
                ),
            ),
        },
        followups=(
            Intent(
                2,
                ("[And on|What about] {other_day}?", "and on public holidays?"),
                (
                    "[On {other_day}|On working days] we are there «from 8:00 to 20:00, except Sundays and public holidays~from 6:00 to 22:00 as always».",
                ),
                "wrong_hours",
            ),
            Intent(
                2,
                (
                    "[How long|What] is the [wait|waiting time] [now|on {other_day}]?",
                    "[Can|Could] someone call me back on {other_day}?",
                ),
                (
                    "Choose 'Call me back' under Contact and pick a time. [At the moment the wait is about {minutes} minutes.|]",
                ),
            ),
        ),
        action="I have booked a call-back for {day} at ten.",
        german="Unsere Hotline ist montags bis samstags von 8 bis 20 Uhr erreichbar. Kartensperren geht rund um die Uhr.",
        slug="contact",
    ),
    "mobile_pay": Topic(
        about="[paying with my phone|mobile payment|the phone wallet]",
        intents={
            "add": Intent(
                3,
                (
                    "[How do I|How can I] add my {card} to [my {device}|the wallet of my {device}]?",
                    "[Can I|Is it possible to] pay [by phone|with my watch|with my {device}] [in shops|in {city}]?",
                ),
                (
                    "Tap the {card} in the app, then «'Add to wallet'~Settings > Payments > Contactless > Activate». [Your {device} needs a screen lock.|It takes about {minutes} minutes until the first payment works.]",
                ),
                "old_menu",
                ("How do I pay with my phone?", "Tap the card in the app, then 'Add to wallet'."),
            ),
            "declined": Intent(
                2.5,
                (
                    "Paying with my {device} [was declined|doesn't work] [at {shop}|in {city}|since {day}]",
                    "[Why is|Why was] my {device} [rejected|declined] at the till[ for {amount}|]?",
                ),
                (
                    "Above €50 the {device} asks for your fingerprint or code. [Remove the {card} from the wallet and add it again if it keeps failing.|] The card's own limit for payments is «€10,000~€3,000» a day at most.",
                ),
                "wrong_limit",
                (
                    "Why is my phone declined at the till?",
                    "Above €50 it asks for your fingerprint or code. If it keeps failing, remove the card from the wallet and add it again.",
                ),
            ),
            "remove": Intent(
                1.5,
                (
                    "[How do I|I want to] remove my {card} from my [old {device}|{device}]",
                    "[I sold|I gave away] my {device}, is my card still in it?",
                ),
                (
                    "Under Cards > Wallets you see every device; «tap it and choose 'Remove'~swipe left and confirm with your PIN».",
                ),
                "old_menu",
            ),
        },
        followups=(
            Intent(
                2,
                ("[Does it|Will it] [cost extra|work in {other_country}|work without internet]?",),
                (
                    "It costs nothing extra, works wherever contactless cards do, [also in {other_country}|] and without a connection for a few payments.",
                ),
            ),
            Intent(
                2,
                (
                    "[Where|In which menu] is [that|it]? I [only see|see only] [limits and PIN|the card picture|three dots]",
                ),
                (
                    "Scroll down below the picture of the card: «'Add to wallet' is the second line~it is in the menu at the bottom, under 'More'».",
                ),
                "old_menu",
            ),
        ),
        action="I have added your {card} to the wallet.",
        german="Tippen Sie in der App auf die Karte und dann auf 'Zur Wallet hinzufügen'.",
        slug="mobile-payment",
    ),
    "statements": Topic(
        about="[my statements|the tax certificate|documents]",
        intents={
            "tax": Intent(
                3,
                (
                    "[Where do I find|When do I get|I need] [the tax certificate|my annual tax statement][ for last year| for {recipient}|]",
                    "[How do I|Where can I] download the [interest|tax] certificate[ on my {device}|]?",
                ),
                (
                    "It stands under «Documents > Tax from the middle of February~Menu > Mailbox > Archive from the end of March». [You get a message when it is there.|For joint accounts each holder gets one.]",
                ),
                "old_menu",
                (
                    "Where is my tax certificate?",
                    "Under Documents > Tax, from the middle of February for the year before.",
                ),
            ),
            "download": Intent(
                3,
                (
                    "[How do I|Can I] [download|export|print] my [statements|account statement|payments] [as PDF|as CSV|for {month}|]?",
                    "[I need|my landlord wants|the tax office wants] [statements|proof of income] [for the last {number} months|for {month}]",
                ),
                (
                    "[Open|Go to] «Documents > Statements~Menu > Services > Account > Exports», choose the months and tap 'Download'. [PDF and CSV are possible.|They go back ten years.]",
                ),
                "old_menu",
                (
                    "How do I download statements?",
                    "Documents > Statements: choose the months, then 'Download' as PDF or CSV.",
                ),
            ),
            "explain": Intent(
                2,
                (
                    "[What is|Who is] the [booking|debit] '{reference}' over {amount}[ on {day}|] on my statement?",
                    "I don't understand the line '{reference}'[ from {day}|] in my statement",
                ),
                (
                    "'{reference}' is the reference that the recipient chose. Tap the booking of {amount} to see the full name and account.",
                    "'{reference}' [usually stands for|is usually] a payment processor that collects for a shop. The details of the {amount} show the shop's own name.",
                ),
            ),
        },
        followups=(
            Intent(
                2,
                ("[And|What about] {month}?", "[Can I go|Does it go] back {number} years?"),
                (
                    "All months back to the opening of the account are there, {month} too. «Documents > Statements~Menu > Services > Exports».",
                ),
                "old_menu",
            ),
            Intent(
                2,
                ("[Can you|Could you] send it [by post|by email|to {recipient}]?",),
                ("We don't send statements by email. By post a copy costs «€2~€5» per statement.",),
                "outdated_fee",
            ),
        ),
        action="I have sent you the statements for {month} by email.",
        german="Die Steuerbescheinigung finden Sie ab Mitte Februar unter Dokumente > Steuer.",
        slug="documents",
    ),
    "overdraft": Topic(
        about="[my overdraft|the overdraft|overdraft interest]",
        intents={
            "cost": Intent(
                3,
                (
                    "[What|How much] interest do I pay on [the overdraft|an overdraft of {amount}]?",
                    "I was {amount} overdrawn for {days}, [what does that cost|why did I pay interest]?",
                ),
                (
                    "The overdraft costs «9.9 %~11.4 %» a year on what you use. [{amount} for {days} is a few cents a day.|It is booked at the end of the quarter.]",
                ),
                "outdated_fee",
                ("What does the overdraft cost?", "9.9 % a year on the amount used, booked each quarter."),
            ),
            "apply": Intent(
                3,
                (
                    "[How do I|Can I] get an overdraft [of {amount}|on my account|with the {plan} plan]?",
                    "[Raise|Increase] my overdraft to {amount}[ please|, is that possible|]",
                ),
                (
                    "Under Account > Overdraft you see what is possible: as a rule «three~two» months' income. [The answer comes within {minutes} minutes.|{amount} needs regular income on this account for three months.]",
                ),
                "wrong_limit",
                (
                    "How do I get an overdraft?",
                    "Account > Overdraft shows what is possible; as a rule three months' income.",
                ),
            ),
            "refused": Intent(
                2,
                (
                    "[Why was|Why did you refuse] my [overdraft|request for {amount} of overdraft]?",
                    "overdraft of {amount} [rejected|cancelled] [on {day}|without a reason], why?",
                ),
                (
                    "We decide from income and payments of the last [three|3] months. [You can ask for the reasons in writing.|Ask again when {amount} fits to three months of income.]",
                ),
            ),
        },
        followups=(
            Intent(
                2,
                ("[How|When] do I [pay it back|have to repay it]?", "And if I [use only|use] {amount}?"),
                ("There is no fixed date: what comes in reduces it. You pay «9.9 %~11.4 %» only on what you use.",),
                "outdated_fee",
            ),
            Intent(
                1,
                ("[Does|Will] that [affect|hurt] my credit score?",),
                ("An agreed overdraft is reported to the credit bureau, using it is not.",),
            ),
        ),
        action="I have raised your overdraft to {amount}.",
        german="Der Dispokredit kostet 9,9 % im Jahr auf den genutzten Betrag.",
        slug="overdraft",
    ),
    "joint_account": Topic(
        about="[the joint account|our joint account]",
        intents={
            "open": Intent(
                3,
                (
                    "[How do we|Can I] open a joint account with [my wife|my husband|my partner|{recipient}][ who has no account with you|]?",
                    "[Can I|Is it possible to] [turn|change] my account into a joint account[ with {recipient}|]?",
                ),
                (
                    "[Tap the plus and choose 'Joint account'|Choose 'Joint account' on the start screen under the plus]; the second person gets an invitation and identifies themselves. [A single account can't be changed into a joint one.|]",
                ),
                "",
                (
                    "How do we open a joint account?",
                    "Plus > 'Joint account', then invite the second person. A single account can't be changed into a joint one.",
                ),
            ),
            "remove": Intent(
                2,
                (
                    "[We separated|We split up], [how do I|can I] remove [my ex|{recipient}|my partner] from the joint account?",
                    "[close|leave] a joint account [with {amount} on it|]",
                ),
                (
                    "A person can leave only if both agree: Account > Holders > 'Leave', and the other confirms. [Otherwise the account has to be closed.|The {amount} on it stays with the other holder.]",
                ),
                "",
                (
                    "How does a person leave a joint account?",
                    "Account > Holders > 'Leave'; the other holder confirms. Otherwise the account has to be closed.",
                ),
            ),
            "rights": Intent(
                2,
                (
                    "[Can both of us|Can {recipient} and I both] [pay by card|transfer {amount} alone|see all payments]?",
                    "who is liable if {recipient} overdraws the joint account by {amount}?",
                ),
                (
                    "Both holders may do everything alone and [are liable together|both are liable], also for {amount} that only one of you spent.",
                ),
            ),
        },
        followups=(
            Intent(
                2,
                ("[Does each of us|Do we both] get a card?", "[and what|What] does it cost?"),
                ("Each holder gets a {card}; the account costs «nothing~€2.90 a month».",),
                "outdated_fee",
            ),
        ),
        action="I have removed the second holder from the account.",
        german="Ein Gemeinschaftskonto eröffnen Sie über das Plus auf der Startseite. Die zweite Person erhält eine Einladung.",
        slug="joint-account",
    ),
}
