"""What proves that the store and the runner can be trusted; nothing here is part of the package."""
