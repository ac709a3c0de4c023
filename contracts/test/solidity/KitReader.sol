// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

import {IBitcoinKit, Input, Output, Transaction} from "../../solidity/IBitcoinKit.sol";

/// @title KitReader: a contract such as developers write, which knows the kit by its interface alone
contract KitReader {
    IBitcoinKit private constant KIT = IBitcoinKit(0x4200000000000000000000000000000000000102);

    /// @notice What a transaction pays in fees, and the data of its OP_RETURN outputs, one behind the other.
    function read(bytes32 txid) external view returns (uint256 fee, bytes memory data) {
        Transaction memory transaction = KIT.getTransactionByTxId(txid);
        for (uint256 i = 0; i < transaction.inputs.length; i++) {
            fee += transaction.inputs[i].inValue;
        }
        for (uint256 i = 0; i < transaction.outputs.length; i++) {
            fee -= transaction.outputs[i].outValue;
            data = bytes.concat(data, transaction.outputs[i].opReturnData);
        }
    }

    /// @notice The confirmations of a transaction, or 0 when the kit reverts.
    function confirmationsOrZero(bytes32 txid) external view returns (uint32) {
        try KIT.getTxConfirmations(txid) returns (uint32 confirmations) {
            return confirmations;
        } catch {
            return 0;
        }
    }
}
