// SPDX-License-Identifier: MIT
pragma solidity >=0.8.4;

/// @notice An unspent output. `scriptPubKey` is always empty: `getScriptForAddress` has it.
struct UTXO {
    bytes32 txId;
    uint256 index;
    uint256 value;
    bytes scriptPubKey;
}

/// @notice An input. `inValue` is in satoshis, of the output it spends; `scriptSig` may be cut, `fullScriptSigLength` never is.
struct Input {
    uint256 witnessElements;
    uint256 inValue;
    bytes32 inputTxId;
    uint256 sourceIndex;
    bytes scriptSig;
    uint256 sequence;
    uint256 fullScriptSigLength;
    bool containsFullScriptSig;
}

/// @notice An output. `outValue` is in satoshis; `script` may be cut, `fullScriptLength` never is.
/// `outputAddress` is always empty. `isOpReturn`: the script starts with OP_RETURN. `opReturnData`: when one push fills the rest
/// of that script, the pushed bytes, else all bytes after OP_RETURN; cut where `script` is. `isSpent` is false for an output that
/// nobody can spend (OP_RETURN, or a script of more than 10,000 bytes).
struct Output {
    uint256 outValue;
    bytes script;
    string outputAddress;
    bool isOpReturn;
    bytes opReturnData;
    bool isSpent;
    uint256 fullScriptLength;
    bool containsFullScript;
}

/// @notice A transaction with at most its first 32 inputs and 32 outputs, and 64 bytes of each script.
/// `vSize` holds the size without witnesses, as on Hemi; `totalInputs` and `totalOutputs` count all there are.
struct Transaction {
    bytes32 containingBlockHash;
    uint256 transactionVersion;
    uint256 size;
    uint256 vSize;
    uint256 lockTime;
    Input[] inputs;
    Output[] outputs;
    uint256 totalInputs;
    uint256 totalOutputs;
    bool containsAllInputs;
    bool containsAllOutputs;
}

/// @notice A block header with its place.
struct BitcoinHeader {
    uint32 height;
    bytes32 blockHash;
    uint32 version;
    bytes32 previousBlockHash;
    bytes32 merkleRoot;
    uint32 timestamp;
    uint32 bits;
    uint32 nonce;
}

/// @title IBitcoinKit: Bitcoin, as a contract reads it
/// @notice At 0x4200000000000000000000000000000000000102; selectors and structs are those of the kit of the public Hemi network.
/// Txids and block hashes are in display order. All answers are as of the Bitcoin block that the L2 block stands on, two blocks
/// behind the newest header (protocol section 4.3).
interface IBitcoinKit {
    /// @notice Satoshis of an address. Reverts with "Bitcoin address not valid".
    function getBitcoinAddressBalance(string calldata btcAddress) external view returns (uint64 balance);

    /// @notice Unspent outputs of an address, ordered by txid in internal byte order and index. Reverts with
    /// "Bitcoin address not valid", "pageNumber above 16777215" or "pageSize above 255".
    /// @param pageNumber How many outputs to skip: despite its name it counts outputs, not pages, as on Hemi.
    /// @param pageSize At most so many outputs, up to 255; 0 means 10.
    function getUTXOsForBitcoinAddress(string calldata btcAddress, uint32 pageNumber, uint32 pageSize)
        external
        view
        returns (UTXO[] memory);

    /// @notice The same, for callers of the older kit.
    function getUTXOsForBitcoinAddress(string calldata btcAddress, uint256 pageNumber, uint256 pageSize)
        external
        view
        returns (UTXO[] memory);

    /// @notice The script that pays an address. Reverts with "Bitcoin address not valid".
    function getScriptForAddress(string calldata btcAddress) external view returns (bytes memory script);

    /// @notice Whether an address decodes for the Bitcoin network of this chain.
    function isAddressValid(string calldata btcAddress) external view returns (bool);

    /// @notice Whether a transaction is in a block that this chain sees; coinbases are too.
    function transactionExists(bytes32 txId) external view returns (bool exists);

    /// @notice Confirmations, counted from the newest header. Reverts with "Bitcoin transaction not found".
    function getTxConfirmations(bytes32 txId) external view returns (uint32 confirmations);

    /// @notice A transaction. Reverts with "Bitcoin transaction not found", and with "Bitcoin input value unknown" when an input
    /// listed spends an output that is not indexed: a coinbase's, or one from before this chain's index.
    function getTransactionByTxId(bytes32 txId) external view returns (Transaction memory);

    /// @notice At most the first 32 inputs, 64 bytes of each script. Reverts as `getTransactionByTxId`.
    function getTransactionInputsByTxId(bytes32 txId) external view returns (Input[] memory);

    /// @notice At most the first 32 outputs, 64 bytes of each script, of any transaction, coinbases too. Reverts with
    /// "Bitcoin transaction not found".
    function getTransactionOutputsByTxId(bytes32 txId) external view returns (Output[] memory);

    /// @notice How many inputs a transaction has. Reverts as `getTransactionByTxId`, for the first input alone.
    function getTxInputCount(bytes32 txId) external view returns (uint32 txInputCount);

    /// @notice How many outputs a transaction has. Reverts with "Bitcoin transaction not found".
    function getTxOutputCount(bytes32 txId) external view returns (uint32 txOutputCount);

    /// @notice One input with its script uncut up to 65,535 bytes; a `sourceIndex` above 65,535 reads as 65,535. Reverts with
    /// "Bitcoin input not found" also when the output it spends is not indexed.
    function getSpecificTxInput(bytes32 txId, uint32 inputIndex) external view returns (Input memory);

    /// @notice One output with its script uncut up to 65,535 bytes. Reverts with "Bitcoin output not found".
    function getSpecificTxOutput(bytes32 txId, uint32 outputIndex) external view returns (Output memory);

    /// @notice The newest header whose block is indexed.
    function getLastHeader() external view returns (BitcoinHeader memory);

    /// @notice The header at a height, from this chain's first Bitcoin block to `getLastHeader`. Reverts with
    /// "Bitcoin header not found".
    function getHeaderN(uint32 height) external view returns (BitcoinHeader memory);
}
