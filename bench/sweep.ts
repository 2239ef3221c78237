/**
 * A sweep of 1,000 points through the command line's own machinery (worker threads, journal, Parquet); and how much faster two
 * workers are than one, in turns on smaller sweeps, beside what the machine gives two processes that have nothing to do with each other.
 * `node bench/sweep.ts POINTS WORKERS SHARDS SHARD` measures one of them, `node bench/sweep.ts loop` a loop of arithmetic.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Result } from "effect"
import { packageRoot, readCatalog, readFile } from "../src/cli/files.ts"
import { pointWorkers } from "../src/cli/points/pool.ts"
import { JournalFile } from "../src/cli/sweep/journal-file.ts"
import { writeTable } from "../src/cli/sweep/output.ts"
import { headerOf, simulateMissing } from "../src/cli/sweep/run-sweep.ts"
import { parquetFormat } from "../src/planning/files/parquet.ts"
import { type Shard, WHOLE } from "../src/planning/sweep/design.ts"
import { loadSweep } from "../src/planning/sweep/load-sweep.ts"
import { inChild } from "./child.ts"
import { median, scatter, type Section } from "./section.ts"

const POINTS = 1000
/** Points of the sweeps that take turns, and how many turns there are. */
const IN_TURNS = 60
const TURNS = 3
/** Multiplications and additions of the loop: some two seconds of one core. */
const LOOP = 1e9

/** The demo under VeriCache alone, whole: 200 requests a point. */
const sweepOf = (points: number): string => `name: benchmark
scenario: ${join(packageRoot(), "scenarios", "llama-70b-2xh100-long-context.yaml")}
methods: [VeriCache]
sample:
  method: sobol
  points: ${points}
  axes:
    - { field: hardware.link.host_to_device, from: 25 GB/s, to: 100 GB/s, scale: log }
    - { field: methods.VeriCache.vericache.acceptance.alpha, from: 0.95, to: 0.99 }
    - { field: workload.arrivals.concurrency, from: 8, to: 24 }
`

interface Swept {
  /** CPU seconds of the busiest worker; 0 where the system does not tell. */
  readonly busiest: number
  /** CPU seconds of all threads, the compiler's and the garbage collector's too. */
  readonly cpu: number
  readonly wall: number
  /** CPU seconds of the main thread: journal, progress, results. */
  readonly main: number
}

/** CPU seconds of each thread of this process by its id, from Linux; a hundredth of a second is the finest it tells. */
const threads = (): ReadonlyMap<number, number> => {
  try {
    return new Map(
      readdirSync("/proc/self/task").map((id) => {
        const stat = readFileSync(`/proc/self/task/${id}/stat`, "utf8")
        const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
        return [Number(id), (Number(fields[11]) + Number(fields[12])) / 100]
      })
    )
  } catch {
    return new Map()
  }
}

const perform = async (points: number, count: number, shard: Shard): Promise<Swept> => {
  const folder = mkdtempSync(join(tmpdir(), "vericache-bench-"))
  const file = join(folder, "sweep.yaml")
  const sweep = Result.getOrThrow(
    loadSweep(
      file,
      (path) => (path === file ? new TextEncoder().encode(sweepOf(points)) : readFile(path)),
      Effect.runSync(readCatalog)
    )
  )
  const header = headerOf(sweep, shard, {})
  const before = threads()
  let after = before
  const start = process.cpuUsage()
  const mainStart = process.threadCpuUsage()
  const clock = process.hrtime.bigint()
  await Effect.runPromise(
    Effect.gen(function* () {
      const journal = new JournalFile(join(folder, "journal"), header)
      yield* simulateMissing(sweep, header, journal, { write: () => {} })
      // Before the pool ends them.
      after = threads()
      yield* writeTable(join(folder, "out.parquet"), parquetFormat, header.columns, journal.rows().rows)
      journal.close()
    }).pipe(Effect.provide(pointWorkers(count)))
  )
  const wall = Number(process.hrtime.bigint() - clock) * 1e-9
  const seconds = ({ user, system }: NodeJS.CpuUsage): number => (user + system) * 1e-6
  const workers = [...after].filter(([id]) => !before.has(id)).map(([, cpu]) => cpu)
  const swept = {
    busiest: Math.max(0, ...workers),
    cpu: seconds(process.cpuUsage(start)),
    wall,
    main: seconds(process.threadCpuUsage(mainStart))
  }
  rmSync(folder, { recursive: true })
  return swept
}

