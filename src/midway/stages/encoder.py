"""Import the pretrained encoder."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from midway.encoders.convert import import_encoder
from midway.graph.stage import Context
from midway.stages.specs import EncoderSpec


def run(spec: EncoderSpec, inputs: Mapping[str, Path], context: Context) -> Mapping[str, Any]:
    """Write the encoder's artefact; see `midway.encoders.convert`."""
    del inputs
    name = str(context.runtime.encoder_folder) if spec.name == "folder" else spec.name
    return import_encoder(name, spec.identity, context.out)
