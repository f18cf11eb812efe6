"""The story of the demo's sprint: a web shop's team on the seventh of ten working days.

Times are `<working day> <hour:minute>`, day 1 being the sprint's first and day 0 the working day before it,
or `now -<minutes>`.
"""

from __future__ import annotations

from typing import NamedTuple

REPOSITORY = "webshop"
SPRINT = "Sprint 24"
GOAL = "Anybody can buy without an account"
THREAD = "apple-pay"
WORKING_DAYS = 10
TODAY = 7
SPRINT_MADE = "-2 12:30"

LABELS = {
    "feature": ("a2eeef", "Something a shopper will notice"),
    "bug": ("d73a4a", "Something does not work"),
    "chore": ("fef2c0", "Needed, but nobody will notice"),
    **{f"points: {points}": ("c5def5", "Estimate") for points in (1, 2, 3, 5, 8)},
}


class Card(NamedTuple):
    """An issue as its author wrote it."""

    title: str
    kind: str
    author: str
    assignee: str
    body: str


class Step(NamedTuple):
    """An action on an issue; `card` is its key in CARDS, `value` the points or the comment."""

    when: str
    who: str
    card: str
    action: str
    value: str = ""


CARDS = {
    "guest": Card(
        "Guest checkout: order without an account",
        "feature",
        "alice",
        "bob",
        "Four of ten shoppers leave when we ask for a password. Let them order with an e-mail address alone.",
    ),
    "cart": Card(
        "Keep the cart between visits",
        "feature",
        "bob",
        "bob",
        "A cart that was filled on the train should still be full at home.",
    ),
    "delivery": Card(
        "Show the delivery date before payment",
        "feature",
        "carol",
        "carol",
        "The date is known as soon as the postcode is. Show it beside the total.",
    ),
    "apple-pay": Card(
        "Apple Pay on the payment page",
        "feature",
        "alice",
        "bob",
        "Shoppers on a phone should pay with two taps.\n\n"
        "- [x] Merchant account\n- [x] Button on the payment page\n- [ ] Certificate for the live domain\n"
        "- [ ] Refunds show up in the back office\n\n"
        "Try it with the test cards from the wiki. This is the last big piece of **Sprint 24**.",
    ),
    "errors": Card(
        "Payment errors in plain words",
        "feature",
        "dave",
        "carol",
        "“Error 4031” helps nobody. Say what happened and what to do next.",
    ),
    "mail": Card(
        "Confirmation mail in the shopper's language",
        "bug",
        "carol",
        "dave",
        "Everybody gets the English mail, even after shopping in French.",
    ),
    "address": Card(
        "Complete addresses while typing",
        "feature",
        "alice",
        "dave",
        "Half of our returned parcels have a typo in the street name.",
    ),
    "method": Card(
        "Remember the last payment method",
        "feature",
        "bob",
        "carol",
        "Preselect it; never store the card itself.",
    ),
    "voucher": Card(
        "Voucher codes in lower case are refused",
        "bug",
        "dave",
        "dave",
        "`spring10` must work like `SPRING10`.",
    ),
    "images": Card(
        "Load product images when they scroll into view",
        "chore",
        "bob",
        "bob",
        "The basket page loads 4 MB of pictures that nobody looks at.",
    ),
    "browsers": Card(
        "Banner for browsers we no longer support",
        "chore",
        "carol",
        "dave",
        "Tell people why the page looks broken.",
    ),
    "funnel": Card(
        "Dashboard for the checkout funnel",
        "chore",
        "alice",
        "alice",
        "Where do people leave? We only guess today.",
    ),
    "keyboard": Card(
        "Checkout by keyboard only",
        "feature",
        "carol",
        "carol",
        "The date picker cannot be reached with the Tab key.",
    ),
    "vat": Card(
        "VAT is a cent off in mixed baskets",
        "bug",
        "dave",
        "bob",
        "Books and wine in one basket: the sum of the lines is not the total. Accounting found it.",
    ),
}

_FIRST_ESTIMATES = {
    "guest": 8,
    "cart": 5,
    "delivery": 3,
    "apple-pay": 5,
    "errors": 3,
    "mail": 3,
    "address": 5,
    "method": 3,
    "voucher": 1,
    "images": 2,
    "browsers": 2,
}
_PLANNED = (*_FIRST_ESTIMATES, "funnel", "keyboard")

STEPS = (
    *(
        Step(f"-5 09:{2 * minute:02}", CARDS[card].author, card, "opened")
        for minute, card in enumerate(_PLANNED)
    ),
    *(
        Step(f"-2 13:{2 * minute:02}", "alice", card, "estimated", str(points))
        for minute, (card, points) in enumerate(_FIRST_ESTIMATES.items())
    ),
    *(Step(f"0 13:{minute:02}", "alice", card, "joined") for minute, card in enumerate(_PLANNED)),
    Step("2 09:40", "dave", "voucher", "closed"),
    Step("2 15:10", "bob", "cart", "closed"),
    Step("3 08:50", "alice", "browsers", "dropped"),
    Step("3 14:30", "carol", "delivery", "closed"),
    Step("4 08:15", "dave", "vat", "opened"),
    Step("4 08:20", "alice", "vat", "estimated", "3"),
    Step("4 08:21", "alice", "vat", "joined"),
    Step(
        "4 09:30",
        "carol",
        "apple-pay",
        "commented",
        "The live domain needs its own certificate, and the form for it wants a signature from finance. "
        "I think this is more than the 5 we gave it.",
    ),
    Step("4 10:05", "bob", "apple-pay", "estimated", "8"),
    Step("4 13:45", "carol", "errors", "closed"),
    Step("4 15:20", "dave", "mail", "closed"),
    Step("5 09:10", "carol", "mail", "reopened"),
    Step("5 10:30", "alice", "address", "left"),
    Step("5 14:55", "bob", "guest", "closed"),
    Step("6 11:25", "bob", "images", "closed"),
    Step(
        "6 15:05",
        "bob",
        "apple-pay",
        "commented",
        "Signed! The certificate should be here by tomorrow. Refunds work on staging: "
        "I paid 3.20 € for a coffee mug and got it back.",
    ),
    Step("now -40", "bob", "vat", "closed"),
)
