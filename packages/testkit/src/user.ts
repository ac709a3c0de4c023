import type { Node } from '@hemid/node';
import { fromHex, type Hex, type Receipt, toHex } from '@hemid/protocol';
import { type Abi, encodeDeployData, encodeFunctionData, getContractAddress } from 'viem';
import { mnemonicToAccount } from 'viem/accounts';

/** Someone with a funded account of the development mnemonic. */
export interface User {
  address: Hex;
  /** Signs and hands a transaction to the node's pool; @returns its hash. */
  send(request: { to?: Hex; data?: Hex; value?: bigint; gas?: bigint }): Promise<Hex>;
  /** Deploys a contract; @returns its address once a block has taken the transaction. */
  deploy(contract: { abi: Abi; bytecode: Hex }): Promise<Hex>;
  /** Sends a call of a contract's function. */
  transact(contract: { address: Hex; abi: Abi }, functionName: string, args?: readonly unknown[]): Promise<Hex>;
}

const MNEMONIC = 'test test test test test test test test test test test junk';

/** The user with the account at `index` of the mnemonic, talking to a node with a pool. */
export function createUser(node: Node, index: number): User {
  const account = mnemonicToAccount(MNEMONIC, { addressIndex: index });
  const { pool, chain } = node;
  if (pool === undefined) throw new Error('a user needs a node with a pool');

  async function send({ to, data, value = 0n, gas = 2_000_000n }: { to?: Hex; data?: Hex; value?: bigint; gas?: bigint }): Promise<Hex> {
    const nonce = Number(await pool?.nonce(fromHex(account.address)));
    const raw = await account.signTransaction({
      chainId: chain.spec.genesis.chainId,
      type: 'eip1559',
      nonce,
      gas,
      maxFeePerGas: 10n ** 10n,
      maxPriorityFeePerGas: 10n ** 6n,
      value,
      ...(to === undefined ? {} : { to }),
      ...(data === undefined ? {} : { data }),
    });
    return toHex((await pool?.submit(fromHex(raw))) ?? new Uint8Array());
  }

  return {
    address: account.address,
    send,
    async deploy({ abi, bytecode }) {
      const nonce = (await pool.nonce(fromHex(account.address))) as bigint;
      await send({ data: encodeDeployData({ abi, bytecode }) });
      return getContractAddress({ from: account.address, nonce });
    },
    transact: ({ address, abi }, functionName, args = []) => send({ to: address, data: encodeFunctionData({ abi, functionName, args }) }),
  };
}

/** The receipt of a canonical transaction, or `undefined`. */
export function receiptOf(node: Node, hash: Hex): Receipt | undefined {
  const place = node.chain.transaction(fromHex(hash));
  return place === undefined ? undefined : node.chain.receipts(place.blockHash)?.[place.index];
}
