// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {
    Attestation,
    Demand,
    DemandState,
    Exam,
    IDisputes,
    IRounds,
    Item,
    Opening,
    Phase,
    RoundId,
    SetOpening,
    VersionId
} from "../support/Exam.sol";

/// @notice Plays rounds of one item with three benchmarkers and three providers, honest or not, in any order and at any time.
/// @dev Every act that the contracts would refuse is passed over, so that a revert is a finding.
contract Clockwork is Exam {
    struct Sat {
        RoundId round;
        VersionId version;
        uint256 who;
        bool honest;
        bool released;
        bool taken;
    }

    uint256 internal constant PEOPLE = 3;
    uint256 internal constant FUNDS = 300 ether;

    address[] public people;
    address[] internal _keys;
    uint256[] internal _secrets;
    VersionId[] internal _versions;

    RoundId[] internal _rounds;
    Sat[] internal _sats;
    mapping(RoundId => uint256) internal _benchmarkerOf;
    mapping(RoundId => Phase) public lastPhase;

    uint256 public deposited;
    uint256 public withdrawn;
    uint256 public faults;
    uint256 public forfeits;
    uint256 public finals;
    uint256 public voids;
    uint256 public taken;
    uint256 public answered;
    uint256 public expired;
    uint256 public leaks;
    string public broken;

    modifier tracked() {
        _;
        _trackPhases();
    }

    function start() external {
        setUp();
        vm.warp(START);
        for (uint256 i = 0; i < PEOPLE; i++) {
            (address key, uint256 secret) = makeAddrAndKey(string.concat("key ", vm.toString(i)));
            address person = makeAddr(string.concat("person ", vm.toString(i)));
            _fund(person, key, FUNDS);
            vm.prank(person);
            vault.allow(person, FUNDS);
            deposited += FUNDS;
            people.push(person);
            _keys.push(key);
            _secrets.push(secret);
            (, VersionId v) = _commit(person, "model", key);
            _versions.push(v);
        }
        vm.warp(START + 1);
    }

    // Acts

    function pass(uint256 time) external tracked {
        vm.warp(vm.getBlockTimestamp() + bound(time, 1, 2 days));
    }

    /// @dev Takes a round one step on, so that many rounds live to their end.
    function proceed(uint256 which, bool honest) external tracked {
        if (_rounds.length == 0) return;
        RoundId round = _pick(which);
        Phase phase = rounds.phaseOf(round);
        address key = _keys[_benchmarkerOf[round]];
        if (phase == Phase.Answering) vm.warp(rounds.deadlinesOf(round).answerBy);
        if (phase == Phase.Attesting) _attestAll(round, honest);
        if (phase == Phase.Revealing) {
            vm.prank(key);
            rounds.reveal(round, "bundle");
        }
        if (phase == Phase.Challenging && which % 2 == 0) {
            (uint40 finalAt,) = rounds.closingOf(round);
            vm.warp(finalAt);
        }
        if (phase >= Phase.Final) vm.warp(vm.getBlockTimestamp() + 1 days);
    }

    function deposit(uint256 who, uint256 amount) external tracked {
        amount = bound(amount, 0, 100 ether);
        vm.deal(people[who % PEOPLE], amount);
        vm.prank(people[who % PEOPLE]);
        vault.deposit{value: amount}(people[who % PEOPLE]);
        deposited += amount;
    }

    function withdraw(uint256 who, uint256 amount) external tracked {
        address person = people[who % PEOPLE];
        amount = bound(amount, 0, _free(person) / 4);
        vm.prank(person);
        vault.withdraw(amount, person);
        withdrawn += amount;
    }

    function allow(uint256 who, uint256 limit) external tracked {
        (, uint256 used) = vault.allowanceOf(people[who % PEOPLE], _keys[who % PEOPLE]);
        vm.prank(people[who % PEOPLE]);
        vault.allow(_keys[who % PEOPLE], bound(limit, 0, used + 600 ether));
    }

    /// @dev Mostly with somebody who sits it at once: a round that nobody sits is soon Void.
    function seal(uint256 who, uint256 sitter) external tracked {
        who %= PEOPLE;
        (uint256 limit, uint256 used) = vault.allowanceOf(people[who], _keys[who]);
        if (limit < used + ROUND_BOND || _free(people[who]) < ROUND_BOND) return;
        bytes32 root = _root(who, _rounds.length);
        vm.prank(_keys[who]);
        RoundId round = rounds.seal(people[who], task, root, 1, "card");
        _rounds.push(round);
        _benchmarkerOf[round] = who;
        if (sitter % 8 != 0) _enrol(round, sitter % PEOPLE);
    }

    function enrol(uint256 which, uint256 who) external tracked {
        if (_rounds.length == 0) return;
        RoundId round = _pick(which);
        if (rounds.phaseOf(round) != Phase.Answering) return;
        _enrol(round, who % PEOPLE);
    }

    function attest(uint256 which, bool honest) external tracked {
        if (_sats.length == 0) return;
        Sat storage sat = _sat(which);
        if (rounds.phaseOf(sat.round) != Phase.Attesting || rounds.commitmentOf(sat.round, sat.version) != 0) return;
        _attestOne(sat, honest);
    }

    function reveal(uint256 which) external tracked {
        if (_rounds.length == 0) return;
        RoundId round = _pick(which);
        if (rounds.phaseOf(round) != Phase.Revealing) return;
        vm.prank(_keys[_benchmarkerOf[round]]);
        rounds.reveal(round, "bundle");
    }

    function challenge(uint256 which, uint256 who) external tracked {
        if (_sats.length == 0) return;
        Sat storage sat = _sat(which);
        Phase phase = rounds.phaseOf(sat.round);
        version = sat.version;
        benchmarker = people[_benchmarkerOf[sat.round]];
        Opening memory o = _opening(_itemsOf(sat), 0);
        vm.prank(people[who % PEOPLE]);
        if (_accused(sat, o, who / PEOPLE % 2 == 0)) {
            faults++;
            if (sat.honest) broken = "an honest attestation was slashed";
            if (phase < Phase.Attesting || phase > Phase.Challenging) broken = "a fault in a closed phase";
        } else {
            bool attested = rounds.commitmentOf(sat.round, sat.version) != 0;
            bool open = phase >= Phase.Attesting && phase <= Phase.Challenging;
            if (attested && !sat.honest && open) broken = "a lie could not be challenged";
        }
    }

    /// @dev By the opening, or by what its statistics follow from: either finds the same.
    function _accused(Sat storage sat, Opening memory o, bool whole) private returns (bool accepted) {
        bytes memory opened = abi.encodeCall(IDisputes.challenge, (sat.round, sat.version, o));
        bytes memory measured = abi.encodeCall(IRounds.challengeStatistics, (sat.round, sat.version, _measurement(o)));
        (accepted,) = whole ? address(disputes).call(opened) : address(rounds).call(measured);
    }

    function forfeit(uint256 which, uint256 who) external tracked {
        if (_rounds.length == 0) return;
        RoundId round = _pick(which);
        bool due = rounds.phaseOf(round) == Phase.Forfeited;
        vm.prank(people[who % PEOPLE]);
        try rounds.forfeit(round) {
            forfeits++;
            if (!due) broken = "forfeited out of phase";
        } catch {}
    }

    function release(uint256 which) external tracked {
        if (_rounds.length == 0) return;
        RoundId round = _pick(which);
        Phase phase = rounds.phaseOf(round);
        try rounds.release(round) {
            if (phase != Phase.Final && phase != Phase.Void) broken = "released out of phase";
        } catch {}
    }

    function releaseVersion(uint256 which) external tracked {
        if (_sats.length == 0) return;
        Sat storage sat = _sat(which);
        bool due = vm.getBlockTimestamp() >= rounds.deadlinesOf(sat.round).versionsReleasedAt;
        try rounds.releaseVersions(sat.round, _one(sat.version)) {
            if (!due) broken = "a version bond was freed too early";
            sat.released = true;
        } catch {
            if (due) broken = "a version bond could not be freed";
        }
    }

    /// @dev A demand of the only position of a sat round, by anybody; of one that is being challenged, where there is one.
    function demand(uint256 which, uint256 who) external tracked {
        if (_sats.length == 0) return;
        Sat storage sat = _sat(which);
        for (uint256 i = 0; i < 6 && rounds.phaseOf(sat.round) != Phase.Challenging; i++) {
            sat = _sat(i);
        }
        bool open = rounds.phaseOf(sat.round) == Phase.Challenging;
        vm.prank(people[who % PEOPLE]);
        try disputes.demand(sat.round, sat.version, 0) {
            if (!open) broken = "a demand in a closed phase";
        } catch {}
    }

    /// @dev Anybody answers with the only opening there is: Sound if the attestation was honest.
    function answerDemand(uint256 which, uint256 who) external tracked {
        if (_sats.length == 0) return;
        Sat storage sat = _demanded(which);
        Demand memory d = disputes.demandOf(sat.round, sat.version, 0);
        bool due = d.state == DemandState.Open && vm.getBlockTimestamp() < d.deadline && sat.honest
            && rounds.phaseOf(sat.round) == Phase.Challenging;
        version = sat.version;
        benchmarker = people[_benchmarkerOf[sat.round]];
        Opening memory o = _opening(_itemsOf(sat), 0);
        vm.prank(people[who % PEOPLE]);
        try disputes.answerDemand(sat.round, sat.version, o) {
            answered++;
            if (!due) broken = "a demand was answered that could not be";
        } catch {
            if (due) broken = "an honest demand could not be answered";
        }
    }

    function expire(uint256 which) external tracked {
        if (_sats.length == 0) return;
        Sat storage sat = _demanded(which);
        Demand memory d = disputes.demandOf(sat.round, sat.version, 0);
        if (which % 2 == 0 && d.deadline > vm.getBlockTimestamp()) vm.warp(d.deadline);
        bool due =
            d.state == DemandState.Open && vm.getBlockTimestamp() >= d.deadline && rounds.phaseOf(sat.round) == Phase.Challenging;
        try disputes.expire(sat.round, sat.version, 0) {
            expired++;
            if (!due) broken = "expired out of turn";
        } catch {
            if (due) broken = "an unanswered demand could not be expired";
        }
    }

    function reclaim(uint256 which) external tracked {
        if (_sats.length == 0) return;
        Sat storage sat = _demanded(which);
        Phase phase = rounds.phaseOf(sat.round);
        bool due = disputes.demandOf(sat.round, sat.version, 0).state == DemandState.Open
            && (phase == Phase.Slashed || phase == Phase.Final);
        try disputes.reclaim(sat.round, sat.version, 0) {
            if (!due) broken = "a fee was freed that was not due";
        } catch {
            if (due) broken = "a fee could not be freed";
        }
    }

    /// @dev The provider answers twice, differently.
    function answerTwice(uint256 which, uint256 who) external tracked {
        if (_sats.length == 0) return;
        Sat storage sat = _sat(which);
        Phase phase = rounds.phaseOf(sat.round);
        bool due = !sat.taken && !sat.released && vm.getBlockTimestamp() < rounds.deadlinesOf(sat.round).versionsReleasedAt;
        version = sat.version;
        provider.privateKey = _secrets[sat.who];
        vm.prank(people[who % PEOPLE]);
        try disputes.challengeAnswers(
            sat.round, sat.version, 0, _answer(sat.round, 0, "prompt", "one"), _answer(sat.round, 0, "prompt", "other")
        ) {
            sat.taken = true;
            taken++;
            if (!due) broken = "a version bond was taken twice or too late";
            if (rounds.phaseOf(sat.round) != phase) broken = "two Answers moved a phase";
        } catch {
            if (due) broken = "two Answers could not be challenged";
        }
    }

    /// @dev The benchmarker's questions leak: a fault before answerBy, nothing after it.
    function leak(uint256 which, uint256 who) external tracked {
        if (_sats.length == 0 || who % 5 != 0) return;
        Sat storage sat = _sat(which);
        bool due = rounds.phaseOf(sat.round) == Phase.Answering;
        version = sat.version;
        benchmarker = people[_benchmarkerOf[sat.round]];
        SetOpening memory opening = _setOpening(_itemsOf(sat), 0);
        vm.prank(people[who % PEOPLE]);
        try disputes.challengeLeak(sat.round, opening) {
            leaks++;
            if (!due) broken = "a leak after answerBy was a fault";
        } catch {
            if (due) broken = "a leak could not be challenged";
        }
    }

    // What the invariants ask

    function sums() external view returns (uint256 free, uint256 locked, uint256 used) {
        for (uint256 i = 0; i < PEOPLE; i++) {
            free += _free(people[i]);
            locked += _locked(people[i]);
            (, uint256 byKey) = vault.allowanceOf(people[i], _keys[i]);
            (, uint256 byOwner) = vault.allowanceOf(people[i], people[i]);
            used += byKey + byOwner;
        }
    }

    /// @dev What must be locked: a bond for every round that was neither paid out nor released, and for every version not released.
    function owed() external view returns (uint256 total) {
        for (uint256 i = 0; i < _rounds.length; i++) {
            if (!_isSettled(_rounds[i])) total += ROUND_BOND;
        }
        for (uint256 i = 0; i < _sats.length; i++) {
            if (!_sats[i].released && !_sats[i].taken) total += VERSION_BOND;
            if (disputes.demandOf(_sats[i].round, _sats[i].version, 0).state == DemandState.Open) total += DEMAND_FEE;
        }
    }

    function vaultBalance() external view returns (uint256) {
        return address(vault).balance;
    }

    function burned() external view returns (uint256 total) {
        for (uint256 i = 0; i < PEOPLE; i++) {
            total += vault.burnedOf(people[i]);
        }
    }

    /// @dev All that was ever taken out of a lock.
    function lost() external view returns (uint256) {
        return (faults + forfeits + expired + leaks) * ROUND_BOND + answered * DEMAND_FEE + taken * VERSION_BOND;
    }

    function roundCount() external view returns (uint256) {
        return _rounds.length;
    }

    /// @dev Half of every taken round bond and of every answered fee, nine tenths of every taken version bond.
    function burnsDue() external view returns (uint256) {
        uint256 bonds = (faults + forfeits + expired + leaks) * ROUND_BOND / 2;
        return bonds + answered * DEMAND_FEE / 2 + taken * VERSION_BOND * 9 / 10;
    }

    /// @dev Slashed, or the bit in the last byte of the fourth slot of a record is set; no view shows it.
    function _isSettled(RoundId round) private view returns (bool) {
        if (rounds.phaseOf(round) == Phase.Slashed) return true;
        bytes32 record = keccak256(abi.encode(round, uint256(0)));
        return uint256(vm.load(address(rounds), bytes32(uint256(record) + 3))) >> 248 != 0;
    }

    function _trackPhases() private {
        for (uint256 i = 0; i < _rounds.length; i++) {
            Phase from = lastPhase[_rounds[i]];
            Phase to = rounds.phaseOf(_rounds[i]);
            if (from != to && !_mayFollow(from, to)) broken = "a forbidden transition";
            if (from != to && to == Phase.Final) finals++;
            if (from != to && to == Phase.Void) voids++;
            lastPhase[_rounds[i]] = to;
        }
    }

    function _mayFollow(Phase from, Phase to) private pure returns (bool) {
        if (from == Phase.Unknown) return to == Phase.Answering;
        if (from == Phase.Answering) {
            return to == Phase.Attesting || to == Phase.Void || to == Phase.Forfeited || to == Phase.Slashed;
        }
        if (from == Phase.Attesting) return to == Phase.Revealing || to == Phase.Forfeited || to == Phase.Slashed;
        if (from == Phase.Revealing) return to == Phase.Challenging || to == Phase.Forfeited || to == Phase.Slashed;
        if (from == Phase.Challenging) return to == Phase.Final || to == Phase.Slashed;
        return false;
    }

    /// @dev One of the last six sittings.
    function _sat(uint256 which) private view returns (Sat storage) {
        return _sats[_sats.length - 1 - which % (_sats.length < 6 ? _sats.length : 6)];
    }

    /// @dev One of them with an open demand, if there is one.
    function _demanded(uint256 which) private view returns (Sat storage sat) {
        sat = _sat(which);
        for (uint256 i = 0; i < 6 && disputes.demandOf(sat.round, sat.version, 0).state != DemandState.Open; i++) {
            sat = _sat(i);
        }
    }

    /// @dev One of the last four rounds.
    function _pick(uint256 which) private view returns (RoundId) {
        uint256 last = _rounds.length < 4 ? _rounds.length : 4;
        return _rounds[_rounds.length - 1 - which % last];
    }

    function _enrol(RoundId round, uint256 who) private {
        uint32 before = rounds.roundOf(round).enrolled;
        bytes memory signature = _signEnrol(round, _versions[who], _secrets[who]);
        vm.prank(_keys[_benchmarkerOf[round]]);
        rounds.enrol(round, _one(_versions[who]), _one(signature));
        if (rounds.roundOf(round).enrolled > before) _sats.push(Sat(round, _versions[who], who, true, false, false));
    }

    function _attestAll(RoundId round, bool honest) private {
        for (uint256 i = 0; i < _sats.length; i++) {
            Sat storage sat = _sats[i];
            if (RoundId.unwrap(sat.round) != RoundId.unwrap(round)) continue;
            if (rounds.commitmentOf(round, sat.version) == 0) _attestOne(sat, honest);
        }
    }

    function _attestOne(Sat storage sat, bool honest) private {
        sat.honest = honest;
        version = sat.version;
        Attestation[] memory list = _list(_itemsOf(sat));
        vm.prank(_keys[_benchmarkerOf[sat.round]]);
        rounds.attest(sat.round, list);
    }

    function _root(uint256 who, uint256 number) private returns (bytes32) {
        benchmarker = people[who];
        Item[] memory items = _items(1);
        items[0].salt = bytes32(number);
        return _setTree(items).levels[0][0];
    }

    function _itemsOf(Sat storage sat) private returns (Item[] memory items) {
        uint256 number;
        while (RoundId.unwrap(_rounds[number]) != RoundId.unwrap(sat.round)) number++;
        items = _items(1);
        items[0].salt = bytes32(number);
        provider.privateKey = _secrets[sat.who];
        _answerAll(sat.round, items);
        if (!sat.honest) items[0].sums[1]--;
    }

    function _list(Item[] memory items) private view returns (Attestation[] memory list) {
        list = new Attestation[](1);
        list[0] = _attestation(version, items);
    }
}
