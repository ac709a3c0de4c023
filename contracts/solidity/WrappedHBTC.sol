// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Token} from "./Token.sol";

/// @title WrappedHBTC: the native coin as an ERC-20
/// @notice Predeploy 0x4200000000000000000000000000000000000103 (protocol section 10): EIP-20 with the errors of EIP-6093,
/// deposit and withdraw as WETH has them, permit of EIP-2612. One unit is one wei of the native coin, so it has 18 decimals;
/// Bitcoin has 8, and 1 sat is 10^10 units. What is not a whole satoshi cannot leave through Tunnel.
/// @dev Has no constructor and no immutables: its runtime code stands in the genesis allocation.
contract WrappedHBTC is Token {
    string public constant name = "Wrapped hBTC";
    string public constant symbol = "WHBTC";
    uint8 public constant decimals = 18;

    bytes32 public constant PERMIT_TYPEHASH =
        keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
    bytes32 private constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");

    mapping(address owner => uint256 nonce) public nonces;

    event Deposit(address indexed dst, uint256 wad);
    event Withdrawal(address indexed src, uint256 wad);

    error ERC2612ExpiredSignature(uint256 deadline);
    error ERC2612InvalidSigner(address signer, address owner);
    error WithdrawalFailed();

    /// @notice Wraps what is sent.
    receive() external payable {
        deposit();
    }

    /// @notice Wraps msg.value for the caller.
    function deposit() public payable {
        balanceOf[msg.sender] += msg.value;
        emit Deposit(msg.sender, msg.value);
        emit Transfer(address(0), msg.sender, msg.value);
    }

    /// @notice Unwraps `value` for the caller, with all the gas there is.
    function withdraw(uint256 value) external {
        _take(msg.sender, value);
        emit Withdrawal(msg.sender, value);
        emit Transfer(msg.sender, address(0), value);
        (bool paid,) = msg.sender.call{value: value}("");
        if (!paid) revert WithdrawalFailed();
    }

    /// @notice Units there are: the coins that this contract holds. Coins forced into it count, and are nobody's.
    function totalSupply() external view returns (uint256) {
        return address(this).balance;
    }

    /// @notice Approves by the owner's signature (EIP-2612), good once and until `deadline`.
    function permit(
        address owner,
        address spender,
        uint256 value,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external {
        if (block.timestamp > deadline) revert ERC2612ExpiredSignature(deadline);
        bytes32 message = keccak256(abi.encode(PERMIT_TYPEHASH, owner, spender, value, nonces[owner]++, deadline));
        address signer = ecrecover(keccak256(abi.encodePacked("\x19\x01", DOMAIN_SEPARATOR(), message)), v, r, s);
        if (signer == address(0) || signer != owner) revert ERC2612InvalidSigner(signer, owner);
        _approve(owner, spender, value);
    }

    /// @notice The domain of permits (EIP-712), version "1".
    function DOMAIN_SEPARATOR() public view returns (bytes32) {
        return keccak256(abi.encode(DOMAIN_TYPEHASH, keccak256(bytes(name)), keccak256("1"), block.chainid, address(this)));
    }
}
