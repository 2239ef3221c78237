/**
 * The gate: everything that must hold, stage by stage. Every stage runs even after one has failed, so that one run tells
 * all there is to mend. Its last line is "N passed, N failed" and counts tests; a stage that fails for another reason
 * than a failed test counts as one failure. Exit code 1 if anything failed.
 */
import { spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"

const root = join(import.meta.dirname, "..")
const scratch = mkdtempSync(join(tmpdir(), "vericache-check-"))
const counts = join(scratch, "tests.json")

const stages: readonly (readonly [stage: string, command: string, ...args: readonly string[]])[] = [
  ["Effect's checks in the compiler", "effect-tsgo", "patch"],
  ["types", "tsc"],
  ["lint", "oxlint", "--type-aware", "src", "bench", "scripts"],
  ["formatting", "oxfmt", "--check", "src", "bench", "scripts", "vite.config.ts"],
  ["dead code", "knip", "--no-progress", "--treat-config-hints-as-errors"],
  ["tests", "vitest", "run", "--reporter=default", "--reporter=json", `--outputFile.json=${counts}`],
  ["package", "node", "scripts/check-package.ts", join(scratch, "package")]
]

// The tools of this checkout come first, however this file was started.
const env = {
  ...process.env,
  PATH: [join(root, "node_modules", ".bin"), process.env["PATH"]].join(delimiter)
}

const failed: string[] = []
for (const [stage, command, ...args] of stages) {
  console.log(`\n── ${stage}`)
  const started = performance.now()
  const { status, error } = spawnSync(command, args, { cwd: root, env, stdio: "inherit" })
  if (error !== undefined) console.error(error.message)
  if (status !== 0) failed.push(stage)
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(`── ${stage}: ${status === 0 ? "ok" : "FAILED"}, ${seconds} s`)
}

const tests = existsSync(counts)
  ? (JSON.parse(readFileSync(counts, "utf8")) as {
      readonly numPassedTests: number
      readonly numFailedTests: number
    })
  : { numPassedTests: 0, numFailedTests: 0 }
rmSync(scratch, { recursive: true })

const otherFailures = failed.filter((stage) => stage !== "tests" || tests.numFailedTests === 0).length
if (failed.length > 0) console.log(`\nfailed: ${failed.join(", ")}`)
console.log(`\n${tests.numPassedTests} passed, ${tests.numFailedTests + otherFailures} failed`)
process.exitCode = failed.length === 0 ? 0 : 1
