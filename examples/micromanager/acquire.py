#!/usr/bin/env python3
"""Runs a time-lapse of several wells on a Micro-Manager core, and follows the advice of autoqc.

    python acquire.py --sequence plate.json --run 01 --folder /data/plate --advice http://127.0.0.1:8764

Frames are written to the folder that autoqc watches, as RUN_WELL_fFRAME.tiff. On advice the run is paused or stopped, a well
is skipped, or focused again. A run without autoqc goes on.
"""
import argparse
import os
import pathlib
import re
import sys
import threading

import tifffile
import useq
from pymmcore_plus import CMMCorePlus
from pymmcore_plus.mda import MDAEngine, SkipEvent

from advice import advice_at


def well(name):
    """A01 for A1 and A01."""
    letters, number = re.fullmatch(r"([A-Za-z]+)0*(\d+)", name).groups()
    return f"{letters.upper()}{int(number):02}"


class AdvisedEngine(MDAEngine):
    """Images no well that is to be skipped, and focuses before the next image of a well that is to be focused."""

    def __init__(self, core):
        # Several frames that the hardware takes by itself could not be stopped in between.
        super().__init__(core, use_hardware_sequencing=False)
        # Wells to be skipped, and autofocus events of wells that are still to be focused.
        self.skipped, self.unfocused = set(), {}

    def event_iterator(self, events):
        for event in super().event_iterator(events):
            focusing = self.unfocused.pop(well(event.pos_name), None)
            if focusing:
                yield event.model_copy(update={"action": focusing.action, "metadata": focusing.metadata})
            yield event

    def setup_event(self, event):
        if well(event.pos_name) in self.skipped:
            raise SkipEvent(reason=f"well {event.pos_name} is skipped on advice")
        super().setup_event(event)


class FrameWriter:
    """Writes each frame under another name and renames it, so that autoqc sees whole files only."""

    def __init__(self, folder, run):
        self.folder, self.run, self.count = pathlib.Path(folder), run, 0
        self.folder.mkdir(parents=True, exist_ok=True)

    def frameReady(self, image, event):
        file = self.folder / f"{self.run}_{well(event.pos_name)}_f{event.index.get('t', 0)}.tiff"
        unfinished = self.folder / f".{file.name}.part"
        tifffile.imwrite(unfinished, image)
        os.replace(unfinished, file)
        self.count += 1


