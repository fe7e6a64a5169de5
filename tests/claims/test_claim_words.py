"""How claims are tested: rules and ids of all, what makes a verdict, and its words."""

from pathlib import Path

import numpy as np

from cnn_topology.claims.activations import ACTIVATIONS_CLAIMS
from cnn_topology.claims.framework import (
    INTERVAL,
    JOINED,
    RANGE,
    SPREADS,
    WILSON,
    WITHIN,
    Claim,
    Measured,
    Subject,
    evaluate,
)
from cnn_topology.claims.rule_changes import EITHER_WAY, RULE_CHANGES
from cnn_topology.claims.weights import WEIGHTS_CLAIMS
from cnn_topology.claims.words import number_text, short, verdict_text
from cnn_topology.plan.findings import CLAIM_TABLES

ROOT = Path(__file__).parents[2]
EVERY = (*WEIGHTS_CLAIMS, *ACTIVATIONS_CLAIMS)


def test_every_claim_has_a_rule_and_an_id_of_its_own():
    assert len({claim.claim for claim in EVERY}) == len(EVERY)
    for claim in EVERY:
        assert all((claim.statement, claim.statistic, claim.rule, claim.source, claim.certainty))
    assert {table for claim in EVERY for table in claim.tables} == set(CLAIM_TABLES)


def test_rules_that_were_made_stricter_are_named_and_counted(facts):
    assert set(RULE_CHANGES) <= {claim.claim for claim in EVERY}
    for claim in EVERY:
        row, *_ = evaluate("weights", [claim], {}, facts)
        assert row.rule_changed == RULE_CHANGES.get(claim.claim, "")
    assert set(RULE_CHANGES) > EITHER_WAY
    told = f"but for {len(RULE_CHANGES)} that", f"{len(RULE_CHANGES) - len(EITHER_WAY)} of them to be stricter only"
    assert all(words in (ROOT / "docs/verdicts.md").read_text(encoding="utf-8") for words in told)


def test_numbers_and_verdicts_are_said_in_words():
    measured = Measured(True, value=0.123456, low=0.1, high=np.inf, p=0.0012, n=12)
    claim = Claim(
        claim="X", experiment="E0", statement="It is so.", source="here", certainty="F", statistic="share",
        rule="above 1/2", tables=(), subjects=lambda _: [Subject(("a",), "mnist")],
        measure=lambda *_: measured,
    )  # fmt: skip
    (tested,) = evaluate("weights", [claim], {}, None)  # type: ignore[arg-type]
    row = vars(tested)
    assert number_text(row) == "0.123 (0.1 to ∞), p = 0.0012, n = 12 networks"
    assert number_text({**row, "low": 0.1, "high": 0.1, "n": 1}) == "0.123, p = 0.0012, n = 1 network"
    assert number_text({**row, "low": 0.1, "high": 0.1}) == "0.123 (0.1 to 0.1), p = 0.0012, n = 12 networks"
    assert verdict_text(row) == "supported"
    assert (
        verdict_text({**row, "verdict": "not tested", "outcome": "fails"})
        == "rule not met on stand-in data (no verdict)"
    )
    assert (
        verdict_text({**row, "verdict": "not tested", "outcome": "holds"}) == "rule met on stand-in data (no verdict)"
    )
    assert number_text({**row, "value": np.nan}) == ""
    assert short(-1234.0) == "−1,234"
    assert short(-1.1e-16) == "0"


def test_what_is_no_interval_over_what_n_counts_is_said_in_the_brackets():
    row = {"value": 0.5, "low": 0.1, "high": 0.9, "p_value": np.nan, "n": 5, "unit": "graphs"}
    said = {spread: number_text({**row, "spread": spread}) for spread in SPREADS}
    assert said == {
        INTERVAL: "0.5 (0.1 to 0.9), n = 5 graphs",
        RANGE: "0.5 (0.1 to 0.9, range), n = 5 graphs",
        JOINED: "0.5 (0.1 to 0.9, joined intervals), n = 5 graphs",
        WITHIN: "0.5 (0.1 to 0.9 over images and nodes), n = 5 graphs",
        WILSON: "0.5 (0.1 to 0.9, at least Wilson's over layers), n = 5 graphs",
    }
