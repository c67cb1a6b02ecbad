"""The cycle collector comes back, whatever happens."""

import gc
import weakref

import pytest

from graphmer_geo.kg import collector


@collector.paused()
def _fail():
    raise KeyError(gc.isenabled())


def test_it_is_off_inside_and_on_again_after_an_error():
    with pytest.raises(KeyError, match="False"):
        _fail()
    assert gc.isenabled()


def test_it_stays_off_where_it_was_off():
    gc.disable()
    try:
        with collector.paused():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


class _Record:
    def __init__(self):
        self.me = self


def _leave_cycles(alive):
    with collector.paused():
        alive.extend({} for _ in range(2000))
        return weakref.ref(_Record())


def test_many_records_are_passed_over_and_what_was_left_in_cycles_goes_before_more_is_made(monkeypatch):
    monkeypatch.setattr(collector, "MANY", 1000)
    alive = []
    first = _leave_cycles(alive)
    young = {id(thing) for thing in gc.get_objects(generation=0)}
    assert young.isdisjoint(map(id, alive))
    gc.collect(1)
    assert first() is not None
    second = _leave_cycles(alive)
    assert first() is None
    with collector.paused():
        assert second() is None


def test_records_that_were_frozen_before_stay_frozen(monkeypatch):
    monkeypatch.setattr(collector, "MANY", 1000)
    gc.freeze()
    try:
        before = gc.get_freeze_count()
        _leave_cycles([])
        assert gc.get_freeze_count() >= before - 10 > 0
    finally:
        gc.unfreeze()
