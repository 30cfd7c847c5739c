"""The six stages that join the graph to data, encoders, training and metrics."""
