/**
 * What a sweep survives: it is killed (SIGKILL) again and again at random moments, and given again, until it has been killed
 * so many times; now and then its last row is cut through besides, as by a power cut. Then it may end. No row may be lost, simulated twice, or torn, and the results must be those of a sweep
 * that nobody disturbed, byte for byte.
 *
 *     node scripts/kill-sweep.ts [KILLS] [COMMAND …]     50 times; from source, or the command given
 */
import { spawn } from "node:child_process"
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { readJournal } from "../src/planning/sweep/journal.ts"

const [kills = "50", ...given] = process.argv.slice(2)
const command =
  given.length > 0 ? given : [process.execPath, join(import.meta.dirname, "..", "src", "cli", "main.ts")]
const folder = mkdtempSync(join(tmpdir(), "vericache-kill-"))

/** So many small points that every kill meets it at work. */
const POINTS = 160 * Number(kills)
writeFileSync(
  join(folder, "sweep.yaml"),
  `name: to be killed
scenario:
  name: small
  model: llama-3.1-8b
  hardware: h100-sxm
  workload: { context: host, requests: 40, arrivals: { rate: 5 }, input: 4k tokens, output: 64 }
  methods: [full-kv, offloaded]
axes:
  - { field: hardware.link.host_to_device, from: 10 GB/s, to: 100 GB/s, points: ${POINTS / 20} }
replications: 10
`
)

const journal = join(folder, "killed.parquet.journal")
const journalSize = (): number => (existsSync(journal) ? statSync(journal).size : 0)

/** Runs the sweep; at the moment `kill` resolves it is killed. Whether it ended by itself. */
const sweep = (output: string, kill?: () => Promise<void>): Promise<boolean> =>
  new Promise((resolve, reject) => {
    const [program, ...args] = [...command, "sweep", "sweep.yaml", "-o", output]
    const child = spawn(program, args, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] })
    let words = ""
    child.stderr.setEncoding("utf8").on("data", (text: string) => (words += text))
    child.on("error", reject)
    child.on("close", (code, signal) => {
      if (signal === null && code !== 0) reject(new Error(words))
      else resolve(signal === null)
    })
    if (kill !== undefined) void kill().then(() => child.kill("SIGKILL"))
  })

/** Up to two seconds after the start, when it reads and mends its journal; or up to one after the first new row. */
const atRandom = async (inStart: boolean): Promise<void> => {
  const before = journalSize()
  for (let waited = 0; !inStart && journalSize() <= before && waited < 30_000; waited += 5) await delay(5)
  await delay((inStart ? 2000 : 1000) * Math.random())
}

const faults: string[] = []
let done: ReadonlySet<number> = new Set()
let cut = 0
let withNewRows = 0

/** What the journal holds after a kill, against what it held before. */
const inspect = (): void => {
  if (!existsSync(journal)) return
  const bytes = readFileSync(journal)
  const { lines, soundBytes, damaged } = readJournal(bytes)
  const rows = bytes.toString("latin1").split("\n").length - 2
  for (const point of done) if (!lines.has(point)) faults.push(`point ${point} was there and is lost`)
  if (damaged > 0) faults.push(`${damaged} rows in the middle are damaged`)
  if (rows > lines.size) faults.push(`${rows - lines.size} points were simulated twice`)
  if (soundBytes < bytes.length) cut++
  if (lines.size > done.size) withNewRows++
  done = new Set(lines.keys())
}

/** A kill leaves whole rows, for a row is written in one go; a power cut need not. So some are cut by hand. */
const cutLastRow = (): void => {
  if (done.size === 0) return
  const bytes = readFileSync(journal)
  const last = bytes.length - bytes.lastIndexOf(10, bytes.length - 2) - 1
  truncateSync(journal, bytes.length - 1 - Math.floor((last - 1) * Math.random()))
  done = new Set(readJournal(readFileSync(journal)).lines.keys())
  cut++
}

let count = 0
for (; count < Number(kills); count++) {
  const ended = await sweep("killed.parquet", () => atRandom(count % 5 === 0))
  if (ended) {
    faults.push(`it ended after ${count} kills: too few points for this machine`)
    break
  }
  inspect()
  if (count % 3 === 0) cutLastRow()
}
console.log(
  `killed ${count} times, ${withNewRows} times with new rows, ${cut} times a row was cut through; ${done.size} of ${POINTS} points done by then`
)
await sweep("killed.parquet")
await sweep("undisturbed.parquet")
const [killed, undisturbed] = ["killed.parquet", "undisturbed.parquet"].map((name) =>
  readFileSync(join(folder, name))
)
if (!killed!.equals(undisturbed!)) faults.push("the results are not those of an undisturbed sweep")
const left = readdirSync(folder).filter((name) => !/^(sweep\.yaml|(killed|undisturbed)\.parquet)$/.test(name))
if (left.length > 0) faults.push(`left behind: ${left.join(", ")}`)
for (const fault of faults) console.error(fault)
console.log(
  faults.length === 0
    ? "no row lost, simulated twice or torn; same bytes as undisturbed"
    : `${faults.length} faults`
)
rmSync(folder, { recursive: true })
process.exitCode = faults.length === 0 ? 0 : 1
