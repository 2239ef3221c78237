import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Message } from "./protobuf.fixture.ts"
import { ProtobufWriter } from "./protobuf.ts"

const whole = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })
const field = fc.integer({ min: 1, max: 2000 })

const written = (write: (out: ProtobufWriter) => void): Message => {
  const out = new ProtobufWriter()
  write(out)
  return new Message(out.take())
}

describe("the protobuf writer", () => {
  it("writes numbers and text that read back the same", () => {
    fc.assert(
      fc.property(
        field,
        whole,
        fc.double({ noNaN: true }),
        fc.string({ unit: "binary", maxLength: 3000 }),
        (id, uint, double, text) => {
          expect(written((out) => out.uint(id, uint)).uint(id)).toBe(uint)
          expect(written((out) => out.fixed64(id, uint)).uint(id)).toBe(uint)
          expect(written((out) => out.double(id, double)).double(id)).toBe(double)
          expect(written((out) => out.string(id, text)).text(id)).toBe(text.toWellFormed())
        }
      )
    )
  })

  it("writes messages within messages, of any size", () => {
    fc.assert(
      fc.property(fc.array(whole, { maxLength: 500 }), (values) => {
        const message = written((out) => {
          out.message(1, () => {
            out.message(2, () => values.forEach((value) => out.uint(3, value)))
            out.uint(4, 7)
          })
          out.uint(5, 8)
        })
        expect(message.message(1).message(2).uints(3)).toEqual(values)
        expect(message.message(1).uint(4)).toBe(7)
        expect(message.uint(5)).toBe(8)
      })
    )
  })

  it("starts again empty when its bytes are taken", () => {
    const out = new ProtobufWriter()
    out.uint(1, 300)
    // Field 1, varint 300: the example of the protobuf encoding guide, for field 1 instead of its 150.
    expect([...out.take()]).toEqual([0x08, 0xac, 0x02])
    expect(out.length).toBe(0)
    expect(out.take()).toEqual(new Uint8Array())
  })
})
