// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Test} from "forge-std/Test.sol";
import {Rounds} from "../../contracts/Rounds.sol";
import {Addresses} from "../../contracts/interfaces/IDeployer.sol";
import {Fault, Phase, RoundId} from "../../contracts/interfaces/IRounds.sol";
import {ITaskRegistry} from "../../contracts/interfaces/ITaskRegistry.sol";
import {RoundTerms} from "../../contracts/libraries/Terms.sol";

/// @notice A registry whose one task has the windows that it was told.
contract OneTask {
    RoundTerms private _terms;

    function set(RoundTerms terms) external {
        _terms = terms;
    }

    function roundTermsAt(uint32) external view returns (RoundTerms) {
        return _terms;
    }
}

/// @notice Rounds with any stored facts.
contract AnyRound is Rounds {
    constructor(Addresses memory all) Rounds(all) {}

    function set(
        RoundId round,
        uint40 sealedAt,
        Fault fault,
        uint16 enrolled,
        uint16 attested,
        uint40 revealedAt,
        uint40 queueEnd
    ) external {
        Record storage r = _records[round];
        r.sealedAt = sealedAt;
        r.fault = fault;
        r.enrolled = enrolled;
        r.attested = attested;
        r.revealedAt = revealedAt;
        r.queueEnd = queueEnd;
    }
}

/// @notice The phase of a round as a function of stored facts and time, for all of them at once, by symbolic execution.
contract PhaseProof is Test {
    RoundId private constant ROUND = RoundId.wrap(bytes32(uint256(1)));
    uint256 private constant MOST = 180 days;

    OneTask private _task;
    AnyRound private _rounds;

    function setUp() public {
        _task = new OneTask();
        Addresses memory all;
        all.tasks = ITaskRegistry(address(_task));
        _rounds = new AnyRound(all);
    }

    /// @dev Time alone moves a round along the table of phases only, and out of Final, Void, Forfeited and Slashed never.
    function check_time__movesForwardOnly(
        uint32[4] memory windows,
        uint40 sealedAt,
        uint8 fault,
        uint16[2] memory counts,
        uint40[2] memory revealedAndQueue,
        uint40 first,
        uint40 later
    ) public {
        _given(windows, sealedAt, fault, counts, revealedAndQueue);
        vm.assume(first <= later && first >= sealedAt && first >= revealedAndQueue[0]);
        vm.assume(counts[1] == 0 || first >= uint256(sealedAt) + windows[0]); // nobody is attested before answerBy
        Phase from = _phaseAt(first);
        Phase to = _phaseAt(later);
        assert(from == to || _follows(from, to));
    }

    /// @dev Each edge belongs to what comes after it.
    function check_edges__areHalfOpen(uint32[4] memory windows, uint40 sealedAt, uint16[2] memory counts) public {
        _given(windows, sealedAt, 0, counts, [uint40(0), 0]);
        vm.assume(sealedAt != 0);
        uint256 answerBy = uint256(sealedAt) + windows[0];
        uint256 attestBy = answerBy + windows[1];
        uint256 revealBy = attestBy + windows[2];

        assert(_phaseAt(answerBy - 1) == Phase.Answering);
        assert(_phaseAt(answerBy) != Phase.Answering);
        if (counts[0] == 0) {
            assert(_phaseAt(answerBy) == Phase.Void);
        } else if (counts[1] < counts[0]) {
            assert(_phaseAt(attestBy - 1) == Phase.Attesting);
            assert(_phaseAt(attestBy) == Phase.Forfeited);
        } else {
            assert(_phaseAt(revealBy - 1) == Phase.Revealing);
            assert(_phaseAt(revealBy) == Phase.Forfeited);
        }
    }

    /// @dev Final begins at max(revealedAt + challengeWindow, queueEnd + challengeWindow / 2), and not a second before.
    function check_final__beginsWhereTheQueueAllows(uint32[4] memory windows, uint40 sealedAt, uint40 revealedAt, uint40 queueEnd)
        public
    {
        _given(windows, sealedAt, 0, [uint16(1), 1], [revealedAt, queueEnd]);
        vm.assume(sealedAt != 0 && revealedAt >= uint256(sealedAt) + windows[0]);
        uint256 plain = uint256(revealedAt) + windows[3];
        uint256 queued = uint256(queueEnd) + windows[3] / 2;
        uint256 finalAt = plain > queued ? plain : queued;

        assert(_phaseAt(finalAt - 1) == Phase.Challenging);
        assert(_phaseAt(finalAt) == Phase.Final);
    }

    function _given(
        uint32[4] memory windows,
        uint40 sealedAt,
        uint8 fault,
        uint16[2] memory counts,
        uint40[2] memory revealedAndQueue
    ) private {
        for (uint256 i; i < 4; ++i) {
            vm.assume(windows[i] >= 1 && windows[i] <= MOST);
        }
        vm.assume(fault <= uint8(type(Fault).max) && counts[1] <= counts[0]);
        vm.assume(revealedAndQueue[0] == 0 || (counts[0] != 0 && counts[1] == counts[0] && revealedAndQueue[0] >= sealedAt));
        uint256 later = uint256(windows[1]) << 64 | uint256(windows[2]) << 96 | uint256(windows[3]) << 128;
        _task.set(RoundTerms.wrap(windows[0] | later));
        _rounds.set(ROUND, sealedAt, Fault(fault), counts[0], counts[1], revealedAndQueue[0], revealedAndQueue[1]);
    }

    function _phaseAt(uint256 time) private returns (Phase) {
        vm.warp(time);
        return _rounds.phaseOf(ROUND);
    }

    /// @dev The edges of the table that time alone takes.
    function _follows(Phase from, Phase to) private pure returns (bool) {
        if (from == Phase.Answering) return to == Phase.Void || to == Phase.Attesting || to == Phase.Forfeited;
        if (from == Phase.Attesting || from == Phase.Revealing) return to == Phase.Forfeited;
        return from == Phase.Challenging && to == Phase.Final;
    }
}
