"""The replies of the REST backends, generated: the same bytes on every run."""

import json
from pathlib import Path

WORDS = ("gateway brass lantern harbour walnut copper meadow granite velvet orchard timber marble cedar "
         "amber compass willow saddle kettle anchor linen").split()


def write(folder: Path) -> None:
    """Writes every reply as a file of its own."""
    items = [_item(number) for number in range(100)]
    replies = {
        "part-1k.json": _part(items[:3]),
        "part-20k.json": _part(items[:87]),
        "posts.json": [_post(number) for number in range(1, 101)],
        "users.json": [_user(number) for number in range(1, 11)],
    }
    for name, reply in replies.items():
        (folder / name).write_text(json.dumps(reply, separators=(",", ":"), ensure_ascii=False))


def _part(items: list) -> dict:
    """An object of mixed members with a list of objects at its end."""
    return {
        "id": "p-1042",
        "name": "Ship's lantern, brass, “Aurora”",
        "rating": 4.6,
        "price": {"amount": 129.9, "currency": "EUR"},
        "available": True,
        "tags": ["lighting", "brass", "maritime"],
        "description": _words(7, 24),
        "items": items,
    }


def _item(number: int) -> dict:
    return {
        "sku": f"SKU-{number:05}",
        "title": _words(number, 6),
        "quantity": number % 9 + 1,
        "price": round(3.5 + number * 1.37, 2),
        "weight": number % 7 / 4,
        "seller": {"id": f"s{number % 10}", "name": _words(number * 3, 2)},
        "note": _words(number * 5, 7),
        "gift": number % 3 == 0,
    }


def _post(number: int) -> dict:
    return {
        "userId": (number - 1) // 10 + 1,
        "id": number,
        "title": _words(number, 6),
        "body": _words(number * 7, 26),
    }


def _user(number: int) -> dict:
    return {
        "id": number,
        "name": _words(number, 2).title(),
        "username": WORDS[number],
        "email": f"{WORDS[number]}@example.org",
        "address": {
            "street": _words(number, 2).title(),
            "suite": f"Apt. {number * 37}",
            "city": WORDS[number + 5].title(),
            "zipcode": f"{92_000 + number * 131}",
            "geo": {"lat": -37.3159 + number, "lng": 81.1496 - number},
        },
        "phone": f"1-770-736-{8_000 + number}",
        "website": f"{WORDS[number]}.example.org",
        "company": {"name": _words(number * 2, 2), "catchPhrase": _words(number * 3, 6), "bs": _words(number * 4, 4)},
    }


def _words(seed: int, count: int) -> str:
    return " ".join(WORDS[(seed * 5 + place * place + place) % len(WORDS)] for place in range(count))
