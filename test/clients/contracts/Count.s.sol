// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

import {Counter} from "./Counter.sol";

interface Vm {
    function startBroadcast() external;
    function stopBroadcast() external;
}

/// @title Count: what `forge script` plays
contract Count {
    Vm private constant VM = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    function run() external returns (uint256) {
        VM.startBroadcast();
        Counter counter = new Counter(1);
        counter.add(2);
        VM.stopBroadcast();
        return counter.count();
    }
}
