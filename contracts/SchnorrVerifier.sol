// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Schnorr signatures over secp256k1, verified through the ecrecover precompile.
/// @notice ecrecover(h, v, r, s) is the address of r^-1 (s R' - h G), R' being the point with x = r and the parity of v.
/// With r = P.x, h = -z P.x and s = -e P.x it is the address of z G - e P, which is the nonce point R of a valid
/// signature. The raw precompile is called because s may lie in the upper half here.
library SchnorrVerifier {
    /// @dev Order of secp256k1.
    uint256 internal constant Q = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;

    /// @dev Domain of the challenge.
    bytes32 internal constant TAG = "TSS-EVM-SCHNORR-v1";

    /// @notice Whether (z, a) signs m under the point with x-coordinate px and parity v.
    /// @param px x-coordinate of the public key; 0 < px < Q, and on the curve (checked when the key is registered)
    /// @param v 27 for an even y-coordinate, 28 for an odd one
    /// @param m 32-byte message digest, bound by the caller to chain and contract
    /// @param z response; 0 < z < Q, so that a signature has one encoding
    /// @param a address of the nonce point
    function verify(uint256 px, uint8 v, bytes32 m, uint256 z, address a) internal pure returns (bool) {
        if (px == 0 || px >= Q || z == 0 || z >= Q || a == address(0)) return false;
        uint256 e = uint256(keccak256(abi.encodePacked(TAG, px, v, a, m))) % Q;
        if (e == 0) return false;
        uint256 sp = Q - mulmod(z, px, Q);
        uint256 ep = Q - mulmod(e, px, Q);
        return ecrecover(bytes32(sp), v, bytes32(px), bytes32(ep)) == a;
    }
}
