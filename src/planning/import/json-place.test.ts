import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { placeOf } from "./json-place.ts"

/** Every field of a value and its path; names that a path can hold. */
const fieldsOf = (value: unknown, path = ""): readonly (readonly [string, unknown])[] => [
  [path, value] as const,
  ...(Array.isArray(value)
    ? value.flatMap((one, i) => fieldsOf(one, `${path}[${i}]`))
    : typeof value === "object" && value !== null
      ? Object.entries(value).flatMap(([name, one]) => fieldsOf(one, path === "" ? name : `${path}.${name}`))
      : [])
]

const json = fc.letrec<{ readonly value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.string(),
    fc.constantFrom(null, true, '"},[', "\\"),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(fc.stringMatching(/^[a-z_]{1,6}$/), tie("value"), { maxKeys: 4 })
  )
})).value

describe("places in JSON", () => {
  it("are where the field's value begins, however it is laid out", () => {
    fc.assert(
      fc.property(json, fc.constantFrom(undefined, 2), (value, indent) => {
        const text = JSON.stringify(value, undefined, indent)
        const lines = text.split("\n")
        for (const [path, field] of fieldsOf(value)) {
          const { line, column } = placeOf(text, path)
          const rest = [lines[line - 1]!.slice(column - 1), ...lines.slice(line)].join("\n")
          const first = JSON.stringify(field)[0]!
          expect(
            rest.startsWith(typeof field === "object" && field !== null ? first : JSON.stringify(field))
          ).toBe(true)
        }
      })
    )
  })

  it("are those of what should hold a field that is not there", () => {
    expect(placeOf('{\n  "a": [1,\n 2]\n}', "a[2].b")).toEqual({ line: 2, column: 8 })
    expect(placeOf(" 3", "a")).toEqual({ line: 1, column: 2 })
  })
})
