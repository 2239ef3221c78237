/**
 * Writes the protobuf wire format: varints, doubles, fixed 64-bit numbers, strings and nested messages.
 *
 * A nested message's length is not known when it begins, so four bytes are kept for it and filled in at its end as a
 * padded varint, which every reader accepts.
 */

const VARINT = 0
const FIXED64 = 1
const LENGTH_DELIMITED = 2
const LENGTH_BYTES = 4
const TWO_32 = 2 ** 32

const utf8 = new TextEncoder()

export class ProtobufWriter {
  #bytes = new Uint8Array(1024)
  #view = new DataView(this.#bytes.buffer)
  #length = 0

  /** Bytes written since the last `take`. */
  get length(): number {
    return this.#length
  }

  /** A non-negative integer up to 2^53, an enum or a boolean as 0 or 1. */
  uint(field: number, value: number): void {
    this.#room(20)
    this.#tag(field, VARINT)
    this.#varint(value)
  }

  double(field: number, value: number): void {
    this.#room(20)
    this.#tag(field, FIXED64)
    this.#view.setFloat64(this.#length, value, true)
    this.#length += 8
  }

  /** A non-negative integer up to 2^53 in eight bytes. */
  fixed64(field: number, value: number): void {
    this.#room(20)
    this.#tag(field, FIXED64)
    this.#view.setUint32(this.#length, value % TWO_32, true)
    this.#view.setUint32(this.#length + 4, Math.floor(value / TWO_32), true)
    this.#length += 8
  }

  string(field: number, value: string): void {
    const bytes = utf8.encode(value)
    this.#room(20 + bytes.length)
    this.#tag(field, LENGTH_DELIMITED)
    this.#varint(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  /** A nested message (below 256 MiB) whose fields `write` writes. */
  message(field: number, write: () => void): void {
    this.#room(20)
    this.#tag(field, LENGTH_DELIMITED)
    this.#length += LENGTH_BYTES
    const start = this.#length
    write()
    let rest = this.#length - start
    for (let i = LENGTH_BYTES; i >= 1; i--) {
      this.#bytes[start - i] = (rest & 0x7f) | (i > 1 ? 0x80 : 0)
      rest >>>= 7
    }
  }

  /** A copy of what was written; the writer starts again empty. */
  take(): Uint8Array {
    const bytes = this.#bytes.slice(0, this.#length)
    this.#length = 0
    return bytes
  }

  #tag(field: number, wireType: number): void {
    this.#varint(field * 8 + wireType)
  }

  #varint(value: number): void {
    let rest = value
    // Beyond 31 bits the bit operators would wrap, so division takes over.
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest % 0x80) | 0x80
      rest = rest < 0x80000000 ? rest >>> 7 : Math.floor(rest / 0x80)
    }
    this.#bytes[this.#length++] = rest
  }

  #room(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(this.#length + bytes, this.#bytes.length * 2))
    larger.set(this.#bytes)
    this.#bytes = larger
    this.#view = new DataView(larger.buffer)
  }
}
