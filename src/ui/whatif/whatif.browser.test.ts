import { execFileSync } from "node:child_process"
import { copyFileSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { csvParse } from "d3"
import type { Page } from "playwright-core"
import { describe, expect, it } from "vitest"
import { appInBrowser } from "../app.fixture.ts"
import { seriousFindings } from "../browser.fixture.ts"

const app = appInBrowser()

const opened = async (hash = "", options = {}): Promise<Page> => {
  const page = await app.browser.newPage(options)
  await page.goto(`${app.url}${hash}`)
  return page
}

describe("What-if", () => {
  it("says the verdict of the demo", async () => {
    const page = await opened()
    await page.getByText("All 200 requests").waitFor()
    expect(await page.locator(".verdict").textContent()).toContain("VeriCache serves 2.33× the full-kv")
    await page.close()
  })

  it("says what would help, by simulation, and applies it", async () => {
    const page = await opened()
    const first = page.locator(".advice li").first()
    await first.waitFor()
    const said = (await first.textContent())!
    const rate = Number(/([\d.]+) tok\/s/.exec(said)![1])
    expect(await page.locator(".verdict").textContent()).toMatch(/; .* for \d\.\d\d×\.$/)
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
    const page = await opened("#/whatif?v=1")
    await page.locator(".advice li").first().waitFor()
    const saved = async (name: string, encoding: BufferEncoding = "utf8"): Promise<string> => {
      const [file] = await Promise.all([page.waitForEvent("download"), page.getByLabel(name).click()])
      return readFileSync(await file.path(), encoding)
    }
    await page.getByText("best by simulation").waitFor()
    const chart = await saved("Save draft-window as SVG")
    expect(chart).toMatch(/^<svg [\s\S]*best by theory[\s\S]*<\/svg>$/)
    expect(chart).toContain("<metadata>#/whatif?v=1</metadata>")
    const picture = Buffer.from(await saved("Save break-even as PNG", "latin1"), "latin1")
    expect(picture.subarray(1, 4).toString()).toBe("PNG")
    expect(picture.readUInt32BE(16)).toBeGreaterThan(1000)
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

  it("marks the faults of a scenario where they are, and goes there by keys", async () => {
    const page = await opened("#/whatif?v=1&file=mine.yaml&text=name%3A+mine%0Amodel%3A+llama-3.1-7b%0A")
    expect(await page.getByRole("alert").textContent()).toContain("mine.yaml, line 1")
    const bad = page.locator(".editor .bad", { hasText: "llama-3.1-7b" })
    expect(await bad.locator(".message").textContent()).toContain("did you mean llama-3.1-70b")
    await page.getByRole("button", { name: "Go to line 2" }).press("Enter")
    const chosen = await page
      .getByLabel("Scenario, YAML")
      .evaluate((text: HTMLTextAreaElement) => text.value.slice(text.selectionStart, text.selectionEnd))
    expect(chosen).toBe("model:")
    await page.close()
  })

  it("checks the text while it is edited, and simulates it on Ctrl+Enter", async () => {
    const page = await opened()
    await page.getByText("All 200 requests").waitFor()
    const text = page.getByLabel("Scenario, YAML")
    const whole = await text.inputValue()
    await text.fill(whole.replace("requests: 200", "requests: 0"))
    const bad = page.locator(".editor .bad")
    await bad.waitFor()
    expect(await bad.textContent()).toContain("requests: 0")
    expect(await bad.locator(".message").textContent()).toMatch(/workload\.requests: expected .*found 0/)
    expect(await text.getAttribute("aria-invalid")).toBe("true")
    await text.fill(whole.replace("requests: 200", "requests: 30"))
    await page.getByText("No faults.").waitFor()
    expect(await bad.count()).toBe(0)
    await text.press("Control+Enter")
    await page.getByText("All 30 requests").waitFor()
    await page.close()
  })

  it("loads a scenario that is dropped on it", async () => {
    const page = await opened()
    await page.locator(".verdict", { hasText: "serves" }).waitFor()
    await page.evaluate((text) => {
      const dataTransfer = new DataTransfer()
      dataTransfer.items.add(new File([text], "dropped.yaml"))
      document.body.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }))
    }, "extends: llama-70b-2xh100-long-context.yaml\nworkload: { requests: 20 }\n")
    await page.getByText("All 20 requests").waitFor()
    expect(page.url()).toContain("file=dropped.yaml")
    await page.close()
  })

  it("takes the files that a scenario names, with it or afterwards", async () => {
    const mine = {
      name: "mine.yaml",
      mimeType: "application/yaml",
      buffer: Buffer.from("extends: folder/base.yaml\nworkload: { requests: 20 }\n")
    }
    const base = {
      name: "base.yaml",
      mimeType: "application/yaml",
      buffer: readFileSync(join(import.meta.dirname, "../../../scenarios/llama-70b-2xh100-long-context.yaml"))
    }
    const page = await opened()
    await page.locator(".verdict", { hasText: "serves" }).waitFor()
    const input = page.getByLabel("Open a scenario")
    await input.setInputFiles(mine)
    await page.getByText("each is found by its name").waitFor()
    await input.setInputFiles(base)
    await page.getByText("All 20 requests").waitFor()
    await page.close()

    const other = await opened()
    await other.getByLabel("Open a scenario").setInputFiles([base, mine])
    await other.getByText("All 20 requests").waitFor()
    expect(other.url()).toContain("file=mine.yaml")
    await other.close()
  })

  it("hatches figures that go beyond measured kernel times, and says so", async () => {
    const catalog = join(import.meta.dirname, "../../../scenarios/catalog/hardware/h100-sxm.yaml")
    const profile = `${readFileSync(catalog, "utf8")}
tables:
  basis: measured
  source: made up for a test
  dense: { tokens: [1, 2], seconds: [3.0e-4, 3.1e-4] }
`
    const scenario = `name: mine
model: llama-3.1-8b
hardware: { profile: my-gpu.yaml }
workload: { context: host, requests: 6, arrivals: { concurrency: 3 }, input: 2k tokens, output: 32 }
methods:
  - full-kv
`
    const file = (name: string, text: string) => ({
      name,
      mimeType: "application/yaml",
      buffer: Buffer.from(text)
    })
    const page = await opened()
    await page.getByText("All 200 requests").waitFor()
    expect(await page.locator(".extrapolated").count()).toBe(0)
    await page
      .getByLabel("Open a scenario")
      .setInputFiles([file("mine.yaml", scenario), file("my-gpu.yaml", profile)])
    await page.locator("td.extrapolated").first().waitFor()
    expect(await page.getByLabel("What weakens these figures").textContent()).toBe(
      "extrapolated beyond measured kernel times: linear layers"
    )
    await page.close()
  })

  it("shows the numbers of the command line for what it saves, however fast fields changed", async () => {
    const page = await opened()
    await page.locator(".verdict", { hasText: "serves" }).waitFor()
    const slider = page.getByLabel("Link bandwidth", { exact: true })
    for (let i = 0; i < 8; i++) await slider.press("ArrowRight")
    await page.locator(".advice li").first().waitFor()
    const saved = async (name: string): Promise<string> => {
      const coming = page.waitForEvent("download")
      await page.getByRole("button", { name, exact: true }).click()
      return (await coming).path()
    }
    const scenario = `${await saved("Save")}.yaml`
    copyFileSync(scenario.replace(/\.yaml$/, ""), scenario)
    const shown = csvParse(readFileSync(await saved("Save methods as CSV"), "utf8"))
    const main = join(import.meta.dirname, "..", "..", "cli", "main.ts")
    const told = csvParse(
      execFileSync(process.execPath, [main, "simulate", scenario, "--format", "csv"], { encoding: "utf8" })
    )
    expect(readFileSync(scenario, "utf8")).toMatch(/host_to_device: 5[1-9](\.\d+)? GB\/s|host_to_device: 6/)
    expect(shown).toHaveLength(7)
    for (const row of shown) {
      const same = told.find(({ method }) => method === row["method"])!
      for (const column of ["tokens_per_s", "ttft_p50_s", "ttft_p95_s", "tpot_p50_s", "e2el_p50_s"])
        expect(Number(row[column])).toBe(Number(same[column]))
    }
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
