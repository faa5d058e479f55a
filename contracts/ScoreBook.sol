// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Addresses} from "./interfaces/IDeployer.sol";
import {IMetric} from "./interfaces/IMetric.sol";
import {VersionId} from "./interfaces/IModelRegistry.sol";
import {Attestation, Fault, IRounds, Measurement, Phase, RoundId, Standing} from "./interfaces/IRounds.sol";
import {IStakeVault} from "./interfaces/IStakeVault.sol";
import {SealedItem, Seals} from "./libraries/Seals.sol";
import {SumTree} from "./libraries/SumTree.sol";
import {RoundTerms} from "./libraries/Terms.sol";
import {RoundBook} from "./RoundBook.sol";

/// @title ScoreBook
/// @notice The scores of a round: how they are attested, and what happens to whoever attests a wrong one; see IRounds.
/// @dev The proof of a wrong statistic stands here and not in Disputes, beside all that it needs: it is the one that costs the most.
abstract contract ScoreBook is RoundBook {
    /// @dev What is the same for all versions of one attestation.
    struct AttestTerms {
        RoundId round;
        uint32 items;
        IMetric metric;
        uint256 words;
        uint256 maxSilenceBps;
    }

    uint256 private constant BPS = 10_000;
    uint256 private constant PERFECT = 1e18;
    uint8 private constant DECOY = 2;
    uint256 private constant COUNT_BITS = 32;

    IStakeVault internal immutable _vault;

    constructor(Addresses memory all) RoundBook(all.tasks) {
        _vault = all.vault;
    }

    /// @inheritdoc IRounds
    function attest(RoundId round, Attestation[] calldata attestations) external {
        Record storage r = _recordOf(round);

        _checkBenchmarker(round, r);
        _checkPhase(round, r, Phase.Attesting);

        (IMetric metric, uint8 words,, uint16 maxSilenceBps) = _tasks.scoringAt(r.task);
        AttestTerms memory terms = AttestTerms(round, r.items, metric, words, maxSilenceBps);
        for (uint256 i = 0; i < attestations.length; i++) {
            _attest(terms, attestations[i]);
        }
        r.attested += uint16(attestations.length);
    }

    /// @inheritdoc IRounds
    function challengeStatistics(RoundId round, VersionId version, Measurement calldata m) external {
        Record storage r = _recordOf(round);
        (IMetric metric, uint256 words, RoundTerms terms) = _tasks.proofTermsAt(r.task);
        bytes memory referenceText = m.referenceText;
        bytes memory response = m.response;

        _checkSealed(round, r, m, keccak256(referenceText));
        _checkAttested(round, version, m, words, keccak256(response));
        if (_isCounted(m) && _isMeasured(m, metric, words, response, referenceText)) {
            revert StatisticsHold(round, version, m.position);
        }

        _slash(round, r, terms, Fault.WrongStatistics, msg.sender);
    }

    // Faults

    function _slash(RoundId round, Record storage r, RoundTerms terms, Fault fault, address challenger) internal {
        Phase phase = _phaseUnder(terms, r);

        if (phase < Phase.Answering || phase > Phase.Challenging) revert WrongPhase(round, phase);

        uint256 reward = terms.bond() / 2;
        uint256 burned = terms.bond() - reward;
        r.fault = fault;

        emit RoundSlashed(round, fault, challenger, reward, burned);

        _vault.slash(r.benchmarker, challenger, reward, burned);
    }

    // Measurements

    /// @dev As in the judge: what has the wrong shape proves nothing against anybody.
    function _checkSealed(RoundId round, Record storage r, Measurement calldata m, bytes32 referenceHash) private view {
        uint256 items = r.items;
        if (m.position >= items) revert PositionOutOfRange(m.position, items);
        bytes32[] calldata path = m.setPath;
        if (!Seals.isDepth(path.length, items)) revert WrongLength(Seals.depth(items), path.length);
        SealedItem memory item = SealedItem(m.position, m.kind, m.promptHash, referenceHash, m.salt);
        bytes32 leaf = Seals.leaf(address(this), r.benchmarker, item);
        if (Seals.climb(leaf, m.position, path) != r.setRoot) revert NotSealedHere(round, m.position);
    }

    /// @dev After `_checkSealed`, which says how many levels there are.
    function _checkAttested(RoundId round, VersionId version, Measurement calldata m, uint256 words, bytes32 responseHash)
        private
        view
    {
        uint256[] calldata sums = m.sums;
        uint256[] calldata path = m.sumPath;
        _checkLength(1 + words, sums.length);
        _checkLength(m.setPath.length * (1 + sums.length), path.length);
        bytes32 leaf = SumTree.leaf(m.position, m.outcome, responseHash, m.signatureHash, keccak256(m.evidence));
        bytes32 commitment = _entries[round][version].commitment;
        if (SumTree.climbPacked(leaf, sums, m.position, path) != commitment) revert NotAttestedHere(round, version, m.position);
    }

    function _checkLength(uint256 expected, uint256 got) private pure {
        if (expected != got) revert WrongLength(expected, got);
    }

    function _isCounted(Measurement calldata m) private pure returns (bool) {
        return m.sums[0] == uint256(1) << (m.outcome * COUNT_BITS);
    }

    /// @dev A metric that reverts, or returns another number of words, reverts the proof.
    function _isMeasured(Measurement calldata m, IMetric metric, uint256 words, bytes memory response, bytes memory referenceText)
        private
        view
        returns (bool)
    {
        uint256[] memory expected =
            m.outcome == DECOY ? new uint256[](words) : metric.measure(response, referenceText, m.evidence, m.seed);
        _checkLength(words, expected.length);
        uint256[] calldata claimed = m.sums[1:];
        for (uint256 word = 0; word < words; word++) {
            if (claimed[word] != expected[word]) return false;
        }
        return true;
    }

    // Attestation

    function _attest(AttestTerms memory terms, Attestation calldata a) private {
        Entry storage entry = _entries[terms.round][a.version];

        if (entry.standing == Standing.None) revert NotEnrolled(terms.round, a.version);
        if (entry.standing != Standing.Enrolled) revert AlreadyAttested(terms.round, a.version);
        if (a.sums.length != 1 + terms.words) revert WrongSums(1 + terms.words, a.sums.length);
        (uint32 answered, uint32 silent, uint32 decoys) = _countsOf(a.sums[0], terms.items);
        bool complete = _isComplete(answered, silent, terms.maxSilenceBps);
        Standing standing = complete ? Standing.Scored : Standing.Incomplete;
        uint64 score = complete ? _scoreOf(terms.metric, a.sums[1:]) : 0;

        entry.score = score;
        entry.answered = answered;
        entry.silent = silent;
        entry.decoys = decoys;
        entry.standing = standing;
        entry.commitment = SumTree.commitment(a.rootHash, a.sums);

        emit Attested(terms.round, a.version, a.rootHash, a.sums, score, complete);
    }

    function _countsOf(uint256 counts, uint256 items) private pure returns (uint32 answered, uint32 silent, uint32 decoys) {
        answered = uint32(counts);
        silent = uint32(counts >> 32);
        decoys = uint32(counts >> 64);
        if (counts >> 96 != 0 || uint256(answered) + silent + decoys != items) revert WrongCounts(counts, items);
    }

    function _isComplete(uint256 answered, uint256 silent, uint256 maxSilenceBps) private pure returns (bool) {
        uint256 asked = answered + silent;
        return asked != 0 && silent * BPS <= maxSilenceBps * asked;
    }

    /// @dev No try/catch: a metric that fails leaves the round unattested, and its task was the benchmarker's choice.
    function _scoreOf(IMetric metric, uint256[] calldata totals) private view returns (uint64) {
        uint256 score = metric.score(totals);
        if (score > PERFECT) revert ScoreOutOfRange(score);
        return uint64(score);
    }
}
