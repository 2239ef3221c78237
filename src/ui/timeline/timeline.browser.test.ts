/** The timeline in a real browser: a run opened from What-if and from files, by mouse and by keyboard. */
import { readFile } from "node:fs/promises"
import { createRequire } from "node:module"
import type { Browser, Page } from "playwright-core"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { chromeTrace } from "../../trace/chrome.ts"
import { writeTrace } from "../../trace/jsonl.ts"
import { aRound } from "../../trace/trace.fixture.ts"
import { serveApp, type Served, startBrowser } from "../browser.fixture.ts"

interface Axe {
  readonly run: () => Promise<{
    readonly violations: readonly { readonly id: string; readonly impact: string }[]
  }>
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
  const page = await browser.newPage()
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

  it("has no serious findings of axe in either theme", async () => {
    const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8")
    const { page } = await opened("round.jsonl", OURS)
    await page.locator("canvas.lanes").waitFor()
    await page.keyboard.press("i")
    await page.locator("[data-area]").waitFor()
    await page.evaluate(axe)
    for (const theme of ["light", "dark"]) {
      await page.evaluate((to) => (document.documentElement.dataset["theme"] = to), theme)
      const { violations } = await page.evaluate(() => (globalThis as unknown as { axe: Axe }).axe.run())
      expect(violations.filter(({ impact }) => impact === "serious" || impact === "critical")).toEqual([])
    }
    await page.close()
  })
})
