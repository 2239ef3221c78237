/**
 * Frames of the timeline in a headless Chromium: traces of 10,000, 100,000 and 1,000,000 slices, 300 frames of zooming and panning. Then
 * how soon What-if shows its first result.
 *   npm run bench:ui
 * Nothing passes or fails: a shared machine without a GPU decides the times. Primitives do not depend on it.
 */
import { execFileSync } from "node:child_process"
import { createWriteStream, mkdirSync, rmSync } from "node:fs"
import { cpus, loadavg } from "node:os"
import { join } from "node:path"
import { finished } from "node:stream/promises"
import { writeTrace } from "../src/trace/jsonl.ts"
import { TraceStore } from "../src/trace/store.ts"
import { serveApp, startBrowser } from "../src/ui/browser.fixture.ts"
import { measureScreens } from "./screens.ts"

const SIZES = [10_000, 100_000, 1_000_000]
const TRACKS = 16
const FRAMES = 300
const WIDTH = 1600
const KINDS = ["draft", "verify", "reload", "save"] as const

/** Slices of varied length on sixteen tracks, one after the other on each. */
const traceOf = (slices: number): TraceStore => {
  const trace = new TraceStore({
    name: `${slices} slices`,
    scenario: "bench",
    method: "bench",
    seed: 0,
    clock: "virtual",
    basis: "modelled",
    clockOffset: 0
  })
  const root = trace.track({ name: "replica 0", kind: "replica" })
  const tracks = Array.from({ length: TRACKS }, (_, i) =>
    trace.track({ name: `track ${i}`, kind: "gpu", parent: root })
  )
  const ends = tracks.map(() => 0)
  for (let i = 0; i < slices; i++) {
    const at = i % TRACKS
    const start = ends[at]! + ((i * 7919) % 500)
    ends[at] = start + 200 + ((i * 104_729) % 3000)
    trace.slice(tracks[at]!, KINDS[(i >> 4) % KINDS.length]!, start, ends[at], { steps: 1, members: 1 })
  }
  return trace
}

const percentile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.floor(share * (values.length - 1))] ?? Number.NaN

interface Figures {
  readonly script: readonly number[]
  readonly frames: readonly number[]
  readonly primitives: number
  readonly tracks: number
}

