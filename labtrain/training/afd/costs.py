"""What a training with device neurons costs, from its counts and one stated table.

The table is of integrated circuits, not of the bench's instruments: what a chip with these devices would
spend. A 32-bit floating-point multiply and add in 45 nm: 3.7 pJ + 0.9 pJ (Horowitz, ISSCC 2014, 1.1). An
8-bit conversion at 1.28 GS/s and 2 mW: 1.6 pJ (ADC of ISAAC, Shafiee et al., ISCA 2016); a DAC is taken as an
ADC. The devices' own V I times the aperture is measured.
"""

from __future__ import annotations

from collections.abc import Sequence

MAC_JOULES = 4.6e-12
CONVERSION_JOULES = 1.6e-12


def forward_macs(sizes: Sequence[int]) -> int:
    """Multiplications with additions of one sample's forward pass."""
    return sum(before * after for before, after in zip(sizes, sizes[1:], strict=False))


def gradient_macs(sizes: Sequence[int]) -> int:
    """Those of one sample's weight gradients and error propagation, the inputs' gradient excluded."""
    return 2 * forward_macs(sizes) - sizes[0] * sizes[1]


def counted_costs(
    sizes: Sequence[int], responses: int, trained: int, reads: int, device_joules: float
) -> dict[str, float]:
    """Return the ledger's part on arithmetic, converters and energy.

    Parameters
    ----------
    responses, trained
        Samples that went forward through the network, and those of them that were trained on.
    reads
        Readings of one device: each is set by a DAC and read by an ADC.
    device_joules
        Spent in the devices.
    """
    macs = responses * forward_macs(sizes) + trained * gradient_macs(sizes)
    conversions = 2 * reads
    parts = {
        "device_joules": device_joules,
        "converter_joules": conversions * CONVERSION_JOULES,
        "mac_joules": macs * MAC_JOULES,
    }
    return {
        "macs": macs,
        "converter_operations": conversions,
        **parts,
        "energy_joules": sum(parts.values()),
    }
