// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Everything that a node, a wallet or a script knows of a Bridge: types, events, errors and functions.
/// @notice Threshold means the number of signers needed. Epoch numbers strictly increase, are used once and are not dense.
interface IBridge {
    /// @notice Idle: no key. Keygen: the first epoch is pending. Complete: running. Resharing: a change is pending.
    /// Active: running, with deletions of the superseded epoch outstanding.
    enum Phase {
        Idle,
        Keygen,
        Complete,
        Resharing,
        Active
    }

    /// @notice What a pending epoch does: makes the first key, moves every key to another committee or threshold,
    /// shares every key anew among the same members, or that and one key more.
    enum CeremonyKind {
        Keygen,
        Reshare,
        Refresh,
        AddKey
    }

    /// @notice The life of an epoch: None -> Pending -> Active -> Superseded, or None -> Pending -> Burned.
    enum EpochStatus {
        None,
        Pending,
        Active,
        Superseded,
        Burned
    }

    /// @notice What an activation says of one key.
    /// @param keyId 0, 1, 2 and so on
    /// @param groupKey 64 bytes x || y for the secp256k1 schemes, 32 bytes for ed25519
    /// @param commitmentsHash keccak256(C_0 || ... || C_(t-1)) of the epoch's sharing of this key
    struct KeyRecord {
        uint32 keyId;
        bytes groupKey;
        bytes32 commitmentsHash;
    }

    /// @notice What key 0 signs, with the new committee's shares, to make a pending epoch the running one.
    struct Activation {
        uint64 epoch;
        uint32 attempt;
        bytes32 committeeHash;
        KeyRecord[] keys;
        bytes32 transcriptHash;
    }

    /// @notice A member's signed word that it erased its share of an epoch.
    /// @param successorEpoch the epoch that superseded it; for a burned epoch the one then running, 0 if none
    /// @param outstandingBackups copies that the member knows of and has not erased yet
    struct DeletionReceipt {
        uint64 epoch;
        address relayer;
        uint64 successorEpoch;
        uint32 outstandingBackups;
    }

    /// @notice The pending change; `epoch` is 0 if there is none.
    /// @param predecessor the running epoch, 0 in a keygen
    /// @param addedScheme scheme of the key being added, 255 if none is
    struct PendingCeremony {
        CeremonyKind kind;
        uint64 epoch;
        uint64 predecessor;
        uint64 startBlock;
        uint32 windowBlocks;
        uint8 addedScheme;
    }

    /// @notice A key; `groupKey` is empty before the first activation.
    struct KeyInfo {
        uint32 keyId;
        uint8 scheme;
        bytes groupKey;
    }

    /// @notice The answer of `committeeState`.
    /// @param epoch the running epoch, 0 before the first activation
    /// @param members in ascending order: the first committee while Idle or Keygen, else the running one
    /// @param outstandingEpoch the superseded epoch whose deletions are outstanding, or 0
    struct CommitteeState {
        Phase phase;
        uint64 epoch;
        address[] members;
        uint32 threshold;
        PendingCeremony pending;
        KeyInfo[] keys;
        uint32 attemptWindowBlocks;
        bool requireDeletionQuorum;
        uint64 outstandingEpoch;
    }

    /// @notice A key's commitments hash in one epoch.
    struct KeyCommitments {
        uint32 keyId;
        bytes32 hash;
    }

    /// @notice The answer of `epochInfo`.
    /// @param successor the epoch that superseded it, or the one running when it was burned; 0 if none
    /// @param activatedBlock block of its `EpochActivated`, 0 if it never was
    /// @param receipts members whose receipt without outstanding backups is recorded, ascending
    /// @param receiptsNeeded members - threshold + 1
    struct EpochInfo {
        uint64 epoch;
        EpochStatus status;
        address[] members;
        uint32 threshold;
        bytes32 committeeHash;
        uint64 predecessor;
        uint64 successor;
        uint32 attempt;
        bytes32 transcriptHash;
        KeyCommitments[] commitmentsHashes;
        address[] receipts;
        uint32 receiptsNeeded;
        bool waived;
        uint64 activatedBlock;
    }

    // ----- Events that explorers and scripts know

    /// @notice A relayer joins the first committee, or the pending one.
    event RelayerAdded(address relayer);
    /// @notice A relayer leaves the first committee, or the pending one.
    event RelayerRemoved(address relayer);
    /// @notice The threshold of the first committee, or of the pending one, changes.
    event RelayerThresholdChanged(uint256 newThreshold);
    /// @notice The first key is asked for.
    event StartKeygen();
    /// @notice The first key exists.
    event EndKeygen();
    /// @notice The keys are to be shared anew among the same members.
    event KeyRefresh(string reason);

