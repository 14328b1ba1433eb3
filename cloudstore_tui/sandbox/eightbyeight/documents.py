"""What the service's JSON and text objects say: short, and readable by a person."""

import json
from random import Random
from typing import Any

_OPENINGS = (
    "Thank you for calling, my name is {agent}. How can I help?",
    "Good morning, you are speaking with {agent}. What can I do for you?",
)
_WISHES = (
    ("my invoice of last month shows the setup fee twice", "duplicate setup fee", "billing"),
    ("the delivery that was promised for Tuesday has not come", "late delivery", "delivery"),
    ("I cannot log in since I changed my password", "login after password change", "access"),
    ("I would like to move to the larger plan from the first of the month", "upgrade of the plan", "sales"),
    ("my line has been cutting out every evening this week", "line drops in the evening", "technical"),
)
_ANSWERS = (
    "I see it here. I will put that right now.",
    "I am sorry about that. Let me look at your account.",
    "That is easily done; it takes one working day.",
)
_CLOSINGS = ("Thank you, that was quick.", "All right. Goodbye.", "Could you send me that by mail, please?")


def _dump(document: dict[str, Any]) -> bytes:
    return json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n"


def transcript(call: str, agent: str, caller: str, seconds: int, seed: int) -> bytes:
    """Who said what, and when, in one call; another seed is another hearing of it."""
    choice = Random(seed)
    wish, _subject, _topic = choice.choice(_WISHES)
    said = [
        ("agent", choice.choice(_OPENINGS).format(agent=agent)),
        ("customer", f"Hello, {wish}."),
        ("agent", choice.choice(_ANSWERS)),
        ("customer", choice.choice(_CLOSINGS)),
    ]
    step = seconds / len(said)
    phrases = [
        {"speaker": who, "start": round(place * step, 2), "end": round((place + 0.9) * step, 2), "text": text}
        for place, (who, text) in enumerate(said)
    ]
    return _dump(
        {
            "callId": call,
            "agent": agent,
            "caller": caller,
            "language": "en-US",
            "duration": seconds,
            "confidence": round(choice.uniform(0.8, 0.99), 4),
            "phrases": phrases,
        }
    )


def summary(call: str, agent: str, seed: int) -> bytes:
    """A call in three sentences."""
    choice = Random(seed)
    _wish, subject, topic = choice.choice(_WISHES)
    text = f"The customer called about: {subject}. {agent} promised an answer. No further action."
    return _dump({"callId": call, "topic": topic, "summary": text, "actionItems": [f"Follow up on {subject}"]})


def sentiment(call: str, seed: int) -> bytes:
    """How both sides sounded."""
    choice = Random(seed)
    agent, customer = round(choice.uniform(0.2, 0.9), 2), round(choice.uniform(-0.6, 0.8), 2)
    return _dump({"callId": call, "overall": round((agent + customer) / 2, 2), "agent": agent, "customer": customer})


def survey(call: str, seed: int) -> bytes:
    """What the customer pressed after the call."""
    choice = Random(seed)
    questions = ("How satisfied are you?", "Was your question answered?", "Would you recommend us?")
    answers = [{"question": text, "score": choice.randint(1, 5)} for text in questions]
    return _dump({"callId": call, "survey": "After call", "answers": answers})


def notes(agent: str, seed: int) -> bytes:
    """What the agent typed during the call."""
    _wish, subject, _topic = Random(seed).choice(_WISHES)
    return f"{agent}: customer asks about {subject}.\nAccount is in order.\nWill call back on Friday.\n".encode()


def record(kind: str, seed: int) -> bytes:
    """One of the service's older documents, of which little is known."""
    choice = Random(seed)
    return _dump({"kind": kind, "version": 1, "values": [choice.randint(0, 100) for _ in range(12)]})
