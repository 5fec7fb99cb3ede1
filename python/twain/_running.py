"""Functions that take long, as coroutines and as futures; a progress bar of what they tell."""

from __future__ import annotations

import asyncio
import functools
import warnings

from . import _twain  # type: ignore[attr-defined]


async def in_thread(function, *args, **kwargs):
    """``function`` on a thread; cancelling the task ends the work and waits until it has ended."""
    cancel = _twain.Cancel()
    work = asyncio.ensure_future(asyncio.to_thread(function, *args, cancel=cancel, **kwargs))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        cancel.cancel()
        await asyncio.gather(work, return_exceptions=True)
        raise


def as_future(function, *args):
    """``function`` on a thread, as a future at once: as EZKL's functions it needs a running
    loop."""
    loop = asyncio.get_running_loop()
    return loop.run_in_executor(None, functools.partial(function, *args))


def progress_bar():
    """A callable for ``on_event`` that shows a bar: bytes of a download or of a session with a
    peer, else phases; needs ``tqdm``."""
    with warnings.catch_warnings():
        # That notebooks without ipywidgets have bars of text.
        warnings.simplefilter("ignore")
        from tqdm.auto import tqdm  # type: ignore[import-untyped]

    bars, carried = [], {}

    def bar_of_bytes(total):
        bars[0].unit, bars[0].unit_scale = "B", True
        bars[0].reset(total)

    def show(event):
        kind = event["event"]
        if not bars:
            bars.append(tqdm(unit=" phases"))
        bar = bars[0]
        if kind == "forecast":
            expected = event["expected"]["inline"]
            bar_of_bytes(expected["sent"] + expected["received"])
        elif kind == "download":
            if bar.unit != "B":
                bar_of_bytes(event["of"] or None)
            bar.n = event["done"]
        elif kind == "trial":
            bar.unit, bar.total, bar.n = " trials", event["of"], event["done"]
        elif kind == "progress":
            carried[event["phase"]] = event["done"]
        elif kind == "phase" and event["state"] == "began":
            bar.set_description(event["phase"], refresh=False)
        elif kind == "phase":
            carried[event["phase"]] = event["traffic"]["sent"] + event["traffic"]["received"]
        if kind in ("phase", "progress"):
            bar.n = sum(carried.values()) if bar.unit == "B" else len(carried)
        bar.refresh()
        if kind == "phase" and event["phase"] == "finish" and event["state"] == "ended":
            bar.close()

    return show
