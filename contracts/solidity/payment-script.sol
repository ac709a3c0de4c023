// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @dev Whether a scriptPubKey is exactly P2PKH, P2SH, P2WPKH, P2WSH or P2TR: what a withdrawal may pay (protocol section 10).
function isPaymentScript(bytes calldata script) pure returns (bool) {
    if (script.length == 25) return bytes3(script) == 0x76a914 && bytes2(script[23:]) == 0x88ac;
    if (script.length == 23) return bytes2(script) == 0xa914 && script[22] == 0x87;
    if (script.length == 22) return bytes2(script) == 0x0014;
    if (script.length == 34) return bytes2(script) == 0x0020 || bytes2(script) == 0x5120;
    return false;
}