    // ----- Events of the committee

    /// @notice An epoch is pending; nodes run its ceremony in windows of `windowBlocks` from `startBlock` on.
    event CeremonyStarted(
        CeremonyKind kind,
        uint64 indexed epoch,
        uint64 predecessor,
        bytes32 committeeHash,
        uint64 startBlock,
        uint32 windowBlocks
    );
    /// @notice A pending epoch was cancelled or replaced; its number never returns.
    event EpochBurned(uint64 indexed epoch, uint64 runningEpoch);
    /// @notice A pending epoch is the running one from here on. Nodes verify the signature themselves.
    event EpochActivated(Activation a, bytes groupSignature);
    /// @notice A member's deletion receipt is recorded.
    event ShareDeleted(uint64 indexed epoch, address indexed relayer, uint32 outstandingBackups);
    /// @notice The superseded epoch, and each burned one between it and its successor, has the receipts it needs.
    event ReshareCompleted(uint64 indexed epoch);
    /// @notice Governance no longer waits for an epoch's receipts.
    event DeletionsWaived(uint64 indexed epoch, uint256 have, uint256 need);
    /// @notice A committee is proposed in which half of the members or fewer can sign.
    event ThresholdBelowMajority(uint256 threshold, uint256 members);
    /// @notice A ceremony for one more key begins.
    event KeyAdditionStarted(uint32 keyId, uint8 scheme);
    /// @notice Another chain's group key was set here.
    event GroupKeySet(uint8 scheme, bytes groupKey, address mpcAddress);
    /// @notice Windows of later ceremonies have this many blocks.
    event AttemptWindowChanged(uint32 attemptWindowBlocks);
    /// @notice Whether transfers wait for deletion receipts.
    event RequireDeletionQuorumChanged(bool required);

    // ----- Errors

    /// @notice Bounds: 2 <= threshold <= members.
    error ThresholdOutOfBounds(uint256 threshold, uint256 members);
    /// @notice A committee has at most `limit` members.
    error TooManyRelayers(uint256 members, uint256 limit);
    /// @notice The address is a member of the committee that the change applies to, or is named twice.
    error AlreadyRelayer(address relayer);
    /// @notice The address is no member of the committee that the change applies to, or is named twice.
    error NotRelayer(address relayer);
    /// @notice The zero address cannot be a member.
    error ZeroRelayer();
    /// @notice The committee is already what is asked for.
    error NothingChanges();
    /// @notice Nothing changes while the first key is being made; cancel it first.
    error KeygenPending(uint64 epoch);
    /// @notice A change is pending; cancel it or wait for its activation.
    error ChangePending(uint64 epoch);
    /// @notice The superseded epoch (or one burned before its successor) has `have` of `need` deletion receipts.
    error DeletionsOutstanding(uint256 have, uint256 need);
    /// @notice No ceremony is pending.
    error NoCeremony();
    /// @notice There is no group key yet.
    error NoKey();
    /// @notice There is a group key already.
    error KeyExists();
    /// @notice Key 0 takes scheme 0 or 1, other keys 0 to 3.
    error UnknownScheme(uint8 scheme);
    /// @notice Key 0 was created for another scheme.
    error SchemeMismatch(uint8 expected, uint8 given);
    /// @notice At most `limit` keys.
    error TooManyKeys(uint256 limit);
    /// @notice A window has between `min` and `max` blocks.
    error WindowOutOfBounds(uint32 blocks, uint32 min, uint32 max);
    /// @notice The activation names another epoch than the pending one (0: none is pending).
    error NotPending(uint64 epoch, uint64 pending);
    /// @notice The activation names another committee than the pending one.
    error WrongCommittee(bytes32 given, bytes32 expected);
    /// @notice The activation covers another number of keys.
    error WrongKeyCount(uint256 given, uint256 expected);
    /// @notice Keys come in ascending order, each once: at this position `expected` must stand.
    error WrongKeyId(uint256 given, uint256 expected);
    /// @notice The group key has the wrong length, is off the curve, or its x is not below the group order.
    error BadGroupKey(uint32 keyId);
    /// @notice A reshare never changes a group key.
    error GroupKeyChanged(uint32 keyId);
    /// @notice One readiness signature of each new member is needed.
    error WrongReadinessCount(uint256 given, uint256 expected);
    /// @notice The readiness signature at this position is not the member's.
    error BadReadiness(uint256 position, address relayer);
    /// @notice The group signature does not verify under key 0.
    error BadGroupSignature();
    /// @notice Receipts and signatures come in pairs.
    error WrongSignatureCount(uint256 receipts, uint256 signatures);
    /// @notice Only a superseded or burned epoch takes receipts.
    error NotRetired(uint64 epoch);
    /// @notice The address was no member of that epoch.
    error NotRelayerOfEpoch(address relayer, uint64 epoch);
    /// @notice The receipt names another successor than the chain knows.
    error WrongSuccessor(uint64 epoch, uint64 given, uint64 expected);
    /// @notice The receipt at this position is not signed by its relayer.
    error BadReceipt(uint256 position, address relayer);
    /// @notice The epoch owes no receipts that could be waived.
    error NothingToWaive(uint64 epoch);

