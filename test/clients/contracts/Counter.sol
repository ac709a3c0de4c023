// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// @title Counter: what each client deploys, writes, reads, listens to, signs for and delegates to
contract Counter {
    event Counted(address indexed by, uint256 count);

    error TooMuch(uint256 asked, uint256 most);

    uint256 public count;

    constructor(uint256 first) {
        count = first;
    }

    function add(uint256 more) public {
        if (more > 10) revert TooMuch(more, 10);
        count += more;
        emit Counted(msg.sender, count);
    }

    /// @notice Who has signed `Add(uint256 more)` for this contract, by EIP-712.
    function signerOf(uint256 more, bytes calldata signature) external view returns (address) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,uint256 chainId,address verifyingContract)"),
                keccak256("Counter"),
                block.chainid,
                address(this)
            )
        );
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", domain, keccak256(abi.encode(keccak256("Add(uint256 more)"), more))));
        return ecrecover(digest, uint8(signature[64]), bytes32(signature[:32]), bytes32(signature[32:64]));
    }
}
