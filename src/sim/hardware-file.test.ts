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
    efficiency: { ...first.efficiency, matmul: { ...first.efficiency.matmul, per_block: 1e-5 } }
  }
  it.each([...readCatalog().hardware, ["one whose matmuls are cut into blocks", blocked] as const])(
    "is read back: %s",
    (_, entry) => {
      const hardware = hardwareOf(entry)
      const file = hardwareFile(hardware, { link: "a test", efficiency: "a test" })
      expect(() => Schema.decodeSync(HardwareFile)(file)).not.toThrow()
      expect(rounded(hardwareOf(file))).toEqual(rounded(hardware))
    }
  )
})
