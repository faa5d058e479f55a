"""Bytes become hashes here and nowhere else: ids, leaves, nodes, trees and typed data, equal to `contracts/libraries`."""
