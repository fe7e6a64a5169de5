"""From the points of a cloud to the rows of tables: what a job of the pipeline and `cnn-topology look` share."""
