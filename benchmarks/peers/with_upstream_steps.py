"""The work in this model, with a list of steps that leaves out what cannot happen in it."""

from with_upstream import do_the_work

from model.simulation.month import MONTHS, STEPS

IDLE = ("life_events_strike", "meet_and_part", "invest", "take_part", "seek_help", "come_into_care", "feel_lonely")
"""Steps of a month by which nothing that the work counts can change: its rates are all zero."""

if __name__ == "__main__":
    lean = [step for step in STEPS if MONTHS not in step.phases or step.name not in IDLE]
    do_the_work(lean, "the steps of SISa alone")
