/** Pins what the validation scenarios come to now: writes src/sim/validation/goldens.json. */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { currentGoldens } from "../src/sim/validation/goldens.fixture.ts"

const path = join(import.meta.dirname, "..", "src", "sim", "validation", "goldens.json")
const goldens = currentGoldens()
writeFileSync(path, `${JSON.stringify(goldens, undefined, 2)}\n`)
console.log(`${Object.keys(goldens).length} runs pinned`)
