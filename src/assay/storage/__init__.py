"""Content-addressed bundles: their schema, and the embedded store that keeps one CAR file for each."""
