"""Network to program: lowering, passes, placement, instructions, images."""
