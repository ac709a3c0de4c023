import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PartialExchange, Received } from './exchange.ts';

/**
 * Exchange by files, for signers without a network: this custodian's PSBT is `<txid>.<name>.psbt` (base64) in a folder, and
 * every other `<txid>.*.psbt` there is read. Any tool that signs PSBTs can add one.
 */
export function createFolderExchange({ folder, name }: { folder: string; name: string }): PartialExchange {
  return {
    async publish(txid, psbt) {
      await mkdir(folder, { recursive: true });
      const file = join(folder, `${txid}.${name}.psbt`);
      // Whole or not at all: another process may read it at any time.
      await writeFile(`${file}.tmp`, psbt);
      await rename(`${file}.tmp`, file);
    },
    async collect(txid, onTrouble) {
      const received: Received[] = [];
      for (const file of await readdir(folder)) {
        if (!file.startsWith(`${txid}.`) || !file.endsWith('.psbt') || file === `${txid}.${name}.psbt`) continue;
        try {
          received.push({ from: file, psbt: await readFile(join(folder, file), 'utf8') });
        } catch (error) {
          onTrouble(file, error);
        }
      }
      return received;
    },
  };
}
