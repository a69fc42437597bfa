"""Stanzas that nobody sends, to a real component: every question is answered, nothing breaks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.fuzz import ROUNDS
from tests.fuzz.component import Victim, victim
from tests.fuzz.stanzas import Made, stanzas


@pytest.fixture(scope="module")
def component(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victim]:
    with victim(tmp_path_factory.mktemp("stanzas")) as one:
        yield one


@pytest.mark.filterwarnings("ignore:Generating overly large repr")  # of what has failed
@settings(
    max_examples=40 * ROUNDS,
    phases=[Phase.generate],  # after a failure the process is not what it was: nothing to shrink
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(made=st.lists(stanzas(), min_size=1, max_size=12))
def test_every_question_is_answered(component: Victim, made: list[Made]) -> None:
    component.play(made)
