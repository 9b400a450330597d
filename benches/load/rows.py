"""The kinds of work that are measured, and the table of what they cost."""

from dataclasses import dataclass, field
from statistics import median


@dataclass(frozen=True)
class Row:
    """One kind of work."""

    name: str
    # Path and query that are asked for.
    path: str
    # Who answers: `gateway` or `nginx`.
    by: str = "gateway"
    # What the answer must hold, or nothing is measured.
    holds: str = ""
    # Bytes that the answer must have at least.
    least: int = 0
    # The argument for wrk.lua.
    argument: str = ""
    # The most processor time that it may cost, in nginx's pass-throughs; then where it should end up.
    bar: float | None = None
    goal: float | None = None


# Two bars were measured against Envoy 1.40 (61 µs for the order, 1,478 µs for the list, where nginx's pass-through
# took 13.4 µs) and are given here as what they come to in pass-throughs: 0.5 and 0.4, 0.2 and 0.12 of Envoy.
ROWS = (
    Row("nginx, pass-through 1 KB", "/part-1k.json", by="nginx", holds='"name":"Ship', least=1_000),
    Row("pass-through 1 KB", "/part-1k.json", holds='"name":"Ship', least=1_000, bar=1.25, goal=1.1),
    Row("3-way merge, 3 × 1 KB whole", "/whole-1k", holds='"stock":{', least=3_000, bar=2.8, goal=2.3),
    Row("3-way merge, 3 × 1 KB, three members each", "/picked-1k", holds='"rating":4.6', least=150, bar=3.0, goal=2.5),
    Row("3-way merge, 3 × 20 KB whole", "/whole-20k", holds='"stock":{', least=60_000, bar=4.5, goal=3.5),
    Row("REST → gRPC, order of 0.9 KB", "/orders/1", holds='"id":"ord_', least=800, bar=2.3, goal=1.8),
    Row("REST → gRPC, list of 85 KB", "/orders", holds='"orders":[', least=80_000, bar=22.1, goal=13.2),
    Row("GraphQL, 100 posts with their users", "/graphql", holds='"user":{"id":"10"', least=8_000, argument="graphql",
        bar=8.2, goal=6.0),
)
YARDSTICK = ROWS[0]


@dataclass
class Figures:
    """What runs of one row gave."""

    requests_per_second: list = field(default_factory=list)
    # Microseconds of processor time of whoever answered, per request.
    cpu: list = field(default_factory=list)
    # Milliseconds.
    p50: list = field(default_factory=list)
    p99: list = field(default_factory=list)
    # Bytes that whoever answered held at the end.
    resident: int = 0


def table(figures: dict) -> str:
    """The markdown table: medians of every row, `figures` by row."""
    heads = ("work", "req/s", "p50 ms", "p99 ms", "CPU µs/req", "RSS MB", "× nginx", "bar", "goal", "")
    yardstick = median(figures[YARDSTICK].cpu)
    lines = [heads, ("---",) + ("---:",) * 8 + ("---",)]
    for row, found in figures.items():
        cpu = median(found.cpu)
        lines.append((
            row.name, f"{median(found.requests_per_second):,.0f}", f"{median(found.p50):.2f}",
            f"{median(found.p99):.2f}", f"{cpu:.1f}", f"{found.resident / 1e6:.0f}", f"{cpu / yardstick:.2f}",
            _limit(row.bar), _limit(row.goal), _verdict(row, cpu / yardstick)))
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _limit(limit: float | None) -> str:
    return "" if limit is None else f"≤ {limit:g}"


def _verdict(row: Row, ratio: float) -> str:
    if row.bar is None or row.goal is None:
        return ""
    if ratio <= row.goal:
        return "there"
    return "within the bar" if ratio <= row.bar else f"over by {ratio / row.bar - 1:.0%}"
