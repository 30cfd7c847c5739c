"""Artefacts that only serve others, such as the weights of targets, go once they have served."""

from collections.abc import Callable, Collection

from midway.errors import StoreError
from midway.graph.plan import Plan
from midway.store.local import Store


def drop_served(
    plan: Plan, store: Store, keys: Collection[str], notice: Callable[[str], None]
) -> None:
    """Drop the artefacts of `keys` that have served and are wanted by nobody else."""
    leaves = {stage.key for stage in plan.leaves}
    for key in keys:
        if key in leaves or not has_served(plan, store, keys, key):
            continue
        if store.has(plan.by_key[key]):
            try:
                store.drop(key)
            except StoreError as error:  # results are complete; only space is not saved
                notice(str(error))


def has_served(plan: Plan, store: Store, droppable: Collection[str], key: str) -> bool:
    """Whether an artefact may be gone because all that reads it in the plan is there.

    Another run may have computed it, used it and dropped it since this one looked.

    Args:
        plan: of the study.
        store: its results.
        droppable: keys that only serve their readers, which may have been dropped in their turn.
        key: of the artefact.
    """
    readers = plan.readers.get(key, ())
    return (
        key in droppable
        and bool(readers)
        and all(
            store.has(plan.by_key[reader]) or has_served(plan, store, droppable, reader)
            for reader in readers
        )
    )
