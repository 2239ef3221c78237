import { readFileSync } from "node:fs"
import type { Browser, Page } from "playwright-core"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type Served, seriousFindings, serveApp, startBrowser } from "../browser.fixture.ts"

let served: Served
let browser: Browser
beforeAll(async () => {
  served = await serveApp()
  browser = await startBrowser()
})
afterAll(async () => {
  await browser.close()
  served.close()
})

const opened = async (hash = "", options = {}): Promise<Page> => {
  const page = await browser.newPage(options)
  await page.goto(`${served.url}${hash}`)
  return page
}

describe("What-if", () => {
  it("says the verdict of the demo", async () => {
    const page = await opened()
    await page.getByText("All 200 requests").waitFor()
    expect(await page.locator(".verdict").textContent()).toContain("VeriCache serves 2.34× the full-kv")
    await page.close()
  })

  it("says what would help, by simulation, and applies it", async () => {
    const page = await opened()
    const first = page.locator(".advice li").first()
    await first.waitFor()
    const said = (await first.textContent())!
    const rate = Number(/([\d.]+) tok\/s/.exec(said)![1])
    expect(await page.locator(".verdict").textContent()).toMatch(/; .* \d\.\d\d×\.$/)
    await first.getByRole("button").click()
    await page.waitForFunction("location.hash.includes('set.')")
    await page.getByText("All 200 requests").waitFor()
    const row = page.getByRole("row", { name: /^VeriCache (?!\+)/ })
    await page.waitForFunction(
      ([name, wanted]) =>
        [...document.querySelectorAll("tr")].some(
          (one) => one.cells[0]?.textContent === name && one.cells[1]?.textContent === wanted
        ),
      ["VeriCache", rate.toPrecision(3)] as const
    )
    expect(await row.count()).toBeGreaterThan(0)
    await page.close()
  })

  it("saves charts as SVG and tables as CSV", async () => {
    const page = await opened()
    await page.locator(".advice li").first().waitFor()
    const saved = async (name: string): Promise<string> => {
      const [file] = await Promise.all([page.waitForEvent("download"), page.getByLabel(name).click()])
      return readFileSync(await file.path(), "utf8")
    }
    const chart = await saved("Save draft-window as SVG")
    expect(chart).toMatch(/^<svg [\s\S]*best by theory[\s\S]*<\/svg>$/)
    const methods = await saved("Save methods as CSV")
    expect(methods.split("\n")[0]).toContain("method,tokens_per_s,ttft_p50_s")
    expect(methods.split("\n").length).toBe(8)
    await page.close()
  })

  it("fits 400 px and 2560 px without scrolling sideways", async () => {
    for (const width of [400, 2560]) {
      const page = await opened("", { viewport: { width, height: 900 } })
      await page.locator(".advice li").first().waitFor()
      const beyond = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
      expect(beyond).toBeLessThanOrEqual(0)
      await page.close()
    }
  })

  it("keeps a slider's change in its address, and over a reload", async () => {
    const page = await opened()
    await page.getByLabel("Link bandwidth", { exact: true }).press("ArrowRight")
    await page.waitForFunction("location.hash.includes('set.hardware.link.host_to_device')")
    const address = page.url()
    await page.reload()
    await page.locator(".verdict", { hasText: "serves" }).waitFor()
    expect(page.url()).toBe(address)
    await page.close()
  })

  it("opens another scenario that comes with vericache", async () => {
    const page = await opened()
    const picker = page.getByLabel("Scenarios that come with vericache")
    await page.locator(".verdict", { hasText: "serves" }).waitFor()
    await picker.selectOption("consumer-rtx-4090.yaml")
    await page.waitForFunction("location.hash.includes('consumer-rtx-4090')")
    await page.waitForFunction(
      "document.querySelector('textarea').value.includes('rtx-4090') && document.querySelector('.verdict').textContent.includes('serves')"
    )
    await page.close()
  })

  it("tells the faults of a scenario in place", async () => {
    const page = await opened("#/whatif?v=1&file=mine.yaml&text=model%3A+llama-3.1-7b")
    expect(await page.getByRole("alert").first().textContent()).toContain("mine.yaml, line 1")
    await page.close()
  })

  for (const colorScheme of ["light", "dark"] as const)
    it(`has no serious findings of axe in the ${colorScheme} theme`, async () => {
      const page = await opened("", { colorScheme })
      await page.getByText("All 200 requests").waitFor()
      expect(await seriousFindings(page)).toEqual([])
      await page.close()
    })
})