const vite = join(import.meta.dirname, "..", "node_modules", "vite", "bin", "vite.js")
execFileSync(process.execPath, [vite, "build", "--mode", "web", "--logLevel", "error"], {
  cwd: join(import.meta.dirname, ".."),
  stdio: "inherit"
})
/** Where `vericache ui FILE` serves the file that the page is to open. */
const folder = join(import.meta.dirname, "..", "dist", "web", "open")
mkdirSync(folder, { recursive: true })
const app = await serveApp()
const browser = await startBrowser(false)
try {
  console.log(
    `${cpus()[0]?.model ?? ""}, ${cpus().length} cores, no GPU, ${browser.version()}, ${WIDTH} px wide\n`
  )
  console.log(
    "slices     first paint  all of it  longest task    heap  script p50  script p95  frame p50  frame p95  most primitives  bound  load"
  )
  for (const size of SIZES) {
    const file = join(folder, `${size}.jsonl`)
    const out = createWriteStream(file)
    for (const chunk of writeTrace(traceOf(size))) out.write(chunk)
    out.end()
    await finished(out)
    const page = await browser.newPage({ viewport: { width: WIDTH, height: 900 } })
    // What frames' callbacks take, whoever asked for them.
    await page.addInitScript(() => {
      const times: number[] = []
      const tasks: number[] = []
      Object.assign(globalThis, { scriptTimes: times, longTasks: tasks })
      // Whoever looks from outside the page looks now and then only.
      const seen = new MutationObserver(() => {
        if (document.querySelector("canvas.lanes[data-primitives]") === null) return
        const noted = globalThis as unknown as { firstPaint?: number; wholePaint?: number }
        noted.firstPaint ??= performance.now()
        // Until then it is the first slices of a file that is still being read.
        if (document.querySelector("[data-part]") !== null) return
        noted.wholePaint = performance.now()
        seen.disconnect()
      })
      seen.observe(document, { subtree: true, childList: true, attributeFilter: ["data-primitives"] })
      new PerformanceObserver((list) => {
        for (const { duration } of list.getEntries()) tasks.push(duration)
      }).observe({ type: "longtask", buffered: true })
      const real = requestAnimationFrame.bind(globalThis)
      globalThis.requestAnimationFrame = (told) =>
        real((at) => {
          const before = performance.now()
          told(at)
          times.push(performance.now() - before)
        })
    })
    await page.goto(`${app.url}?open=${size}.jsonl`)
    await page.waitForFunction(() => "wholePaint" in globalThis, undefined, { timeout: 300_000 })
    const { firstPaint, wholePaint } = await page.evaluate(() => {
      const { firstPaint: first, wholePaint: whole } = globalThis as unknown as Readonly<
        Record<string, number>
      >
      return { firstPaint: first!, wholePaint: whole! }
    })
    const longest = await page.evaluate(() =>
      Math.max(0, ...(globalThis as unknown as { readonly longTasks: number[] }).longTasks)
    )
    const devtools = await page.context().newCDPSession(page)
    const { usedSize, backingStorageSize } = await devtools.send("Runtime.getHeapUsage")
    const figures = await page.evaluate<Figures, number>(async (count) => {
      const canvas = document.querySelector<HTMLCanvasElement>("canvas.lanes")!
      const times = (globalThis as unknown as { readonly scriptTimes: number[] }).scriptTimes
      times.length = 0
      const frames: number[] = []
      const script: number[] = []
      let primitives = 0
      // Frames by the browser's own clock of them: when their callbacks get to run depends on what ran before in the frame.
      const frame = (): Promise<number> => new Promise((done) => requestAnimationFrame(done))
      let last = await frame()
      for (let i = 0; i < count; i++) {
        const phase = Math.floor(i / 50) % 2
        const deltaY = phase === 0 ? -60 : 60
        canvas.dispatchEvent(
          new WheelEvent("wheel", {
            deltaY,
            clientX: 600 + (i % 7) * 40,
            clientY: 300,
            bubbles: true,
            cancelable: true
          })
        )
        const now = await frame()
        frames.push(now - last)
        script.push(times.reduce((sum, one) => sum + one, 0))
        times.length = 0
        last = now
        primitives = Math.max(primitives, Number(canvas.dataset["primitives"]))
      }
      const tracks = document.querySelectorAll(".row-label").length
      return { script, frames, primitives, tracks }
    }, FRAMES)
    const ms = (value: number): string => `${value.toFixed(1)} ms`
    console.log(
      [
        size.toLocaleString("en").padEnd(10),
        `${(firstPaint / 1000).toFixed(2)} s`.padStart(11),
        `${(wholePaint / 1000).toFixed(2)} s`.padStart(10),
        // The browser tells of tasks of 50 ms and more.
        (longest === 0 ? "< 50 ms" : `${longest.toFixed(0)} ms`).padStart(13),
        `${((usedSize + backingStorageSize) / 1e6).toFixed(0)} MB`.padStart(7),
        ms(percentile(figures.script, 0.5)).padStart(11),
        ms(percentile(figures.script, 0.95)).padStart(11),
        ms(percentile(figures.frames, 0.5)).padStart(10),
        ms(percentile(figures.frames, 0.95)).padStart(10),
        String(figures.primitives).padStart(16),
        String(3 * WIDTH * figures.tracks).padStart(6),
        loadavg()[0]!.toFixed(1).padStart(5)
      ].join(" ")
    )
    await page.close()
  }
  await measureScreens(browser, app.url)
} finally {
  await browser.close()
  app.close()
  rmSync(folder, { recursive: true })
}
