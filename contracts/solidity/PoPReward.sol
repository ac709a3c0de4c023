// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SYSTEM} from "./addresses.sol";
import {loadSlot} from "./slot.sol";
import {Token} from "./Token.sol";

/// @title PoPReward: the token that pays PoP miners
/// @notice Predeploy 0x4200000000000000000000000000000000000042 (protocol section 9): a plain ERC-20 (EIP-20, errors of
/// EIP-6093), minted only by payout transactions. It is not the native coin.
/// @dev Has no constructor and no immutables: its runtime code stands in the genesis allocation.
contract PoPReward is Token {
    string public constant name = "hemid PoP Reward";
    string public constant symbol = "HPOP";
    uint8 public constant decimals = 18;

    /// @notice All rewards ever paid; nothing burns them.
    uint256 public totalSupply;
    /// @notice Keystone block of the latest payout, which need not be the highest one paid.
    uint64 public lastBlockRewarded;

    event PoPRewarded(uint64 indexed blockRewarded, address indexed miner, uint256 amount);

    error OnlySystem();
    error LengthMismatch(uint256 miners, uint256 amounts);

    /// @notice Pays the miners of one keystone (protocol section 9).
    /// @param blockRewarded number of the keystone's block
    /// @param miners paid, in the order of the payout transaction
    /// @param amounts of each, in 10^-18 units
    function mintPoPRewards(uint64 blockRewarded, address[] calldata miners, uint256[] calldata amounts) external {
        if (msg.sender != SYSTEM) revert OnlySystem();
        if (miners.length != amounts.length) revert LengthMismatch(miners.length, amounts.length);
        lastBlockRewarded = blockRewarded;
        uint256 total = totalSupply;
        for (uint256 i = 0; i < miners.length; i++) {
            total += amounts[i];
            balanceOf[miners[i]] += amounts[i];
            emit Transfer(address(0), miners[i], amounts[i]);
            emit PoPRewarded(blockRewarded, miners[i], amounts[i]);
        }
        totalSupply = total;
    }

    /// @notice All rewards ever paid, by the name that PoP tools know.
    function totalPoPRewards() external view returns (uint256) {
        return totalSupply;
    }

    /// @notice Whether keystone block `number` had its payout, successful or not.
    /// @dev Slot keccak256("hemid.paid" ‖ number as u64 big-endian), written by the node's executor (protocol section 10).
    function paid(uint64 number) external view returns (bool) {
        return loadSlot(keccak256(abi.encodePacked("hemid.paid", number))) != 0;
    }
}
