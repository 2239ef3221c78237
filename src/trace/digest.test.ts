import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Digest, digestOf } from "./digest.ts"

/** The definition, word for word, in arbitrary precision. */
const reference = (bytes: Uint8Array): string => {
  let hash = 0xcbf29ce484222325n
  for (const byte of bytes) hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & 0xffffffffffffffffn
  return hash.toString(16).padStart(16, "0")
}

describe("digest", () => {
  it.each([
    ["", "cbf29ce484222325"],
    ["a", "af63dc4c8601ec8c"],
    ["foobar", "85944171f73967e8"]
  ])("of %j is the published FNV-1a value", (text, hex) => {
    expect(digestOf(text)).toBe(hex)
  })

  it("is FNV-1a of any bytes", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => digestOf(bytes) === reference(bytes)))
  })

  it("does not depend on how bytes are split", () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.nat(), (bytes, where) => {
        const cut = where % (bytes.length + 1)
        expect(new Digest().bytes(bytes.subarray(0, cut)).bytes(bytes.subarray(cut)).hex()).toBe(
          digestOf(bytes)
        )
      })
    )
  })

  it("tells where one text ends and the next begins", () => {
    expect(new Digest().text("ab").text("c").hex()).not.toBe(new Digest().text("a").text("bc").hex())
  })

  it("takes −0 for 0", () => {
    expect(new Digest().number(-0).hex()).toBe(new Digest().number(0).hex())
  })
})
