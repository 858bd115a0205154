// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SchnorrVerifier} from "../SchnorrVerifier.sol";

/// @title Test only: many calls of the Schnorr verifier in one.
contract SchnorrHarness {
    struct Case {
        uint256 px;
        uint8 v;
        bytes32 m;
        uint256 z;
        address a;
    }

    /// @notice One byte a case: 1 if the signature is accepted.
    function verifyMany(Case[] calldata cases) external pure returns (bytes memory verdicts) {
        verdicts = new bytes(cases.length);
        for (uint256 i = 0; i < cases.length; i++) {
            Case calldata c = cases[i];
            if (SchnorrVerifier.verify(c.px, c.v, c.m, c.z, c.a)) verdicts[i] = 0x01;
        }
    }

    /// @notice Gas of one call.
    function gasOf(Case calldata c) external view returns (uint256) {
        uint256 before = gasleft();
        SchnorrVerifier.verify(c.px, c.v, c.m, c.z, c.a);
        return before - gasleft();
    }
}
