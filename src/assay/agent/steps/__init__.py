"""The steps of a round, one module each: seal, enrol, ask, score, attest, reveal, release.

Each may be called again after any crash.
"""
