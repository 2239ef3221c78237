import { Schema } from "effect"
import { describe, expect, it } from "vitest"
import { readCatalog } from "./scenarios.fixture.ts"
import { hardwareOf } from "../scenario/entries.ts"
import { hardwareFile } from "../scenario/hardware-file.ts"
import { HardwareFile } from "../scenario/schema/hardware.ts"

/** All numbers to the six digits a file keeps. */
const rounded = (value: unknown): unknown =>
  typeof value === "number"
    ? Number(value.toPrecision(6))
    : Array.isArray(value)
      ? value.map(rounded)
      : typeof value === "object" && value !== null
        ? Object.fromEntries(Object.entries(value).map(([key, one]) => [key, rounded(one)]))
        : value

describe("a hardware file", () => {
  const [[, first]] = [...readCatalog().hardware] as [[string, HardwareFile]]
  const blocked: HardwareFile = {
    ...first,
    matmul_block: { rows: 4 },
    efficiency: {
      ...first.efficiency,
      matmul: { ...first.efficiency.matmul, per_block: 1e-5 },
      "lm-head": { ...first.efficiency["lm-head"], per_block: 2e-5 }
    },
    one_queue: { submission: 1e-3, steps: 64, chunk: 1e6, copies_first: true },
    compression_per_entry: 1e-6
  }
  it.each([...readCatalog().hardware, ["one with blocks of rows and one queue", blocked] as const])(
    "is read back: %s",
    (_, entry) => {
      const hardware = hardwareOf(entry)
      const file = hardwareFile(hardware, { link: "a test", efficiency: "a test" })
      expect(() => Schema.decodeSync(HardwareFile)(file)).not.toThrow()
      expect(rounded(hardwareOf(file))).toEqual(rounded(hardware))
    }
  )
})
