"""The data sheets of source meters beside the 2450: accuracy, ranges, resolution, overrange.

Sources: 2400 SourceMeter Specifications, SPEC-2400 Rev. H (2004), pages 1 (source, resolution) and 2
(measure), one year, 23 C +- 5 C; Models 2601B, 2602B and 2604B Instrument Specifications, SPEC-2602B Rev. B
(2014), page 2, one year; Series 2600B Reference Manual 2600BS-901-01 Rev. F, page 2-44: 101 % of a source
range, 102 % of a measure range. [assumed]: 105 % and 105.21 % of the 2400.
"""

from __future__ import annotations

from typing import Final

from simulated_instruments.smu_accuracy import Accuracy, Specification

KEITHLEY_2400: Final = Specification(
    ranges={
        "VOLT": {
            0.2: Accuracy(2e-4, 600e-6, 1.2e-4, 300e-6),
            2.0: Accuracy(2e-4, 600e-6, 1.2e-4, 300e-6),
            20.0: Accuracy(2e-4, 2.4e-3, 1.5e-4, 1.5e-3),
            200.0: Accuracy(2e-4, 24e-3, 1.5e-4, 10e-3),
        },
        "CURR": {
            1e-6: Accuracy(3.5e-4, 600e-12, 2.9e-4, 300e-12),
            10e-6: Accuracy(3.3e-4, 2e-9, 2.7e-4, 700e-12),
            100e-6: Accuracy(3.1e-4, 20e-9, 2.5e-4, 6e-9),
            1e-3: Accuracy(3.4e-4, 200e-9, 2.7e-4, 60e-9),
            10e-3: Accuracy(4.5e-4, 2e-6, 3.5e-4, 600e-9),
            100e-3: Accuracy(6.6e-4, 20e-6, 5.5e-4, 6e-6),
            1.0: Accuracy(2.7e-3, 900e-6, 2.2e-3, 570e-6),
        },
    },
    steps={
        "VOLT": {0.2: 5e-6, 2.0: 50e-6, 20.0: 500e-6, 200.0: 5e-3},
        "CURR": {
            1e-6: 50e-12, 10e-6: 500e-12, 100e-6: 5e-9, 1e-3: 50e-9, 10e-3: 500e-9, 100e-3: 5e-6, 1.0: 50e-6,
        },
    },
    overrange=1.05,
    reading_overrange=1.0521,
)  # fmt: skip

KEITHLEY_2602B: Final = Specification(
    ranges={
        "VOLT": {
            0.1: Accuracy(2e-4, 250e-6, 1.5e-4, 150e-6),
            1.0: Accuracy(2e-4, 400e-6, 1.5e-4, 200e-6),
            6.0: Accuracy(2e-4, 1.8e-3, 1.5e-4, 1e-3),
            40.0: Accuracy(2e-4, 12e-3, 1.5e-4, 8e-3),
        },
        "CURR": {
            100e-9: Accuracy(6e-4, 100e-12, 5e-4, 100e-12),
            1e-6: Accuracy(3e-4, 800e-12, 2.5e-4, 500e-12),
            10e-6: Accuracy(3e-4, 5e-9, 2.5e-4, 1.5e-9),
            100e-6: Accuracy(3e-4, 60e-9, 2e-4, 25e-9),
            1e-3: Accuracy(3e-4, 300e-9, 2e-4, 200e-9),
            10e-3: Accuracy(3e-4, 6e-6, 2e-4, 2.5e-6),
            100e-3: Accuracy(3e-4, 30e-6, 2e-4, 20e-6),
            1.0: Accuracy(5e-4, 1.8e-3, 3e-4, 1.5e-3),
            3.0: Accuracy(6e-4, 4e-3, 5e-4, 3.5e-3),
        },
    },
    steps={
        "VOLT": {0.1: 5e-6, 1.0: 50e-6, 6.0: 50e-6, 40.0: 500e-6},
        "CURR": {
            100e-9: 2e-12, 1e-6: 20e-12, 10e-6: 200e-12, 100e-6: 2e-9, 1e-3: 20e-9, 10e-3: 200e-9,
            100e-3: 2e-6, 1.0: 20e-6, 3.0: 20e-6,
        },
    },
    overrange=1.01,
    reading_overrange=1.02,
    overflow=9.91e37,
)  # fmt: skip
