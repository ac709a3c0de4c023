import { z } from 'zod';
import { fail } from '../errors.ts';
import { type Method, type MethodTable, method } from '../method.ts';
import { underPrefixes } from './dev-param.ts';

/** A verb that other development networks have and the rules of this chain do not allow: every node would refuse its blocks. */
const refuse = (why: string): Method =>
  method({
    doc: `Always refused: ${why}.`,
    result: z.null(),
    params: { value: z.unknown() },
    handle() {
      throw fail('rpc/fixed', why);
    },
  });

const feeOfParent =
  'the base fee follows from the block before (EIP-1559), and each node checks it: send with a maxFeePerGas above it, or give genesis.baseFee in the chain spec';
const lowestPrice = 'the base fee is the lowest price of gas (EIP-1559)';
const gasLimit = 'the gas limit of a block is that of the chain spec: give genesis.gasLimit there';
const beneficiary = 'fees go to the feeRecipient of the sequencer whose slot it is: give genesis.sequencers in the chain spec';
const randomness = 'the random value of a block follows from its number and the Bitcoin block that it names';

const both = { setNextBlockBaseFeePerGas: refuse(feeOfParent), setMinGasPrice: refuse(lowestPrice), setCoinbase: refuse(beneficiary) };

/** What a development network cannot set, for the rules of the chain fix it. */
export const devFixed: MethodTable = {
  ...underPrefixes(['anvil', 'hardhat'], both),
  ...underPrefixes(['evm', 'anvil'], { setBlockGasLimit: refuse(gasLimit) }),
  hardhat_setPrevRandao: refuse(randomness),
  anvil_setChainId: refuse('the chain id is part of the genesis: give genesis.chainId in the chain spec'),
};
