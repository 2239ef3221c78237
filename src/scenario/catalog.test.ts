import { describe, expect, it } from "vitest"
import { CATALOG, told } from "./catalog.fixture.ts"
import { type CatalogText, makeCatalog, mergeFields } from "./catalog.ts"

const drafter = (name: string, fields = ""): string => `name: ${name}
source: a test
basis: assumed
kind: model
num_speculative_tokens: 4
weight_bytes: 1 GB
kv_bytes_per_token: 4 KiB
acceptance: { alpha: 0.5, source: a test, basis: assumed }
${fields}`

const drafters = (files: Readonly<Record<string, string>>): ReturnType<typeof makeCatalog> =>
  makeCatalog(Object.entries(files).map(([file, text]): CatalogText => ({ section: "drafters", file, text })))

describe("the catalog of this package", () => {
  it("gives every entry a basis and a source", () => {
    for (const section of Object.values(CATALOG))
      for (const entry of section.values() as Iterable<{ basis: string; source: string }>) {
        expect(["measured", "modelled", "assumed"]).toContain(entry.basis)
        expect(entry.source.length).toBeGreaterThan(10)
      }
  })

  it("has the entries in the order of their names", () => {
    for (const section of Object.values(CATALOG)) {
      const names = [...section.keys()]
      expect(names).toEqual(names.toSorted((a, b) => a.localeCompare(b)))
    }
  })
})

describe("an entry that extends another", () => {
  it("takes all it does not say itself", () => {
    const { catalog, faults } = drafters({
      "a.yaml": drafter("a"),
      "b.yaml": "extends: a\nname: b\nnum_speculative_tokens: 7\n",
      "c.yaml": "extends: b\nname: c\nkind: eagle\n"
    })
    expect(told(faults)).toEqual([])
    expect(catalog.drafters.get("c")).toEqual({
      ...catalog.drafters.get("a"),
      name: "c",
      num_speculative_tokens: 7,
      kind: "eagle"
    })
  })

  it("replaces an acceptance whole: figures of two kinds do not mix", () => {
    const { catalog, faults } = drafters({
      "a.yaml": drafter("a"),
      "b.yaml": "extends: a\nname: b\nacceptance: { curve: [0.9, 0.8], source: a test, basis: assumed }\n"
    })
    expect(told(faults)).toEqual([])
    expect(catalog.drafters.get("b")?.acceptance).toEqual({
      curve: [0.9, 0.8],
      source: "a test",
      basis: "assumed"
    })
  })

  it("names one that is there", () => {
    expect(
      told(drafters({ "a.yaml": drafter("eagle"), "b.yaml": "extends: eagel\nname: b\n" }).faults)
    ).toEqual(["b.yaml:1:1 extends: no eagel in the catalog; did you mean eagle?"])
  })

  it("does not come back to itself", () => {
    const { faults, catalog } = drafters({
      "a.yaml": "name: a\nextends: b\n",
      "b.yaml": "name: b\nextends: a\n",
      "c.yaml": "name: c\nextends: c\n",
      "d.yaml": "name: d\nextends: a\n"
    })
    expect(told(faults)).toEqual([
      "b.yaml:2:1 extends: extends itself: a → b → a",
      "a.yaml:2:1 extends: extends itself: b → a → b",
      "c.yaml:2:1 extends: extends itself: c → c"
    ])
    expect(catalog.drafters.size).toBe(0)
  })

  it("reports an inherited fault where it stands", () => {
    const { faults } = drafters({
      "a.yaml": drafter("a").replace("1 GB", "1 parsec"),
      "b.yaml": "extends: a\nname: b\n"
    })
    expect(told(faults)).toEqual([
      'a.yaml:6:1 weight_bytes: expected bytes ≥ 0 such as "80 GiB", found "1 parsec"'
    ])
  })
})

describe("catalog files", () => {
  it("may not give a name twice", () => {
    expect(told(drafters({ "a.yaml": drafter("a"), "b.yaml": drafter("a") }).faults)).toEqual([
      "b.yaml:1:1 name: a is in the catalog twice"
    ])
  })

  it("report all their faults together, and keep what is right", () => {
    const { catalog, faults } = drafters({
      "a.yaml": drafter("a", "colour: red\n"),
      "b.yaml": "name: [",
      "c.yaml": drafter("c"),
      "d.yaml": drafter("d").replace("alpha: 0.5, ", "")
    })
    expect(told(faults).map((fault) => fault.split(";")[0])).toEqual([
      "a.yaml:9:1 colour: unknown field",
      expect.stringMatching(/^b\.yaml:1:\d+ /),
      "d.yaml:8:1 acceptance: expected exactly one of alpha, curve, table, recorded; found 0".split(";")[0]
    ])
    expect([...catalog.drafters.keys()]).toEqual(["c"])
  })

  it("hold tables that ascend and have a value for each point", () => {
    const gpu = (tables: string): CatalogText => ({
      section: "hardware",
      file: "g.yaml",
      text: JSON.stringify({
        ...CATALOG.hardware.get("h100-sxm"),
        tables: { source: "t", basis: "measured", ...(JSON.parse(tables) as object) }
      })
    })
    const faults = (tables: string): readonly string[] =>
      makeCatalog([gpu(tables)]).faults.map(({ field, message }) => `${field}: ${message}`)
    expect(faults('{"dense": {"tokens": [1, 8], "seconds": [1e-5, 2e-5]}}')).toEqual([])
    expect(faults('{"dense": {"tokens": [8, 1], "seconds": [1e-5, 2e-5]}}')).toEqual([
      "tables.dense.tokens: expected ascending values"
    ])
    expect(faults('{"dense": {"tokens": [1, 8], "seconds": [1e-5]}}')).toEqual([
      "tables.dense: expected one row or value of seconds for each of 2 tokens, found 1"
    ])
    expect(
      faults(
        '{"attention_decode": {"requests": [1, 2], "kv_tokens": [1, 2, 3], "seconds": [[1, 2, 3], [1, 2]]}}'
      )
    ).toEqual([
      "tables.attention_decode: expected one row or value of seconds for each of 3 kv_tokens, found 2"
    ])
  })
})

describe("merging", () => {
  it("goes into fields, replaces lists and plain values, and does not touch its arguments", () => {
    const base = Object.freeze({ a: 1, b: Object.freeze({ c: 2, d: [1, 2] }), e: "x" })
    expect(mergeFields(base, { extends: "base", b: { d: [3] }, f: 4 })).toEqual({
      a: 1,
      b: { c: 2, d: [3] },
      e: "x",
      f: 4
    })
  })

  it("replaces what extends something of its own", () => {
    const base = { model: { extends: "a", weight_bits: 8 } }
    expect(mergeFields(base, { model: { extends: "b" } })).toEqual({ model: { extends: "b" } })
    expect(mergeFields(base, { model: { weight_bits: 4 } })).toEqual({
      model: { extends: "a", weight_bits: 4 }
    })
  })
})
