"""Checks a round from the chain's facts and the published bundle alone: judge, openings, and the numbered verification."""
