import type { MethodExample } from '../method.ts';

const latestBlock = {
  number: '0xa',
  hash: '0xe763476543166c6a2a8e6d635c3aeca3c6f4ca0c376014a087a263574f7533e1',
};
const finalBlock = {
  number: '0x4',
  hash: '0xe4cd59561871e14f8f15c8443d559b44637b2c53dc13d395bf41dd2fd6c54c43',
};
const keystone = {
  number: '0x5',
  hash: '0x3a881a280f52c4846c92c07e30378549228355cb0a5f4ea3c64e79a547485bfe',
};
const bitcoinTip = {
  height: 128,
  hash: '1368bf9c21f250469132eb1a93e4f5fcf12b9352f3a903772d585937c46fb81e',
};
/** That of the keystone above the final block. */
const publication = {
  keystone,
  confirmations: 11,
  bitcoinHeight: 117,
  bitcoinBlockHash: '5238353f6605333a201135040d2df8f1f2e19ca81b708fdd9c23cd0f34b1c324',
  bitcoinTxid: '5cc12e9fec5e27a6cc91ee6778303021ad78719f4731b7309b01eda3ad919269',
  transactionIndex: 1,
  outputIndex: 0,
  miner: '0x55698a14182c07e2c91a8b4d291dbbc17cb287ae',
};

