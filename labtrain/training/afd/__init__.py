"""Analog finite-difference gradients: neurons that are devices, their slopes read from the hardware.

Method: arXiv 2603.03947 (2026); see docs/methods-afd.md. What a program of one's own needs
(``DeviceNeurons``, ``calibrate``, ``make_estimator``) is also found in :mod:`labtrain.training`.
"""
