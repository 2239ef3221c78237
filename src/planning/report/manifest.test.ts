import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { digestOf } from "../../trace/digest.ts"
import { bytesOf, ReadFiles } from "./manifest.ts"

const reading = (files: Readonly<Record<string, Uint8Array>>): ReadFiles => {
  const read = new ReadFiles((path) => files[path])
  for (const name of Object.keys(files)) read.read(name)
  return read
}

describe("files that were read", () => {
  it("come back byte for byte, text or not", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.string({ unit: "binary" }).map((text) => new TextEncoder().encode(`\ufeff${text}`))
        ),
        (bytes) => {
          const kept = reading({ a: bytes }).kept()["a"]!
          expect(kept.digest).toBe(digestOf(bytes))
          expect(digestOf(bytesOf(kept)!)).toBe(kept.digest)
        }
      )
    )
  })

  it("are kept while there is room, the small ones first; of others the fingerprint is", () => {
    const files = { large: new Uint8Array(60), small: new Uint8Array(10), middle: new Uint8Array(30) }
    const kept = reading(files).kept(45)
    expect(Object.keys(kept)).toEqual(["large", "middle", "small"])
    expect(Object.values(kept).map((one) => bytesOf(one)?.length)).toEqual([undefined, 30, 10])
    expect(kept["large"]!.digest).toBe(digestOf(files.large))
  })

  it("have one name each, however they were reached, and are none if they are not there", () => {
    const read = new ReadFiles((path) => (path === "missing" ? undefined : new Uint8Array(1)))
    for (const path of ["./a", "b/../a", "a", "missing", "../c"]) read.read(path)
    expect(Object.keys(read.kept())).toEqual(["../c", "a"])
  })
})
