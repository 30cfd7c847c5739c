"""Arrays of the host, on the device."""

import numpy as np
import torch


def to_device(array: np.ndarray, device: torch.device | str) -> torch.Tensor:
    """Copy an array to a device; on CUDA from pinned memory, so that the host does not wait.

    On CPU the tensor shares the array's memory.
    """
    tensor = torch.from_numpy(array)
    if torch.device(device).type != "cuda":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)
