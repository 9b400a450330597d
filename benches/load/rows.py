"""The kinds of work that are measured, and the table of what they cost."""

from dataclasses import dataclass, field
from statistics import median


@dataclass(frozen=True)
class Row:
    """One kind of work."""

    name: str
    # Path and query that are asked for.
    path: str
    # Who answers: `gateway`, `nginx` or `envoy`.
    by: str = "gateway"
    # Whose row it is held to: nginx's pass-through, or Envoy's row of the same path.
    beside: str = "nginx"
    # What the answer must hold, or nothing is measured.
    holds: str = ""
    # Bytes that the answer must have at least.
    least: int = 0
    # The argument for wrk.lua.
    argument: str = ""
    # The most processor time that it may cost, as a share of that row's; then where it should end up.
    bar: float | None = None
    goal: float | None = None


ROWS = (
    Row("nginx, pass-through 1 KB", "/part-1k.json", by="nginx", holds='"name":"Ship', least=1_000),
    Row("Envoy, pass-through 1 KB", "/part-1k.json", by="envoy", holds='"name":"Ship', least=1_000),
    Row("Envoy, REST → gRPC, order of 0.9 KB", "/orders/1", by="envoy", holds='"id":"ord_', least=800),
    Row("Envoy, REST → gRPC, list of 85 KB", "/orders", by="envoy", holds='"orders":[', least=80_000),
    Row("pass-through 1 KB", "/part-1k.json", holds='"name":"Ship', least=1_000, bar=1.25, goal=1.1),
    Row("3-way merge, 3 × 1 KB whole", "/whole-1k", holds='"stock":{', least=3_000, bar=2.8, goal=2.3),
    Row("3-way merge, 3 × 1 KB, three members each", "/picked-1k", holds='"rating":4.6', least=150, bar=3.0, goal=2.5),
    Row("3-way merge, 3 × 20 KB whole", "/whole-20k", holds='"stock":{', least=60_000, bar=4.5, goal=3.5),
    Row("REST → gRPC, order of 0.9 KB", "/orders/1", holds='"id":"ord_', least=800, beside="envoy", bar=0.5, goal=0.4),
    Row("REST → gRPC, list of 85 KB", "/orders", holds='"orders":[', least=80_000, beside="envoy", bar=0.2, goal=0.12),
    Row("GraphQL, 100 posts with their users", "/graphql", holds='"user":{"id":"10"', least=8_000, argument="graphql",
        bar=8.2, goal=6.0),
)
# What everything else is compared with.
PASS_THROUGH = ROWS[0]


def yardstick(row: Row) -> Row:
    """The row that a row is held to."""
    if row.beside == "nginx":
        return PASS_THROUGH
    return next(other for other in ROWS if other.by == row.beside and other.path == row.path)


def yardsticks(rows: list) -> list:
    """The rows and what they are held to, in order."""
    wanted = {PASS_THROUGH, *rows, *(yardstick(row) for row in rows)}
    return [row for row in ROWS if row in wanted]


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
    heads = ("work", "req/s", "p50 ms", "p99 ms", "CPU µs/req", "RSS MB", "× nginx", "× Envoy", "bar", "goal", "")
    lines = [heads, ("---",) + ("---:",) * 9 + ("---",)]
    cost = {row: median(found.cpu) for row, found in figures.items()}
    for row, found in figures.items():
        ratio = cost[row] / cost[yardstick(row)]
        lines.append((
            row.name, f"{median(found.requests_per_second):,.0f}", f"{median(found.p50):.2f}",
            f"{median(found.p99):.2f}", f"{cost[row]:.1f}", f"{found.resident / 1e6:.0f}",
            f"{cost[row] / cost[PASS_THROUGH]:.2f}", f"{ratio:.2f}" if row.beside == "envoy" else "",
            _limit(row.bar), _limit(row.goal), _verdict(row, ratio)))
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _limit(limit: float | None) -> str:
    return "" if limit is None else f"≤ {limit:g}"


def _verdict(row: Row, ratio: float) -> str:
    if row.bar is None or row.goal is None:
        return ""
    if ratio <= row.goal:
        return "there"
    return "within the bar" if ratio <= row.bar else f"over by {ratio / row.bar - 1:.0%}"