/** Calls of `hemi_` methods, on one and the same chain; long bytes are cut. */
export const hemiExamples = {
  hemi_getSealedBlocks: {
    params: [1, 1],
    result: ['0xf90863f9081df90281a01a6c…'],
  },
  hemi_getBitcoinBlock: {
    params: ['1368bf9c21f250469132eb1a93e4f5fcf12b9352f3a903772d585937c46fb81e'],
    result: '0x000000208b7dc47fefacaad4…',
  },
  hemi_getStatus: {
    params: [],
    result: {
      ready: true,
      reasons: [],
      latest: {
        ...latestBlock,
        bitcoinTip: '1368bf9c21f250469132eb1a93e4f5fcf12b9352f3a903772d585937c46fb81e',
      },
      safe: {
        ...finalBlock,
        bitcoinTip: '0a3edb45ff9be07e8ed4a9487005330999884e591eabf759943191fb943ce5ca',
      },
      finalized: {
        ...finalBlock,
        bitcoinTip: '0a3edb45ff9be07e8ed4a9487005330999884e591eabf759943191fb943ce5ca',
      },
    },
  },
  hemi_getFinality: {
    params: ['0x4'],
    result: {
      block: finalBlock,
      status: 'super',
      confirmations: 11,
      thresholds: {
        super: 10,
        ultra: 20,
      },
      keystone,
      publication,
      bitcoinTip,
    },
  },
  hemi_getHeads: {
    params: [],
    result: {
      latest: latestBlock,
      safe: {
        ...finalBlock,
        publication,
      },
      finalized: {
        ...finalBlock,
        publication,
      },
      thresholds: {
        safe: 1,
        finalized: 10,
      },
      bitcoinTip,
    },
  },
  hemi_getPopPayouts: {
    params: ['0x5'],
    result: {
      keystone: {
        ...keystone,
        id: 'b48557b0d2b39d408f11a7c911ee06af7ddf7b4fc9c8af785eec63e5fa59e7fa',
      },
      status: 'paid',
      explanation: 'published at 117, paid',
      pool: '0x56bc75e2d63100000',
      window: {
        opened: 117,
        closes: 125,
      },
      bitcoinHeight: 126,
      payees: [
        {
          miner: '0x55698a14182c07e2c91a8b4d291dbbc17cb287ae',
          score: '0x186a0',
          amount: '0x56bc75e2d63100000',
          bitcoinHeight: 117,
          bitcoinTxid: '5cc12e9fec5e27a6cc91ee6778303021ad78719f4731b7309b01eda3ad919269',
        },
      ],
    },
  },
  hemi_getPopMiner: {
    params: ['0x55698a14182c07e2c91a8b4d291dbbc17cb287ae'],
    result: {
      miner: '0x55698a14182c07e2c91a8b4d291dbbc17cb287ae',
      paid: '0x56bc75e2d63100000',
      pending: '0x0',
      publications: [
        {
          keystone: {
            ...keystone,
            id: 'b48557b0d2b39d408f11a7c911ee06af7ddf7b4fc9c8af785eec63e5fa59e7fa',
          },
          status: 'paid',
          explanation: 'published at 117, paid',
          score: '0x186a0',
          amount: '0x56bc75e2d63100000',
          bitcoinHeight: 117,
          bitcoinTxid: '5cc12e9fec5e27a6cc91ee6778303021ad78719f4731b7309b01eda3ad919269',
        },
      ],
    },
  },
  hemi_getEvidence: {
    params: ['0x0', 10],
    result: [],
  },
  hemi_getDeposit: {
    params: ['e6050e3c2f6b69560a4496646992d6febb3d388e85b2d56c892bfe505d4298b7'],
    result: {
      txid: 'e6050e3c2f6b69560a4496646992d6febb3d388e85b2d56c892bfe505d4298b7',
      status: 'credited',
      explanation: 'credited in L2 block 1',
      bitcoin: {
        height: 111,
        blockHash: '2f40885fc3e0788ea38b5d512a29283a20f909c3088e4b6ce92888830d73b558',
        confirmations: 18,
      },
      dueAtBitcoinHeight: null,
      confirmationsLeft: null,
      deposit: {
        sats: '0xf3a70',
        recipient: '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266',
        payload: '0x',
        vout: 0,
      },
      block: {
        number: '0x1',
        hash: '0x891ec126f0fb24fb5682cd2f3c9ca99b486a30fe7cf9ba8f8483ff6f84a755de',
      },
      transactionHash: '0xdbff3306f1055e8cd6cc8b1867a8c3ca14d3ddf7daa3a5a8a67277070cd52644',
    },
  },
  hemi_getWithdrawal: {
    params: [1],
    result: {
      id: '0x1',
      status: 'requested',
      explanation: 'its block is not final yet; the next to be paid',
      sats: '0xc350',
      feeSats: '0xbb8',
      paysSats: '0xb798',
      script: '0x0014abababababababababababababababababababab',
      address: 'bcrt1q4w46h2at4w46h2at4w46h2at4w46h2atzmxqe2',
      block: {
        number: '0x6',
        hash: '0xa03d3e793abdf16c68b3dd66d79c0d7e9abc2e742920215eecfbefa617d49d1c',
      },
      paidBefore: '0x0',
      bitcoinTxid: null,
    },
  },
  hemi_getRecoveryList: {
    params: [],
    result: {
      payments: [
        {
          txid: '43d31d9cf8ea47ef06bc1d36e54dffb6ac75cba52a0db12cd597bea420d97929',
          status: 'refused',
          explanation: 'no deposit: it names no recipient in its first 8 outputs',
          sats: '0xea60',
          outputs: [
            {
              vout: 0,
              sats: '0xea60',
              script: '0x0020b1a714015f2c3ab8da050034190c97340d9eeda72b832fc79a3f5e20c4481e31',
              address: 'bcrt1qkxn3gq2l9sat3ks9qq6pjryhxsxeamd89wpjl3u68a0zp3zgrccsszz6lh',
              spentAtBitcoinHeight: null,
            },
          ],
          sender: { script: '0x76a91484d312aa0bd605c8d1f96286081107dbce5ff3f788ac', address: 'msdGLyhNMMBVvE6SywcHHYNo1EjwXTC23D' },
          recipient: null,
          bitcoin: { height: 113, blockHash: '315c17173d50abb2245a4a8411bb10af2c7eb194e8a1b03f5c3828e0c14b00a4', confirmations: 18 },
        },
      ],
      next: null,
    },
  },
  hemi_getReserves: {
    params: [],
    result: {
      creditedSats: '0xf3a70',
      requestedSats: '0xc350',
      settledSats: '0x0',
      requests: '0x1',
      reserveSats: '0xf4240',
      liabilitySats: '0xf3a70',
      deficitSats: '0x0',
      vaults: [
        {
          address: 'bcrt1qkxn3gq2l9sat3ks9qq6pjryhxsxeamd89wpjl3u68a0zp3zgrccsszz6lh',
          sats: '0xf4240',
        },
      ],
      alarms: [],
    },
  },
} satisfies Record<string, MethodExample>;
