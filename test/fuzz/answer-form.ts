import { compare, displayBytes, fromBigEndian } from '@hemid/protocol';

/** What a precompile answered; `undefined` when the call failed. */
export type Answer = Uint8Array | undefined;

/** A reader that must come out exactly at the end. */
function createReader(bytes: Uint8Array) {
  let offset = 0;
  const take = (size: number): Uint8Array => {
    if (offset + size > bytes.length) throw new Error(`the answer ends at ${bytes.length}, before ${offset + size}`);
    offset += size;
    return bytes.subarray(offset - size, offset);
  };
  const number = (size: number): number => Number(fromBigEndian(take(size)));
  return {
    take,
    number,
    /** length u16 ‖ bytes cut to `max`. */
    cut(max: number): void {
      take(Math.min(number(2), max));
    },
    flag(): void {
      if (number(1) > 1) throw new Error('a byte that must be 00 or 01 is neither');
    },
    end(): void {
      if (offset !== bytes.length) throw new Error(`the answer has ${bytes.length - offset} bytes more than its parts`);
    },
  };
}

function checkTransaction(bytes: Uint8Array, input: Uint8Array): void {
  const [f1 = 0, f2 = 0, f3 = 0, f4 = 0] = input.subarray(32);
  const reader = createReader(bytes);
  if (f1 & 0x40) reader.take(32);
  if (f1 & 0x20) reader.take(4);
  if (f1 & 0x10) {
    const total = reader.number(4);
    if (total < reader.number(4)) throw new Error('a transaction is smaller with its witnesses than without');
  }
  if (f1 & 0x08) reader.take(4);
  if (f1 & 0x04) {
    const emitted = Math.min(reader.number(2), 2 ** ((f3 >> 3) & 7));
    for (let i = 0; i < emitted; i += 1) {
      if (f1 & 0x40) reader.take(2);
      reader.take(8);
      if (f1 & 0x02) reader.take(36);
      if (f1 & 0x01) reader.cut(2 ** (4 + ((f4 >> 2) & 3)));
      if (f2 & 0x80) reader.take(4);
    }
  }
  if (f2 & 0x20) {
    const emitted = Math.min(reader.number(2), 2 ** (f3 & 7));
    for (let i = 0; i < emitted; i += 1) {
      reader.take(8);
      if (f2 & 0x10) reader.cut(2 ** (4 + (f4 & 3)));
      if (f2 & 0x04) reader.flag();
    }
  }
  reader.end();
}

function checkUnspent(bytes: Uint8Array, input: Uint8Array): void {
  const reader = createReader(bytes);
  const count = reader.number(1);
  const size = input.at(-1) ?? 0;
  if (count > (size === 0 ? 10 : size)) throw new Error(`${count} outputs are more than were asked for`);
  let last: Uint8Array | undefined;
  for (let i = 0; i < count; i += 1) {
    const txid = displayBytes(reader.take(32));
    const key = new Uint8Array([...txid, ...reader.take(2)]);
    if (last !== undefined && compare(last, key) >= 0) throw new Error('the outputs are not in order');
    last = key;
    reader.take(8);
  }
  reader.end();
}

function checkInput(bytes: Uint8Array, input: Uint8Array): void {
  const reader = createReader(bytes);
  reader.take(2 + 8 + 32 + 2);
  reader.cut(Number(fromBigEndian(input.subarray(34, 36))));
  reader.take(4);
  reader.end();
}

function checkOutput(bytes: Uint8Array, input: Uint8Array): void {
  const reader = createReader(bytes);
  reader.take(8);
  reader.cut(Number(fromBigEndian(input.subarray(34, 36))));
  reader.flag();
  reader.end();
}

function checkWitness(bytes: Uint8Array, input: Uint8Array): void {
  const reader = createReader(bytes);
  reader.cut(Number(fromBigEndian(input.subarray(36, 38))));
  reader.end();
}

const sized =
  (...sizes: number[]) =>
  (bytes: Uint8Array): void => {
    if (!sizes.includes(bytes.length)) throw new Error(`the answer has ${bytes.length} bytes`);
  };

interface Form {
  /** Whether an input of this length can have a value at all; others are empty. */
  takes(length: number): boolean;
  canFail: boolean;
  check(bytes: Uint8Array, input: Uint8Array): void;
}

const exactly = (size: number) => (length: number) => length === size;

/** What every answer of a precompile looks like (protocol section 5). */
const FORMS = new Map<number, Form>([
  [0x40, { takes: (length) => length >= 24, canFail: false, check: sized(8) }],
  [0x41, { takes: (length) => length >= 28, canFail: false, check: checkUnspent }],
  [0x42, { takes: exactly(36), canFail: false, check: checkTransaction }],
  [0x43, { takes: exactly(32), canFail: true, check: sized(4) }],
  [0x44, { takes: () => true, canFail: false, check: sized(116) }],
  [0x45, { takes: exactly(4), canFail: false, check: sized(116) }],
  [0x46, { takes: (length) => length >= 24, canFail: true, check: sized(22, 23, 25, 34) }],
  [0x47, { takes: exactly(36), canFail: false, check: checkInput }],
  [0x48, { takes: exactly(36), canFail: false, check: checkOutput }],
  [0x49, { takes: exactly(38), canFail: false, check: checkWitness }],
]);

/** @throws unless an answer has the form that the protocol gives it. */
export function checkForm(address: number, input: Uint8Array, answer: Answer): void {
  const form = FORMS.get(address) as Form;
  if (answer === undefined) {
    if (!form.canFail || !form.takes(input.length)) throw new Error('the call failed');
    return;
  }
  if (answer.length === 0) {
    if ((form.canFail || address === 0x44) && form.takes(input.length)) throw new Error('the answer is empty');
    return;
  }
  if (!form.takes(input.length)) throw new Error('an input of a wrong length has a value');
  form.check(answer, input);
}
