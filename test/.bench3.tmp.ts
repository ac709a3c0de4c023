const CPU=()=>{const c=process.cpuUsage();return (c.user+c.system)/1000};
import { bitcoinIndex, hashScript } from '@hemid/bitcoin';
import { openStore, openMemoryStore } from '@hemid/store';
import { mkdtempSync } from 'node:fs';
const dir = mkdtempSync('/tmp/benchdb-');
const store = await openStore(dir);
const N=150, T=500;
const script = new Uint8Array(34).fill(7); script[0]=0; script[1]=32;
// blocks in memory: each tx spends one, makes two; coins
let coins: any[] = [];
const blocks: any[] = [];
let ctr=0;
const id=()=>{ctr++; const b=new Uint8Array(32); const h=hashScript(Uint8Array.of(ctr&255,(ctr>>8)&255,(ctr>>16)&255)); return h;};
for (let h=1;h<=N;h++){
  const txs:any[]=[{txid:id(),isCoinbase:true,version:1,locktime:0,inputs:[],outputs:[{script,valueSats:5n}]}];
  const fresh:any[]=[];
  for(let i=0;i<T;i++){
    const c=coins.shift();
    const txid=id();
    txs.push({txid,isCoinbase:false,version:1,locktime:0,inputs:c?[{txid:c[0],vout:c[1],witness:[],scriptSig:new Uint8Array(),sequence:0}]:[],outputs:[{script,valueSats:1n},{script,valueSats:1n}]});
    fresh.push([txid,0],[txid,1]);
  }
  coins.push(...fresh);
  blocks.push({block:{hash:new Uint8Array(32),header:new Uint8Array(80),transactions:txs},height:h});
}
for (const mode of [] as any[]) {
  const t0=CPU();
  for (const b of blocks){ const batch=store.batch(); bitcoinIndex.apply(b,batch); await batch.commit(); }
  const ms=CPU()-t0;
  console.log('hot script tx/s', Math.round(N*T/ms*1000), 'ms/block', (ms/N).toFixed(1), 'utxos', coins.length);
}
const store2 = await openStore(mkdtempSync('/tmp/benchdb-'));
const t0=CPU();
let k=0;
for (const b of blocks){ for(const t of b.block.transactions) for (const o of t.outputs){k++; const s=script.slice(); s[5]=k&255;s[6]=(k>>8)&255;s[7]=k>>16; o.script=s;} }
const t1=CPU();
for (const b of blocks){ const batch=store2.batch(); bitcoinIndex.apply(b,batch); await batch.commit(); }
console.log('distinct scripts tx/s', Math.round(N*T/(CPU()-t1)*1000));
