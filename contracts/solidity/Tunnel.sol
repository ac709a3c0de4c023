// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {DEPOSIT_CALLER, SYSTEM} from "./addresses.sol";
import {isCallable} from "./callable.sol";
import {DepositCaller} from "./DepositCaller.sol";
import {loadSlot, storeSlot} from "./slot.sol";

/// @title Tunnel: bitcoin paid to the vault becomes native coins here
/// @notice Predeploy 0x4200000000000000000000000000000000000100 (protocol section 10). It takes the system transactions that
/// the node derives from Bitcoin, credits each Bitcoin transaction once, and keeps what a recipient could not be paid.
/// @dev Txids are in display order. Has no constructor and no immutables: its runtime code stands in the genesis allocation.
contract Tunnel {
    /// @dev 1 sat = 10^10 wei (protocol section 10).
    uint256 private constant WEI_PER_SAT = 1e10;

    /// @dev Cursor of the queue, written by the node's executor after the system transactions (protocol section 10, Queue).
    bytes32 private constant CURSOR_HASH_SLOT = keccak256("hemid.cursor.hash");
    bytes32 private constant CURSOR_NEXT_SLOT = keccak256("hemid.cursor.next");

    /// @notice Sum of all deposits credited, in sats.
    uint64 public credited;

    /// @notice Number of vault spends recorded as a breach.
    uint64 public breaches;

    /// @notice Wei that an address may take with `claim`.
    mapping(address recipient => uint256 amount) public claimable;

    bool private transient entered;

    event Deposited(bytes32 indexed txid, address indexed recipient, uint64 sats, uint32 vout, uint32 height);
    event DepositClaimable(bytes32 indexed txid, address indexed recipient, uint256 amount);
    event Claimed(address indexed recipient, address indexed to, uint256 amount);
    event Breach(bytes32 indexed txid, uint64 firstId, uint16 count, uint64 netSats, bytes32 outputsHash);

    error OnlySystem();
    error OnlyDepositCaller();
    error WrongValue(uint256 expected, uint256 actual);
    error AlreadySeen(bytes32 txid);
    error Reentered();
    error NothingToClaim();
    error ClaimFailed();

    modifier onlySystem() {
        if (msg.sender != SYSTEM) revert OnlySystem();
        _;
    }

    modifier nonReentrant() {
        if (entered) revert Reentered();
        entered = true;
        _;
        entered = false;
    }

    /// @dev Only the coins of a failed payment come back this way.
    receive() external payable {
        if (msg.sender != DEPOSIT_CALLER) revert OnlyDepositCaller();
    }

    /// @notice Credits one Bitcoin deposit (protocol section 10, Deposit): marks and logs it first, then pays the recipient;
    /// a recipient that must not be called, or whose call fails, may claim the coins instead.
    /// @param txid the Bitcoin transaction; a second deposit or spend with it reverts
    /// @param vout its first output that pays the vault
    /// @param height of the Bitcoin block that holds it
    /// @param sats credited, the deposit fee already taken off; msg.value is their worth in wei
    /// @param recipient of the coins
    /// @param payload calldata of the recipient's call
    function deposit(
        bytes32 txid,
        uint32 vout,
        uint32 height,
        uint64 sats,
        address recipient,
        bytes calldata payload
    ) external payable onlySystem nonReentrant {
        uint256 expected = sats * WEI_PER_SAT;
        if (msg.value != expected) revert WrongValue(expected, msg.value);
        _markSeen(txid);
        credited += sats;
        emit Deposited(txid, recipient, sats, vout, height);

        if (isCallable(recipient) && DepositCaller(DEPOSIT_CALLER).pay{value: msg.value}(recipient, payload)) return;
        claimable[recipient] += msg.value;
        emit DepositClaimable(txid, recipient, msg.value);
    }

    /// @notice Records a Bitcoin transaction that spends a vault output (protocol section 10, Vault spends). No withdrawal can
    /// be requested, so none can be settled: every spend is a breach. Deposits go on.
    /// @param txid the Bitcoin transaction; a second deposit or spend with it reverts
    /// @param firstId lowest withdrawal id it says it pays
    /// @param count number of withdrawals it says it pays
    /// @param netSats vault inputs minus vault outputs, not below 0
    /// @param outputsHash keccak256 of its first `count` outputs
    function spend(
        bytes32 txid,
        uint64 firstId,
        uint16 count,
        uint64 netSats,
        bytes32 outputsHash
    ) external onlySystem {
        _markSeen(txid);
        breaches += 1;
        emit Breach(txid, firstId, count, netSats, outputsHash);
    }

    /// @notice Sends everything that the caller may claim to `to`.
    function claim(address payable to) external nonReentrant {
        uint256 amount = claimable[msg.sender];
        if (amount == 0) revert NothingToClaim();
        claimable[msg.sender] = 0;
        emit Claimed(msg.sender, to, amount);
        (bool paid,) = to.call{value: amount}("");
        if (!paid) revert ClaimFailed();
    }

    /// @notice Whether a Bitcoin transaction was credited or recorded; the executor also marks a deposit whose call failed.
    function seen(bytes32 txid) external view returns (bool) {
        return loadSlot(_seenSlot(txid)) != 0;
    }

    /// @notice Where the node's walk over Bitcoin stands (protocol section 10, Queue).
    /// @return hash of the Bitcoin block, display order
    /// @return next index of its next transaction to look at, 2^32 − 1 when the block is done
    function cursor() external view returns (bytes32 hash, uint32 next) {
        return (loadSlot(CURSOR_HASH_SLOT), uint32(uint256(loadSlot(CURSOR_NEXT_SLOT))));
    }

    function _markSeen(bytes32 txid) private {
        bytes32 slot = _seenSlot(txid);
        if (loadSlot(slot) != 0) revert AlreadySeen(txid);
        storeSlot(slot, bytes32(uint256(1)));
    }

    /// @dev keccak256("hemid.seen" ‖ txid display); the executor reads and writes it too.
    function _seenSlot(bytes32 txid) private pure returns (bytes32) {
        return keccak256(abi.encodePacked("hemid.seen", txid));
    }
}
