// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Lists of addresses in ascending order, stored packed as the code of a contract of their own: 20 bytes a member.
library Members {
    /// @dev Returns what follows it as code; the first byte stored is STOP, so that nobody can call it.
    bytes private constant CREATION = hex"600B5981380380925939F300";

    /// @notice Stores a list; the zero address stands for an empty one.
    /// @return pointer the contract that holds it
    function store(address[] memory list) internal returns (address pointer) {
        if (list.length == 0) return address(0);
        bytes memory code = bytes.concat(CREATION, pack(list));
        assembly ("memory-safe") {
            pointer := create(0, add(code, 32), mload(code))
        }
        // Out of gas is the only way to fail here; the caller must not go on with an empty committee.
        require(pointer != address(0));
    }

    /// @notice The packed list, 20 bytes a member.
    function loadPacked(address pointer) internal view returns (bytes memory packed) {
        if (pointer == address(0)) return packed;
        uint256 size = pointer.code.length - 1;
        packed = new bytes(size);
        assembly ("memory-safe") {
            extcodecopy(pointer, add(packed, 32), 1, size)
        }
    }

    /// @notice The list, ascending.
    function load(address pointer) internal view returns (address[] memory list) {
        bytes memory packed = loadPacked(pointer);
        list = new address[](packed.length / 20);
        for (uint256 i = 0; i < list.length; i++) list[i] = memberAt(packed, i);
    }

    /// @notice 20 bytes a member.
    function pack(address[] memory list) internal pure returns (bytes memory packed) {
        packed = new bytes(list.length * 20);
        for (uint256 i = 0; i < list.length; i++) {
            address member = list[i];
            assembly ("memory-safe") {
                // Writes 20 bytes and leaves the 12 behind them as they are.
                let slot := add(add(packed, 32), mul(i, 20))
                mstore(slot, or(shl(96, member), shr(160, shl(160, mload(slot)))))
            }
        }
    }

    /// @notice The member at a position of a packed list.
    function memberAt(bytes memory packed, uint256 position) internal pure returns (address member) {
        assembly ("memory-safe") {
            member := shr(96, mload(add(add(packed, 32), mul(position, 20))))
        }
    }

    /// @notice Whether a packed list holds an address, by bisection.
    function contains(bytes memory packed, address member) internal pure returns (bool) {
        uint256 low = 0;
        uint256 high = packed.length / 20;
        while (low < high) {
            uint256 middle = (low + high) / 2;
            address found = memberAt(packed, middle);
            if (found == member) return true;
            if (found < member) low = middle + 1;
            else high = middle;
        }
        return false;
    }

    /// @notice Sorts in place, ascending. Lists are short.
    function sort(address[] memory list) internal pure {
        for (uint256 i = 1; i < list.length; i++) {
            address item = list[i];
            uint256 j = i;
            for (; j > 0 && list[j - 1] > item; j--) list[j] = list[j - 1];
            list[j] = item;
        }
    }

    /// @notice What is in the first list and not in the second; both ascending.
    function minus(address[] memory a, address[] memory b) internal pure returns (address[] memory out) {
        out = new address[](a.length);
        uint256 length = 0;
        uint256 j = 0;
        for (uint256 i = 0; i < a.length; i++) {
            while (j < b.length && b[j] < a[i]) j++;
            if (j == b.length || b[j] != a[i]) out[length++] = a[i];
        }
        assembly ("memory-safe") {
            mstore(out, length)
        }
    }

    /// @notice Both lists merged; ascending and without a common member before.
    function plus(address[] memory a, address[] memory b) internal pure returns (address[] memory out) {
        out = new address[](a.length + b.length);
        uint256 i = 0;
        uint256 j = 0;
        for (uint256 k = 0; k < out.length; k++) {
            out[k] = j == b.length || (i < a.length && a[i] < b[j]) ? a[i++] : b[j++];
        }
    }
}
