"""Frames as a timeline, cycle by cycle: what each core did, waited for and sent, in a format that viewers open."""
