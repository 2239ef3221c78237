/** Runs come out bit for bit as pinned. After a change that is meant to move them: `node scripts/goldens.ts`. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import { currentGoldens, type Goldens } from "./goldens.fixture.ts"

const pinned = JSON.parse(readFileSync(join(import.meta.dirname, "goldens.json"), "utf8")) as Goldens
const current = currentGoldens()

it("pins every scenario under every method", () => {
  expect(Object.keys(current)).toEqual(Object.keys(pinned))
})

it.each(Object.keys(pinned))("%s", (name) => {
  expect(current[name]).toEqual(pinned[name])
})
