"""The queue in memory."""

from uuid import UUID, uuid4

from fairdatabase.jobs.backends.memory import MemoryQueue


def test_ids_are_handed_out_in_order_with_those_added_on_the_way() -> None:
    queue = MemoryQueue()
    first, second, third = uuid4(), uuid4(), uuid4()
    seen: list[UUID] = []

    def run(job_id: UUID) -> None:
        seen.append(job_id)
        if job_id == first:
            queue.put(third)

    queue.put(first)
    queue.put(second)
    assert queue.check() == "2 waiting in memory"
    assert queue.drain(run) == 3
    assert seen == [first, second, third]
