/** Reads the protobuf wire format without knowing any message: what tests hold the writer to. */

export interface Field {
  readonly field: number
  readonly value: bigint | Uint8Array
}

/** The fields of a message in order. Throws where the bytes are no message. */
export const readFields = (bytes: Uint8Array): readonly Field[] => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const fields: Field[] = []
  let at = 0
  const varint = (): bigint => {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = view.getUint8(at++)
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
    throw new Error(`a varint before byte ${at} does not end`)
  }
  while (at < bytes.length) {
    const tag = Number(varint())
    const field = Math.floor(tag / 8)
    if (tag % 8 === 0) fields.push({ field, value: varint() })
    else if (tag % 8 === 1) {
      fields.push({ field, value: view.getBigUint64(at, true) })
      at += 8
    } else if (tag % 8 === 2) {
      const length = Number(varint())
      if (at + length > bytes.length) throw new Error(`a field before byte ${at} is longer than its message`)
      fields.push({ field, value: bytes.subarray(at, at + length) })
      at += length
    } else throw new Error(`wire type ${tag % 8} before byte ${at}`)
  }
  return fields
}

/** A message's fields by number, read as the test expects them. Reading a wrong kind throws. */
export class Message {
  readonly fields: readonly Field[]

  constructor(bytes: Uint8Array) {
    this.fields = readFields(bytes)
  }

  all(field: number): readonly Field["value"][] {
    return this.fields.filter((each) => each.field === field).map(({ value }) => value)
  }

  has(field: number): boolean {
    return this.all(field).length > 0
  }

  uint(field: number): number {
    const value = this.#last(field)
    if (typeof value !== "bigint") throw new Error(`field ${field} is no number`)
    return Number(value)
  }

  uints(field: number): readonly number[] {
    return this.all(field).map(Number)
  }

  double(field: number): number {
    const value = this.#last(field)
    if (typeof value !== "bigint") throw new Error(`field ${field} is no double`)
    const view = new DataView(new ArrayBuffer(8))
    view.setBigUint64(0, value)
    return view.getFloat64(0)
  }

  text(field: number): string {
    return new TextDecoder("utf-8", { fatal: true }).decode(this.#bytes(field))
  }

  message(field: number): Message {
    return new Message(this.#bytes(field))
  }

  messages(field: number): readonly Message[] {
    return this.all(field).map((value) => {
      if (typeof value === "bigint") throw new Error(`field ${field} is no message`)
      return new Message(value)
    })
  }

  #bytes(field: number): Uint8Array {
    const value = this.#last(field)
    if (typeof value === "bigint") throw new Error(`field ${field} has no bytes`)
    return value
  }

  #last(field: number): Field["value"] {
    const value = this.all(field).at(-1)
    if (value === undefined) throw new Error(`field ${field} is missing`)
    return value
  }
}
