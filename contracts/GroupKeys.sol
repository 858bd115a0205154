// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {SchnorrVerifier} from "./SchnorrVerifier.sol";

/// @title What the chain knows of group keys: their encodings, their addresses and, for key 0's schemes, their signatures.
library GroupKeys {
    uint8 internal constant ECDSA_SECP256K1 = 0;
    uint8 internal constant FROST_SECP256K1_EVM = 1;
    uint8 internal constant FROST_SECP256K1_BIP340 = 2;
    uint8 internal constant FROST_ED25519 = 3;

    /// @dev Field prime of secp256k1.
    uint256 private constant FIELD = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEFFFFFC2F;

    /// @notice Whether a group key is well formed: 32 bytes for ed25519, else a point of secp256k1 as x || y, with x below
    /// the group order where signatures are verified on chain.
    function isValid(uint8 scheme, bytes memory key) internal pure returns (bool) {
        if (scheme == FROST_ED25519) return key.length == 32;
        if (key.length != 64) return false;
        (uint256 x, uint256 y) = abi.decode(key, (uint256, uint256));
        if (x == 0 || x >= FIELD || y >= FIELD) return false;
        if (scheme != FROST_SECP256K1_BIP340 && x >= SchnorrVerifier.Q) return false;
        return mulmod(y, y, FIELD) == addmod(mulmod(x, mulmod(x, x, FIELD), FIELD), 7, FIELD);
    }

    /// @notice The address of a point x || y; zero for an empty key.
    function addressOf(bytes memory key) internal pure returns (address) {
        return key.length == 64 ? address(uint160(uint256(keccak256(key)))) : address(0);
    }

    /// @notice Whether a key of one of key 0's schemes signed a digest; false for a key that is not well formed.
    function verify(uint8 scheme, bytes memory key, bytes32 digest, bytes calldata signature)
        internal
        pure
        returns (bool)
    {
        if (key.length != 64) return false;
        if (scheme == FROST_SECP256K1_EVM) {
            if (signature.length != 52) return false;
            (uint256 x, uint256 y) = abi.decode(key, (uint256, uint256));
            uint256 z = uint256(bytes32(signature[:32]));
            return SchnorrVerifier.verify(x, uint8(27 + (y & 1)), digest, z, address(bytes20(signature[32:])));
        }
        if (scheme != ECDSA_SECP256K1) return false;
        return isSignedBy(addressOf(key), digest, signature);
    }

    /// @notice Whether an account signed a digest: 65 bytes r || s || v with s in the lower half. Never true for address 0.
    function isSignedBy(address account, bytes32 digest, bytes calldata signature) internal pure returns (bool) {
        (address signer, ECDSA.RecoverError fault,) = ECDSA.tryRecoverCalldata(digest, signature);
        return fault == ECDSA.RecoverError.NoError && signer == account && signer != address(0);
    }
}
