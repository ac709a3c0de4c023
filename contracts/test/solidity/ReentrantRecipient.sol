// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TUNNEL} from "../../solidity/addresses.sol";
import {Tunnel} from "../../solidity/Tunnel.sol";

/// @dev Refuses coins until told otherwise; then it tries to claim from Tunnel each time that coins arrive.
contract ReentrantRecipient {
    bool public accepting;
    uint32 public payments;
    bytes4 public innerError;
    bytes4 public secondError;

    receive() external payable {
        require(accepting);
        payments += 1;
        try Tunnel(payable(TUNNEL)).claim(payable(address(this))) {}
        catch (bytes memory reason) {
            innerError = bytes4(reason);
        }
    }

    function accept() external {
        accepting = true;
    }

    function claimTwice() external {
        Tunnel(payable(TUNNEL)).claim(payable(address(this)));
        try Tunnel(payable(TUNNEL)).claim(payable(address(this))) {}
        catch (bytes memory reason) {
            secondError = bytes4(reason);
        }
    }
}
