// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @dev Sender of every system transaction (protocol section 3.1).
address constant SYSTEM = 0x8888888888888888888888888888888888888888;

/// @dev The predeploys that call one another (protocol section 10).
address constant TUNNEL = 0x4200000000000000000000000000000000000100;
address constant DEPOSIT_CALLER = 0x4200000000000000000000000000000000000101;

/// @dev Where the coins of settled withdrawals go: an address without code or key, never counted as supply (protocol section 10).
address constant DEAD = 0x420000000000000000000000000000000000DEAD;

/// @dev The contract that keeps parent block hashes (EIP-2935).
address constant PARENT_HASHES = 0x0000F90827F1C53a10cb7A02335B175320002935;

/// @dev The Bitcoin precompiles that the contracts here use (protocol section 5).
address constant BITCOIN_BALANCE = address(0x40);
address constant BITCOIN_UNSPENT = address(0x41);
address constant BITCOIN_TRANSACTION = address(0x42);
address constant BITCOIN_CONFIRMATIONS = address(0x43);
address constant BITCOIN_LAST_HEADER = address(0x44);
address constant BITCOIN_HEADER_AT = address(0x45);
address constant BITCOIN_SCRIPT = address(0x46);
address constant BITCOIN_INPUT = address(0x47);
address constant BITCOIN_OUTPUT = address(0x48);
