// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {
    BITCOIN_BALANCE,
    BITCOIN_CONFIRMATIONS,
    BITCOIN_HEADER_AT,
    BITCOIN_INPUT,
    BITCOIN_LAST_HEADER,
    BITCOIN_OUTPUT,
    BITCOIN_SCRIPT,
    BITCOIN_TRANSACTION,
    BITCOIN_UNSPENT
} from "./addresses.sol";
import {BitcoinHeader, IBitcoinKit, Input, Output, Transaction, UTXO} from "./IBitcoinKit.sol";
import {assertRead, copyBytes, Frame, readBytes, readHash, readNumber} from "./frame.sol";

/// @title BitcoinKit: Bitcoin as structs, for contracts and client libraries made for Hemi
/// @notice Predeploy 0x4200000000000000000000000000000000000102 (protocol sections 5 and 10); IBitcoinKit says what each function
/// answers. Errors are strings, so that a client that has only the kit's functions in its ABI can show them.
/// @dev Has no constructor, no immutables and no storage: its runtime code stands in the genesis allocation.
contract BitcoinKit is IBitcoinKit {
    /// @dev f1 to f4 of precompile 0x42. A transaction: all there is, of 32 inputs and 32 outputs, 64 bytes of each script.
    bytes4 private constant WHOLE = 0x7ffe2d0a;
    /// @dev Its inputs alone; the block hash comes with the number of witness elements.
    bytes4 private constant INPUTS = 0x47802808;
    /// @dev Its outputs alone, OP_RETURN too.
    bytes4 private constant OUTPUTS = 0x003c0502;
    /// @dev The number of inputs, and the value of one.
    bytes4 private constant INPUT_COUNT = 0x04000000;
    /// @dev The number of outputs, OP_RETURN too, and the value of one.
    bytes4 private constant OUTPUT_COUNT = 0x00280000;
    /// @dev The hash of its block.
    bytes4 private constant BLOCK = 0x40000000;

    uint256 private constant MAX_LISTED = 32;
    uint256 private constant MAX_LISTED_SCRIPT = 64;
    /// @dev The most that a length word can tell, and that 0x47 and 0x48 can be asked for.
    uint256 private constant MAX_SCRIPT = type(uint16).max;
    /// @dev A longer script can never be run, so Bitcoin does not keep its output.
    uint256 private constant MAX_SPENDABLE_SCRIPT = 10_000;

    /// @dev Precompiles 0x43 and 0x46 burn all they are given when they fail: they get twice their price.
    uint256 private constant CONFIRMATIONS_GAS = 10_000;
    uint256 private constant SCRIPT_GAS = 50_000;

    uint256 private constant OP_PUSHDATA1 = 0x4c;
    uint256 private constant OP_PUSHDATA4 = 0x4e;
    bytes1 private constant OP_RETURN = 0x6a;

    string private constant BAD_ADDRESS = "Bitcoin address not valid";
    string private constant NO_TRANSACTION = "Bitcoin transaction not found";

    function getBitcoinAddressBalance(string calldata btcAddress) external view returns (uint64 balance) {
        Frame memory frame = _ask(BITCOIN_BALANCE, bytes(btcAddress));
        require(frame.data.length > 0, BAD_ADDRESS);
        balance = uint64(readNumber(frame, 8));
        assertRead(frame);
    }

    function getUTXOsForBitcoinAddress(string calldata btcAddress, uint32 pageNumber, uint32 pageSize)
        external
        view
        returns (UTXO[] memory)
    {
        return _unspent(btcAddress, pageNumber, pageSize);
    }

    function getUTXOsForBitcoinAddress(string calldata btcAddress, uint256 pageNumber, uint256 pageSize)
        external
        view
        returns (UTXO[] memory)
    {
        return _unspent(btcAddress, pageNumber, pageSize);
    }

    function getScriptForAddress(string calldata btcAddress) external view returns (bytes memory script) {
        bool answered;
        (answered, script) = BITCOIN_SCRIPT.staticcall{gas: SCRIPT_GAS}(bytes(btcAddress));
        require(answered && script.length > 0, BAD_ADDRESS);
    }

    /// @dev Asks for the balance: for a bad address that is an empty answer, while 0x46 would burn its gas and could not be told
    /// from a call with too little of it.
    function isAddressValid(string calldata btcAddress) external view returns (bool) {
        return _ask(BITCOIN_BALANCE, bytes(btcAddress)).data.length > 0;
    }

    function transactionExists(bytes32 txId) external view returns (bool exists) {
        return _exists(txId);
    }

    function getTxConfirmations(bytes32 txId) external view returns (uint32 confirmations) {
        (bool answered, bytes memory count) = BITCOIN_CONFIRMATIONS.staticcall{gas: CONFIRMATIONS_GAS}(abi.encode(txId));
        require(answered && count.length == 4, NO_TRANSACTION);
        return uint32(bytes4(count));
    }

    function getTransactionByTxId(bytes32 txId) external view returns (Transaction memory result) {
        Frame memory frame = _askTransaction(txId, WHOLE);
        result.containingBlockHash = readHash(frame);
        result.transactionVersion = readNumber(frame, 4);
        result.size = readNumber(frame, 4);
        result.vSize = readNumber(frame, 4);
        result.lockTime = readNumber(frame, 4);
        (result.inputs, result.totalInputs) = _readInputs(frame);
        (result.outputs, result.totalOutputs) = _readOutputs(frame);
        assertRead(frame);
        result.containsAllInputs = result.inputs.length == result.totalInputs;
        result.containsAllOutputs = result.outputs.length == result.totalOutputs;
    }

    function getTransactionInputsByTxId(bytes32 txId) external view returns (Input[] memory inputs) {
        Frame memory frame = _askTransaction(txId, INPUTS);
        readHash(frame);
        (inputs,) = _readInputs(frame);
        assertRead(frame);
    }

    function getTransactionOutputsByTxId(bytes32 txId) external view returns (Output[] memory outputs) {
        Frame memory frame = _askTransaction(txId, OUTPUTS);
        (outputs,) = _readOutputs(frame);
        assertRead(frame);
    }

    function getTxInputCount(bytes32 txId) external view returns (uint32 txInputCount) {
        return uint32(readNumber(_askTransaction(txId, INPUT_COUNT), 2));
    }

    function getTxOutputCount(bytes32 txId) external view returns (uint32 txOutputCount) {
        return uint32(readNumber(_askTransaction(txId, OUTPUT_COUNT), 2));
    }

    function getSpecificTxInput(bytes32 txId, uint32 inputIndex) external view returns (Input memory input) {
        Frame memory frame = _askPart(BITCOIN_INPUT, txId, inputIndex);
        require(frame.data.length > 0, "Bitcoin input not found");
        input.witnessElements = readNumber(frame, 2);
        input.inValue = readNumber(frame, 8);
        input.inputTxId = readHash(frame);
        input.sourceIndex = readNumber(frame, 2);
        (input.scriptSig, input.fullScriptSigLength, input.containsFullScriptSig) = _readScript(frame, MAX_SCRIPT);
        input.sequence = readNumber(frame, 4);
        assertRead(frame);
    }

    function getSpecificTxOutput(bytes32 txId, uint32 outputIndex) external view returns (Output memory output) {
        Frame memory frame = _askPart(BITCOIN_OUTPUT, txId, outputIndex);
        require(frame.data.length > 0, "Bitcoin output not found");
        output = _readOutput(frame, MAX_SCRIPT);
        assertRead(frame);
    }

    function getLastHeader() external view returns (BitcoinHeader memory) {
        return _readHeader(_ask(BITCOIN_LAST_HEADER, ""));
    }

    function getHeaderN(uint32 height) external view returns (BitcoinHeader memory) {
        return _readHeader(_ask(BITCOIN_HEADER_AT, abi.encodePacked(height)));
    }

    /// @dev What a precompile answers; reverts if the call fails, which for those asked here means too little gas.
    function _ask(address precompile, bytes memory question) private view returns (Frame memory frame) {
        bool answered;
        (answered, frame.data) = precompile.staticcall(question);
        require(answered, "Bitcoin precompile failed");
    }

    function _askTransaction(bytes32 txId, bytes4 flags) private view returns (Frame memory frame) {
        frame = _ask(BITCOIN_TRANSACTION, abi.encodePacked(txId, flags));
        if (frame.data.length > 0) return frame;
        require(_exists(txId), NO_TRANSACTION);
        revert("Bitcoin input value unknown");
    }

    /// @dev An input or output; an index that its word cannot hold is not there, rather than another one.
    function _askPart(address precompile, bytes32 txId, uint32 index) private view returns (Frame memory frame) {
        if (index > type(uint16).max) return frame;
        return _ask(precompile, abi.encodePacked(txId, uint16(index), uint16(MAX_SCRIPT)));
    }

    function _exists(bytes32 txId) private view returns (bool) {
        return _ask(BITCOIN_TRANSACTION, abi.encodePacked(txId, BLOCK)).data.length > 0;
    }

    function _unspent(string calldata btcAddress, uint256 start, uint256 size) private view returns (UTXO[] memory outputs) {
        require(start <= type(uint24).max, "pageNumber above 16777215");
        require(size <= type(uint8).max, "pageSize above 255");
        Frame memory frame = _ask(BITCOIN_UNSPENT, abi.encodePacked(btcAddress, uint24(start), uint8(size)));
        require(frame.data.length > 0, BAD_ADDRESS);
        outputs = new UTXO[](readNumber(frame, 1));
        for (uint256 i = 0; i < outputs.length; i++) {
            outputs[i].txId = readHash(frame);
            outputs[i].index = readNumber(frame, 2);
            outputs[i].value = readNumber(frame, 8);
        }
        assertRead(frame);
    }

    function _readInputs(Frame memory frame) private pure returns (Input[] memory inputs, uint256 total) {
        total = readNumber(frame, 2);
        inputs = new Input[](_listed(total));
        for (uint256 i = 0; i < inputs.length; i++) {
            Input memory input = inputs[i];
            input.witnessElements = readNumber(frame, 2);
            input.inValue = readNumber(frame, 8);
            input.inputTxId = readHash(frame);
            input.sourceIndex = readNumber(frame, 4);
            (input.scriptSig, input.fullScriptSigLength, input.containsFullScriptSig) =
                _readScript(frame, MAX_LISTED_SCRIPT);
            input.sequence = readNumber(frame, 4);
        }
    }

    function _readOutputs(Frame memory frame) private pure returns (Output[] memory outputs, uint256 total) {
        total = readNumber(frame, 2);
        outputs = new Output[](_listed(total));
        for (uint256 i = 0; i < outputs.length; i++) {
            outputs[i] = _readOutput(frame, MAX_LISTED_SCRIPT);
        }
    }

    function _readOutput(Frame memory frame, uint256 maxScript) private pure returns (Output memory output) {
        output.outValue = readNumber(frame, 8);
        (output.script, output.fullScriptLength, output.containsFullScript) = _readScript(frame, maxScript);
        output.isOpReturn = output.script.length > 0 && output.script[0] == OP_RETURN;
        if (output.isOpReturn) output.opReturnData = _dataOf(output.script, output.fullScriptLength);
        bool isUnspent = readNumber(frame, 1) == 1;
        output.isSpent = !isUnspent && !output.isOpReturn && output.fullScriptLength <= MAX_SPENDABLE_SCRIPT;
    }

    /// @dev A script behind its length; the length word stops at 65,535, so such a script may be longer than what is here.
    function _readScript(Frame memory frame, uint256 maxScript)
        private
        pure
        returns (bytes memory script, uint256 fullLength, bool isFull)
    {
        fullLength = readNumber(frame, 2);
        script = readBytes(frame, fullLength < maxScript ? fullLength : maxScript);
        isFull = fullLength == script.length && fullLength < MAX_SCRIPT;
    }

    /// @dev What an OP_RETURN script carries: the pushed bytes when one push fills the rest of it, else all after OP_RETURN.
    function _dataOf(bytes memory script, uint256 fullLength) private pure returns (bytes memory) {
        if (script.length < 2) return "";
        uint256 opcode = uint8(script[1]);
        uint256 start = 2;
        uint256 size = opcode;
        if (opcode >= OP_PUSHDATA1 && opcode <= OP_PUSHDATA4) {
            uint256 lengthBytes = 1 << (opcode - OP_PUSHDATA1);
            start += lengthBytes;
            size = 0;
            // Little-endian, of 1, 2 or 4 bytes.
            for (uint256 i = 0; i < lengthBytes && 2 + i < script.length; i++) {
                size |= uint256(uint8(script[2 + i])) << (8 * i);
            }
        }
        bool isOnePush = opcode <= OP_PUSHDATA4 && start <= script.length && start + size == fullLength;
        if (!isOnePush) start = 1;
        return copyBytes(script, start, script.length - start);
    }

    function _readHeader(Frame memory frame) private pure returns (BitcoinHeader memory header) {
        require(frame.data.length > 0, "Bitcoin header not found");
        header.height = uint32(readNumber(frame, 4));
        header.blockHash = readHash(frame);
        header.version = uint32(readNumber(frame, 4));
        header.previousBlockHash = readHash(frame);
        header.merkleRoot = readHash(frame);
        header.timestamp = uint32(readNumber(frame, 4));
        header.bits = uint32(readNumber(frame, 4));
        header.nonce = uint32(readNumber(frame, 4));
        assertRead(frame);
    }

    /// @dev How many of a number of inputs or outputs precompile 0x42 lists here.
    function _listed(uint256 total) private pure returns (uint256) {
        return total < MAX_LISTED ? total : MAX_LISTED;
    }
}
