"""Cache: immutable values in memory, in front of Redis, told to forget by every process that changes them.

Start at layered.py. contract.py says what a shared cache and a bus promise.
"""

from cache.contract import Bus, Cache
from cache.layered import Codec, LayeredCache, Lives
from cache.memory_cache import Lru, MemoryCache, NoCache
from cache.opening import open_cache
from cache.record_codec import RecordCodec

__all__ = [
    "Bus",
    "Cache",
    "Codec",
    "LayeredCache",
    "Lives",
    "Lru",
    "MemoryCache",
    "NoCache",
    "RecordCodec",
    "open_cache",
]
