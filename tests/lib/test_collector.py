"""While rows come by the ten thousand the collector looks seldom; afterwards as before, also when two overlap."""

import gc

import pytest

from shouxin.lib import collector


def test_the_last_to_leave_puts_it_back() -> None:
    usual = gc.get_threshold()

    with collector.seldom():
        with collector.seldom():
            assert gc.get_threshold()[0] == collector.ALLOCATED
        assert gc.get_threshold()[0] == collector.ALLOCATED
    assert gc.get_threshold() == usual


def test_whoever_fails_leaves_too() -> None:
    usual = gc.get_threshold()

    with pytest.raises(ZeroDivisionError), collector.seldom():
        _ = 1 / 0

    assert gc.get_threshold() == usual


def test_two_that_overlap_leave_in_any_order() -> None:
    usual = gc.get_threshold()
    first, second = collector.seldom(), collector.seldom()

    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert gc.get_threshold()[0] == collector.ALLOCATED
    second.__exit__(None, None, None)

    assert gc.get_threshold() == usual


def test_what_is_loaded_is_never_looked_through_again() -> None:
    stays = [object() for _ in range(3)]
    try:
        collector.leave_what_stays()
        assert gc.get_freeze_count() > 10_000
        assert not any(each is stays for each in gc.get_objects())
    finally:
        gc.unfreeze()
