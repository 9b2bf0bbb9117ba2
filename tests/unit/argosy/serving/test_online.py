import asyncio
import threading
import time

from argosy.features.online.rows import OnlineView
from argosy.serving.online import OnlineReader
from tests.fakes.online_store import MemoryStore

TEMPS = OnlineView("temps", ("k",), ("String",), {"v": "Float32"})


def test_a_row_that_is_wanted_twice_is_read_once_and_a_null_key_not_at_all():
    store = MemoryStore()
    store.put("temps", ("a",), 1, v=1.0)
    reader = OnlineReader("sqlite:///x", lambda _: store)

    a, b = (TEMPS, ("a",)), (TEMPS, ("b",))
    rows = reader.read([a, None, b, a])

    assert [row and row.values for row in rows] == [{"v": 1.0}, None, None, {"v": 1.0}]
    assert store.reads == [2]
    assert reader.read([None]) == [None]
    assert store.reads == [2]


def test_the_store_is_opened_at_the_first_use_of_each_thread():
    opened = []
    reader = OnlineReader("sqlite:///x", lambda url: opened.append(url) or MemoryStore())
    assert opened == []

    for _ in range(2):
        reader.read([(TEMPS, ("a",))])
    other = threading.Thread(target=reader.read, args=([(TEMPS, ("a",))],))
    other.start()
    other.join()

    assert opened == ["sqlite:///x", "sqlite:///x"]


def test_a_slow_store_over_the_network_holds_nobody_else_up():
    class Slow(MemoryStore):
        def read(self, wanted):
            time.sleep(0.5)
            return super().read(wanted)

    reader = OnlineReader("redis://far/0", lambda _: Slow())

    async def many():
        began = time.monotonic()
        reads = [asyncio.ensure_future(reader.fetch([(TEMPS, ("a",))])) for _ in range(8)]
        await asyncio.sleep(0)
        turned = time.monotonic() - began
        await asyncio.gather(*reads)
        return turned, time.monotonic() - began

    turned, whole = asyncio.run(many())
    reader.close()
    assert turned < 0.4
    assert whole < 8 * 0.5
