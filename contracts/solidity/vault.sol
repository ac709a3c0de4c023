// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BITCOIN_BALANCE} from "./addresses.sol";
import {loadSlot} from "./slot.sol";

/// @dev The vaults, current and former, newest first, as the node's executor writes them (protocol section 10). Vault i stands
/// in four slots from keccak256("hemid.vault" ‖ i as u64) on: keccak256 of its script, length of its address, address.
bytes32 constant VAULT_COUNT_SLOT = keccak256("hemid.vault.count");

error BitcoinBalanceUnavailable();

/// @dev How many vaults there are.
function vaultCount() view returns (uint64) {
    return uint64(uint256(loadSlot(VAULT_COUNT_SLOT)));
}

/// @dev Whether a script is that of a vault.
function isVault(bytes calldata script) view returns (bool) {
    bytes32 hash = keccak256(script);
    for (uint64 i = 0; i < vaultCount(); i++) if (loadSlot(_vaultSlot(i, 0)) == hash) return true;
    return false;
}

/// @dev Bitcoin address of a vault, ASCII, at most 64 bytes.
function vaultAddress(uint64 i) view returns (bytes memory text) {
    uint256 size = uint256(loadSlot(_vaultSlot(i, 1)));
    text = abi.encodePacked(loadSlot(_vaultSlot(i, 2)), loadSlot(_vaultSlot(i, 3)));
    assembly ("memory-safe") {
        mstore(text, size)
    }
}

/// @dev Sats on all vaults, in the Bitcoin that the block sees (precompile 0x40).
function vaultSats() view returns (uint256 sats) {
    for (uint64 i = 0; i < vaultCount(); i++) {
        (bool answered, bytes memory answer) = BITCOIN_BALANCE.staticcall(vaultAddress(i));
        if (!answered || answer.length != 8) revert BitcoinBalanceUnavailable();
        sats += uint64(bytes8(answer));
    }
}

function _vaultSlot(uint64 i, uint256 offset) pure returns (bytes32) {
    return bytes32(uint256(keccak256(abi.encodePacked("hemid.vault", i))) + offset);
}
