// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TUNNEL} from "./addresses.sol";

/// @title DepositCaller: pays the recipient of a deposit
/// @notice Predeploy 0x4200000000000000000000000000000000000101 (protocol section 10). The recipient's msg.sender is this
/// stateless contract, so that a payload never speaks with the authority of Tunnel or of the system sender.
/// @dev Has no constructor and no storage: its runtime code stands in the genesis allocation.
contract DepositCaller {
    /// @dev Gas forwarded; a call with value also gets the EVM's stipend of 2,300.
    uint256 private constant FORWARDED_GAS = 100_000;

    /// @dev Below this the EVM would forward less without a word (EIP-150): 101,588, of which 63/64 are 100,000, plus 9,000 for
    /// the value, 25,000 for a new account, 2 × 2,600 for a cold recipient and its cold EIP-7702 delegate, and 212 to get there.
    uint256 private constant NEEDED_GAS = 141_000;

    error OnlyTunnel();
    error NotEnoughGas();
    error HandBackFailed();

    /// @notice Calls `recipient` with the value and the payload and reads nothing that it returns.
    /// @return paid false if the call failed; the coins are then back in Tunnel
    function pay(address recipient, bytes calldata payload) external payable returns (bool paid) {
        if (msg.sender != TUNNEL) revert OnlyTunnel();
        bytes memory data = payload;
        if (gasleft() < NEEDED_GAS) revert NotEnoughGas();
        assembly ("memory-safe") {
            paid := call(FORWARDED_GAS, recipient, callvalue(), add(data, 0x20), mload(data), 0, 0)
        }
        if (paid) return true;
        (bool handedBack,) = TUNNEL.call{value: msg.value}("");
        if (!handedBack) revert HandBackFailed();
    }
}
