/** The sweep screen in a real browser, on files that the sweep's own writers made. */
import { readFileSync } from "node:fs"
import { Effect, Result } from "effect"
import type { Page } from "playwright-core"
import { describe, expect, it } from "vitest"
import { TABLE_FORMATS } from "../../planning/files/formats.ts"
import type { Cell, Table } from "../../planning/files/table.ts"
import { evaluate, PointRunner } from "../../planning/points.ts"
import { axesOf, pointAt, sizeOf } from "../../planning/sweep/design.ts"
import { loadSweep } from "../../planning/sweep/load-sweep.ts"
import { columnsOf, rowOf } from "../../planning/sweep/row.ts"
import { CATALOG, inMemory } from "../../scenario/catalog.fixture.ts"
import { appInBrowser } from "../app.fixture.ts"
import { seriousFindings } from "../browser.fixture.ts"

const WINDOWS = [8, 16, 32]
const CONTEXTS = [1000, 2000, 200_000]
const TABLE: Table = {
  columns: [
    { name: "sweep", type: "text" },
    { name: "method", type: "text" },
    { name: "window", type: "whole" },
    { name: "context", type: "whole" },
    { name: "status", type: "text" },
    { name: "reason", type: "text" },
    { name: "caveats", type: "text" },
    { name: "tokens_per_s", type: "number" },
    { name: "tokens_per_s_per_gpu", type: "number" },
    { name: "tokens_per_s_per_user", type: "number" }
  ],
  rows: WINDOWS.flatMap((window) =>
    CONTEXTS.map((context): readonly Cell[] =>
      context > 100_000
        ? [
            "id",
            "VeriCache",
            window,
            context,
            "infeasible",
            "the KV of one request does not fit",
            undefined,
            undefined,
            undefined,
            undefined
          ]
        : [
            "id",
            "VeriCache",
            window,
            context,
            "simulated",
            undefined,
            context > 1000 ? "extrapolated beyond measured kernel times: decode attention" : undefined,
            window * 10,
            window * 5,
            1e5 / context / window
          ]
    )
  )
}

/** A sweep that was simulated, over a scenario in a file of its own. */
const SWEEP = `name: Small sweep
scenario: base.yaml
axes:
  - { field: methods.VeriCache.vericache.window, name: window, values: [4, 16] }
  - { field: hardware.link.host_to_device, name: link, values: [25 GB/s, 50 GB/s] }
`
const BASE = `name: small
model: llama-3.1-8b
hardware: h100-sxm
workload: { context: host, requests: 6, arrivals: { concurrency: 3 }, input: 2k tokens, output: 32 }
methods:
  - full-kv
  - { name: VeriCache, vericache: { compressor: kvzip, keep: 0.2, window: 8, acceptance: { alpha: 0.9, basis: assumed, source: test } } }
`
const simulated = async (): Promise<Table> => {
  const read = inMemory({ "sweep.yaml": SWEEP, "base.yaml": BASE })
  const { design, base, methodNames, recipe } = Result.getOrThrow(loadSweep("sweep.yaml", read, CATALOG))
  const points = Array.from({ length: sizeOf(design) }, (_, i) => pointAt(design, i))
  const outcomes = await Effect.runPromise(
    Effect.provide(evaluate(base, points), PointRunner.inProcess(read, CATALOG))
  )
  const rows = outcomes.map((outcome, i) =>
    rowOf({ sweep: "id", points: points.length }, i, points[i]!, methodNames, outcome, {})
  )
  return { columns: columnsOf(axesOf(design), {}), rows, recipe }
}

const app = appInBrowser(false)

const bytesOf = (ending: string, { columns, rows, recipe }: Table = TABLE): Buffer =>
  Buffer.concat([...TABLE_FORMATS[ending]!.encode(columns, rows, recipe)].map((part) => Buffer.from(part)))

const opened = async (name: string, bytes: Buffer): Promise<Page> => {
  const page = await app.browser.newPage()
  await page.goto(`${app.url}#/sweep?v=1`)
  await page
    .getByLabel("Open results")
    .setInputFiles({ name, mimeType: "application/octet-stream", buffer: bytes })
  return page
}

