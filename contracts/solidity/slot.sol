// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @dev The word in a storage slot that the node's executor knows by its number (protocol section 10).
function loadSlot(bytes32 slot) view returns (bytes32 word) {
    assembly ("memory-safe") {
        word := sload(slot)
    }
}

/// @dev Writes such a slot.
function storeSlot(bytes32 slot, bytes32 word) {
    assembly ("memory-safe") {
        sstore(slot, word)
    }
}
