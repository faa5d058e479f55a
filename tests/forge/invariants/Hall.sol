// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {
    Demand,
    DemandState,
    Exam,
    IDisputes,
    IRounds,
    Item,
    Measurement,
    Phase,
    RoundId,
    SetOpening,
    SignedAnswer,
    SignedAsk,
    VersionId,
    Vm
} from "../support/Exam.sol";

/// @notice Whole rounds of four items with journals: an honest benchmarker and an honest provider among hostile ones, who lie, drop, leak, bury,
/// ask and answer otherwise, copy sets, demand, and bring every proof, true or false, against everybody.
/// @dev The truth is kept beside the contracts, and every act knows from it whether the contracts must accept. Time stops at each duty of the
/// honest, so that a duty that could not be done, even in its last second, is found.
contract Hall is Exam {
    enum Lie {
        None,
        Statistic, // One statistic of the first item is too high.
        Drop // What was answered is called Silent.
    }

    struct Line {
        bool asked;
        bool misasked; // Another question than the sealed one.
        bool answered;
        bool journaled; // The benchmarker has the answer: from the provider, or from the chain.
        bool acked;
        bool posted;
        bool twice; // The provider signed another answer, too.
    }

    struct Seat {
        uint256 provider;
        VersionId version;
        Lie lie;
        bool taken;
        Line[4] lines;
    }

    struct Sitting {
        RoundId round;
        uint256 examiner;
        uint256 set; // Sittings of one set have the same prompts.
        Seat[] seats;
    }

    uint256 internal constant ITEMS = 4; // Position 3 is a decoy.
    uint256 internal constant SCORED_ITEMS = 3;
    uint256 internal constant EXAMINERS = 3; // The first is honest.
    uint256 internal constant PROVIDERS = 2; // The first is honest.
    uint256 internal constant PLENTY = 1e6 ether;
    uint256 internal constant LATEST = 5; // Acts choose among the last sittings.

    string public broken;
    mapping(string act => uint256) public proven;
    mapping(string act => uint256) public refused;
    mapping(string act => uint256) public done;

    Sitting[] internal _sittings;
    Vm.Wallet[] internal _examinerKeys;
    Vm.Wallet[] internal _providerKeys;
    address[] internal _examiners;
    address[] internal _providers;
    VersionId[] internal _versions;
    uint256 internal _sets;
    address internal immutable _fixture = makeAddr("benchmarker"); // Who only watches here.

    function start() external {
        setUp();
        vm.warp(START);
        for (uint256 i = 0; i < EXAMINERS; i++) {
            _examinerKeys.push(vm.createWallet(string.concat("hall examiner ", vm.toString(i))));
            _examiners.push(makeAddr(string.concat("hall benchmarker ", vm.toString(i))));
            _fund(_examiners[i], _examinerKeys[i].addr, PLENTY);
        }
        for (uint256 i = 0; i < PROVIDERS; i++) {
            _providerKeys.push(vm.createWallet(string.concat("hall provider ", vm.toString(i))));
            _providers.push(makeAddr(string.concat("hall owner ", vm.toString(i))));
            _fund(_providers[i], _providerKeys[i].addr, PLENTY);
            (, VersionId v) = _commit(_providers[i], "model", _providerKeys[i].addr);
            _versions.push(v);
        }
        _fund(challenger, challenger, PLENTY);
        vm.warp(START + 1);
    }

    // Time, and the duties of the honest

    function pass(uint256 time) external {
        _elapse(vm.getBlockTimestamp() + bound(time, 1, 12 hours));
    }

    /// @dev To the next edge of a sitting, so that many live to their end.
    function proceed(uint256 which) external {
        if (_sittings.length == 0) return;
        RoundId round = _pick(which).round;
        Phase phase = rounds.phaseOf(round);
        if (phase == Phase.Answering) _elapse(rounds.deadlinesOf(round).answerBy);
        if (phase == Phase.Challenging && which % 3 == 0) {
            (uint40 finalAt,) = rounds.closingOf(round);
            _elapse(finalAt);
        }
    }

    function _elapse(uint256 target) private {
        for (uint256 guard = 0; guard < 200; guard++) {
            (uint256 at, uint256 index) = _nextDuty(target);
            if (index == type(uint256).max) break;
            if (at > vm.getBlockTimestamp()) vm.warp(at);
            _doDuty(_sittings[index]);
        }
        if (target > vm.getBlockTimestamp()) vm.warp(target);
    }

    /// @dev The first duty up to then; every other honest sitting does all in the last second.
    function _nextDuty(uint256 target) private view returns (uint256 at, uint256 index) {
        (at, index) = (target, type(uint256).max);
        for (uint256 i = 0; i < _sittings.length; i++) {
            if (_sittings[i].examiner != 0) continue;
            uint256 due = _dutyOf(_sittings[i], i % 2 == 1);
            if (due <= at) (at, index) = (due, i);
        }
    }

    function _dutyOf(Sitting storage s, bool late) private view returns (uint256) {
        Phase phase = rounds.phaseOf(s.round);
        if (phase == Phase.Answering || phase == Phase.Attesting) {
            return late ? rounds.deadlinesOf(s.round).attestBy - 1 : rounds.deadlinesOf(s.round).answerBy;
        }
        if (phase == Phase.Revealing) return late ? rounds.deadlinesOf(s.round).revealBy - 1 : vm.getBlockTimestamp();
        if (phase != Phase.Challenging) return type(uint256).max;
        (, uint256 deadline) = _openDemand(s);
        return deadline == 0 ? type(uint256).max : late ? deadline - 1 : vm.getBlockTimestamp();
    }

    function _doDuty(Sitting storage s) private {
        Phase phase = rounds.phaseOf(s.round);
        if (phase == Phase.Attesting) _attestAll(s, Lie.None);
        else if (phase == Phase.Revealing) _revealIt(s);
        else if (phase == Phase.Challenging) _answerOpen(s, "an honest demand");
        else broken = "an honest duty came in no phase for it";
        Phase next = rounds.phaseOf(s.round);
        if (phase == Phase.Attesting && next != Phase.Revealing) broken = "an honest round could not be attested";
        if (phase == Phase.Revealing && next != Phase.Challenging) broken = "an honest round could not be revealed";
    }

    // Rounds

    /// @dev The hostile seal old sets again, their own or another's; the honest never.
    function seal(uint256 who, uint256 old, bool both) external {
        if (_openSittings() >= LATEST - 1) return;
        who %= EXAMINERS;
        uint256 set = who != 0 && _sets != 0 && old % 2 == 0 ? (old / 2) % _sets : _sets++;
        Sitting storage s = _sittings.push();
        (s.examiner, s.set) = (who, set);
        _playAs(s, 0);
        s.round = _seal(_setOf(_sittings.length - 1, set));
        for (uint256 i = 0; i < (both ? PROVIDERS : 1); i++) {
            Seat storage seat = s.seats.push();
            (seat.provider, seat.version) = (i, _versions[i]);
            _enrol(s.round, _versions[i], _providerKeys[i].privateKey);
        }
        done["seal"]++;
        // No two seals of one second: the later of two is then the later sitting.
        _elapse(vm.getBlockTimestamp() + 1);
    }

    /// @dev Questions to one version, each time some of those that were not asked yet.
    function converse(uint256 which, uint256 mood) external {
        if (_sittings.length == 0) return;
        Sitting storage s = _pick(which);
        for (uint256 i = 0; i < LATEST && rounds.phaseOf(s.round) != Phase.Answering; i++) {
            s = _pick(i);
        }
        if (rounds.phaseOf(s.round) != Phase.Answering) return;
        uint256 k = mood % s.seats.length;
        for (uint256 p = 0; p < ITEMS; p++) {
            if (!s.seats[k].lines[p].asked) _exchange(s, k, p, uint256(keccak256(abi.encode(mood, p))));
        }
        done["converse"]++;
    }

    /// @dev One question: an Ask, an Answer, an Ack, each as honest as who gives it; without an Ack the answer is posted.
    function _exchange(Sitting storage s, uint256 k, uint256 p, uint256 mood) private {
        if (mood % 4 == 0) return;
        Line storage line = s.seats[k].lines[p];
        line.asked = true;
        line.misasked = s.examiner != 0 && (mood >> 2) % 8 == 0;
        if (line.misasked) return;
        uint256 whim = (mood >> 5) % 4;
        if (s.seats[k].provider != 0 && whim == 0) return;
        line.answered = true;
        line.twice = s.seats[k].provider != 0 && whim == 1;
        line.acked = s.examiner == 0 || (mood >> 7) % 2 == 0;
        line.journaled = line.acked;
        if (!line.acked) _post(s, k, p);
    }

    function _post(Sitting storage s, uint256 k, uint256 p) private {
        _playAs(s, k);
        bytes memory prompt = _prompt(s.set, p);
        try rounds.postAnswer(s.round, _posted(s.round, p, prompt, _response(p), vm.getBlockTimestamp() + 60)) {
            s.seats[k].lines[p].posted = true;
            s.seats[k].lines[p].journaled = true;
            done["post"]++;
        } catch {
            broken = "an answer could not be posted";
        }
    }

    /// @dev The hostile attest and reveal when they like, or never.
    function step(uint256 which, uint256 mood) external {
        if (_sittings.length == 0) return;
        Sitting storage s = _pick(which);
        for (uint256 i = 0; i < LATEST && !_isTheirTurn(s); i++) {
            s = _pick(i);
        }
        if (s.examiner == 0) return;
        Phase phase = rounds.phaseOf(s.round);
        if (phase == Phase.Attesting) _attestAll(s, Lie(mood % 3));
        if (phase == Phase.Revealing) _revealIt(s);
    }

    function _isTheirTurn(Sitting storage s) private view returns (bool) {
        Phase phase = rounds.phaseOf(s.round);
        return s.examiner != 0 && (phase == Phase.Attesting || phase == Phase.Revealing);
    }

    function _attestAll(Sitting storage s, Lie lie) private {
        for (uint256 k = 0; k < s.seats.length; k++) {
            s.seats[k].lie = lie;
            _playAs(s, k);
            _attest(s.round, _itemsOf(s, k));
        }
        done["attest"]++;
    }

    function _revealIt(Sitting storage s) private {
        _playAs(s, 0);
        _reveal(s.round);
        done["reveal"]++;
    }

    function forfeit(uint256 which) external {
        if (_sittings.length == 0) return;
        Sitting storage s = _pick(which);
        try rounds.forfeit(s.round) {
            if (s.examiner == 0) broken = "an honest round was forfeited";
            done["forfeit"]++;
        } catch {}
    }

    function release(uint256 which) external {
        if (_sittings.length == 0) return;
        Sitting storage s = _pick(which);
        bool due = vm.getBlockTimestamp() >= rounds.deadlinesOf(s.round).versionsReleasedAt;
        for (uint256 k = 0; k < s.seats.length; k++) {
            try rounds.releaseVersions(s.round, _one(s.seats[k].version)) {
                if (!due) broken = "a version bond was freed too early";
                done["release"]++;
            } catch {
                if (due) broken = "a version bond could not be freed";
            }
        }
    }

    // Demands

    function demand(uint256 which, uint256 position) external {
        if (_sittings.length == 0) return;
        Sitting storage s = _challenged(which);
        VersionId v = s.seats[which % s.seats.length].version;
        vm.prank(challenger);
        try disputes.demand(s.round, v, uint32(position % ITEMS)) {
            done["demand"]++;
        } catch {}
    }

    function answerDemand(uint256 which) external {
        if (_sittings.length == 0) return;
        Sitting storage s = _challenged(which);
        if (rounds.phaseOf(s.round) == Phase.Challenging) _answerOpen(s, "a demand");
    }

    function expire(uint256 which) external {
        if (_sittings.length == 0) return;
        Sitting storage s = _challenged(which);
        (uint256 place, uint256 deadline) = _openDemand(s);
        if (deadline == 0) return;
        if (which % 2 == 0 && deadline > vm.getBlockTimestamp()) _elapse(deadline);
        bool due = rounds.phaseOf(s.round) == Phase.Challenging && vm.getBlockTimestamp() >= deadline && _isOpen(s, place);
        bytes memory call = abi.encodeCall(IDisputes.expire, (s.round, s.seats[place / ITEMS].version, uint32(place % ITEMS)));
        _prove("expire", s, call, due);
    }

    /// @dev Answers the open demand, where the leaf is true; a false one has no Sound opening.
    function _answerOpen(Sitting storage s, string memory what) private {
        (uint256 place, uint256 deadline) = _openDemand(s);
        if (deadline == 0) return;
        uint256 k = place / ITEMS;
        _playAs(s, k);
        bool due = vm.getBlockTimestamp() < deadline && !_isFalse(s, k, place % ITEMS);
        try disputes.answerDemand(s.round, s.seats[k].version, _opening(_itemsOf(s, k), place % ITEMS)) {
            if (!due) broken = string.concat(what, " was answered that could not be");
            done["answer"]++;
        } catch {
            if (due) broken = string.concat(what, " could not be answered");
        }
    }

    /// @dev Seat times four plus position of the open demand with the first deadline; zero as deadline for none.
    function _openDemand(Sitting storage s) private view returns (uint256 place, uint256 deadline) {
        for (uint256 i = 0; i < s.seats.length * ITEMS; i++) {
            Demand memory d = disputes.demandOf(s.round, s.seats[i / ITEMS].version, uint32(i % ITEMS));
            if (d.state == DemandState.Open && (deadline == 0 || d.deadline < deadline)) (place, deadline) = (i, d.deadline);
        }
    }

    function _isOpen(Sitting storage s, uint256 place) private view returns (bool) {
        return disputes.demandOf(s.round, s.seats[place / ITEMS].version, uint32(place % ITEMS)).state == DemandState.Open;
    }

    // Proofs

    function challenge(uint256 which, uint256 position) external {
        if (_sittings.length == 0) return;
        Sitting storage s = _suspect(which);
        uint256 k = (which / 2) % s.seats.length;
        uint256 p = position % ITEMS;
        _playAs(s, k);
        // A dropped acknowledgement needs its Ack; a dropped post needs nothing.
        bool due = _isAttestedAndOpen(s, k) && _isFalse(s, k, p);
        _prove("challenge", s, abi.encodeCall(IDisputes.challenge, (s.round, version, _opening(_itemsOf(s, k), p))), due);
    }

    /// @dev Forged: another text, another claim, or a neighbour's path.
    function challengeStatistics(uint256 which, uint256 position, bool forged) external {
        if (_sittings.length == 0) return;
        Sitting storage s = _suspect(which);
        uint256 k = (which / 2) % s.seats.length;
        uint256 p = position % ITEMS;
        _playAs(s, k);
        bool due = _isAttestedAndOpen(s, k) && s.seats[k].lie == Lie.Statistic && p == 0 && !forged;
        Measurement memory m = _measurement(_opening(_itemsOf(s, k), p));
        if (forged && which % 3 == 0) m.response = abi.encodePacked(m.response, "!");
        if (forged && which % 3 == 1) m.sums[1]++;
        if (forged && which % 3 == 2) m.position ^= 1;
        bytes memory call = abi.encodeCall(IRounds.challengeStatistics, (s.round, version, m));
        _prove("challengeStatistics", s, address(rounds), call, due);
    }

    function challengeAck(uint256 which, uint256 position, bool forged) external {
        if (_sittings.length == 0) return;
        Sitting storage s = _suspect(which);
        uint256 k = (which / 2) % s.seats.length;
        uint256 p = position % ITEMS;
        if (which % 2 == 1 && !s.seats[k].lines[p].acked) p = _ackedOf(s.seats[k]);
        _playAs(s, k);
        Item[] memory items = _itemsOf(s, k);
        bool genuine = s.seats[k].lines[p].acked && !forged;
        bool due = _isAttestedAndOpen(s, k) && genuine && p < SCORED_ITEMS && items[p].outcome == SILENT;
        if (!genuine) examiner = _examinerKeys[(s.examiner + 1) % EXAMINERS];
        bytes memory ack = _signAck(s.round, version, p, _response(p));
        bytes32 response = keccak256(_response(p));
        bytes memory call = abi.encodeCall(IDisputes.challengeAck, (s.round, version, _opening(items, p), response, ack));
        _prove("challengeAck", s, call, due);
    }

    function challengeAsk(uint256 which, uint256 position) external {
        if (_sittings.length == 0) return;
        Sitting storage s = _pick(which);
        uint256 k = (which / 2) % s.seats.length;
        uint256 p = position % ITEMS;
        Line storage line = s.seats[k].lines[p];
        if (!line.asked) return;
        _playAs(s, k);
        SignedAsk memory ask = _ask(s.round, p, line.misasked ? bytes("another question") : _prompt(s.set, p));
        SetOpening memory opening = _setOpening(_itemsOf(s, k), p);
        bytes memory call = abi.encodeCall(IDisputes.challengeAsk, (s.round, ask, opening));
        _prove("challengeAsk", s, call, _isUnsettled(s) && line.misasked);
    }

    function challengeReuse(uint256 one, uint256 other, uint256 position) external {
        if (_sittings.length < 2) return;
        (uint256 a, uint256 b) = _twins(one, other);
        uint256 p = position % ITEMS;
        Sitting storage guilty = rounds.phaseOf(_sittings[b].round) == Phase.Final ? _sittings[a] : _sittings[b];
        bool due = _areTwins(a, b) && p < SCORED_ITEMS && rounds.phaseOf(_sittings[a].round) != Phase.Void
            && rounds.phaseOf(_sittings[b].round) != Phase.Void && _isUnsettled(guilty);
        SetOpening memory inOne = _openSet(a, p);
        SetOpening memory inOther = _openSet(b, p);
        bytes memory call = abi.encodeCall(IDisputes.challengeReuse, (_sittings[a].round, inOne, _sittings[b].round, inOther));
        _prove("challengeReuse", guilty, call, due);
    }

    function challengeReuseByAsk(uint256 one, uint256 other, uint256 position) external {
        if (_sittings.length < 2) return;
        (uint256 a, uint256 b) = _twins(one, other);
        uint256 p = position % ITEMS;
        Sitting storage earlier = _sittings[a];
        if (!earlier.seats[0].lines[p].asked || earlier.seats[0].lines[p].misasked) return;
        Phase buried = rounds.phaseOf(earlier.round);
        bool due = _areTwins(a, b) && p < SCORED_ITEMS && (buried == Phase.Slashed || buried == Phase.Forfeited)
            && _isUnsettled(_sittings[b]);
        SetOpening memory opening = _openSet(b, p);
        _playAs(earlier, 0);
        SignedAsk memory ask = _ask(earlier.round, p, _prompt(earlier.set, p));
        RoundId later = _sittings[b].round;
        bytes memory call = abi.encodeCall(IDisputes.challengeReuseByAsk, (later, opening, earlier.round, ask));
        _prove("challengeReuseByAsk", _sittings[b], call, due);
    }

    function _areTwins(uint256 a, uint256 b) private view returns (bool) {
        return a != b && _sittings[a].examiner == _sittings[b].examiner && _sittings[a].set == _sittings[b].set;
    }

    /// @dev The honest leak nothing before answerBy: against them there is only a guess at the salt, or an opening that comes later.
    function challengeLeak(uint256 which, uint256 position) external {
        if (_sittings.length == 0 || position % 3 != 0) return;
        uint256 index = _sittings.length - 1 - which % (_sittings.length < LATEST ? _sittings.length : LATEST);
        Sitting storage s = _sittings[index];
        bool early = rounds.phaseOf(s.round) == Phase.Answering;
        SetOpening memory opening = _openSet(index, (position / 3) % ITEMS);
        if (s.examiner == 0 && early) opening.item.salt = keccak256("a guess");
        _prove("challengeLeak", s, abi.encodeCall(IDisputes.challengeLeak, (s.round, opening)), early && s.examiner != 0);
    }

    function challengeAnswers(uint256 which, uint256 position, bool forged) external {
        if (_sittings.length == 0) return;
        Sitting storage s = _pick(which);
        uint256 k = (which / 2 + 1) % s.seats.length;
        Seat storage seat = s.seats[k];
        uint256 p = which % 4 == 1 ? _twiceOf(seat) : position % ITEMS;
        if (!seat.lines[p].answered) return;
        bool due = seat.lines[p].twice && !seat.taken && vm.getBlockTimestamp() < rounds.deadlinesOf(s.round).versionsReleasedAt;
        bytes memory call = _twoAnswers(s, k, p, forged);
        Phase phase = rounds.phaseOf(s.round);
        vm.prank(challenger);
        (bool accepted,) = address(disputes).call(call);
        if (accepted) (seat.taken, proven["challengeAnswers"]) = (true, proven["challengeAnswers"] + 1);
        else refused["challengeAnswers"]++;
        if (accepted != due) broken = accepted ? "two answers were accepted without a fault" : "two answers could not be proven";
        if (accepted && seat.provider == 0) broken = "an honest provider paid";
        if (rounds.phaseOf(s.round) != phase) broken = "two answers moved a phase";
    }

    /// @dev Two that the provider signed; or the same twice; or one of them signed by another.
    function _twoAnswers(Sitting storage s, uint256 k, uint256 p, bool forged) private returns (bytes memory) {
        _playAs(s, k);
        bytes memory prompt = _prompt(s.set, p);
        bool twice = s.seats[k].lines[p].twice;
        SignedAnswer memory one = _answer(s.round, p, prompt, _response(p));
        if (!twice && forged) provider = _providerKeys[(s.seats[k].provider + 1) % PROVIDERS];
        SignedAnswer memory other = _answer(s.round, p, prompt, twice || forged ? bytes("another answer") : _response(p));
        return abi.encodeCall(IDisputes.challengeAnswers, (s.round, version, uint32(p), one, other));
    }

    /// @dev Brings a proof and holds what becomes of it against the truth.
    function _prove(string memory name, Sitting storage against, bytes memory call, bool due) private {
        _prove(name, against, address(disputes), call, due);
    }

    function _prove(string memory name, Sitting storage against, address where, bytes memory call, bool due) private {
        vm.prank(challenger);
        (bool accepted,) = where.call(call);
        if (accepted) proven[name]++;
        else refused[name]++;
        if (accepted && !due) broken = string.concat(name, " was accepted without a fault");
        if (!accepted && due) broken = string.concat(name, " could not be proven");
        if (accepted && against.examiner == 0) broken = string.concat(name, " slashed an honest round");
        if (accepted && rounds.phaseOf(against.round) != Phase.Slashed) broken = string.concat(name, " slashed nothing");
    }

    // What the invariants ask

    function honestRoundsStand() external view returns (bool) {
        for (uint256 i = 0; i < _sittings.length; i++) {
            if (_sittings[i].examiner != 0) continue;
            Phase phase = rounds.phaseOf(_sittings[i].round);
            if (phase == Phase.Slashed || phase == Phase.Forfeited) return false;
        }
        return true;
    }

    function money() external view returns (uint256 held, uint256 owned) {
        held = address(vault).balance;
        address[4] memory others = [_fixture, providerOwner, challenger, address(this)];
        for (uint256 i = 0; i < others.length; i++) {
            owned += _owned(others[i]);
        }
        for (uint256 i = 0; i < EXAMINERS; i++) {
            owned += _owned(_examiners[i]);
        }
        for (uint256 i = 0; i < PROVIDERS; i++) {
            owned += _owned(_providers[i]);
        }
    }

    function _owned(address owner) private view returns (uint256) {
        return _free(owner) + _locked(owner) + vault.burnedOf(owner);
    }

    // The truth

    /// @dev Whether the leaf, as it was attested, is a fault by itself: no Sound opening of it, and no need of an Ack.
    function _isFalse(Sitting storage s, uint256 k, uint256 p) private view returns (bool) {
        Seat storage seat = s.seats[k];
        if (seat.lie == Lie.Statistic) return p == 0;
        return seat.lie == Lie.Drop && seat.lines[p].posted && p < SCORED_ITEMS;
    }

    function _isAttestedAndOpen(Sitting storage s, uint256 k) private view returns (bool) {
        return rounds.commitmentOf(s.round, s.seats[k].version) != 0 && _isUnsettled(s);
    }

    function _isUnsettled(Sitting storage s) private view returns (bool) {
        Phase phase = rounds.phaseOf(s.round);
        return phase >= Phase.Answering && phase <= Phase.Challenging;
    }

    function _prompt(uint256 set, uint256 p) private pure returns (bytes memory) {
        return abi.encodePacked("set ", vm.toString(set), " question ", vm.toString(p));
    }

    function _response(uint256 p) private pure returns (bytes memory) {
        return abi.encodePacked("answer ", vm.toString(p));
    }

    /// @dev The sealed half of the items.
    function _setOf(uint256 number, uint256 set) private pure returns (Item[] memory items) {
        items = new Item[](ITEMS);
        for (uint256 p = 0; p < ITEMS; p++) {
            items[p].kind = p < SCORED_ITEMS ? SCORED : DECOY_KIND;
            items[p].prompt = _prompt(set, p);
            items[p].referenceText = abi.encodePacked("answer no. ", vm.toString(p));
            items[p].salt = keccak256(abi.encode("hall", number, p));
        }
    }

    function _openSet(uint256 number, uint256 p) private returns (SetOpening memory) {
        _playAs(_sittings[number], 0);
        return _setOpening(_setOf(number, _sittings[number].set), p);
    }

    /// @dev Both halves, as the seat's lie has them. The caller plays as the seat.
    function _itemsOf(Sitting storage s, uint256 k) private view returns (Item[] memory items) {
        items = _setOf(_numberOf(s), s.set);
        Seat storage seat = s.seats[k];
        for (uint256 p = 0; p < SCORED_ITEMS; p++) {
            items[p].outcome = seat.lines[p].journaled && seat.lie != Lie.Drop ? ANSWERED : SILENT;
            if (items[p].outcome == ANSWERED) items[p].response = _response(p);
        }
        items[SCORED_ITEMS].outcome = DECOY;
        _answerAll(s.round, items);
        if (seat.lie == Lie.Statistic) items[0].sums[2]++;
    }

    function _numberOf(Sitting storage s) private view returns (uint256 number) {
        while (RoundId.unwrap(_sittings[number].round) != RoundId.unwrap(s.round)) number++;
    }

    function _playAs(Sitting storage s, uint256 k) private {
        benchmarker = _examiners[s.examiner];
        examiner = _examinerKeys[s.examiner];
        uint256 who = s.seats.length == 0 ? 0 : s.seats[k].provider;
        provider = _providerKeys[who];
        version = _versions[who];
    }

    // Choosing

    function _pick(uint256 which) private view returns (Sitting storage) {
        return _sittings[_sittings.length - 1 - which % (_sittings.length < LATEST ? _sittings.length : LATEST)];
    }

    /// @dev Every other time one that lies, if there is one.
    function _suspect(uint256 which) private view returns (Sitting storage s) {
        s = _pick(which);
        if (which % 2 == 0) return s;
        bool settledToo = which % 4 == 3;
        for (uint256 i = 0; i < LATEST && (s.seats[0].lie == Lie.None || !(settledToo || _isUnsettled(s))); i++) {
            s = _pick(i);
        }
    }

    /// @dev A scored item that was acknowledged, or the first.
    function _ackedOf(Seat storage seat) private view returns (uint256 p) {
        for (uint256 i = 0; i < SCORED_ITEMS; i++) {
            if (seat.lines[i].acked) return i;
        }
    }

    /// @dev An item that was answered twice, or the first.
    function _twiceOf(Seat storage seat) private view returns (uint256 p) {
        for (uint256 i = 0; i < ITEMS; i++) {
            if (seat.lines[i].twice) return i;
        }
    }

    function _openSittings() private view returns (uint256 open) {
        for (uint256 i = 0; i < LATEST && i < _sittings.length; i++) {
            if (_isUnsettled(_sittings[_sittings.length - 1 - i])) open++;
        }
    }

    /// @dev One that is being challenged, if there is one.
    function _challenged(uint256 which) private view returns (Sitting storage s) {
        s = _pick(which);
        for (uint256 i = 0; i < LATEST && rounds.phaseOf(s.round) != Phase.Challenging; i++) {
            s = _pick(i);
        }
    }

    /// @dev Two sittings, the earlier first: the last two with one set and one examiner, if there are any, or any.
    function _twins(uint256 one, uint256 other) private view returns (uint256 a, uint256 b) {
        (a, b) = (one % _sittings.length, other % _sittings.length);
        if (a > b) (a, b) = (b, a);
        if (one % 4 == 0) return (a, b);
        for (uint256 j = _sittings.length - 1; j > 0; j--) {
            for (uint256 i = j; i > 0; i--) {
                if (_areTwins(i - 1, j)) return (i - 1, j);
            }
        }
    }
}
