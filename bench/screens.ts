/** How soon the page shows something: first paint, first result, and a new verdict after a slider has moved. */
import type { Browser } from "playwright-core"

const RUNS = 7

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

const line = (what: string, values: readonly number[]): void => {
  const most = Math.max(...values)
  console.log(
    `${what.padEnd(58)} ${median(values).toFixed(0).padStart(5)} ms   ${most.toFixed(0).padStart(5)} ms`
  )
}

/** What the page notes of itself: when a verdict first said what is served, since the page began or a slider moved. */
interface Noted {
  readonly firstPaint: number
  readonly firstResult: number
}

/** Prints medians and the worst of seven. */
export const measureScreens = async (browser: Browser, url: string): Promise<void> => {
  const noted: Noted[] = []
  const moved: number[] = []
  for (let run = 0; run < RUNS; run++) {
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
    await page.addInitScript(() => {
      const seen = { since: 0, result: undefined as number | undefined }
      Object.assign(globalThis, { seen })
      new MutationObserver(() => {
        const text = document.querySelector(".verdict")?.textContent ?? ""
        if (seen.result === undefined && text.includes("serves")) seen.result = performance.now() - seen.since
      }).observe(document, { subtree: true, childList: true, characterData: true })
    })
    await page.goto(url)
    await page.locator(".verdict", { hasText: "serves" }).waitFor()
    noted.push(
      await page.evaluate(() => ({
        firstPaint: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? Number.NaN,
        firstResult: (globalThis as unknown as { readonly seen: { readonly result: number } }).seen.result
      }))
    )
    await page.getByText("All 200 requests").waitFor()
    // What would help is being simulated now: the slider cancels that.
    await page.evaluate(() => {
      const { seen } = globalThis as unknown as {
        readonly seen: { since: number; result: number | undefined }
      }
      document.querySelector(".verdict")!.textContent = ""
      seen.since = performance.now()
      seen.result = undefined
    })
    await page.getByLabel("Link bandwidth", { exact: true }).press("ArrowRight")
    await page.waitForFunction(
      () =>
        (globalThis as unknown as { readonly seen: { readonly result: unknown } }).seen.result !== undefined
    )
    moved.push(
      await page.evaluate(
        () => (globalThis as unknown as { readonly seen: { readonly result: number } }).seen.result
      )
    )
    await page.close()
  }
  console.log(`\n${"the demo in What-if, of seven".padEnd(58)}   median      worst`)
  line(
    "first contentful paint after opening the page",
    noted.map(({ firstPaint }) => firstPaint)
  )
  line(
    "first result after opening the page",
    noted.map(({ firstResult }) => firstResult)
  )
  line("first result after a slider was moved", moved)
}
