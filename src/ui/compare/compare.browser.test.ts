import { readFileSync } from "node:fs"
import type { Page } from "playwright-core"
import { describe, expect, it } from "vitest"
import { writeTrace } from "../../trace/jsonl.ts"
import { aRound } from "../../trace/trace.fixture.ts"
import { appInBrowser } from "../app.fixture.ts"
import { seriousFindings } from "../browser.fixture.ts"
const ROUND = Buffer.from([...writeTrace(aRound())].join(""))

const app = appInBrowser()

const opened = async (hash: string, options = {}): Promise<Page> => {
  const page = await app.browser.newPage(options)
  await page.goto(`${app.url}${hash}`)
  return page
}
const shown = (page: Page): Promise<void> => page.locator("svg.panes").waitFor()
const open = (page: Page, side: "a" | "b", name: string, buffer: Buffer): Promise<void> =>
  page.locator(`#compare-file-${side}`).setInputFiles({ name, mimeType: "application/json", buffer })

describe("Compare", () => {
  it("compares two methods of the demo at a press, and again from its address", async () => {
    const page = await opened("#/compare")
    await page.getByRole("button", { name: "Compare full-kv with VeriCache" }).click()
    await shown(page)
    const verdict = await page.locator(".answer").textContent()
    expect(verdict).toMatch(/^B takes \d+\.\d % less time for the run than A; decode explains/)
    expect(await page.locator("[data-unpaired]").textContent()).toContain("2696 only in B")
    await page.locator("#compare-align").selectOption("request")
    await page.locator("#compare-quantity").selectOption("total")
    const address = page.url()
    expect(address).toContain("view.align=request")
    expect(address).toContain("view.quantity=total")
    await page.reload()
    await shown(page)
    expect(page.url()).toBe(address)
    expect(await page.locator(".answer").textContent()).toBe(verdict)
    expect(await page.locator("#compare-align").inputValue()).toBe("request")
    await page.close()
  })

  it("shows zero everywhere for a run beside itself", async () => {
    const page = await opened("#/compare?v=1&view.a=method-5&view.b=method-5&view.quantity=total")
    await shown(page)
    expect(await page.locator(".answer").textContent()).toContain("B takes the same time as A per round")
    const changes = await page.locator("td[data-sign]").allTextContents()
    expect(new Set(changes)).toEqual(new Set(["0 ns"]))
    expect(await page.locator("svg.panes .unpaired, svg.panes .thin, svg.panes .longer").count()).toBe(0)
    await page.close()
  })

  it("says what was measured and what was modelled, and hands out its tables and charts", async () => {
    const page = await opened("#/compare")
    await open(page, "a", "a.jsonl", ROUND)
    await page.waitForFunction("location.hash.includes('view.a=file-1')")
    const measured = ROUND.toString().replace('"basis":"modelled"', '"basis":"measured"')
    await open(page, "b", "b.jsonl", Buffer.from(measured))
    await shown(page)
    const bases = page.locator("tr", { hasText: "reload" }).locator("td")
    expect(
      await bases.evaluateAll((cells) => cells.map((cell) => cell.getAttribute("data-provenance")))
    ).toEqual(["modelled", "measured", "modelled and measured", "modelled and measured"])
    const saved = async (name: string): Promise<string> => {
      const coming = page.waitForEvent("download")
      await page.getByRole("button", { name: `Save ${name}`, exact: true }).click()
      return readFileSync(await (await coming).path(), "utf8")
    }
    expect(await saved("compare-phases as CSV")).toContain("reload,mean,ns,2000,modelled,2000,measured,0,1")
    expect(await saved("compare-waterfall as CSV")).toContain("total,round,5500,5500,0")
    expect(await saved("compare-lanes as CSV")).toContain("reload,0,,2000,2000,0")
    expect(await saved("compare-lanes as SVG")).toMatch(/^<svg.*reload|^<svg.*round/s)
    await page.close()
  })

  it("is used by keys alone", async () => {
    const page = await opened("#/compare")
    await open(page, "a", "a.jsonl", ROUND)
    await page.waitForFunction("location.hash.includes('view.a=file-1')")
    await open(page, "b", "b.jsonl", ROUND)
    await shown(page)
    await page.locator(".lanes").focus()
    await page.keyboard.press("w")
    await page.waitForFunction("location.hash.includes('view.range=')")
    await page.keyboard.press("f")
    await page.keyboard.press(".")
    await page.locator(".told", { hasText: "B − A 0 ns" }).waitFor()
    await page.keyboard.press("]")
    await page.waitForFunction("location.hash.includes('view.slice=b.1.')")
    await page.close()
  })

  it("says what is wrong with a file, and goes on with another", async () => {
    const page = await opened("#/compare")
    await open(page, "a", "broken.jsonl", Buffer.from("not a trace"))
    await page.waitForFunction("location.hash.includes('view.a=file-1')")
    await open(page, "b", "b.jsonl", ROUND)
    await page.getByText("A cannot be compared").waitFor()
    expect(await page.getByRole("alert").textContent()).toContain("broken.jsonl:1:1: expected")
    await open(page, "a", "a.jsonl", ROUND)
    await shown(page)
    await page.close()
  })

  it("says so when an address names a run that is gone", async () => {
    const page = await opened("#/compare?v=1&view.a=trace-9&view.b=method-0")
    expect(await page.getByRole("alert").textContent()).toContain("trace-9, which is no longer open")
    await page.close()
  })

  for (const colorScheme of ["light", "dark"] as const)
    it(`has no serious findings of axe in the ${colorScheme} theme`, async () => {
      const page = await opened("#/compare?v=1&view.a=method-5&view.b=method-6", { colorScheme })
      await shown(page)
      expect(await seriousFindings(page)).toEqual([])
      await page.close()
    })
})
