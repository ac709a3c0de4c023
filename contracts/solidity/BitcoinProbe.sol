// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {
    BITCOIN_BALANCE,
    BITCOIN_CONFIRMATIONS,
    BITCOIN_HEADER_AT,
    BITCOIN_LAST_HEADER,
    PARENT_HASHES
} from "./addresses.sol";

/// @title BitcoinProbe: a user's contract that reads Bitcoin
/// @notice Not a predeploy. It shows Bitcoin data reaching a contract (protocol section 5), a transaction that keeps what it
/// read, and a deposit whose payload arrives (protocol section 10).
contract BitcoinProbe {
    /// @notice What the last `record` read.
    uint32 public recordedHeight;
    uint64 public recordedSats;

    /// @notice Value and calldata of the last `ping`, or of the last call that named no function here.
    uint256 public lastValue;
    bytes public lastData;

    event Recorded(uint32 bitcoinHeight, uint64 sats);

    error ReadFailed(address target);

    fallback() external payable {
        _keepCall();
    }

    receive() external payable {
        _keepCall();
    }

    function ping() external payable {
        _keepCall();
    }

    /// @notice Reads the height of the last Bitcoin header and the balance of `bitcoinAddress`, and stores both.
    function record(string calldata bitcoinAddress) external {
        recordedHeight = uint32(bytes4(lastHeader()));
        recordedSats = balance(bitcoinAddress);
        emit Recorded(recordedHeight, recordedSats);
    }

    /// @notice 116-byte frame of the last Bitcoin header (precompile 0x44).
    function lastHeader() public view returns (bytes memory) {
        return _read(BITCOIN_LAST_HEADER, "");
    }

    /// @notice Sats held by a Bitcoin address (precompile 0x40); reverts if the address does not decode.
    function balance(string calldata bitcoinAddress) public view returns (uint64) {
        bytes memory sats = _read(BITCOIN_BALANCE, bytes(bitcoinAddress));
        if (sats.length != 8) revert ReadFailed(BITCOIN_BALANCE);
        return uint64(bytes8(sats));
    }

    /// @notice 116-byte frame of the Bitcoin header at `height`, empty if there is none in view (precompile 0x45).
    function headerAt(uint32 height) external view returns (bytes memory) {
        return _read(BITCOIN_HEADER_AT, abi.encodePacked(height));
    }

    /// @notice Confirmations of a Bitcoin transaction, txid in display order (precompile 0x43); reverts if it is unknown.
    function confirmations(bytes32 txid) external view returns (uint32) {
        bytes memory count = _read(BITCOIN_CONFIRMATIONS, abi.encodePacked(txid));
        if (count.length != 4) revert ReadFailed(BITCOIN_CONFIRMATIONS);
        return uint32(bytes4(count));
    }

    /// @notice Hash of one of the last 8,191 blocks of this chain, from the EIP-2935 contract; reverts outside that range.
    function parentHashFrom2935(uint256 number) external view returns (bytes32) {
        bytes memory hash = _read(PARENT_HASHES, abi.encode(number));
        if (hash.length != 32) revert ReadFailed(PARENT_HASHES);
        return bytes32(hash);
    }

    function _read(address target, bytes memory input) private view returns (bytes memory) {
        (bool read, bytes memory output) = target.staticcall(input);
        if (!read) revert ReadFailed(target);
        return output;
    }

    function _keepCall() private {
        lastValue = msg.value;
        lastData = msg.data;
    }
}
