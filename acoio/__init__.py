"""Read ACO hydrophone recordings: files, records, clocks, sounds, simulation."""

from acoio.errors import AcoError, DataError, NotReadyError, SetupError
from acoio.filename import FileName, parse_filename
from acoio.load import read
from acoio.reader import Chunk, read_chunk, read_chunks
from acoio.record import Damage, Record
from acoio.sound import Gap, Sound
from acoio.writer import write

__all__ = [
    "AcoError",
    "Chunk",
    "Damage",
    "DataError",
    "FileName",
    "Gap",
    "NotReadyError",
    "Record",
    "SetupError",
    "Sound",
    "parse_filename",
    "read",
    "read_chunk",
    "read_chunks",
    "write",
]
