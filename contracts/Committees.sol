// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {GroupKeys} from "./GroupKeys.sol";
import {IBridge} from "./IBridge.sol";
import {Members} from "./Members.sol";
import {TypedData} from "./TypedData.sol";

/// @title The committee state machine of a Bridge, as a library behind its selectors.
/// @notice Deployed once; Bridge delegates to it, so that storage, address and events are Bridge's. Who may call what is
/// Bridge's to check.
library Committees {
    uint256 internal constant MAX_RELAYERS = 100;
    /// @dev As many as one ceremony moves (MAX_KEYS of the daemon's protocol/spec.ts).
    uint256 internal constant MAX_KEYS = 8;
    /// @dev The least in which every deadline of an attempt lies a block after the one before (the daemon's
    /// ceremony/windows.ts): below it a member whose view is one block old is late.
    uint32 internal constant MIN_WINDOW_BLOCKS = 20;
    uint32 internal constant MAX_WINDOW_BLOCKS = 50_400;
    /// @dev Scheme tag of `PendingCeremony` where no key is added.
    uint8 internal constant NO_SCHEME = type(uint8).max;

    /// @dev One epoch. Number 0 holds the first committee until it runs under a number of its own.
    struct Epoch {
        // Slot 1
        address members; // Members pointer
        uint32 threshold;
        uint32 size;
        IBridge.EpochStatus status;
        bool waived;
        // Slot 2
        uint64 predecessor;
        uint64 successor; // superseded: by which; burned: which was running
        uint32 attempt;
        uint16 receipts; // without outstanding backups
        uint32 openBurned; // burned epochs that began under this one and lack receipts
        uint48 activatedBlock;
        // Further slots
        bytes32 transcriptHash;
        bytes32[] commitmentsHashes; // by keyId
        mapping(address member => uint256 backupsPlusOne) deletions; // 0: no receipt
    }

    struct Key {
        uint8 scheme;
        bytes groupKey;
    }

    struct State {
        // Slot 1
        uint64 running; // 0 before the first activation
        uint64 pending; // 0: none
        uint64 last; // highest number used so far
        uint64 outstanding; // superseded epoch without its receipts, or 0
        // Slot 2
        IBridge.CeremonyKind kind;
        uint8 addedScheme;
        uint64 startBlock;
        uint32 windowBlocks;
        uint32 attemptWindowBlocks;
        bool requireDeletionQuorum;
        // Further slots
        Key[] keys; // by keyId
        mapping(uint64 number => Epoch) epochs;
    }

    // ----- Setting up

    /// @notice The first committee and key 0's scheme. No relayers with threshold 0 is how a bridge begins that is not on
    /// the governance chain.
    function initialise(
        State storage s,
        address[] calldata relayers,
        uint256 threshold,
        uint8 scheme,
        uint32 attemptWindowBlocks
    ) external {
        if (scheme > GroupKeys.FROST_SECP256K1_EVM) revert IBridge.UnknownScheme(scheme);
        s.keys.push(Key(scheme, ""));
        s.addedScheme = NO_SCHEME;
        s.requireDeletionQuorum = true;
        setAttemptWindow(s, attemptWindowBlocks);
        if (relayers.length != 0 || threshold != 0) _change(s, relayers, new address[](0), threshold);
    }

    /// @notice See IBridge.adminSetAttemptWindow.
    function setAttemptWindow(State storage s, uint32 blocks) public {
        if (blocks < MIN_WINDOW_BLOCKS || blocks > MAX_WINDOW_BLOCKS) {
            revert IBridge.WindowOutOfBounds(blocks, MIN_WINDOW_BLOCKS, MAX_WINDOW_BLOCKS);
        }
        s.attemptWindowBlocks = blocks;
        emit IBridge.AttemptWindowChanged(blocks);
    }

    /// @notice See IBridge.adminSetGroupKey.
    function setGroupKey(
        State storage s,
        bytes32 domain,
        uint8 scheme,
        bytes calldata groupKey,
        bytes calldata proof
    ) external {
        if (s.pending != 0) revert IBridge.KeygenPending(s.pending);
        Key storage key = s.keys[0];
        if (key.groupKey.length != 0) revert IBridge.KeyExists();
        if (scheme != key.scheme) revert IBridge.SchemeMismatch(key.scheme, scheme);
        if (!GroupKeys.isValid(scheme, groupKey)) revert IBridge.BadGroupKey(0);
        bytes32 digest = TypedData.setGroupKeyDigest(domain, scheme, groupKey);
        if (!GroupKeys.verify(scheme, groupKey, digest, proof)) revert IBridge.BadGroupSignature();
        key.groupKey = groupKey;
        emit IBridge.GroupKeySet(scheme, groupKey, GroupKeys.addressOf(groupKey));
    }

    // ----- Changes of the committee

    /// @notice See IBridge.adminAddRelayer.
    function addRelayer(State storage s, address relayer) external {
        _change(s, _one(relayer), new address[](0), _base(s).threshold);
    }

    /// @notice See IBridge.adminRemoveRelayer.
    function removeRelayer(State storage s, address relayer) external {
        _change(s, new address[](0), _one(relayer), _base(s).threshold);
    }

    /// @notice See IBridge.adminChangeRelayerThreshold.
    function changeThreshold(State storage s, uint256 threshold) external {
        _change(s, new address[](0), new address[](0), threshold);
    }

    /// @notice See IBridge.adminSetCommittee.
    function setCommittee(
        State storage s,
        address[] calldata add,
        address[] calldata remove,
        uint256 threshold
    ) external {
        _change(s, add, remove, threshold);
    }

    // ----- Ceremonies without a change

    /// @notice See IBridge.startKeygen.
    function startKeygen(State storage s) external {
        if (s.pending != 0) revert IBridge.ChangePending(s.pending);
        if (s.keys[0].groupKey.length != 0) revert IBridge.KeyExists();
        Epoch storage first = s.epochs[0];
        _checkBounds(first.threshold, first.size);
        emit IBridge.StartKeygen();
        _open(s, IBridge.CeremonyKind.Keygen, first.members, first.threshold, first.size, NO_SCHEME);
    }

    /// @notice See IBridge.refreshKey.
    function refreshKey(State storage s, string calldata reason) external {
        Epoch storage running = _requireComplete(s);
        emit IBridge.KeyRefresh(reason);
        _open(s, IBridge.CeremonyKind.Refresh, running.members, running.threshold, running.size, NO_SCHEME);
    }

    /// @notice See IBridge.adminAddKey.
    function addKey(State storage s, uint8 scheme) external {
        Epoch storage running = _requireComplete(s);
        if (scheme > GroupKeys.FROST_ED25519) revert IBridge.UnknownScheme(scheme);
        if (s.keys.length >= MAX_KEYS) revert IBridge.TooManyKeys(MAX_KEYS);
        emit IBridge.KeyAdditionStarted(uint32(s.keys.length), scheme);
        _open(s, IBridge.CeremonyKind.AddKey, running.members, running.threshold, running.size, scheme);
    }

    /// @notice See IBridge.adminCancelCeremony.
    function cancelCeremony(State storage s) external {
        if (s.pending == 0) revert IBridge.NoCeremony();
        Epoch storage pending = s.epochs[s.pending];
        Epoch storage running = s.epochs[s.running];
        _burnPending(s);
        if (pending.members != running.members) {
            // What was announced of the pending committee is taken back.
            address[] memory proposed = Members.load(pending.members);
            address[] memory kept = Members.load(running.members);
            _announce(Members.minus(kept, proposed), Members.minus(proposed, kept));
        }
        if (pending.threshold != running.threshold) emit IBridge.RelayerThresholdChanged(running.threshold);
    }

    // ----- Activation

    /// @notice See IBridge.activate.
    function activate(
        State storage s,
        bytes32 domain,
        IBridge.Activation calldata a,
        bytes[] calldata readiness,
        bytes calldata groupSignature
    ) external {
        uint64 number = s.pending;
        if (number == 0 || a.epoch != number) revert IBridge.NotPending(a.epoch, number);
        Epoch storage e = s.epochs[number];
        bytes32 hash = TypedData.activationHash(a);
        _checkReadiness(e, domain, a, hash, readiness);
        _checkKeys(s, a);
        bytes32 digest = TypedData.digest(domain, hash);
        // In a keygen the key is the activation's own; in a reshare it was found equal to the stored one.
        if (!GroupKeys.verify(s.keys[0].scheme, a.keys[0].groupKey, digest, groupSignature)) {
            revert IBridge.BadGroupSignature();
        }
        _promote(s, e, a);
        emit IBridge.EpochActivated(a, groupSignature);
    }

    // ----- Deletions

    /// @notice See IBridge.recordDeletions.
    function recordDeletions(
        State storage s,
        bytes32 domain,
        IBridge.DeletionReceipt[] calldata receipts,
        bytes[] calldata signatures
    ) external {
        if (receipts.length != signatures.length) {
            revert IBridge.WrongSignatureCount(receipts.length, signatures.length);
        }
        uint64 loaded = 0;
        bytes memory members;
        for (uint256 i = 0; i < receipts.length; i++) {
            IBridge.DeletionReceipt calldata r = receipts[i];
            Epoch storage e = s.epochs[r.epoch];
            if (e.status != IBridge.EpochStatus.Superseded && e.status != IBridge.EpochStatus.Burned) {
                revert IBridge.NotRetired(r.epoch);
            }
            uint256 recorded = e.deletions[r.relayer];
            if (recorded != 0 && recorded <= uint256(r.outstandingBackups) + 1) continue;
            if (r.epoch != loaded) {
                members = Members.loadPacked(e.members);
                loaded = r.epoch;
            }
            if (!Members.contains(members, r.relayer)) revert IBridge.NotRelayerOfEpoch(r.relayer, r.epoch);
            if (r.successorEpoch != e.successor) {
                revert IBridge.WrongSuccessor(r.epoch, r.successorEpoch, e.successor);
            }
            if (!GroupKeys.isSignedBy(r.relayer, TypedData.receiptDigest(domain, r), signatures[i])) {
                revert IBridge.BadReceipt(i, r.relayer);
            }
            e.deletions[r.relayer] = uint256(r.outstandingBackups) + 1;
            emit IBridge.ShareDeleted(r.epoch, r.relayer, r.outstandingBackups);
            if (r.outstandingBackups == 0 && ++e.receipts == _need(e)) _settle(s, r.epoch, e);
        }
    }

    /// @notice See IBridge.adminWaiveDeletions.
    function waiveDeletions(State storage s, uint64 number) external {
        Epoch storage e = s.epochs[number];
        bool burned = e.status == IBridge.EpochStatus.Burned && !e.waived && e.receipts < _need(e);
        if (!burned && (number == 0 || number != s.outstanding)) revert IBridge.NothingToWaive(number);
        e.waived = true;
        emit IBridge.DeletionsWaived(number, e.receipts, _need(e));
        if (!burned) {
            s.outstanding = 0;
            return;
        }
        s.epochs[e.predecessor].openBurned--;
        _tryComplete(s, e.predecessor);
    }

    // ----- Views

    /// @notice See IBridge.committeeState.
    function committeeState(State storage s) external view returns (IBridge.CommitteeState memory state) {
        Epoch storage running = s.epochs[s.running];
        state.phase = _phase(s);
        state.epoch = s.running;
        state.members = Members.load(running.members);
        state.threshold = running.threshold;
        state.pending.addedScheme = NO_SCHEME;
        if (s.pending != 0) {
            state.pending = IBridge.PendingCeremony({
                kind: s.kind,
                epoch: s.pending,
                predecessor: s.running,
                startBlock: s.startBlock,
                windowBlocks: s.windowBlocks,
                addedScheme: s.addedScheme
            });
        }
        state.keys = new IBridge.KeyInfo[](s.keys.length);
        for (uint256 i = 0; i < state.keys.length; i++) {
            state.keys[i] = IBridge.KeyInfo(uint32(i), s.keys[i].scheme, s.keys[i].groupKey);
        }
        state.attemptWindowBlocks = s.attemptWindowBlocks;
        state.requireDeletionQuorum = s.requireDeletionQuorum;
        state.outstandingEpoch = s.outstanding;
    }

    /// @notice See IBridge.epochInfo.
    function epochInfo(State storage s, uint64 number) external view returns (IBridge.EpochInfo memory info) {
        Epoch storage e = s.epochs[number];
        info.epoch = number;
        info.status = e.status;
        info.members = Members.load(e.members);
        info.threshold = e.threshold;
        info.committeeHash = _committeeHash(number, info.members, e.threshold);
        info.predecessor = e.predecessor;
        info.successor = e.successor;
        info.attempt = e.attempt;
        info.transcriptHash = e.transcriptHash;
        info.commitmentsHashes = new IBridge.KeyCommitments[](e.commitmentsHashes.length);
        for (uint256 i = 0; i < info.commitmentsHashes.length; i++) {
            info.commitmentsHashes[i] = IBridge.KeyCommitments(uint32(i), e.commitmentsHashes[i]);
        }
        info.receipts = new address[](e.receipts);
        uint256 found = 0;
        for (uint256 i = 0; found < info.receipts.length; i++) {
            if (e.deletions[info.members[i]] == 1) info.receipts[found++] = info.members[i];
        }
        info.receiptsNeeded = e.size == 0 ? 0 : _need(e);
        info.waived = e.waived;
        info.activatedBlock = e.activatedBlock;
    }

    /// @notice See IBridge.verifyGroupSignature.
    function verifyGroupSignature(State storage s, bytes32 digest, bytes calldata signature)
        external
        view
        returns (bool)
    {
        Key storage key = s.keys[0];
        return GroupKeys.verify(key.scheme, key.groupKey, digest, signature);
    }

    /// @notice See IBridge.isRelayer.
    function isRelayer(State storage s, address relayer) external view returns (bool) {
        return Members.contains(Members.loadPacked(s.epochs[s.running].members), relayer);
    }

    // ----- Inside

    /// @dev The epoch to which a change applies: the pending one if there is one, else the running (or first) one.
    function _base(State storage s) private view returns (Epoch storage) {
        return s.epochs[s.pending != 0 ? s.pending : s.running];
    }

    function _phase(State storage s) private view returns (IBridge.Phase) {
        if (s.running == 0) return s.pending == 0 ? IBridge.Phase.Idle : IBridge.Phase.Keygen;
        if (s.pending != 0) return IBridge.Phase.Resharing;
        return s.outstanding == 0 ? IBridge.Phase.Complete : IBridge.Phase.Active;
    }

    /// @dev Receipts that an epoch needs: with fewer than t shares left nobody can sign as that epoch.
    function _need(Epoch storage e) private view returns (uint32) {
        return e.size - e.threshold + 1;
    }

    function _one(address item) private pure returns (address[] memory list) {
        list = new address[](1);
        list[0] = item;
    }

    function _checkBounds(uint256 threshold, uint256 size) private pure {
        if (size > MAX_RELAYERS) revert IBridge.TooManyRelayers(size, MAX_RELAYERS);
        if (threshold < 2 || threshold > size) revert IBridge.ThresholdOutOfBounds(threshold, size);
    }

    function _committeeHash(uint64 number, address[] memory members, uint32 threshold)
        private
        view
        returns (bytes32)
    {
        return keccak256(abi.encode(block.chainid, address(this), number, members, threshold));
    }

    function _announce(address[] memory added, address[] memory removed) private {
        for (uint256 i = 0; i < removed.length; i++) emit IBridge.RelayerRemoved(removed[i]);
        for (uint256 i = 0; i < added.length; i++) emit IBridge.RelayerAdded(added[i]);
    }

    /// @dev The base committee with a change applied; every name is checked against the base.
    function _applied(address[] memory base, address[] memory add, address[] memory remove)
        private
        pure
        returns (address[] memory)
    {
        Members.sort(add);
        Members.sort(remove);
        address[] memory kept = Members.minus(base, remove);
        bytes memory packed = Members.pack(base);
        for (uint256 i = 0; i < remove.length; i++) {
            if ((i > 0 && remove[i - 1] == remove[i]) || !Members.contains(packed, remove[i])) {
                revert IBridge.NotRelayer(remove[i]);
            }
        }
        for (uint256 i = 0; i < add.length; i++) {
            if (add[i] == address(0)) revert IBridge.ZeroRelayer();
            if ((i > 0 && add[i - 1] == add[i]) || Members.contains(packed, add[i])) {
                revert IBridge.AlreadyRelayer(add[i]);
            }
        }
        return Members.plus(kept, add);
    }

    /// @dev Every change of the committee.
    function _change(State storage s, address[] memory add, address[] memory remove, uint256 threshold) private {
        if (s.running == 0 && s.pending != 0) revert IBridge.KeygenPending(s.pending);
        _requireDeletions(s);
        // More names than members could ever be are not worth sorting.
        if (add.length > MAX_RELAYERS) revert IBridge.TooManyRelayers(add.length, MAX_RELAYERS);
        if (remove.length > MAX_RELAYERS) revert IBridge.TooManyRelayers(remove.length, MAX_RELAYERS);
        Epoch storage base = _base(s);
        address[] memory members = _applied(Members.load(base.members), add, remove);
        _checkBounds(threshold, members.length);
        if (add.length == 0 && remove.length == 0 && threshold == base.threshold) revert IBridge.NothingChanges();

        _announce(add, remove);
        if (threshold != base.threshold) emit IBridge.RelayerThresholdChanged(threshold);
        if (threshold * 2 <= members.length) emit IBridge.ThresholdBelowMajority(threshold, members.length);
        _place(s, base, members, uint32(threshold));
    }

    /// @dev Makes a checked change the first committee, the pending one or, where it is the running one again, nothing.
    function _place(State storage s, Epoch storage base, address[] memory members, uint32 threshold) private {
        Epoch storage running = s.epochs[s.running];
        bytes32 packedHash = keccak256(Members.pack(members));
        bool asRunning = packedHash == keccak256(Members.loadPacked(running.members));
        if (s.pending != 0) {
            _burnPending(s);
            if (asRunning && threshold == running.threshold) return;
        }
        address pointer;
        if (asRunning) pointer = running.members;
        else if (packedHash == keccak256(Members.loadPacked(base.members))) pointer = base.members;
        else pointer = Members.store(members);
        if (s.running == 0) {
            (running.members, running.threshold, running.size) = (pointer, threshold, uint32(members.length));
        } else {
            _open(s, IBridge.CeremonyKind.Reshare, pointer, threshold, uint32(members.length), NO_SCHEME);
        }
    }

    /// @dev Opens the next epoch number.
    function _open(
        State storage s,
        IBridge.CeremonyKind kind,
        address members,
        uint32 threshold,
        uint32 size,
        uint8 addedScheme
    ) private {
        uint64 number = ++s.last;
        Epoch storage e = s.epochs[number];
        (e.members, e.threshold, e.size) = (members, threshold, size);
        (e.status, e.predecessor) = (IBridge.EpochStatus.Pending, s.running);
        (s.pending, s.kind, s.addedScheme) = (number, kind, addedScheme);
        (s.startBlock, s.windowBlocks) = (uint64(block.number), s.attemptWindowBlocks);
        bytes32 hash = _committeeHash(number, Members.load(members), threshold);
        emit IBridge.CeremonyStarted(kind, number, s.running, hash, uint64(block.number), s.attemptWindowBlocks);
    }

    /// @dev The pending number never returns. Its members hold a sharing of the live key from dealing on, so it owes
    /// receipts to the completion of the epoch that runs now.
    function _burnPending(State storage s) private {
        uint64 number = s.pending;
        Epoch storage e = s.epochs[number];
        e.status = IBridge.EpochStatus.Burned;
        e.successor = s.running;
        s.epochs[s.running].openBurned++;
        s.pending = 0;
        s.addedScheme = NO_SCHEME;
        emit IBridge.EpochBurned(number, s.running);
    }

    function _requireComplete(State storage s) private view returns (Epoch storage) {
        if (s.running == 0) revert IBridge.NoKey();
        if (s.pending != 0) revert IBridge.ChangePending(s.pending);
        _requireDeletions(s);
        return s.epochs[s.running];
    }

    function _requireDeletions(State storage s) private view {
        if (s.outstanding == 0) return;
        // Every number between the superseded epoch and the running one is burned; the first that lacks receipts is named.
        for (uint64 number = s.outstanding; number < s.running; number++) {
            Epoch storage e = s.epochs[number];
            uint32 need = _need(e);
            if (e.receipts < need && !e.waived) revert IBridge.DeletionsOutstanding(e.receipts, need);
        }
    }

    function _checkReadiness(
        Epoch storage e,
        bytes32 domain,
        IBridge.Activation calldata a,
        bytes32 hash,
        bytes[] calldata readiness
    ) private view {
        address[] memory members = Members.load(e.members);
        bytes32 expected = _committeeHash(a.epoch, members, e.threshold);
        if (a.committeeHash != expected) revert IBridge.WrongCommittee(a.committeeHash, expected);
        if (readiness.length != members.length) {
            revert IBridge.WrongReadinessCount(readiness.length, members.length);
        }
        for (uint256 i = 0; i < members.length; i++) {
            bytes32 digest = TypedData.readinessDigest(domain, hash, members[i]);
            if (!GroupKeys.isSignedBy(members[i], digest, readiness[i])) revert IBridge.BadReadiness(i, members[i]);
        }
    }

    /// @dev Every registered key and the one being added, once, in ascending order; known keys are as they were.
    function _checkKeys(State storage s, IBridge.Activation calldata a) private view {
        uint256 known = s.keys.length;
        uint256 expected = s.kind == IBridge.CeremonyKind.AddKey ? known + 1 : known;
        if (a.keys.length != expected) revert IBridge.WrongKeyCount(a.keys.length, expected);
        for (uint256 i = 0; i < expected; i++) {
            IBridge.KeyRecord calldata key = a.keys[i];
            if (key.keyId != i) revert IBridge.WrongKeyId(key.keyId, i);
            bytes memory stored = i < known ? s.keys[i].groupKey : bytes("");
            if (stored.length != 0) {
                if (keccak256(stored) != keccak256(key.groupKey)) revert IBridge.GroupKeyChanged(key.keyId);
            } else if (!GroupKeys.isValid(i < known ? s.keys[i].scheme : s.addedScheme, key.groupKey)) {
                revert IBridge.BadGroupKey(key.keyId);
            }
        }
    }

    /// @dev The pending epoch runs; the one that ran is superseded and owes receipts. The first one is complete at once.
    function _promote(State storage s, Epoch storage e, IBridge.Activation calldata a) private {
        if (s.kind == IBridge.CeremonyKind.Keygen) {
            s.keys[0].groupKey = a.keys[0].groupKey;
            emit IBridge.EndKeygen();
        } else {
            Epoch storage former = s.epochs[s.running];
            former.status = IBridge.EpochStatus.Superseded;
            former.successor = a.epoch;
            s.outstanding = s.running;
        }
        if (s.kind == IBridge.CeremonyKind.AddKey) {
            s.keys.push(Key(s.addedScheme, a.keys[a.keys.length - 1].groupKey));
        }
        for (uint256 i = 0; i < a.keys.length; i++) e.commitmentsHashes.push(a.keys[i].commitmentsHash);
        e.status = IBridge.EpochStatus.Active;
        e.attempt = a.attempt;
        e.transcriptHash = a.transcriptHash;
        e.activatedBlock = uint48(block.number);
        s.running = a.epoch;
        s.pending = 0;
        s.addedScheme = NO_SCHEME;
    }

    /// @dev An epoch has just got its last missing receipt.
    function _settle(State storage s, uint64 number, Epoch storage e) private {
        if (e.status == IBridge.EpochStatus.Superseded) {
            _tryComplete(s, number);
        } else if (!e.waived) {
            s.epochs[e.predecessor].openBurned--;
            _tryComplete(s, e.predecessor);
        }
    }

    function _tryComplete(State storage s, uint64 number) private {
        Epoch storage e = s.epochs[number];
        if (number == 0 || number != s.outstanding || e.openBurned != 0 || e.receipts < _need(e)) return;
        s.outstanding = 0;
        emit IBridge.ReshareCompleted(number);
    }
}
