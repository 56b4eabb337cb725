"""Messages damaged as a wire, a gateway or a bad mind damages them; `python -m bench mail --fuzz 100000` reads more."""

from pathlib import Path

import pytest

from bench.mail_fuzzing import OWN_SAMPLES, complaint, fuzz, mutated, samples
from deskbell.mail.parsing import parse

SEED = 20270512


@pytest.mark.parametrize("path", sorted(OWN_SAMPLES.glob("*.eml")), ids=lambda path: path.stem)
def test_a_sample_is_read_without_a_fault(path: Path) -> None:
    assert complaint(parse(path.read_bytes())) == ""


def test_damaged_messages_are_read_soundly_and_soon() -> None:
    done = fuzz(samples(OWN_SAMPLES), 400, SEED)
    assert done.faults == ()
    assert done.slowest < 2, f"message {done.slowest_number} of seed {SEED}"


def test_a_damaged_message_can_be_made_again() -> None:
    messages = samples(OWN_SAMPLES)
    assert mutated(messages, SEED, 7) == mutated(messages, SEED, 7)
    assert len({mutated(messages, SEED, number) for number in range(50)}) > 40
