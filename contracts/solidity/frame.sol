// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @dev The answer of a Bitcoin precompile, read from its front (protocol section 5).
struct Frame {
    bytes data;
    uint256 position;
}

/// @dev The next `size` bytes, 1 to 32, as a big-endian number.
function readNumber(Frame memory frame, uint256 size) pure returns (uint256 value) {
    bytes memory data = frame.data;
    uint256 position = _advance(frame, size);
    assembly ("memory-safe") {
        value := shr(sub(256, shl(3, size)), mload(add(add(data, 32), position)))
    }
}

/// @dev The next 32 bytes.
function readHash(Frame memory frame) pure returns (bytes32) {
    return bytes32(readNumber(frame, 32));
}

/// @dev The next `size` bytes.
function readBytes(Frame memory frame, uint256 size) pure returns (bytes memory) {
    return copyBytes(frame.data, _advance(frame, size), size);
}

/// @dev A part of `data`, which must hold it.
function copyBytes(bytes memory data, uint256 start, uint256 size) pure returns (bytes memory part) {
    part = new bytes(size);
    assembly ("memory-safe") {
        mcopy(add(part, 32), add(add(data, 32), start), size)
    }
}

/// @dev Reverts unless all of the frame was read.
function assertRead(Frame memory frame) pure {
    require(frame.position == frame.data.length, "Bitcoin precompile answer too long");
}

/// @dev Where the next `size` bytes start; they count as read.
function _advance(Frame memory frame, uint256 size) pure returns (uint256 position) {
    position = frame.position;
    frame.position = position + size;
    require(frame.position <= frame.data.length, "Bitcoin precompile answer too short");
}
