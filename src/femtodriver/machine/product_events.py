"""What the multiplications of an instruction are counted as, from the widths of its operands."""

from __future__ import annotations

from femtodriver.isa import Kind, Operand, cycles


def multiplier_bits(operand: Operand) -> int:
    """Width with which a multiplier takes an operand: its element width, or the immediate's own."""
    if operand.kind is Kind.IMM:
        return (operand.value if operand.value >= 0 else ~operand.value).bit_length() + 1
    return operand.bits


def product_event(small: int, large: int) -> tuple[str, int]:
    """The event that a product of these widths counts as, and how many of it (wider products count as several)."""
    narrow, wide = cycles.LANE_BITS
    if large <= narrow:
        return "mac_8x8", 1
    if small <= narrow:
        return "mac_8x16", -(-large // wide)
    return "mac_16x16", -(-small // wide) * -(-large // wide)
