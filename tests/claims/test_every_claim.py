"""What is true of every claim of both papers, by the cases of each."""

import pytest
from test_activations_claims import CASES as ACTIVATIONS
from test_weights_claims import CASES as WEIGHTS

CASES = {**WEIGHTS, **ACTIVATIONS}


def test_claims_of_the_papers_have_names_of_their_own():
    assert not set(WEIGHTS) & set(ACTIVATIONS)


@pytest.mark.parametrize("name", CASES)
def test_a_claim_is_supported_where_its_rule_holds_and_not_where_it_fails(name, checks):
    checks.follows_its_rule(name, *CASES[name])


@pytest.mark.parametrize("name", CASES)
def test_a_claim_without_rows_tables_or_populations_is_not_tested_and_says_why(name, checks):
    checks.says_what_is_missing(name, CASES[name][0])
