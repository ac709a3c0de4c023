import type { MethodExample } from '../method.ts';

/** Where a block comes from, on the chain of the other examples; long bytes are cut. */
export const provenanceExample: MethodExample = {
  params: ['0x4'],
  result: {
    subject: {
      kind: 'block',
      id: '0xe4cd59561871e14f8f15c8443d559b44637b2c53dc13d395bf41dd2fd6c54c43',
    },
    block: {
      number: 4,
      hash: '0xe4cd59561871e14f8f15c8443d559b44637b2c53dc13d395bf41dd2fd6c54c43',
      time: 1800000004,
      bitcoinTip: '0a3edb45ff9be07e8ed4a9487005330999884e591eabf759943191fb943ce5ca',
    },
    keystone: {
      number: 5,
      hash: '0x3a881a280f52c4846c92c07e30378549228355cb0a5f4ea3c64e79a547485bfe',
      id: 'b48557b0d2b39d408f11a7c911ee06af7ddf7b4fc9c8af785eec63e5fa59e7fa',
      time: 1800000005,
      sealedBy: '0x0694da01d26dd54cea9dd63724bedff922dd5a56',
    },
    anchor: {
      txid: '5cc12e9fec5e27a6cc91ee6778303021ad78719f4731b7309b01eda3ad919269',
      height: 117,
      blockHash: '5238353f6605333a201135040d2df8f1f2e19ca81b708fdd9c23cd0f34b1c324',
      time: 1800000005,
      confirmations: 11,
    },
    bitcoin: {
      checkpoint: {
        height: 116,
        hash: '0a3edb45ff9be07e8ed4a9487005330999884e591eabf759943191fb943ce5ca',
      },
      tip: {
        height: 128,
        hash: '1368bf9c21f250469132eb1a93e4f5fcf12b9352f3a903772d585937c46fb81e',
        time: 1800000006,
      },
      workBits: 4,
    },
    doesNotProve: [
      'that the block was executed correctly: it was sealed by the sequencer and anchored in Bitcoin, and verifiers execute it',
      'that no other branch of the L2 chain exists, or wins',
      'that the Bitcoin headers end at the best tip of today',
      'that the checkpoint and the chain spec are the right ones: they were given',
    ],
    missing: null,
    proof: {
      format: 'hemid-provenance-v1',
      spec: '0x2e43a001e54032a71ac8836537cd51e990d57b51e9c314a4167127340b6a0714',
      headers: ['0xf9027ea04a2bafb57b38d66c…'],
      history: {
        account: ['0xf901b1a0b91a8b7a7e9d3eab…'],
        parent: ['0xf8b18080a05218edff9b5ab6…'],
      },
      seal: '0xc30ee179d8cfdd3e85c84522…',
      anchor: {
        height: 117,
        index: 1,
        transaction: '0x0200000001dc3227637ad91d…',
        branch: ['0xfc02ac7319e446406bf1d4a34f2e11296d6cf440c609863802da09439c816f6a'],
        coinbase: '0x020000000100000000000000…',
        coinbaseBranch: ['0x699291ada3ed019b30b731479f7178ad2130307867ee91cca6275eec9f2ec15c'],
      },
      bitcoin: {
        height: 106,
        headers: '0x00000020081bdf87503f9fec…',
        tip: '0x1eb86fc43759582d7703a9f352932bf1fcf5e4931aeb32914650f2219cbf6813',
      },
    },
  },
};
