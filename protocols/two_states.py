"""Two resistance states from a device's own readings, as the arrays of switches tell them apart too."""

from labtrain.arrays.two_states import TwoStates, two_states

__all__ = ["TwoStates", "two_states"]
