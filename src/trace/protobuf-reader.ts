/** Reads the protobuf wire format one field at a time, without building anything for fields nobody asks for. */

/** Bytes that are no message: where and what. */
export class ProtobufError extends Error {
  /** Byte of the message at which it was noticed. */
  readonly at: number
  constructor(at: number, what: string) {
    super(`${what} at byte ${at}`)
    this.at = at
  }
}

const utf8 = new TextDecoder()

export class ProtobufReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0
  /** Of the field last read. */
  field = 0
  /** A number of the field last read: of a varint, or of eight or four fixed bytes as an unsigned integer; exact below 2^53. */
  value = 0
  /** Where the field's value begins. */
  #start = 0
  #wire = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** Where the next field begins. */
  get at(): number {
    return this.#at
  }

  /** Goes to the next field; false at the end of the message. Throws `ProtobufError`. */
  next(): boolean {
    if (this.#at >= this.#bytes.length) return false
    const tag = this.#varint()
    this.field = Math.floor(tag / 8)
    this.#wire = tag % 8
    this.#start = this.#at
    if (this.#wire === 0) this.value = this.#varint()
    else if (this.#wire === 1) {
      this.#skip(8)
      this.value =
        this.#view.getUint32(this.#start, true) + this.#view.getUint32(this.#start + 4, true) * 2 ** 32
    } else if (this.#wire === 5) {
      this.#skip(4)
      this.value = this.#view.getUint32(this.#start, true)
    } else if (this.#wire === 2) {
      const length = this.#varint()
      this.#start = this.#at
      this.#skip(length)
    } else throw new ProtobufError(this.#at, `wire type ${this.#wire}`)
    return true
  }

  /** Bytes of a nested message, a string or packed numbers. */
  get bytes(): Uint8Array {
    return this.#wire === 2 ? this.#bytes.subarray(this.#start, this.#at) : new Uint8Array()
  }

  get message(): ProtobufReader {
    return new ProtobufReader(this.bytes)
  }

  get text(): string {
    return utf8.decode(this.bytes)
  }

  /** The field as a double; of a varint its value as a signed 64-bit integer. */
  get double(): number {
    if (this.#wire === 1) return this.#view.getFloat64(this.#start, true)
    return this.value >= 2 ** 63 ? this.value - 2 ** 64 : this.value
  }

  #varint(): number {
    let value = 0
    for (let scale = 1; scale < 2 ** 70; scale *= 128) {
      if (this.#at >= this.#bytes.length) throw new ProtobufError(this.#at, "the file breaks off")
      const byte = this.#bytes[this.#at++]!
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
    }
    throw new ProtobufError(this.#at, "a number that does not end")
  }

  #skip(bytes: number): void {
    if (this.#at + bytes > this.#bytes.length) throw new ProtobufError(this.#at, "the file breaks off")
    this.#at += bytes
  }
}