class Follower(threading.Thread):
    """Looks for advice and acts on what it could take for itself; whatever goes wrong here, the run goes on."""

    interval = 0.2

    def __init__(self, core, engine, frames, wells, source, run, name):
        super().__init__(name="autoqc-advice", daemon=True)
        self.core, self.engine, self.frames, self.wells = core, engine, frames, wells
        # A second program of the same name has another number.
        self.source, self.run_name, self.by = source, run, f"{name}/{os.getpid()}"
        self.ended, self.trouble = threading.Event(), None
        # What is to be said of advice, and advice whose wells are being focused.
        self.reports, self.focusing = [], []
        self.is_paused, self.held = False, set()

    def run(self):
        while not self.ended.wait(self.interval):
            self.look()

    def look(self):
        try:
            self.report()
            # What is advised at the end of the run is for others.
            for advice in [] if self.ended.is_set() else self.source.pending(self.run_name):
                self.follow(advice)
            trouble = None
        except (OSError, ValueError, KeyError) as error:
            trouble = f"{error}"
        if trouble != self.trouble:
            print(f"advice cannot be had, the run goes on: {trouble}" if trouble else "advice can be had again")
            self.trouble = trouble

    def follow(self, advice):
        action = advice["action"]
        # No frame is taken while it is not known who acts.
        holds = action in ("pause", "stop") and not self.is_paused and advice["id"] not in self.held
        is_mine = False
        if holds:
            # Once: if autoqc is gone, the run is to go on.
            self.held.add(advice["id"])
            self.hold()
        try:
            is_mine = self.source.answer(advice, "acknowledged", self.by)
        finally:
            if holds and not is_mine:
                self.core.mda.set_paused(False)
        if not is_mine:
            return
        print(f"{action} ({', '.join(advice['wells'])}): {advice['reason']}")
        state, note = "done", f"after {self.frames.count} frames"
        match action:
            case "stop":
                self.core.mda.cancel()
            case "pause":
                self.hold()
                self.is_paused = True
                print("paused: press Enter to go on")
            case "skip-well":
                self.engine.skipped.update(advice["wells"])
            case "refocus" if not self.core.getAutoFocusDevice():
                state, note = "refused", "the microscope has no autofocus"
            case "refocus":
                events = [useq.MDAEvent.model_validate(event) for event in advice["useq"]]
                # A well that is not imaged any more is not focused.
                events = {event.pos_name: event for event in events if event.pos_name in self.wells - self.engine.skipped}
                self.engine.unfocused |= events
                self.focusing.append((advice, set(events)))
                return
        self.reports.append((advice, state, note))
        self.report()

    def hold(self):
        """Pauses, and returns when the current frame is finished."""
        mda = self.core.mda
        while mda.is_running() and not mda.is_paused():
            # The runner forgets it where it is just about to take a frame.
            mda.set_paused(True)
            self.ended.wait(0.02)

    def report(self):
        """Says what became of the advice; what could not be said is said again."""
        for advice, wells in list(self.focusing):
            left = wells & self.engine.unfocused.keys()
            if self.ended.is_set() or not left:
                self.focusing.remove((advice, wells))
                state = "refused" if left else "done"
                note = "the run ended" if left else f"after {self.frames.count} frames"
                self.reports.append((advice, state, note))
        while self.reports:
            self.source.answer(*self.reports[0][:2], self.by, self.reports[0][2])
            self.reports.pop(0)

    def resume(self):
        """Goes on after a pause."""
        if self.is_paused:
            self.is_paused = False
            self.core.mda.set_paused(False)

    def end(self):
        self.ended.set()
        self.join()
        self.look()


def acquire(core, sequence, run, folder, source, name, started=lambda follower: None):
    """Runs a sequence to its end, or to the advice to stop; says how many frames were written."""
    if not set(sequence.used_axes) <= set("tp") or not all(position.name for position in sequence.stage_positions):
        sys.exit("the sequence needs a time plan and stage positions with the names of their wells, and nothing else")
    engine, frames = AdvisedEngine(core), FrameWriter(folder, run)
    core.mda.set_engine(engine)
    core.mda.events.frameReady.connect(frames.frameReady)
    wells = {well(position.name) for position in sequence.stage_positions}
    follower = Follower(core, engine, frames, wells, source, run, name)
    follower.start()
    started(follower)
    try:
        core.mda.run(sequence)
    finally:
        follower.end()
        core.mda.events.frameReady.disconnect(frames.frameReady)
    return frames.count


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sequence", required=True, metavar="FILE", help="a useq MDASequence: times and wells")
    parser.add_argument("--run", required=True, metavar="NAME", help="name of the run, for file names")
    parser.add_argument("--folder", required=True, metavar="DIR", help="the folder that autoqc watches")
    parser.add_argument("--advice", required=True, metavar="PLACE", help="autoqc's output folder, or its page's address")
    parser.add_argument("--token", metavar="FILE", help="file with the page's token")
    parser.add_argument("--name", default="microscope", help="who acts on advice, for the page (default: microscope)")
    parser.add_argument("--config", metavar="FILE", help="configuration of Micro-Manager (default: its demo)")
    options = parser.parse_args()
    core = CMMCorePlus.instance()
    core.loadSystemConfiguration(options.config or "MMConfig_demo.cfg")
    token = pathlib.Path(options.token).read_text().strip() if options.token else None

    def listen(follower):
        def enter():
            for _ in sys.stdin:
                follower.resume()

        threading.Thread(target=enter, daemon=True).start()

    count = acquire(
        core,
        useq.MDASequence.from_file(options.sequence),
        options.run,
        options.folder,
        advice_at(options.advice, token),
        options.name,
        listen,
    )
    print(f"{count} frames were written")


if __name__ == "__main__":
    main()
