import { readFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import { makeCatalog } from "../../scenario/catalog.ts"
import { profileOf } from "./engine-profile.ts"

it("writes a profile that a scenario can name, with what was measured in it", () => {
  const file = "rtx-4090.yaml"
  const base = readFileSync(
    join(import.meta.dirname, "..", "..", "..", "scenarios", "catalog", "hardware", file),
    "utf8"
  )
  const text = profileOf(
    {
      name: "some GPU",
      vendor: "",
      architecture: "",
      kind: "hardware",
      features: [],
      maxBufferBytes: 1,
      maxBindingBytes: 1
    },
    "rtx-4090",
    { upload: 12.3456789e9, download: 6e9, copy: 4e11, submit: 1e-4, spread: 0.1 }
  )
  const { catalog, faults } = makeCatalog([
    { section: "hardware", file, text: base },
    { section: "hardware", file: "probed.yaml", text }
  ])
  expect(faults).toEqual([])
  expect(
    [...catalog.hardware.values()].find(({ adapter }) => adapter?.name === "some GPU")?.link
  ).toMatchObject({
    host_to_device: 12.3457e9,
    device_to_host: 6e9,
    sharing: "serial"
  })
})
