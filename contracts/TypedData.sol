// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {IBridge} from "./IBridge.sol";

/// @title EIP-712 hashes of what members and keys sign.
library TypedData {
    bytes32 private constant KEY_RECORD = keccak256("KeyRecord(uint32 keyId,bytes groupKey,bytes32 commitmentsHash)");
    bytes32 private constant ACTIVATION = keccak256(
        "Activation(uint64 epoch,uint32 attempt,bytes32 committeeHash,KeyRecord[] keys,bytes32 transcriptHash)KeyRecord(uint32 keyId,bytes groupKey,bytes32 commitmentsHash)"
    );
    bytes32 private constant READINESS = keccak256("Readiness(bytes32 activationHash,address relayer)");
    bytes32 private constant DELETION_RECEIPT =
        keccak256("DeletionReceipt(uint64 epoch,address relayer,uint64 successorEpoch,uint32 outstandingBackups)");
    bytes32 private constant SET_GROUP_KEY =
        keccak256("SetGroupKey(uint8 scheme,bytes groupKey,uint256 destinationChainId,address destinationBridge)");

    /// @notice hashStruct of an activation.
    function activationHash(IBridge.Activation calldata a) internal pure returns (bytes32) {
        bytes32[] memory keys = new bytes32[](a.keys.length);
        for (uint256 i = 0; i < keys.length; i++) {
            IBridge.KeyRecord calldata key = a.keys[i];
            keys[i] = keccak256(abi.encode(KEY_RECORD, key.keyId, keccak256(key.groupKey), key.commitmentsHash));
        }
        return keccak256(
            abi.encode(
                ACTIVATION, a.epoch, a.attempt, a.committeeHash, keccak256(abi.encodePacked(keys)), a.transcriptHash
            )
        );
    }

    /// @notice What a new member signs of an activation's hash.
    function readinessDigest(bytes32 domain, bytes32 hash, address relayer) internal pure returns (bytes32) {
        return digest(domain, keccak256(abi.encode(READINESS, hash, relayer)));
    }

    /// @notice What a member signs after it has erased its share.
    function receiptDigest(bytes32 domain, IBridge.DeletionReceipt calldata r) internal pure returns (bytes32) {
        return digest(
            domain,
            keccak256(abi.encode(DELETION_RECEIPT, r.epoch, r.relayer, r.successorEpoch, r.outstandingBackups))
        );
    }

    /// @notice What key 0 signs for a bridge on another chain; the domain is that bridge's.
    function setGroupKeyDigest(bytes32 domain, uint8 scheme, bytes calldata groupKey) internal view returns (bytes32) {
        return digest(
            domain, keccak256(abi.encode(SET_GROUP_KEY, scheme, keccak256(groupKey), block.chainid, address(this)))
        );
    }

    /// @notice The EIP-712 digest of a struct hash.
    function digest(bytes32 domain, bytes32 structHash) internal pure returns (bytes32) {
        return MessageHashUtils.toTypedDataHash(domain, structHash);
    }
}
