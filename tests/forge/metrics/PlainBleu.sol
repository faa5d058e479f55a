// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title PlainBleu
/// @notice The statistics of Bleu.sol written for the reader: the oracle of the fuzz tests, far too dear for a chain.
/// @dev Follows sacreBLEU's source line by line, substitution by substitution, on bytes. Of two texts it is right where neither tears a
/// character apart by what is removed; the parity tests cover those against sacreBLEU itself.
library PlainBleu {
    function measure(bytes memory response, bytes memory referenceText) internal pure returns (uint256 word) {
        bytes32[] memory hypothesis = tokens(response);
        bytes32[] memory target = tokens(referenceText);
        for (uint256 order = 1; order <= 4; ++order) {
            word |= _matches(hypothesis, target, order) << (28 * (order - 1));
            if (hypothesis.length >= order) word |= (hypothesis.length - order + 1) << (28 * (order + 3));
        }
        word |= target.length << 224;
    }

    /// @notice Hashes of the tokens, in the order of the text.
    function tokens(bytes memory text) internal pure returns (bytes32[] memory hashes) {
        bytes memory line = _stripEnd(text);
        line = _replace(line, "<skipped>", "");
        line = _replace(line, "-\n", "");
        line = _replace(line, "\n", " ");
        line = _replace(line, "&quot;", "\"");
        line = _replace(line, "&amp;", "&");
        line = _replace(line, "&lt;", "<");
        line = _replace(line, "&gt;", ">");
        line = abi.encodePacked(" ", line, " ");
        line = _spacePunctuation(line);
        line = _spaceStopsBehindOthers(line);
        line = _spaceStopsBeforeOthers(line);
        line = _spaceDashesBehindDigits(line);
        return _split(line);
    }

    /// @dev Clipped: each n-gram of the target is matched once at most.
    function _matches(bytes32[] memory a, bytes32[] memory b, uint256 order) private pure returns (uint256 count) {
        if (a.length < order || b.length < order) return 0;
        bool[] memory used = new bool[](b.length);
        for (uint256 i = 0; i + order <= a.length; ++i) {
            for (uint256 j = 0; j + order <= b.length; ++j) {
                if (used[j] || !_same(a, i, b, j, order)) continue;
                used[j] = true;
                ++count;
                break;
            }
        }
    }

    function _same(bytes32[] memory a, uint256 i, bytes32[] memory b, uint256 j, uint256 order) private pure returns (bool) {
        for (uint256 k = 0; k < order; ++k) {
            if (a[i + k] != b[j + k]) return false;
        }
        return true;
    }

    function _replace(bytes memory text, bytes memory what, bytes memory with) private pure returns (bytes memory out) {
        out = new bytes(text.length);
        uint256 size = 0;
        for (uint256 i = 0; i < text.length;) {
            if (_startsWith(text, i, what)) {
                for (uint256 k = 0; k < with.length; ++k) {
                    out[size++] = with[k];
                }
                i += what.length;
            } else {
                out[size++] = text[i++];
            }
        }
        _cut(out, size);
    }

    function _startsWith(bytes memory text, uint256 at, bytes memory what) private pure returns (bool) {
        if (at + what.length > text.length) return false;
        for (uint256 k = 0; k < what.length; ++k) {
            if (text[at + k] != what[k]) return false;
        }
        return true;
    }

    /// @dev `([\{-\~\[-\` -\&\(-\+\:-\@\/])` becomes ` \1 `.
    function _spacePunctuation(bytes memory line) private pure returns (bytes memory out) {
        out = new bytes(3 * line.length);
        uint256 size = 0;
        for (uint256 i = 0; i < line.length; ++i) {
            bool apart = _isPunctuation(uint8(line[i]));
            if (apart) out[size++] = " ";
            out[size++] = line[i];
            if (apart) out[size++] = " ";
        }
        _cut(out, size);
    }

    /// @dev `([^0-9])([\.,])` becomes `\1 \2 `.
    function _spaceStopsBehindOthers(bytes memory line) private pure returns (bytes memory out) {
        out = new bytes(3 * line.length);
        uint256 size = 0;
        for (uint256 i = 0; i < line.length;) {
            if (i + 1 < line.length && !_isDigit(line[i]) && _isStop(line[i + 1])) {
                out[size++] = line[i];
                out[size++] = " ";
                out[size++] = line[i + 1];
                out[size++] = " ";
                i += 2;
            } else {
                out[size++] = line[i++];
            }
        }
        _cut(out, size);
    }

    /// @dev `([\.,])([^0-9])` becomes ` \1 \2`.
    function _spaceStopsBeforeOthers(bytes memory line) private pure returns (bytes memory out) {
        out = new bytes(3 * line.length);
        uint256 size = 0;
        for (uint256 i = 0; i < line.length;) {
            if (i + 1 < line.length && _isStop(line[i]) && !_isDigit(line[i + 1])) {
                out[size++] = " ";
                out[size++] = line[i];
                out[size++] = " ";
                out[size++] = line[i + 1];
                i += 2;
            } else {
                out[size++] = line[i++];
            }
        }
        _cut(out, size);
    }

    /// @dev `([0-9])(-)` becomes `\1 \2 `.
    function _spaceDashesBehindDigits(bytes memory line) private pure returns (bytes memory out) {
        out = new bytes(3 * line.length);
        uint256 size = 0;
        for (uint256 i = 0; i < line.length;) {
            if (i + 1 < line.length && _isDigit(line[i]) && line[i + 1] == "-") {
                out[size++] = line[i];
                out[size++] = " ";
                out[size++] = "-";
                out[size++] = " ";
                i += 2;
            } else {
                out[size++] = line[i++];
            }
        }
        _cut(out, size);
    }

    function _split(bytes memory line) private pure returns (bytes32[] memory hashes) {
        hashes = new bytes32[](line.length);
        uint256 count = 0;
        uint256 start = 0;
        for (uint256 i = 0; i <= line.length;) {
            uint256 width = i == line.length ? 1 : _spaceAt(line, i);
            if (width == 0) {
                ++i;
                continue;
            }
            if (i > start) hashes[count++] = _hash(line, start, i);
            i += width;
            start = i;
        }
        assembly ("memory-safe") {
            mstore(hashes, count)
        }
    }

    function _hash(bytes memory line, uint256 start, uint256 end) private pure returns (bytes32) {
        bytes memory token = new bytes(end - start);
        for (uint256 i = start; i < end; ++i) {
            token[i - start] = line[i];
        }
        return keccak256(token);
    }

    function _stripEnd(bytes memory text) private pure returns (bytes memory out) {
        out = bytes.concat(text);
        for (bool more = true; more;) {
            more = false;
            for (uint256 width = 1; width <= 3 && width <= out.length; ++width) {
                if (_spaceAt(out, out.length - width) != width) continue;
                _cut(out, out.length - width);
                more = true;
                break;
            }
        }
    }

    /// @dev Bytes of the whitespace character at `i` in UTF-8, 0 if there is none; what Python's `str.split` splits at.
    function _spaceAt(bytes memory line, uint256 i) private pure returns (uint256) {
        uint256 a = uint8(line[i]);
        uint256 b = i + 1 < line.length ? uint8(line[i + 1]) : 0;
        uint256 c = i + 2 < line.length ? uint8(line[i + 2]) : 0;
        if ((a >= 0x09 && a <= 0x0d) || (a >= 0x1c && a <= 0x20)) return 1;
        if (a == 0xc2 && (b == 0x85 || b == 0xa0)) return 2;
        if (a == 0xe1 && b == 0x9a && c == 0x80) return 3;
        if (a == 0xe2 && b == 0x80 && c >= 0x80 && c <= 0x8a) return 3;
        if (a == 0xe2 && b == 0x80 && (c == 0xa8 || c == 0xa9 || c == 0xaf)) return 3;
        if (a == 0xe2 && b == 0x81 && c == 0x9f) return 3;
        if (a == 0xe3 && b == 0x80 && c == 0x80) return 3;
        return 0;
    }

    function _isPunctuation(uint8 c) private pure returns (bool) {
        return (c >= 0x7b && c <= 0x7e) || (c >= 0x5b && c <= 0x60) || (c >= 0x20 && c <= 0x26) || (c >= 0x28 && c <= 0x2b)
            || (c >= 0x3a && c <= 0x40) || c == 0x2f;
    }

    function _isDigit(bytes1 c) private pure returns (bool) {
        return c >= "0" && c <= "9";
    }

    function _isStop(bytes1 c) private pure returns (bool) {
        return c == "." || c == ",";
    }

    function _cut(bytes memory data, uint256 size) private pure {
        assembly ("memory-safe") {
            mstore(data, size)
        }
    }
}
