"""What customers write: texts put together from pools, so that their tone is the mood that was drawn."""

from __future__ import annotations

import pyarrow as pa

from lakehouse.generator import arrays
from lakehouse.generator.product_parameters import CategoryName
from lakehouse.generator.streams import Ints, Words

# From the worst mood to the best.
_OPENERS = (
    (
        "This is terrible and I am really angry.",
        "I am extremely frustrated, this is unacceptable.",
        "Awful experience again, we are very disappointed.",
        "We are furious, this is the worst week with your product so far.",
    ),
    (
        "Unfortunately we have a problem.",
        "We are a bit disappointed.",
        "This is annoying for our team.",
        "Sadly this is failing for us.",
    ),
    ("Hello,", "Hi team,", "Good morning,", "To whom it may concern:"),
    (
        "Hi, thanks for your help so far.",
        "Hello, we like the product and have a request.",
        "Hi, the last answer was good, thank you.",
        "Hello, hope you are well.",
    ),
    (
        "Hi, we love the product, great work!",
        "Hello, your team has been excellent, thank you so much!",
        "Hi, we are very happy with the new release!",
        "Hello, fantastic support last time, many thanks!",
    ),
)
_SUBJECTS: dict[CategoryName, tuple[str, ...]] = {
    "billing": (
        "The last invoice shows more seats than we have.",
        "Please send the invoice to our new address.",
        "We see two charges for this month.",
    ),
    "bug": (
        "The dashboard does not refresh after we change the filter.",
        "The PDF export stops halfway.",
        "A chart shows yesterday's figures only.",
    ),
    "how_to": (
        "How do we share a dashboard with people outside the company?",
        "Where can we change the time zone of a report?",
        "How do we invite more people to the workspace?",
    ),
    "integration": (
        "The warehouse connection stops with a timeout.",
        "The CRM connector asks for the password every day.",
        "The API returns a different number of rows than the report.",
    ),
    "performance": (
        "Loading the main dashboard takes more than a minute.",
        "Reports over a full year are slow since Monday.",
        "Queries wait in the queue for several minutes.",
    ),
    "feature_request": (
        "We would need a way to schedule reports by the hour.",
        "Is there a plan for row-level permissions?",
        "A dark mode for wall screens is on our list.",
    ),
}
_CLOSERS = (
    (
        "If this horrible situation goes on we will cancel.",
        "This is useless for us, we hate wasting our time.",
        "Nobody helps us, this is a disaster.",
        "We have lost trust and are losing money.",
    ),
    (
        "This is a problem for our work.",
        "We are worried about our deadline.",
        "It is the second time, which is bad.",
        "Our people complain about it.",
    ),
    ("Regards", "Please let us know.", "Waiting for your answer.", "Reference is in the attachment."),
    ("Thanks in advance.", "Thank you and have a nice day.", "We appreciate your help.", "Glad for any hint."),
    (
        "Thank you, you are great!",
        "We really appreciate your wonderful support!",
        "Best product we have, thanks!",
        "Happy to recommend you, thank you!",
    ),
)
_COMMENTS = (
    (
        "Too slow and too many errors, very disappointing.",
        "Support is bad and the price is too high.",
        "We struggle with it every week.",
        "Hard to use, poor documentation.",
        "It fails when we need it, frustrating.",
    ),
    (
        "It does the job.",
        "Fine, but some reports are missing.",
        "Good product, the price went up though.",
        "OK for us, we do not use all of it.",
        "Useful, could be faster.",
    ),
    (
        "Great product, saves us hours every week!",
        "Love the dashboards, very easy to use.",
        "Excellent support and fast answers.",
        "The best tool we have bought this year.",
        "Our whole team is happy with it.",
    ),
)
_MESSAGES = [
    f"{opener} {subject} {closer}"
    for openers, closers in zip(_OPENERS, _CLOSERS, strict=True)
    for subjects in _SUBJECTS.values()
    for opener in openers
    for subject in subjects
    for closer in closers
]

MOODS = len(_OPENERS)
CATEGORIES = tuple(_SUBJECTS)


def messages(mood: Ints, category: Ints, word: Words) -> pa.Array:
    """Return a message for each mood (0 worst to MOODS − 1) and category (index in CATEGORIES), by a random word."""
    variants = len(_MESSAGES) // (MOODS * len(CATEGORIES))
    variant = (word % variants).astype("int64")
    return arrays.labels(_MESSAGES, (mood * len(CATEGORIES) + category) * variants + variant)


def comments(mood: Ints, word: Words) -> pa.Array:
    """Return a comment for each mood of a survey answer: 0 detractor, 1 passive, 2 promoter."""
    variants = len(_COMMENTS[0])
    texts = [text for texts in _COMMENTS for text in texts]
    return arrays.labels(texts, mood * variants + (word % variants).astype("int64"))
