// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TUNNEL} from "../../solidity/addresses.sol";
import {Tunnel} from "../../solidity/Tunnel.sol";

/// @dev Asks Tunnel to withdraw whatever coins arrive, in the same breath; keeps them when that is refused.
contract ReentrantWithdrawer {
    bytes4 public innerError;
    uint32 public refusals;

    receive() external payable {
        try Tunnel(payable(TUNNEL)).withdraw{value: msg.value}(_script()) {}
        catch (bytes memory reason) {
            innerError = bytes4(reason);
            refusals += 1;
        }
    }

    function claim() external {
        Tunnel(payable(TUNNEL)).claim(payable(address(this)));
    }

    function withdraw() external {
        Tunnel(payable(TUNNEL)).withdraw{value: address(this).balance}(_script());
    }

    function _script() private pure returns (bytes memory) {
        return abi.encodePacked(bytes2(0x0014), bytes20(0));
    }
}
