/** The timeline in a real browser: a run opened from What-if and from files, by mouse and by keyboard. */
import { readFile } from "node:fs/promises"
import { createRequire } from "node:module"
import type { Page } from "playwright-core"
import { describe, expect, it } from "vitest"
import { chromeTrace } from "../../trace/chrome.ts"
import { writeTrace } from "../../trace/jsonl.ts"
import { TraceStore } from "../../trace/store.ts"
import { aRound, META } from "../../trace/trace.fixture.ts"
import { appInBrowser } from "../app.fixture.ts"

interface Axe {
  readonly run: () => Promise<{
    readonly violations: readonly { readonly id: string; readonly impact: string }[]
  }>
}

const app = appInBrowser(false)

const drop = (page: Page, name: string, text: string): Promise<void> =>
  page.evaluate(
    ({ file, content }) => {
      const data = new DataTransfer()
      data.items.add(new File([content], file))
      document.body.dispatchEvent(
        new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: data })
      )
    },
    { file: name, content: text }
  )

const opened = async (name: string, text: string) => {
  const errors: string[] = []
  const page = await app.browser.newPage()
  page.on("pageerror", ({ message }) => errors.push(message))
  await page.goto(`${app.url}#/timeline?v=1`)
  await page.getByText("No trace is open").waitFor()
  await drop(page, name, text)
  return { page, errors }
}

const OURS = [...writeTrace(aRound())].join("")

