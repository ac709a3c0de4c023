// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title FeeVault: where base fees go instead of being burned
/// @notice Predeploy 0x4200000000000000000000000000000000000019 (protocol sections 3 and 10). The node's executor adds the
/// base fees of each block to its balance directly, without a call.
/// @dev Has no constructor and no immutables: its runtime code and slot 0 stand in the genesis allocation.
contract FeeVault {
    /// @notice Who receives the fees. Storage slot 0, set in the genesis allocation; no function changes it.
    address payable public recipient;

    event Withdrawn(address indexed recipient, uint256 amount);

    error NoRecipient();
    error WithdrawFailed();

    receive() external payable {}

    /// @notice Sends the whole balance to the recipient; anyone may call it.
    function withdraw() external {
        address payable to = recipient;
        if (to == address(0)) revert NoRecipient();
        uint256 amount = address(this).balance;
        emit Withdrawn(to, amount);
        (bool paid,) = to.call{value: amount}("");
        if (!paid) revert WithdrawFailed();
    }
}
