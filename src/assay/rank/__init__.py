"""Rankings: pure functions of chain facts, bundles and the reader's choice of rounds."""
