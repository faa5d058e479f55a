// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title PlainChrf
/// @notice The statistics of Chrf.sol written for the reader: the oracle of the fuzz tests, far too dear for a chain.
library PlainChrf {
    function measure(bytes memory response, bytes memory referenceText) internal pure returns (uint256[2] memory words) {
        uint256[] memory hypothesis = characters(response);
        uint256[] memory target = characters(referenceText);
        for (uint256 order = 1; order <= 6 && order <= target.length; ++order) {
            uint256 shift = 84 * ((order - 1) % 3);
            uint256 word = (order - 1) / 3;
            words[word] |= (target.length - order + 1) << (shift + 28);
            if (order > hypothesis.length) continue;
            words[word] |= (hypothesis.length - order + 1) << shift;
            words[word] |= matches(hypothesis, target, order) << (shift + 56);
        }
    }

    /// @notice One number for each character that is no whitespace: its code point, or 0x110000 and the byte that is no UTF-8.
    function characters(bytes memory text) internal pure returns (uint256[] memory found) {
        found = new uint256[](text.length);
        uint256 count = 0;
        for (uint256 at = 0; at < text.length;) {
            (uint256 point, uint256 width) = _decode(text, at);
            at += width;
            if (!_isSpace(point)) found[count++] = point;
        }
        assembly ("memory-safe") {
            mstore(found, count)
        }
    }

    /// @notice How many n-grams both have, each of `b` matched once at most.
    function matches(uint256[] memory a, uint256[] memory b, uint256 order) internal pure returns (uint256 count) {
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

    function _same(uint256[] memory a, uint256 i, uint256[] memory b, uint256 j, uint256 order) private pure returns (bool) {
        for (uint256 k = 0; k < order; ++k) {
            if (a[i + k] != b[j + k]) return false;
        }
        return true;
    }

    /// @dev The shortest form of each code point is the only valid one; surrogates have none.
    function _decode(bytes memory text, uint256 at) private pure returns (uint256 point, uint256 width) {
        uint256 lead = uint8(text[at]);
        if (lead < 0x80) return (lead, 1);
        width = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
        point = lead & (0x7f >> width);
        bool valid = lead >= 0xc0 && lead < 0xf8 && at + width <= text.length;
        for (uint256 k = 1; valid && k < width; ++k) {
            uint256 next = uint8(text[at + k]);
            valid = next >> 6 == 2;
            point = point << 6 | (next & 0x3f);
        }
        uint256 least = width == 2 ? 0x80 : width == 3 ? 0x800 : 0x10000;
        valid = valid && point >= least && point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);
        if (!valid) return (0x110000 + lead, 1);
    }

    /// @dev What Python's `str.split` splits at.
    function _isSpace(uint256 point) private pure returns (bool) {
        return (point >= 0x09 && point <= 0x0d) || (point >= 0x1c && point <= 0x20) || point == 0x85 || point == 0xa0
            || point == 0x1680 || (point >= 0x2000 && point <= 0x200a) || point == 0x2028 || point == 0x2029 || point == 0x202f
            || point == 0x205f || point == 0x3000;
    }
}
