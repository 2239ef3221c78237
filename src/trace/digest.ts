/**
 * A stable fingerprint of bytes, text and numbers: FNV-1a with 64 bits, kept in two unsigned 32-bit lanes so that it is
 * the same, and fast, wherever JavaScript runs. It tells accidents apart, not attacks.
 *
 * Source of the constants: the FNV-1a parameters for 64 bits (offset basis 0xcbf29ce484222325, prime 2^40 + 0x1b3).
 */

const PRIME_LOW = 0x1b3
const PRIME = (1n << 40n) + 0x1b3n
const utf8 = new TextEncoder()

export class Digest {
  #high = 0xcbf29ce4
  #low = 0x84222325
  readonly #number = new Float64Array(1)
  readonly #numberBytes = new Uint8Array(this.#number.buffer)

  /** Adds the bytes behind any view, in memory order (little-endian on every platform that runs JavaScript today). */
  bytes(view: ArrayBufferView): this {
    const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
    // Columns of zeros are common.
    let zeros = 0
    while (zeros < bytes.length && bytes[zeros] === 0) zeros++
    if (zeros === bytes.length) return this.#zeros(zeros)
    let high = this.#high | 0
    let low = this.#low | 0
    for (let i = 0; i < bytes.length; i++) {
      low ^= bytes[i]!
      // (high, low) × (2^40 + 0x1b3) in whole numbers of 32 bits: what the low lane's product has above them is carried, and 2^40 moves
      // the low lane 8 bits up in the high one.
      const carried = (Math.imul(low >>> 16, PRIME_LOW) + (Math.imul(low & 0xffff, PRIME_LOW) >>> 16)) >>> 16
      high = (Math.imul(high, PRIME_LOW) + carried + (low << 8)) | 0
      low = Math.imul(low, PRIME_LOW)
    }
    this.#high = high >>> 0
    this.#low = low >>> 0
    return this
  }

  /** Adds so many zero bytes: each only multiplies by the prime. */
  #zeros(count: number): this {
    let hash = (BigInt(this.#high) << 32n) | BigInt(this.#low)
    let power = PRIME
    for (let left = count; left > 0; left = Math.floor(left / 2)) {
      if (left % 2 === 1) hash = BigInt.asUintN(64, hash * power)
      power = BigInt.asUintN(64, power * power)
    }
    this.#high = Number(hash >> 32n)
    this.#low = Number(hash & 0xffffffffn)
    return this
  }

  /** Adds the UTF-8 bytes of `text` and a zero byte, so that "ab", "c" differs from "a", "bc". */
  text(text: string): this {
    return this.bytes(utf8.encode(`${text}\0`))
  }

  /** Adds the eight bytes of `value`; −0 counts as 0. */
  number(value: number): this {
    this.#number[0] = value + 0
    return this.bytes(this.#numberBytes)
  }

  /** 16 hexadecimal digits. The digest may go on afterwards. */
  hex(): string {
    return this.#high.toString(16).padStart(8, "0") + this.#low.toString(16).padStart(8, "0")
  }
}

/** Digest of one string's UTF-8 bytes or of one run of bytes, 16 hexadecimal digits. */
export const digestOf = (content: string | ArrayBufferView): string =>
  new Digest().bytes(typeof content === "string" ? utf8.encode(content) : content).hex()
