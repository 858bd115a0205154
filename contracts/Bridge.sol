// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    AccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/AccessControlDefaultAdminRules.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Committees} from "./Committees.sol";
import {GroupKeys} from "./GroupKeys.sol";
import {IBridge} from "./IBridge.sol";

/// @title A bridge's contract on one chain.
/// @notice On the governance chain it says who the relayers are, how many of them must sign and which keys they hold, and
/// it alone starts ceremonies. On every other chain it holds the group key only. The admin is an address: a Safe, a
/// Timelock or a Governor; it changes in two steps.
contract Bridge is IBridge, AccessControlDefaultAdminRules, Pausable, EIP712 {
    using Committees for Committees.State;

    /// @inheritdoc IBridge
    uint8 public immutable _domainID;

    Committees.State private _committees;

    /// @dev Executed deposits by origin domain: bit (nonce mod 256) of word (nonce / 256).
    mapping(uint8 domainID => mapping(uint256 word => uint256 bits)) private _executed;

    /// @param domainId this chain's number among the bridged ones
    /// @param relayers the first committee, in any order; none (with threshold 0) off the governance chain
    /// @param threshold number of signers needed; 2 <= threshold <= relayers <= 100
    /// @param keyScheme scheme of key 0: 0 ecdsa-secp256k1, 1 frost-secp256k1-evm
    /// @param attemptWindowBlocks blocks that one attempt of a ceremony has
    /// @param admin holder of the default admin role
    /// @param adminDelay seconds between the two steps of handing that role over
    constructor(
        uint8 domainId,
        address[] memory relayers,
        uint256 threshold,
        uint8 keyScheme,
        uint32 attemptWindowBlocks,
        address admin,
        uint48 adminDelay
    ) AccessControlDefaultAdminRules(adminDelay, admin) EIP712("Bridge", "3.1.0") {
        _domainID = domainId;
        _committees.initialise(relayers, threshold, keyScheme, attemptWindowBlocks);
    }

    // ----- Administration

    /// @inheritdoc IBridge
    function adminAddRelayer(address relayer) external onlyRole(DEFAULT_ADMIN_ROLE) {
        _committees.addRelayer(relayer);
    }

    /// @inheritdoc IBridge
    function adminRemoveRelayer(address relayer) external onlyRole(DEFAULT_ADMIN_ROLE) {
        _committees.removeRelayer(relayer);
    }

    /// @inheritdoc IBridge
    function adminChangeRelayerThreshold(uint256 newThreshold) external onlyRole(DEFAULT_ADMIN_ROLE) {
        _committees.changeThreshold(newThreshold);
    }

    /// @inheritdoc IBridge
    function adminSetCommittee(address[] calldata add, address[] calldata remove, uint256 threshold)
        external
        onlyRole(DEFAULT_ADMIN_ROLE)
    {
        _committees.setCommittee(add, remove, threshold);
    }

    /// @inheritdoc IBridge
    function startKeygen() external onlyRole(DEFAULT_ADMIN_ROLE) {
        _committees.startKeygen();
    }

    /// @inheritdoc IBridge
    function refreshKey(string calldata reason) external onlyRole(DEFAULT_ADMIN_ROLE) {
        _committees.refreshKey(reason);
    }

    /// @inheritdoc IBridge
    function adminAddKey(uint8 scheme) external onlyRole(DEFAULT_ADMIN_ROLE) {
        _committees.addKey(scheme);
    }

    /// @inheritdoc IBridge
    function adminCancelCeremony() external onlyRole(DEFAULT_ADMIN_ROLE) {
        _committees.cancelCeremony();
    }

    /// @inheritdoc IBridge
    function adminWaiveDeletions(uint64 epoch) external onlyRole(DEFAULT_ADMIN_ROLE) {
        _committees.waiveDeletions(epoch);
    }

    /// @inheritdoc IBridge
    function adminSetAttemptWindow(uint32 blocks) external onlyRole(DEFAULT_ADMIN_ROLE) {
        _committees.setAttemptWindow(blocks);
    }

    /// @inheritdoc IBridge
    function adminSetRequireDeletionQuorum(bool required) external onlyRole(DEFAULT_ADMIN_ROLE) {
        _committees.requireDeletionQuorum = required;
        emit RequireDeletionQuorumChanged(required);
    }

    /// @inheritdoc IBridge
    function adminSetGroupKey(uint8 scheme, bytes calldata groupKey, bytes calldata proof)
        external
        onlyRole(DEFAULT_ADMIN_ROLE)
    {
        _committees.setGroupKey(_domainSeparatorV4(), scheme, groupKey, proof);
    }

    /// @inheritdoc IBridge
    function adminPauseTransfers() external onlyRole(DEFAULT_ADMIN_ROLE) {
        _pause();
    }

    /// @inheritdoc IBridge
    function adminUnpauseTransfers() external onlyRole(DEFAULT_ADMIN_ROLE) {
        _unpause();
    }

    // ----- Anyone

    /// @inheritdoc IBridge
    function activate(Activation calldata a, bytes[] calldata readiness, bytes calldata groupSignature) external {
        _committees.activate(_domainSeparatorV4(), a, readiness, groupSignature);
    }

    /// @inheritdoc IBridge
    function recordDeletions(DeletionReceipt[] calldata receipts, bytes[] calldata signatures) external {
        _committees.recordDeletions(_domainSeparatorV4(), receipts, signatures);
    }

    // ----- Views

    /// @inheritdoc IBridge
    function committeeState() external view returns (CommitteeState memory) {
        return _committees.committeeState();
    }

    /// @inheritdoc IBridge
    function epochInfo(uint64 epoch) external view returns (EpochInfo memory) {
        return _committees.epochInfo(epoch);
    }

    /// @inheritdoc IBridge
    function verifyGroupSignature(bytes32 digest, bytes calldata signature) external view returns (bool) {
        return _committees.verifyGroupSignature(digest, signature);
    }

    /// @inheritdoc IBridge
    function isRelayer(address relayer) external view returns (bool) {
        return _committees.isRelayer(relayer);
    }

    /// @inheritdoc IBridge
    function _totalRelayers() external view returns (uint256) {
        return _committees.epochs[_committees.running].size;
    }

    /// @inheritdoc IBridge
    function _relayerThreshold() external view returns (uint256) {
        return _committees.epochs[_committees.running].threshold;
    }

    /// @inheritdoc IBridge
    function _MPCAddress() external view returns (address) {
        return GroupKeys.addressOf(_committees.keys[0].groupKey);
    }

    /// @inheritdoc IBridge
    function isProposalExecuted(uint8 domainID, uint256 depositNonce) external view returns (bool) {
        return _executed[domainID][depositNonce >> 8] & (1 << (depositNonce & 0xff)) != 0;
    }
}
