// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {DEAD, DEPOSIT_CALLER, SYSTEM} from "./addresses.sol";
import {isCallable} from "./callable.sol";
import {DepositCaller} from "./DepositCaller.sol";
import {isPaymentScript} from "./payment-script.sol";
import {loadSlot, storeSlot} from "./slot.sol";
import {isVault, vaultAddress, vaultCount, vaultSats} from "./vault.sol";

/// @title Tunnel: bitcoin paid to the vault becomes native coins here, and native coins become bitcoin again
/// @notice Predeploy 0x4200000000000000000000000000000000000100 (protocol section 10). It takes the system transactions that
/// the node derives from Bitcoin, credits each Bitcoin transaction once, keeps what a recipient could not be paid, takes
/// requests to withdraw, and judges every Bitcoin transaction that spends from the vault.
/// @dev Txids are in display order. Has no constructor and no immutables: its runtime code stands in the genesis allocation.
contract Tunnel {
    /// @notice A request to be paid in Bitcoin; ids count from 1.
    /// @param sats taken, of which feeSats stay for Bitcoin's fee: the output pays sats − feeSats
    /// @param feeSats the fee that was in force
    /// @param blockNumber of the block with the request
    struct Request {
        uint64 sats;
        uint64 feeSats;
        uint64 blockNumber;
        bytes scriptPubKey;
    }

    /// @notice A Bitcoin transaction that settled requests.
    /// @param digest of what every later version of it must repeat
    struct Batch {
        bytes32 digest;
        bytes32 txid;
    }

    /// @dev 1 sat = 10^10 wei (protocol section 10).
    uint256 private constant WEI_PER_SAT = 1e10;

    /// @dev Cursor of the queue, written by the node's executor after the system transactions (protocol section 10, Queue).
    bytes32 private constant CURSOR_HASH_SLOT = keccak256("hemid.cursor.hash");
    bytes32 private constant CURSOR_NEXT_SLOT = keccak256("hemid.cursor.next");

    /// @dev Limits in force, sats, written by the executor (protocol section 10).
    bytes32 private constant WITHDRAWAL_FEE_SLOT = keccak256("hemid.withdrawal.fee");
    bytes32 private constant MINIMUM_WITHDRAWAL_SLOT = keccak256("hemid.withdrawal.minimum");

    /// @notice Sum of all deposits credited, in sats.
    uint64 public credited;

    /// @notice Sum of all withdrawals requested, in sats, settled or not.
    uint64 public requested;

    /// @notice Sum of all withdrawals settled, in sats.
    uint64 public settled;

    /// @notice Number of requests: the id of the latest one.
    uint64 public requestCount;

    /// @notice Number of requests settled: always those with the lowest ids.
    uint64 public settledCount;

    /// @notice Wei that an address may take with `claim`.
    mapping(address recipient => uint256 amount) public claimable;

    mapping(uint64 id => Request) private requests;

    /// @notice Settled batches, by the lowest id in each.
    mapping(uint64 firstId => Batch) public batches;

    /// @notice Vault spends that were a breach, cleared or not, in order.
    bytes32[] public breaches;

    bool private transient entered;

    event Deposited(bytes32 indexed txid, address indexed recipient, uint64 sats, uint32 vout, uint32 height);
    event DepositClaimable(bytes32 indexed txid, address indexed recipient, uint256 amount);
    event Claimed(address indexed recipient, address indexed to, uint256 amount);
    event WithdrawalRequested(uint64 indexed id, address indexed from, uint64 sats, uint64 feeSats, bytes scriptPubKey);
    event Settled(bytes32 indexed txid, uint64 indexed firstId, uint16 count, uint64 sats);
    event Swept(bytes32 indexed txid);
    event Replaced(bytes32 indexed txid, uint64 indexed firstId, bytes32 indexed settledBy);
    event Breach(bytes32 indexed txid, uint64 firstId, uint16 count, uint64 netSats, bytes32 outputsHash);

    error OnlySystem();
    error OnlyDepositCaller();
    error WrongValue(uint256 expected, uint256 actual);
    error AlreadySeen(bytes32 txid);
    error Reentered();
    error NothingToClaim();
    error ClaimFailed();
    error Breached();
    error NotWholeSatoshis(uint256 amount);
    error BelowMinimum(uint256 minimumSats, uint256 sats);
    error NotAPaymentScript();
    error PaysVault();
    error MoreThanCredited(uint256 availableSats, uint256 sats);
    error VaultDeficit(uint256 reserveSats, uint256 owedSats);
    error UnknownRequest(uint64 id);
    error SettlementFailed();

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

    /// @notice Requests to be paid msg.value in Bitcoin, less the fee in force (protocol section 10, Withdrawal).
    /// @param scriptPubKey exactly P2PKH, P2SH, P2WPKH, P2WSH or P2TR, and no vault's
    /// @return id of the request
    function withdraw(bytes calldata scriptPubKey) external payable nonReentrant returns (uint64 id) {
        if (breached()) revert Breached();
        uint256 sats = msg.value / WEI_PER_SAT;
        if (msg.value % WEI_PER_SAT != 0) revert NotWholeSatoshis(msg.value);
        if (sats < minimumWithdrawal()) revert BelowMinimum(minimumWithdrawal(), sats);
        if (!isPaymentScript(scriptPubKey)) revert NotAPaymentScript();
        if (isVault(scriptPubKey)) revert PaysVault();
        uint256 owed = credited - requested;
        if (sats > owed) revert MoreThanCredited(owed, sats);
        uint256 reserve = vaultSats();
        if (reserve < owed) revert VaultDeficit(reserve, owed);

        requested += uint64(sats);
        id = ++requestCount;
        uint64 feeSats = withdrawalFee();
        requests[id] = Request(uint64(sats), feeSats, uint64(block.number), scriptPubKey);
        emit WithdrawalRequested(id, msg.sender, uint64(sats), feeSats, scriptPubKey);
    }

    /// @notice Judges a Bitcoin transaction that spends a vault output (protocol section 10, Vault spends): it settles requests,
    /// sweeps the vault, replaces a batch that was settled, or is a breach, which stops `withdraw`. Deposits go on.
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
    ) external onlySystem nonReentrant {
        _markSeen(txid);
        bytes32 digest = keccak256(abi.encode(count, netSats, outputsHash));
        if (count > 0 && batches[firstId].digest == digest) {
            emit Replaced(txid, firstId, batches[firstId].txid);
        } else if (count == 0 && firstId == lowestOpenId() && netSats == 0) {
            emit Swept(txid);
        } else if (count > 0 && firstId == lowestOpenId() && _pays(count, netSats, outputsHash)) {
            batches[firstId] = Batch(digest, txid);
            settledCount += count;
            settled += netSats;
            emit Settled(txid, firstId, count, netSats);
            (bool moved,) = DEAD.call{value: netSats * WEI_PER_SAT}("");
            if (!moved) revert SettlementFailed();
        } else {
            breaches.push(txid);
            emit Breach(txid, firstId, count, netSats, outputsHash);
        }
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

    /// @notice The request that must be settled next; the id of the next request when none is open.
    function lowestOpenId() public view returns (uint64) {
        return settledCount + 1;
    }

    /// @notice The id that the next request gets.
    function nextId() external view returns (uint64) {
        return requestCount + 1;
    }

    /// @notice A request, settled or not.
    function request(uint64 id) external view returns (Request memory) {
        if (id == 0 || id > requestCount) revert UnknownRequest(id);
        return requests[id];
    }

    /// @notice Whether a breach stands that no upgrade of the chain spec has cleared.
    function breached() public view returns (bool) {
        for (uint256 i = breaches.length; i > 0; i--) {
            // keccak256("hemid.cleared" ‖ txid display), written by the executor for an upgrade's `clearBreach`.
            if (loadSlot(keccak256(abi.encodePacked("hemid.cleared", breaches[i - 1]))) == 0) return true;
        }
        return false;
    }

    /// @notice Number of vault spends that were a breach, cleared or not.
    function breachCount() external view returns (uint256) {
        return breaches.length;
    }

    /// @notice Sats on the vaults, in the Bitcoin that this block sees.
    function reserves() external view returns (uint256) {
        return vaultSats();
    }

    /// @notice Sats that all tunnelled coins are worth, those of open requests included.
    function liabilities() external view returns (uint64) {
        return credited - settled;
    }

    /// @notice Sats that the vaults lack for what is credited and not requested; while there are any, `withdraw` reverts.
    function deficit() external view returns (uint256) {
        uint256 owed = credited - requested;
        uint256 reserve = vaultSats();
        return reserve < owed ? owed - reserve : 0;
    }

    /// @notice Bitcoin addresses of the vaults, the one in force first, then the former ones.
    function vaults() external view returns (string[] memory addresses) {
        addresses = new string[](vaultCount());
        for (uint64 i = 0; i < addresses.length; i++) addresses[i] = string(vaultAddress(i));
    }

    /// @notice Fee of a withdrawal requested now, in sats.
    function withdrawalFee() public view returns (uint64) {
        return uint64(uint256(loadSlot(WITHDRAWAL_FEE_SLOT)));
    }

    /// @notice Least that can be withdrawn now, in sats, the fee included.
    function minimumWithdrawal() public view returns (uint64) {
        return uint64(uint256(loadSlot(MINIMUM_WITHDRAWAL_SLOT)));
    }

    /// @dev Whether the `count` lowest open requests exist, take `netSats` together, and are paid by outputs with this hash:
    /// keccak256 over (sats u64 ‖ script length u16 ‖ script) of each.
    function _pays(uint16 count, uint64 netSats, bytes32 outputsHash) private view returns (bool) {
        if (count > requestCount - settledCount) return false;
        bytes memory outputs;
        uint256 sum;
        for (uint64 id = lowestOpenId(); id < lowestOpenId() + count; id++) {
            Request storage one = requests[id];
            bytes memory script = one.scriptPubKey;
            outputs = abi.encodePacked(outputs, one.sats - one.feeSats, uint16(script.length), script);
            sum += one.sats;
        }
        return sum == netSats && keccak256(outputs) == outputsHash;
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
