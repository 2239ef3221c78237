/** The sweep screen in a real browser, on files that the sweep's own writers made. */
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import type { Browser, Page } from "playwright-core"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { TABLE_FORMATS } from "../../planning/files/formats.ts"
import type { Cell, Table } from "../../planning/files/table.ts"
import { serveApp, type Served, startBrowser } from "../browser.fixture.ts"

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8")

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
            undefined
          ]
        : [
            "id",
            "VeriCache",
            window,
            context,
            "simulated",
            undefined,
            window * 10,
            window * 5,
            1e5 / context / window
          ]
    )
  )
}

let app: Served
let browser: Browser
beforeAll(async () => {
  app = await serveApp()
  browser = await startBrowser(false)
})
afterAll(async () => {
  await browser.close()
  app.close()
})

const bytesOf = (ending: string): Buffer =>
  Buffer.concat(
    [...TABLE_FORMATS[ending]!.encode(TABLE.columns, TABLE.rows)].map((part) => Buffer.from(part))
  )

const opened = async (name: string, bytes: Buffer): Promise<Page> => {
  const page = await browser.newPage()
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
    await page.getByRole("button", { name: "tokens_per_s", exact: true }).press("Enter")
    await page.getByRole("button", { name: "tokens_per_s ↑" }).press("Enter")
    await page.getByRole("button", { name: "tokens_per_s ↓" }).waitFor()
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
      const page = await browser.newPage({ colorScheme, viewport: { width: 400, height: 800 } })
      await page.goto(`${app.url}#/sweep?v=1`)
      await page.getByLabel("Open results").setInputFiles({
        name: "results.csv",
        mimeType: "text/csv",
        buffer: bytesOf(".csv")
      })
      await page.locator(".verdict", { hasText: "serves most" }).waitFor()
      const beyond = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
      expect(beyond).toBeLessThanOrEqual(0)
      await page.evaluate(axe)
      const { violations } = await page.evaluate<{
        readonly violations: readonly {
          readonly id: string
          readonly impact: string
          readonly nodes: readonly { readonly html: string }[]
        }[]
      }>("axe.run()")
      expect(
        violations
          .filter(({ impact }) => impact === "serious" || impact === "critical")
          .map(({ id, nodes }) => [id, nodes.map(({ html }) => html.slice(0, 200))])
      ).toEqual([])
      await page.close()
    })
})
