"""What files hold, for people and scripts: ``inspect_file`` for any file of ours, ``disassemble_file`` for programs.

Data first: both give records; ``*_text`` and ``*_json`` turn them into tables or JSON with documented keys.
"""

from femtodriver.inspection.detect import inspect_file
from femtodriver.inspection.disasm import disassemble_file
from femtodriver.inspection.listing import listing_json, listing_text
from femtodriver.inspection.render import report_json, report_text

__all__ = ["disassemble_file", "inspect_file", "listing_json", "listing_text", "report_json", "report_text"]
