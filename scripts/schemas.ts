/** Writes the JSON Schemas that editors complete scenario, sweep and plan files by. */
import { execFileSync } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join } from "node:path"

const root = join(import.meta.dirname, "..")
const FILES = { scenario: "schema.json", sweep: "sweeps/schema.json", plan: "plans/schema.json" }
for (const [kind, file] of Object.entries(FILES)) {
  const schema = execFileSync(process.execPath, [join(root, "src/cli/main.ts"), "schema", kind])
  writeFileSync(join(root, "scenarios", file), schema)
}