const sweeping = (points: number, workers: number, { index, count }: Shard = WHOLE): Promise<Swept> =>
  inChild<Swept>("sweep.ts", [points, workers, count, index].map(String))

/** CPU seconds of a loop of arithmetic that fits into registers. */
const loop = (): number => {
  const start = process.cpuUsage()
  let x = 1
  for (let i = 0; i < LOOP; i++) x = (Math.imul(x, 1_664_525) + 1_013_904_223) | 0
  const { user, system } = process.cpuUsage(start)
  // The sum is looked at, or there need be no loop.
  return (user + system) * 1e-6 + (x === 0 ? 1e-9 : 0)
}

const HALVES: readonly Shard[] = [1, 2].map((index) => ({ index, count: 2 }))

/** What one turn took, CPU seconds; of two at once the busier. */
interface Turn {
  readonly loops: readonly [alone: number, busier: number]
  readonly alone: number
  readonly processes: number
  readonly workers: number
}

const turn = async (): Promise<Turn> => {
  const looping = (): Promise<number> => inChild<number>("sweep.ts", ["loop"])
  const one = await looping()
  const two = await Promise.all([looping(), looping()])
  const alone = await sweeping(IN_TURNS, 1)
  const halves = await Promise.all(HALVES.map((half) => sweeping(IN_TURNS, 1, half)))
  const together = await sweeping(IN_TURNS, 2)
  return {
    loops: [one, Math.max(...two)],
    alone: alone.cpu,
    processes: Math.max(...halves.map(({ cpu }) => cpu)),
    workers: Math.max(together.cpu / 2, together.busiest)
  }
}

export const sweep = async (): Promise<Section> => {
  const whole = await sweeping(POINTS, 2)
  const turns: Turn[] = []
  for (let i = 0; i < TURNS; i++) turns.push(await turn())
  const row = (what: string, points: number | undefined, linear: (one: Turn) => number) => ({
    what,
    points,
    efficiencyPercent: 100 * median(turns.map(linear)),
    scatterPercent: 100 * scatter(turns.map(linear))
  })
  return {
    name: "sweep",
    title: `Sweep: points of the demo under VeriCache, 200 requests each, into a journal and Parquet`,
    columns: [
      { key: "what", title: "two at once" },
      { key: "points", title: "points" },
      { key: "efficiencyPercent", title: "of linear", digits: 0, unit: " %" },
      { key: "scatterPercent", title: "±", digits: 0, unit: " %" },
      { key: "pointsPerCpuSecond", title: "points/CPU-s", digits: 1 },
      { key: "cpuSeconds", title: "CPU s", digits: 1 },
      { key: "busiestWorkerSeconds", title: "busiest worker, CPU s", digits: 1 },
      { key: "mainThreadSeconds", title: "main thread, CPU s", digits: 1 },
      { key: "wallSeconds", title: "wall s", digits: 1 }
    ],
    rows: [
      row("loop of arithmetic, two processes", undefined, ({ loops: [alone, busier] }) => alone / busier),
      row("the sweep, half in each of two processes", IN_TURNS, (one) => one.alone / 2 / one.processes),
      row("the sweep, two workers", IN_TURNS, (one) => one.alone / 2 / one.workers),
      {
        what: "the sweep, two workers",
        points: POINTS,
        pointsPerCpuSecond: POINTS / whole.cpu,
        cpuSeconds: whole.cpu,
        busiestWorkerSeconds: whole.busiest,
        mainThreadSeconds: whole.main,
        wallSeconds: whole.wall
      }
    ],
    notes: [
      "The demo has seven methods; a point here is one of them, so seven such points are one scenario of the demo.",
      `Of linear: CPU time of one alone over that of the busier of two at once (twice that, where they share the work); medians of ${TURNS} turns, ± half`,
      "their range. It is what cores that nobody else uses would show, if each gave its thread all it has. The loop and the processes share nothing, so they",
      "say what the machine gives two at once; workers cannot be expected to have more. Started and compiled afresh each time, which counts: two compile",
      "twice. Aim: at least 90 % with two."
    ]
  }
}

if (import.meta.main) {
  const [points, workers, count, index] = process.argv.slice(2).map(Number)
  console.log(
    JSON.stringify(
      process.argv[2] === "loop" ? loop() : await perform(points!, workers!, { index: index!, count: count! })
    )
  )
}