describe("the timeline", () => {
  it("shows a run, its statistics and its slices by keyboard alone, and finds them again by the address", async () => {
    const { page, errors } = await opened("round.jsonl", OURS)
    await page.getByRole("heading", { name: "round.jsonl" }).waitFor()
    await page.keyboard.press("i")
    await page.locator("[data-area]").waitFor()
    const said = await page.locator("[data-area]").innerText()
    const [went] = /GPU time: [^.]*(?:\.\d[^.]*)*/.exec(said)!
    const shares = [...went.matchAll(/(\d+\.\d) %/g)].map(([, share]) => Number(share))
    expect(shares.reduce((sum, one) => sum + one, 0)).toBeCloseTo(100, 0)
    await page.getByText("Slices as a table").focus()
    await page.keyboard.press("Enter")
    const rows = await page.getByRole("region", { name: "Slices of the stretch" }).locator("tbody tr").count()
    expect(rows).toBe(aRound().slices.length)
    const address = page.url()
    await page.keyboard.press("Escape")
    await page.locator("[data-area]").waitFor({ state: "detached" })
    await page.goBack().catch(() => undefined)
    await page.evaluate((to) => (location.hash = to), new URL(address).hash)
    await page.locator("[data-area]").waitFor()
    expect(await page.locator("[data-area]").innerText()).toBe(said)
    expect(errors).toEqual([])
    await page.close()
  })

  it("selects a stretch with Shift and the mouse, filters rows, and zooms", async () => {
    const { page } = await opened("round.jsonl", OURS)
    const lanes = page.locator("canvas.lanes")
    await lanes.waitFor()
    const box = (await lanes.boundingBox())!
    await page.keyboard.down("Shift")
    await page.mouse.move(box.x + box.width * 0.2, box.y + 60)
    await page.mouse.down()
    await page.mouse.move(box.x + box.width * 0.6, box.y + 60, { steps: 4 })
    await page.mouse.up()
    await page.keyboard.up("Shift")
    await page.locator("[data-area]").waitFor()
    const labels = await page.locator(".row-label").count()
    await page.keyboard.press("r")
    await page.keyboard.type("gpu")
    await page.waitForFunction((before) => document.querySelectorAll(".row-label").length < before, labels)
    expect(page.url()).toContain("view.filter=gpu")
    await lanes.focus()
    const range = await page.locator("[data-range]").innerText()
    await page.keyboard.press("w")
    await page.waitForFunction(
      (before) => document.querySelector("[data-range]")!.textContent !== before,
      range
    )
    await page.close()
  })

  it("finds slices and goes through them by keyboard", async () => {
    const { page, errors } = await opened("round.jsonl", OURS)
    await page.locator("canvas.lanes").waitFor()
    await page.keyboard.press("/")
    await page.keyboard.type("verify")
    await page.keyboard.press("Enter")
    await page.getByRole("heading", { name: /^verify on / }).waitFor()
    const first = page.url()
    await page.keyboard.press("Enter")
    await page.waitForFunction((before) => location.href !== before, first)
    expect(errors).toEqual([])
    await page.close()
  })

  it("opens other tools' traces, says what it leaves out, and says of nonsense what was expected", async () => {
    const { page } = await opened("other.json", [...chromeTrace(aRound())].join(""))
    await page.getByRole("heading", { name: "other.json" }).waitFor()
    expect(await page.locator(".toast").innerText()).toMatch(/Not shown: .*instants/)
    await drop(page, "nonsense.json", "{}")
    await page.getByText("expected Chrome's trace event format").waitFor()
    await drop(page, "cut.jsonl", OURS.slice(0, Math.floor(OURS.length * 0.7)))
    await page.getByRole("heading", { name: "cut.jsonl" }).waitFor()
    await page.close()
  })

  it("pins and collapses rows by keyboard, and finds all of it again after a reload and the file dropped again", async () => {
    const { page, errors } = await opened("round.jsonl", OURS)
    await page.locator("canvas.lanes").waitFor()
    await page.keyboard.press("g")
    await page.keyboard.press("ArrowDown")
    const gpu = page.getByRole("treeitem", { name: /^GPU/ })
    await page.keyboard.press("ArrowLeft")
    expect(await gpu.getAttribute("aria-expanded")).toBe("false")
    expect(await page.getByRole("treeitem", { name: /^passes/ }).count()).toBe(0)
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Space")
    await page
      .getByRole("treeitem", { name: /pinned/ })
      .first()
      .waitFor()
    await page.keyboard.press("End")
    await page.keyboard.press("Enter")
    await page.getByRole("heading", { name: /on request 0$/ }).waitFor()
    await page.keyboard.press("m")
    await page.getByRole("button", { name: /^Go to mark/ }).waitFor()
    await page.keyboard.press("w")
    const range = /view\.range=(\d+-\d+)/
    await page.waitForFunction(() => location.hash.includes("view.range"))
    const [before] = range.exec(page.url())!
    const rows = await page.locator(".row-label").allInnerTexts()
    const selection = await page.getByRole("region", { name: "Selection" }).innerText()
    await page.reload()
    await page.getByText("made with round.jsonl").waitFor()
    await drop(page, "round.jsonl", OURS)
    await page.locator("canvas.lanes").waitFor()
    expect(range.exec(page.url())![0]).toBe(before)
    expect(await page.locator(".row-label").allInnerTexts()).toEqual(rows)
    expect(await page.getByRole("region", { name: "Selection" }).innerText()).toBe(selection)
    await page.getByRole("button", { name: /^Go to mark/ }).waitFor()
    expect(errors).toEqual([])
    await page.close()
  })

  it("lays rounds over each other, and a round leads back to its place in time", async () => {
    const { page, errors } = await opened("round.jsonl", OURS)
    await page.locator("canvas.lanes").waitFor()
    await page.keyboard.press("v")
    await page.locator("canvas[data-lines='1']").waitFor()
    expect(await page.locator("[data-rounds]").innerText()).toContain(
      "1 rounds (modelled): of 4 drafted tokens 2 were accepted"
    )
    await page.getByLabel("Aligned", { exact: true }).selectOption("verify")
    await page.waitForFunction(() => location.hash.includes("view.align=verify"))
    await page.getByText("Rounds as a table").focus()
    await page.keyboard.press("Enter")
    const cells = await page.getByRole("region", { name: "Every round" }).locator("tbody td").allInnerTexts()
    expect(cells.slice(0, 7)).toEqual(["0", "1", "4 µs", "4 µs", "2 µs", "0 ns", "1.5 µs"])
    const box = (await page.locator("canvas.lanes").boundingBox())!
    await page.mouse.click(box.x + box.width / 2, box.y + 35)
    await page.getByRole("heading", { name: /^verify on request 0/ }).waitFor()
    expect(errors).toEqual([])
    await page.close()
  })

  it("begins with ways to get a trace: a file, or a method of the scenario in What-if", async () => {
    const page = await app.browser.newPage()
    await page.goto(`${app.url}#/timeline?v=1`)
    await page.getByRole("button", { name: "Simulate full-kv" }).waitFor()
    await page.getByRole("button", { name: "Simulate VeriCache", exact: true }).click()
    await page.getByRole("heading", { name: /: VeriCache$/ }).waitFor()
    await page.locator("canvas.lanes").waitFor()
    expect(page.url()).toContain("open=method-")
    await page.goto(`${app.url}#/timeline?v=1&view.open=gone`)
    await page.getByLabel("Open a trace").setInputFiles({
      name: "round.jsonl",
      mimeType: "text/plain",
      buffer: Buffer.from(OURS)
    })
    await page.getByRole("heading", { name: "round.jsonl" }).waitFor()
    await page.close()
  })

  it("shows a measured run beside a simulated one, each under its name", async () => {
    const { page, errors } = await opened("modelled.jsonl", OURS)
    await page.locator("canvas.lanes").waitFor()
    const measured = OURS.replace('"basis":"modelled"', '"basis":"measured"').replace(
      '"clock":"virtual"',
      '"clock":"wall"'
    )
    await page.locator("input[type=file]").setInputFiles({
      name: "measured.jsonl",
      mimeType: "text/plain",
      buffer: Buffer.from(measured)
    })
    await page.getByRole("heading", { name: "A · modelled.jsonl beside B · measured.jsonl" }).waitFor()
    expect(await page.getByRole("treeitem", { name: "A · replica 0, modelled" }).count()).toBe(1)
    expect(await page.getByRole("treeitem", { name: "B · replica 0, measured" }).count()).toBe(1)
    await page.waitForFunction(() =>
      document.querySelector("[data-range]")?.textContent?.includes("measured and modelled")
    )
    expect(errors).toEqual([])
    await page.close()
  })

  it("says what bounded passes where the trace does, what follows from bytes where it does not, or that it is not known", async () => {
    const run = (peaks: boolean, told: boolean): string => {
      const trace = new TraceStore({
        ...META,
        ...(peaks ? { peaks: { hbm: 1e12, hostToDevice: 1e10, basis: "assumed" } as const } : {})
      })
      const replica = trace.track({ name: "replica 0", kind: "replica" })
      const lane = trace.track({ name: "decode", kind: "gpu", parent: replica })
      const hbm = trace.track({ name: "HBM", kind: "hbm-bandwidth", parent: replica, unit: "bytes/s" })
      trace.counter(hbm, 0, 5e11)
      const limits = { limitHbm: 0.6, limitCompute: 0.25, limitScheduling: 0.1 }
      trace.slice(lane, "decode", 0, 1000, told ? limits : {})
      trace.slice(lane, "decode", 1500, 2000, told ? { limitCompute: 1 } : {})
      trace.counter(hbm, 2000, 0)
      return [...writeTrace(trace)].join("")
    }
    const { page, errors } = await opened("told.jsonl", run(true, true))
    const words = async (basis: string): Promise<string> => {
      const line = page.locator(`[data-limits="${basis}"]`)
      await page.waitForFunction(
        (one) => /\d %|not known/.test(document.querySelector(`[data-limits="${one}"]`)?.textContent ?? ""),
        basis
      )
      return line.innerText()
    }
    const told = await words("recorded")
    expect(told).toContain("as the model priced the passes")
    for (const part of [
      "HBM bandwidth 30.0 %",
      "compute 37.5 %",
      "scheduling and launches 5.0 %",
      "link 2.5 %"
    ])
      expect(told).toContain(part)
    expect(told).toContain("no work 25.0 %")
    await page.keyboard.press("i")
    await page.locator("[data-area]").waitFor()
    const table = await page.getByRole("region", { name: "Statistics by kind" }).innerText()
    expect(table).toContain("compute 50.0 %, HBM bandwidth 40.0 %, scheduling and launches 6.7 %, link 3.3 %")
    await drop(page, "bytes.jsonl", run(true, false))
    const derived = await words("derived")
    expect(derived).toContain("which do not say what bounded them")
    expect(derived).toContain("HBM at its peak rate 50.0 %")
    await drop(page, "nothing.jsonl", run(false, false))
    expect(await words("unknown")).toContain("not known")
    expect(errors).toEqual([])
    await page.close()
  })

  it("offers everything in the palette, and hands out pictures and tables", async () => {
    const { page } = await opened("round.jsonl", OURS)
    await page.locator("canvas.lanes").waitFor()
    await page.keyboard.press("Control+k")
    await page.keyboard.type("statistics view")
    await page.keyboard.press("Enter")
    await page.locator("[data-area]").waitFor()
    const saved = async (name: string): Promise<string> => {
      await page.keyboard.press("Control+k")
      await page.keyboard.type(name)
      const [download] = await Promise.all([page.waitForEvent("download"), page.keyboard.press("Enter")])
      return readFile(await download.path(), "utf8")
    }
    const drawing = await saved("Save timeline as SVG")
    expect(drawing.length).toBeLessThan(5e6)
    expect(drawing).toContain("<metadata")
    expect(drawing).toContain(">link host → device<")
    expect((await saved("Save statistics as CSV")).split("\n")[0]).toMatch(/roofline_share.*limit_hbm/)
    expect((await saved("Save timeline as PNG")).slice(1, 4)).toBe("PNG")
    await page.close()
  })

  it("shows a truncated file as far as it goes at every length, and never a blank page", async () => {
    const { page, errors } = await opened("cut.jsonl", OURS.slice(0, 40))
    for (const share of [0.05, 0.3, 0.5, 0.8, 0.99]) {
      await drop(page, `cut${share}.jsonl`, OURS.slice(0, Math.floor(OURS.length * share)))
      const either = page
        .getByRole("heading", { name: `cut${share}.jsonl` })
        .or(page.getByText(`cut${share}.jsonl:`))
        .first()
      await either.waitFor()
    }
    expect(errors).toEqual([])
    await page.close()
  })

  it("shows the first slices of a long file while it reads the others, says so, and then shows all", async () => {
    const trace = new TraceStore(META)
    const lane = trace.track({ name: "decode", kind: "gpu" })
    const count = 500_000
    for (let i = 0; i < count; i++) trace.slice(lane, "decode", i * 1000, i * 1000 + 900, { tokens: i })
    const { page, errors } = await opened("none.jsonl", "")
    await page.evaluate(() => {
      const told: string[] = []
      Object.assign(globalThis, { told })
      new MutationObserver(() => {
        const part = document.querySelector("[data-part]")?.textContent
        const shown = document.querySelector("canvas.lanes")?.getAttribute("aria-label")
        const now = `${part ?? "all"} | ${shown ?? "nothing"}`
        if (told.at(-1) !== now) told.push(now)
      }).observe(document, { subtree: true, childList: true, attributes: true })
    })
    await drop(page, "long.jsonl", [...writeTrace(trace)].join(""))
    await page.getByRole("img", { name: `Timeline of long.jsonl: ${count} slices` }).waitFor()
    const told = await page.evaluate(() => (globalThis as unknown as { readonly told: string[] }).told)
    const part = told.find((one) => one.startsWith("Reading the trace: its first"))!
    const [, first] = /its first ([\d,]+) slices/.exec(part)!
    const slices = Number(first!.replaceAll(",", ""))
    expect(slices).toBeGreaterThanOrEqual(50_000)
    expect(slices).toBeLessThan(count)
    expect(told.some((one) => one.includes(`Timeline of long.jsonl: ${slices} slices`))).toBe(true)
    expect(await page.locator("[data-part]").count()).toBe(0)
    expect(errors).toEqual([])
    await page.close()
  })

  it("emits no more than 3 × width × rows primitives in any frame, and shows a lone slice in a long run", async () => {
    const trace = new TraceStore(META)
    const replica = trace.track({ name: "replica 0", kind: "replica" })
    const passes = trace.track({ name: "passes", kind: "gpu", parent: replica })
    const link = trace.track({ name: "link", kind: "link-h2d", parent: replica })
    const lone = trace.track({ name: "lone", kind: "store", parent: replica })
    for (let i = 0; i < 20_000; i++) {
      trace.slice(passes, "draft", i * 100, i * 100 + 60)
      trace.slice(link, "reload", i * 100 + 30, i * 100 + 90, { bytes: 1 })
      trace.instant(passes, "commit", i * 100 + 60)
    }
    trace.slice(lone, "fetch", 777_777, 777_778)
    const { page } = await opened("dense.jsonl", [...writeTrace(trace)].join(""))
    const canvas = page.locator("canvas.lanes")
    await page.locator("canvas.lanes[data-primitives]").waitFor()
    const coloured = await page.evaluate(() => {
      const lanes = document.querySelector<HTMLCanvasElement>("canvas.lanes")!
      const rows = [...document.querySelectorAll(".row-label .name")].map(({ textContent }) => textContent)
      const y = Math.round((26 + rows.indexOf("lone") * 20 + 8) * devicePixelRatio)
      const { data } = lanes.getContext("2d")!.getImageData(0, y, lanes.width, 1)
      let count = 0
      // Neither ground nor the grey of the axis.
      for (let i = 0; i < data.length; i += 4)
        if (data[i + 3]! > 200 && Math.abs(data[i]! - data[i + 2]!) > 30) count++
      return count
    })
    expect(coloured).toBe(1)
    const width = await canvas.evaluate((lanes: HTMLCanvasElement) => lanes.width)
    const rows = await page.locator(".row-label").count()
    for (const key of ["w", "w", "d", "w", "w", "w", "a", "s"]) {
      await page.keyboard.press(key)
      const primitives = Number(await canvas.getAttribute("data-primitives"))
      expect(primitives).toBeGreaterThan(0)
      expect(primitives).toBeLessThanOrEqual(3 * width * rows)
    }
    await page.close()
  })

  it("has no serious findings of axe in either theme", async () => {
    const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8")
    const { page } = await opened("round.jsonl", OURS)
    await page.locator("canvas.lanes").waitFor()
    await page.keyboard.press("i")
    await page.locator("[data-area]").waitFor()
    await page.evaluate(axe)
    for (const mode of ["time", "rounds"])
      for (const theme of ["light", "dark"]) {
        await page.evaluate((to) => (document.documentElement.dataset["theme"] = to), theme)
        if (mode === "rounds" && theme === "light") await page.keyboard.press("v")
        const { violations } = await page.evaluate(() => (globalThis as unknown as { axe: Axe }).axe.run())
        expect(violations.filter(({ impact }) => impact === "serious" || impact === "critical")).toEqual([])
      }
    await page.close()
  })
})
