/**
 * The gate: everything that must hold, stage by stage. Stops at the first stage that fails; ends with one line that counts
 * tests, as "N passed, N failed".
 */
import { spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const scratch = mkdtempSync(join(tmpdir(), "vericache-check-"))
const counts = join(scratch, "tests.json")

const stages: readonly (readonly [string, readonly string[]])[] = [
  ["Effect's checks", ["effect-tsgo", "patch"]],
  ["types", ["tsc"]],
  ["lint", ["oxlint", "--type-aware", "src", "bench", "scripts"]],
  ["formatting", ["oxfmt", "--check", "src", "bench", "scripts", "vite.config.ts"]],
  ["dead code", ["knip", "--no-progress"]],
  ["tests", ["vitest", "run", "--reporter=default", "--reporter=json", `--outputFile.json=${counts}`]]
]

let failed: string | undefined
for (const [stage, [command, ...args]] of stages) {
  console.log(`── ${stage}`)
  const { status } = spawnSync(join("node_modules", ".bin", command!), args, { stdio: "inherit" })
  if (status !== 0) {
    failed = stage
    break
  }
}

const tests = existsSync(counts)
  ? (JSON.parse(readFileSync(counts, "utf8")) as {
      readonly numPassedTests: number
      readonly numFailedTests: number
    })
  : { numPassedTests: 0, numFailedTests: 0 }
rmSync(scratch, { recursive: true })
if (failed !== undefined) console.log(`${failed}: failed`)
console.log(`${tests.numPassedTests} passed, ${tests.numFailedTests} failed`)
process.exitCode = failed === undefined ? 0 : 1
