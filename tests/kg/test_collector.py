"""The cycle collector comes back, whatever happens."""

import gc

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
