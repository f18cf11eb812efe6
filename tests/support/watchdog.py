"""Finds what holds the event loop: one step of a task of the product that uses more than 100 ms of CPU time.

While one callback computes, nobody else is served. CPU time of the loop's own thread is what counts, so that
a busy machine makes no test fail. uvloop's handles cannot be wrapped, but every task can: a step of a task is
a callback of the loop, and all of the product's asynchronous code runs in tasks.

A step belongs to whoever began it: those of tests, of the stand-in GitHub and of libraries alone are not
looked at. To know what a step did, a thread takes samples of its stack while it lasts.
"""

import asyncio
import gc
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

MOST_CPU_SECONDS = 0.1
_SAMPLED_FROM, _SAMPLE_EVERY = 0.03, 0.01
_ROOT = str(Path(__file__).parents[2])
_ROOMS = ("bot", "reports", "handlers", "commands", "charts", "storage", "marketplace", "sprints")
# Whose steps are not the product's.
_OTHERS = ("tests", "benchmarks", "github_standin", "demo")


@dataclass(frozen=True, slots=True)
class Place:
    """A function on the stack: its file below the repository, its name and line."""

    file: str
    name: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.name}"


@dataclass(frozen=True, slots=True)
class Offence:
    """A step that held the loop, with the places where it was seen, the outermost first."""

    cpu_seconds: float
    stack: tuple[Place, ...]

    def __str__(self) -> str:
        lines = "\n".join(f"    {place}" for place in self.stack)
        return f"one step of a task held the event loop for {self.cpu_seconds * 1000:.0f} ms of CPU:\n{lines}"


@dataclass
class Watchdog:
    """Watches the tasks of event loops."""

    offences: list[Offence] = field(default_factory=list)
    most_cpu_seconds: float = MOST_CPU_SECONDS
    _began: float | None = None
    _samples: list[tuple[Place, ...]] = field(default_factory=list)
    _collecting: float = 0.0
    _collected: float = 0.0
    _thread: int = 0
    _clock: int = 0
    _sampler: threading.Thread | None = None

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """From now on every step of the loop's tasks is measured."""

        def measured(_: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> asyncio.Task[Any]:
            if isinstance(coroutine, Coroutine):
                coroutine = _Measured(coroutine, self)
            return asyncio.Task(coroutine, loop=loop, **options)

        loop.set_task_factory(measured)
        if self._sampler is None:
            gc.callbacks.append(self._note_collection)
            self._sampler = threading.Thread(target=self._sample, name="watchdog", daemon=True)
            self._sampler.start()

    def take(self) -> list[Offence]:
        """The offences since the last time."""
        offences, self.offences = self.offences, []
        return offences

    @contextmanager
    def step(self, coroutine: Coroutine[Any, Any, Any]) -> Iterator[None]:
        """One step of a task."""
        if self._began is not None:  # A loop within a loop's callback: the outer step is the one.
            yield
            return
        if self._thread != (thread := threading.get_ident()):
            self._clock, self._thread = time.pthread_getcpuclockid(thread), thread
        self._collected = 0.0
        self._samples.clear()
        self._began = began = time.thread_time()
        try:
            yield
        finally:
            used = time.thread_time() - began - self._collected
            self._began = None
            if used > self.most_cpu_seconds:
                self._judge(used, coroutine)

    def _judge(self, used: float, coroutine: Coroutine[Any, Any, Any]) -> None:
        suspended = _suspended(coroutine)
        ours = [stack for stack in [*self._samples, suspended] if _is_ours((*suspended, *stack))]
        if not ours:
            return
        self.offences.append(Offence(used, max(ours, key=len)))

    def _note_collection(self, phase: str, _: dict[str, int]) -> None:
        """The garbage of a whole test session is no work of the product."""
        if threading.get_ident() != self._thread:
            return
        if phase == "start":
            self._collecting = time.thread_time()
        else:
            self._collected += time.thread_time() - self._collecting

    def _sample(self) -> None:
        while True:
            time.sleep(_SAMPLE_EVERY)
            began, thread = self._began, self._thread
            if began is None or time.clock_gettime(self._clock) - began < _SAMPLED_FROM:
                continue
            # The watched thread must not go on while its frames are walked: CPython may crash.
            interval = sys.getswitchinterval()
            sys.setswitchinterval(1)
            try:
                frame = sys._current_frames().get(thread)
                if frame is not None and self._began == began:
                    self._samples.append(_places(frame))
            finally:
                sys.setswitchinterval(interval)


class _Measured(Coroutine[Any, Any, Any]):
    """A coroutine each step of which is measured."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any], watchdog: Watchdog) -> None:
        self._coroutine = coroutine
        self._watchdog = watchdog

    def send(self, value: Any) -> Any:
        with self._watchdog.step(self._coroutine):
            return self._coroutine.send(value)

    def throw(self, error: Any, *_: Any) -> Any:
        with self._watchdog.step(self._coroutine):
            return self._coroutine.throw(error)

    def close(self) -> None:
        self._coroutine.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._coroutine.__await__()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._coroutine, name)


def _suspended(coroutine: Any) -> tuple[Place, ...]:
    """Where a coroutine waits, the outermost first; once it has ended, what it was."""
    places = list[Place]()
    code = getattr(coroutine, "cr_code", None)
    if code is not None and getattr(coroutine, "cr_frame", None) is None:
        places.append(_place(code, code.co_firstlineno))
    while coroutine is not None and (frame := getattr(coroutine, "cr_frame", None)) is not None:
        places.append(_place(frame.f_code, frame.f_lineno))
        coroutine = getattr(coroutine, "cr_await", None)
    return tuple(place for place in places if place.file)


def _places(frame: FrameType | None) -> tuple[Place, ...]:
    """What a step does at a moment, without whoever runs the loop."""
    places = list[Place]()
    while frame is not None and frame.f_code not in _STEPS:
        places.append(_place(frame.f_code, frame.f_lineno))
        frame = frame.f_back
    return tuple(place for place in reversed(places) if place.file)


def _place(code: CodeType, line: int) -> Place:
    file = code.co_filename.removeprefix(_ROOT + "/") if code.co_filename.startswith(_ROOT) else ""
    is_project = file.startswith(tuple(f"{room}/" for room in (*_ROOMS, *_OTHERS)))
    return Place(file if is_project else "", code.co_qualname, line)


def _is_ours(stack: Iterable[Place]) -> bool:
    """Whether the product began it."""
    outermost = next(iter(stack), None)
    return outermost is not None and not outermost.file.startswith(tuple(f"{other}/" for other in _OTHERS))


_STEPS = (_Measured.send.__code__, _Measured.throw.__code__)

WATCHDOG = Watchdog()


def watched(new_event_loop: Callable[[], asyncio.AbstractEventLoop]) -> asyncio.AbstractEventLoop:
    """A new event loop that the session's watchdog watches."""
    loop = new_event_loop()
    WATCHDOG.watch(loop)
    return loop
