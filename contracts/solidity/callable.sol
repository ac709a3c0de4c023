// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {PARENT_HASHES, SYSTEM} from "./addresses.sol";

/// @dev Whether a deposit may call `recipient`. Never called are precompiles (the standard ones through Osaka 0x01–0x11 and
/// 0x100, the Bitcoin ones 0x40–0x49), predeploys (0x4200…0000–0x4200…ffff and EIP-2935) and the system sender (protocol section 10).
function isCallable(address recipient) pure returns (bool) {
    uint160 number = uint160(recipient);
    if (number >= 0x01 && number <= 0x11) return false;
    if (number >= 0x40 && number <= 0x49) return false;
    if (number == 0x100) return false;
    if (number >> 16 == uint160(0x4200000000000000000000000000000000000000) >> 16) return false;
    return recipient != PARENT_HASHES && recipient != SYSTEM;
}
