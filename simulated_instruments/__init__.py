"""Simulated instruments and the hidden world that they are wired to.

Instruments here speak their real dialect, take the time a real one takes and
act on the world through its wiring. Drivers and training never import this
package: the bench opens a world by its entry point.
"""
