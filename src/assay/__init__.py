"""Assay: proctored exams for AI models, settled on an EVM chain."""

__version__ = "0.1.0"