describe("the sweep screen", () => {
  for (const ending of Object.keys(TABLE_FORMATS))
    it(`shows results in ${ending}, what serves most, and why a point cannot be served`, async () => {
      const page = await opened(`results${ending}`, bytesOf(ending))
      await page.locator(".verdict", { hasText: "window 32" }).waitFor()
      expect(await page.locator(".verdict").innerText()).toContain("3 of 9 points cannot be served")
      const hatched = page.locator('rect[fill="url(#infeasible)"]')
      expect(await hatched.count()).toBe(3)
      expect(await hatched.first().getAttribute("aria-label")).toContain("does not fit")
      expect(await page.locator('rect[fill="url(#extrapolated)"]').count()).toBe(3)
      expect(await page.locator('rect[aria-label*="extrapolated beyond"]').count()).toBe(3)
      await page.close()
    })

  it("goes from a point of a Parquet file to its scenario and its timeline, by keyboard alone", async () => {
    const table = await simulated()
    const page = await opened("small.parquet", bytesOf(".parquet", table))
    await page.locator('[aria-label^="Throughput a GPU"] [tabindex="0"]').focus()
    for (let i = 0; i < 7; i++) await page.keyboard.press("ArrowRight")
    await page.keyboard.press("Enter")
    await page.getByRole("heading", { name: "VeriCache, window 16, link 50 GB/s" }).waitFor()
    await page.getByRole("button", { name: "Simulate and open its timeline" }).press("Enter")
    await page.locator("canvas.lanes[data-primitives]").waitFor()
    expect(page.url()).toContain("#/timeline?")
    await page.goBack()
    await page.getByRole("button", { name: "Open in What-if" }).press("Enter")
    await page.locator(".verdict", { hasText: "VeriCache serves" }).waitFor()
    expect(page.url()).toContain("file=small-sweep-point-7.yaml")
    expect(await page.getByLabel("Scenario, YAML").inputValue()).toContain('host_to_device: "50 GB/s"')
    const rate = table.rows[7]![table.columns.findIndex(({ name }) => name === "tokens_per_s")]
    await page.waitForFunction(
      (wanted) => [...document.querySelectorAll("tr")].at(-1)?.cells[1]?.textContent === wanted,
      Number(rate).toPrecision(3)
    )
    await page.close()
  })

  it("goes there from a CSV once the sweep's file is opened, and refuses another sweep's", async () => {
    const page = await opened("small.csv", bytesOf(".csv", await simulated()))
    await page.getByRole("button", { name: "show: point 7" }).click()
    const file = (name: string, text: string) => ({ name, mimeType: "text/yaml", buffer: Buffer.from(text) })
    const base = file("base.yaml", BASE)
    await page
      .getByLabel("Open the sweep's file")
      .setInputFiles([base, file("other.yaml", SWEEP.replace("[4, 16]", "[4, 32]"))])
    await page.getByRole("button", { name: "Open in What-if" }).click()
    await page.getByText('the sweep "Small sweep" has window 32, the results have 16').waitFor()
    await page.evaluate(() => {
      location.hash = location.hash.replace(/&view\.sweep=[^&]*/, "")
    })
    await page.reload()
    await page.getByText("These results are not open any more").waitFor()
    await page.close()
    const again = await opened("small.csv", bytesOf(".csv", await simulated()))
    await again.getByRole("button", { name: "show: point 7" }).click()
    await again.getByLabel("Open the sweep's file").setInputFiles([base, file("sweep.yaml", SWEEP)])
    await again.getByRole("button", { name: "Open in What-if" }).click()
    await again.waitForFunction("location.hash.includes('small-sweep-point-7.yaml')")
    await again.close()
  })

  it("narrows by dragging over the front and along an axis", async () => {
    const page = await opened("results.csv", bytesOf(".csv"))
    const drag = async (ground: string, from: readonly number[], to: readonly number[]): Promise<void> => {
      await page.locator(ground).first().scrollIntoViewIfNeeded()
      const box = (await page.locator(ground).first().boundingBox())!
      const at = ([x, y]: readonly number[]) => [box.x + box.width * x!, box.y + box.height * y!] as const
      await page.mouse.move(...at(from))
      await page.mouse.down()
      await page.mouse.move(...at(to), { steps: 4 })
      await page.mouse.up()
    }
    await drag('[aria-label^="Throughput a GPU"] .ground', [0.02, 0.02], [0.98, 0.35])
    await page.getByText("2 of 9 points looked at").waitFor()
    expect(page.url()).toContain("tokens_per_s_per_gpu")
    await drag('[aria-label^="Every point"] .ground', [0.5, 0.9], [0.5, 0.5])
    await page.waitForFunction("location.hash.includes('window')")
    await page.getByText("0 of 9 points looked at").waitFor()
    await page.close()
  })

  it("narrows every view at once, and keeps that in the address", async () => {
    const page = await opened("results.csv", bytesOf(".csv"))
    await page.getByLabel("Field to narrow").selectOption("window")
    await page.getByLabel("To", { exact: true }).fill("16")
    await page.getByRole("button", { name: "Look only at these" }).press("Enter")
    await page.getByText("6 of 9 points looked at").waitFor()
    expect(await page.locator("tbody tr").count()).toBe(6)
    expect(await page.locator('circle[opacity="1"]').count()).toBe(4)
    expect(page.url()).toContain("view.brush=window")
    await page.getByRole("button", { name: /No more narrow/ }).click()
    await page.getByText("9 of 9 points looked at").waitFor()
    await page.close()
  })

  it("chooses a point by keyboard, sorts the table, and saves it", async () => {
    const page = await opened("results.csv", bytesOf(".csv"))
    const dot = page.locator("circle").first()
    await dot.focus()
    await page.keyboard.press("Enter")
    await page.getByLabel("Chosen point").waitFor()
    expect(page.url()).toContain("view.point=")
    await page.getByRole("button", { name: "tok/s", exact: true }).press("Enter")
    await page.locator('th[aria-sort="ascending"]', { hasText: "tok/s" }).waitFor()
    await page.getByRole("button", { name: "tok/s", exact: true }).press("Enter")
    await page.locator('th[aria-sort="descending"]', { hasText: "tok/s" }).waitFor()
    expect(await page.locator("tbody tr").first().innerText()).toContain("320")
    const [file] = await Promise.all([
      page.waitForEvent("download"),
      page.getByLabel("Save points as CSV").click()
    ])
    expect(readFileSync(await file.path(), "utf8").split("\n").length).toBe(10)
    await page.close()
  })

  it("says of torn and of other files what is wrong, and stays usable", async () => {
    const torn = await opened("torn.csv", bytesOf(".csv").subarray(0, -30))
    await torn.locator(".verdict", { hasText: "serves most" }).waitFor()
    expect(await torn.locator(".toast").innerText()).toContain("the last row is left out")
    await torn.close()
    const page = await opened("other.csv", Buffer.from("a,b\n1,2\n"))
    await page.getByText("with the columns method and status").waitFor()
    await page.getByLabel("Open results").setInputFiles({
      name: "results.jsonl",
      mimeType: "application/json",
      buffer: bytesOf(".jsonl")
    })
    await page.locator(".verdict", { hasText: "serves most" }).waitFor()
    await page.close()
  })

  for (const colorScheme of ["light", "dark"] as const)
    it(`has no serious findings of axe in the ${colorScheme} theme, and fits 400 px`, async () => {
      const page = await app.browser.newPage({ colorScheme, viewport: { width: 400, height: 800 } })
      await page.goto(`${app.url}#/sweep?v=1`)
      await page.getByLabel("Open results").setInputFiles({
        name: "results.csv",
        mimeType: "text/csv",
        buffer: bytesOf(".csv")
      })
      await page.locator(".verdict", { hasText: "serves most" }).waitFor()
      const beyond = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
      expect(beyond).toBeLessThanOrEqual(0)
      expect(await seriousFindings(page)).toEqual([])
      await page.close()
    })
})
