import type { Page } from "playwright-core"
import { describe, expect, it } from "vitest"
import { appInBrowser } from "../app.fixture.ts"
import { seriousFindings, startBrowser } from "../browser.fixture.ts"

/** Short, for the adapter is software: 12 tokens in drafts of 4. */
const SHORT =
  "#/hardware?v=1&view.text=import+os%0Aimport+sys%0A%0Adef+main%28%29%3A%0A&view.window=4&view.maxTokens=12&view.keep=0.5"

const app = appInBrowser()

/** The screen, with all that the page complained of. */
const opened = async (hash: string, colorScheme: "light" | "dark" = "light", at = app.browser) => {
  const page = await at.newPage({ colorScheme })
  const complaints: string[] = []
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text())
  })
  page.on("pageerror", ({ message }) => complaints.push(message))
  await page.goto(`${app.url}${hash}`)
  return { page, complaints }
}

const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true })
const verdict = (page: Page, text: string) => page.locator(".verdict", { hasText: text }).waitFor()

describe("Hardware", () => {
  for (const theme of ["light", "dark"] as const)
    it(`proves a run equal to full KV, by keyboard alone, without findings of axe in the ${theme} theme`, async () => {
      const { page, complaints } = await opened(SHORT, theme)
      await page.locator(".badge.software").waitFor()
      await page.getByLabel("Seed").focus()
      await page.keyboard.press("Tab")
      expect(await button(page, "Run").evaluate((one) => one === document.activeElement)).toBe(true)
      await page.keyboard.press("Enter")
      await verdict(page, "Identical to full KV: yes, all 12 tokens")
      expect(await page.locator(".tokens .proved").count()).toBe(12)
      expect(await page.locator(".tokens .own").count()).toBeGreaterThan(0)
      await page.getByText("Self-check passed").waitFor()
      await page.locator(".links a").first().waitFor()
      expect(await seriousFindings(page)).toEqual([])
      await page.getByRole("link", { name: "Measured trace in Timeline" }).press("Enter")
      await page.waitForFunction("location.hash.includes('view.open=trace-1')")
      expect(complaints).toEqual([])
      await page.close()
    })

  it("cancels a run, and runs again", async () => {
    const { page, complaints } = await opened(SHORT.replace("maxTokens=12", "maxTokens=200"))
    await page.locator(".badge.software").waitFor()
    await button(page, "Run").click()
    await page.locator(".tokens .own").nth(1).waitFor()
    await button(page, "Cancel").click()
    await verdict(page, "Cancelled")
    await page.waitForFunction("!document.querySelector('button.primary').disabled")
    await page.getByLabel("Output, tokens").fill("6")
    await button(page, "Run").click()
    await verdict(page, "yes, all 6 tokens")
    expect(complaints).toEqual([])
    await page.close()
  })

  it("goes on to the same output when the device is lost", async () => {
    const { page, complaints } = await opened(SHORT.replace("maxTokens=12", "maxTokens=60"))
    await page.locator(".badge.software").waitFor()
    await button(page, "Run").click()
    await page.locator(".tokens .own").first().waitFor()
    await button(page, "Lose the device").click()
    await page.getByText("The device was lost").waitFor()
    await verdict(page, "yes, all 60 tokens")
    expect(complaints).toEqual([])
    await page.close()
  })

  it("probes a software adapter, and offers no profile of it", async () => {
    const { page } = await opened("#/hardware?v=1")
    await page.locator(".badge.software").waitFor()
    await button(page, "Probe the device").click()
    await page.locator(".side dd", { hasText: "B/s" }).first().waitFor()
    expect(await button(page, "Export hardware profile").isDisabled()).toBe(true)
    expect(await page.locator("#why-no-profile").textContent()).toContain("A software adapter")
    await page.close()
  })

  it("says why there is no engine where there is no WebGPU, and the other screens work", async () => {
    const without = await startBrowser(false)
    try {
      const { page, complaints } = await opened("#/hardware?v=1", "light", without)
      await page.getByRole("heading", { name: "The engine cannot run in this browser" }).waitFor()
      expect(await page.locator(".no-adapter p").first().textContent()).toMatch(/This browser has/)
      expect(await seriousFindings(page)).toEqual([])
      await page.getByRole("link", { name: "What-if" }).last().click()
      await page.locator(".verdict", { hasText: "serves" }).waitFor()
      expect(complaints).toEqual([])
    } finally {
      await without.close()
    }
  })

  it("tells a prompt that is too long in words", async () => {
    const long = `#/hardware?v=1&view.text=${"word+".repeat(5000)}`
    const { page } = await opened(long)
    await page.locator(".badge.software").waitFor()
    await button(page, "Run").click()
    await page.getByRole("alert").waitFor()
    expect(await page.getByRole("alert").textContent()).toContain(
      "more than the model’s 4096 positions".replace("’", "'")
    )
    await page.close()
  })
})
