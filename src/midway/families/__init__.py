"""Families: what tasks of one kind share.

A family is a module with the same few functions:

- ``encode(examples, tokenizer, max_length=…, …)``: examples → a table of features, a row per
  sequence the encoder will see;
- ``outputs(card)``: the size of its head, 0 for none;
- ``units(table, rows)``: what the loss of a step is divided by, per row;
- ``loss(logits, batch)``: summed loss of a packed batch;
- ``decode(…)``: what the head said → predictions, one per example;
- ``score(predictions, examples, card)``: predictions → metrics per profile, and per example.
"""

from types import ModuleType

from midway.families import retrieval, span_qa, tagging

FAMILIES: dict[str, ModuleType] = {
    "span_qa": span_qa,
    "tagging": tagging,
    "retrieval": retrieval,
}