    // ----- Administration: the holder of the default admin role

    /// @notice Adds a relayer: at once while Idle, otherwise through a reshare.
    /// @param relayer its address, which is also its network identity
    function adminAddRelayer(address relayer) external;

    /// @notice Removes a relayer: at once while Idle, otherwise through a reshare.
    function adminRemoveRelayer(address relayer) external;

    /// @notice Changes the number of signers needed: at once while Idle, otherwise through a reshare.
    function adminChangeRelayerThreshold(uint256 newThreshold) external;

    /// @notice Several changes in one step.
    /// @param add addresses that are not members, in any order
    /// @param remove addresses that are members, in any order
    /// @param threshold the threshold afterwards
    function adminSetCommittee(address[] calldata add, address[] calldata remove, uint256 threshold) external;

    /// @notice Asks the first committee for key 0.
    function startKeygen() external;

    /// @notice Asks for fresh shares of every key among the same members.
    /// @param reason free text for the event
    function refreshKey(string calldata reason) external;

    /// @notice Asks for one more key, and for fresh shares of the others.
    /// @param scheme 0 ecdsa-secp256k1, 1 frost-secp256k1-evm, 2 frost-secp256k1-bip340, 3 frost-ed25519
    function adminAddKey(uint8 scheme) external;

    /// @notice Burns the pending epoch: back to Idle, or to the running one.
    function adminCancelCeremony() external;

    /// @notice Stops waiting for the receipts of a superseded epoch (and of those burned before its successor), or of one
    /// burned epoch.
    function adminWaiveDeletions(uint64 epoch) external;

    /// @notice Sets how many blocks one attempt of a later ceremony has.
    function adminSetAttemptWindow(uint32 blocks) external;

    /// @notice Sets whether transfers wait between an activation and its completion.
    function adminSetRequireDeletionQuorum(bool required) external;

    /// @notice On a chain other than the governance chain: sets key 0, once.
    /// @param scheme the scheme that this contract was created with
    /// @param groupKey 64 bytes x || y
    /// @param proof key 0's signature over SetGroupKey for this chain and bridge
    function adminSetGroupKey(uint8 scheme, bytes calldata groupKey, bytes calldata proof) external;

    /// @notice Stops deposits and executions.
    function adminPauseTransfers() external;

    /// @notice Lets deposits and executions go on.
    function adminUnpauseTransfers() external;

    // ----- Anyone

    /// @notice Makes the pending epoch the running one.
    /// @param a what the new committee agreed on
    /// @param readiness one 65-byte signature of every new member over Readiness(activationHash, relayer), in member order
    /// @param groupSignature key 0's signature over the activation: 65 bytes r || s || v, or 52 bytes z || a
    function activate(Activation calldata a, bytes[] calldata readiness, bytes calldata groupSignature) external;

    /// @notice Records deletion receipts. One that is recorded already is skipped unless it names fewer backups.
    /// @param signatures one 65-byte signature of each receipt's relayer
    function recordDeletions(DeletionReceipt[] calldata receipts, bytes[] calldata signatures) external;

    // ----- Views

    /// @notice All that a node reads at one block before it looks at epochs.
    function committeeState() external view returns (CommitteeState memory);

    /// @notice All that is known of one epoch; status None for a number never used.
    function epochInfo(uint64 epoch) external view returns (EpochInfo memory);

    /// @notice Whether key 0 signed a digest. For tools: what the digest means is the caller's to know.
    function verifyGroupSignature(bytes32 digest, bytes calldata signature) external view returns (bool);

    /// @notice Whether an address is a member of the running committee (of the first one before a key exists).
    function isRelayer(address relayer) external view returns (bool);

    /// @notice Size of the running committee (of the first one before a key exists).
    function _totalRelayers() external view returns (uint256);

    /// @notice Threshold of the running committee (of the first one before a key exists).
    function _relayerThreshold() external view returns (uint256);

    /// @notice Address of key 0's point, zero before it exists.
    function _MPCAddress() external view returns (address);

    /// @notice This chain's number among the bridged ones.
    function _domainID() external view returns (uint8);

    /// @notice Whether the deposit with this nonce of another domain was executed here.
    function isProposalExecuted(uint8 domainID, uint256 depositNonce) external view returns (bool);
}
