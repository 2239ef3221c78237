import { createRequire } from "node:module"
import { readFileSync } from "node:fs"
import type { Browser, Page } from "playwright-core"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type Served, serveApp, startBrowser } from "../browser.fixture.ts"

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8")

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

  it("tells the faults of a scenario in place", async () => {
    const page = await opened("#/whatif?v=1&file=mine.yaml&text=model%3A+llama-3.1-7b")
    expect(await page.getByRole("alert").first().textContent()).toContain("mine.yaml, line 1")
    await page.close()
  })

  for (const colorScheme of ["light", "dark"] as const)
    it(`has no serious findings of axe in the ${colorScheme} theme`, async () => {
      const page = await opened("", { colorScheme })
      await page.getByText("All 200 requests").waitFor()
      await page.evaluate(axe)
      const found = await page.evaluate<{
        readonly violations: readonly {
          readonly id: string
          readonly impact: string
          readonly nodes: readonly { readonly html: string }[]
        }[]
      }>("axe.run()")
      expect(
        found.violations
          .filter(({ impact }) => impact === "serious" || impact === "critical")
          .map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])
      ).toEqual([])
      await page.close()
    })
})
