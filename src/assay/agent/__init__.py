"""The benchmarker's side: a private journal, and the steps of a round that a person or a daemon calls one by one."""
