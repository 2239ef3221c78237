/** What holds of every screen: keys reach everything, numbers say where they come from, files that are broken are told. */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import type { Page } from "playwright-core"
import { describe, expect, it } from "vitest"
import { writeTrace } from "../trace/jsonl.ts"
import { perfettoTrace } from "../trace/perfetto.ts"
import { aRound } from "../trace/trace.fixture.ts"
import { parquetFormat } from "../planning/files/parquet.ts"
import { appInBrowser } from "./app.fixture.ts"
import { seriousFindings, serveApp } from "./browser.fixture.ts"

const RESULTS = `sweep,points,point,seed,method,window,link_bytes_per_s,status,reason,tokens_per_s,tokens_per_s_per_gpu,tokens_per_s_per_user,ttft_p95_s
id,4,0,0,VeriCache,8,25000000000,simulated,,100,50,9,0.5
id,4,1,0,VeriCache,8,50000000000,simulated,,120,60,8,0.4
id,4,2,0,VeriCache,16,25000000000,infeasible,does not fit,,,,
id,4,3,0,VeriCache,16,50000000000,simulated,,140,70,7,0.3
`

const app = appInBrowser()

/** A page and all that it complained of. */
const blank = async (options = {}): Promise<{ readonly page: Page; readonly complaints: string[] }> => {
  const page = await app.browser.newPage(options)
  const complaints: string[] = []
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text())
  })
  page.on("pageerror", ({ message }) => complaints.push(message))
  return { page, complaints }
}

const give = (page: Page, label: string, name: string, text: string | Buffer): Promise<void> =>
  page
    .getByLabel(label)
    .setInputFiles({ name, mimeType: "application/octet-stream", buffer: Buffer.from(text) })

/** Lets a file fall on the page. */
const drop = (page: Page, name: string, bytes: Buffer): Promise<void> =>
  page.evaluate(
    ([file, base64]) => {
      const dataTransfer = new DataTransfer()
      const content = Uint8Array.from(atob(base64!), (letter) => letter.codePointAt(0)!)
      dataTransfer.items.add(new File([content], file!))
      document.body.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }))
    },
    [name, bytes.toString("base64")]
  )

/** Brings a screen to where there is something to see. */
const SCREENS: Readonly<Record<string, (page: Page) => Promise<void>>> = {
  whatif: async (page) => {
    await page.goto(`${app.url}#/whatif?v=1`)
    await page.locator(".advice li").first().waitFor()
    await page.getByText("best by simulation").waitFor()
  },
  timeline: async (page) => {
    await page.goto(`${app.url}#/timeline?v=1`)
    await drop(page, "run.jsonl", Buffer.from([...writeTrace(aRound())].join("")))
    await page.locator("canvas.lanes[data-primitives]").waitFor()
  },
  compare: async (page) => {
    await page.goto(`${app.url}#/compare?v=1&view.a=method-0&view.b=method-5`)
    await page.locator("svg.panes").waitFor()
  },
  hardware: async (page) => {
    await page.goto(`${app.url}#/hardware?v=1`)
    await page.locator(".badge.software").waitFor()
  },
  sweep: async (page) => {
    await page.goto(`${app.url}#/sweep?v=1`)
    await give(page, "Open results", "results.csv", RESULTS)
    await page.locator(".verdict", { hasText: "serves most" }).waitFor()
    await page.getByRole("button", { name: "show: point 0" }).click()
    await page.locator(".chosen").waitFor()
  }
}

describe.each(Object.entries(SCREENS))("%s", (_, open) => {
  it("is reached by the Tab key in all its parts, each with a name, the focus seen", async () => {
    const { page, complaints } = await blank({ viewport: { width: 1280, height: 900 } })
    await open(page)
    const parts = await page.evaluate(() => {
      const wanted = 'a[href], button, input, select, textarea, summary, [tabindex="0"]'
      const found = [...document.querySelectorAll<HTMLElement>(wanted)].filter(
        (one) => one.checkVisibility({ visibilityProperty: true }) && !(one as HTMLButtonElement).disabled
      )
      for (const [i, one] of found.entries()) one.dataset["part"] = String(i)
      ;(document.activeElement as HTMLElement | null)?.blur()
      return found.map((one) => one.outerHTML.slice(0, 120))
    })
    const reached = new Map<string, string>()
    for (let i = 0; i < parts.length + 5; i++) {
      await page.keyboard.press("Tab")
      const at = await page.evaluate(() => {
        const active = document.activeElement as HTMLElement | null
        const { outlineStyle, outlineWidth } = getComputedStyle(active ?? document.body)
        return [active?.dataset["part"] ?? "", `${outlineStyle} ${outlineWidth}`] as const
      })
      reached.set(...at)
    }
    const missed = parts.filter((_one, i) => !reached.has(String(i)))
    expect(missed).toEqual([])
    const unseen = [...reached].filter(([part, outline]) => part !== "" && /^none|^\S+ 0px/.test(outline))
    expect(unseen.map(([part]) => parts[Number(part)])).toEqual([])
    expect(complaints).toEqual([])
    await page.close()
  })

  it("says of every number what it means and where it comes from, and of no capacity just GB", async () => {
    const { page } = await blank()
    await open(page)
    const bare = await page.evaluate(() => {
      const places = "td.number, dd, output, .verdict, .answer, .advice li > span, svg [data-provenance]"
      return [...document.querySelectorAll(`#screen :is(${places})`)]
        .filter((one) => {
          const own = one.closest("[data-provenance]") ?? one.querySelector("[data-provenance]")
          const title = one.closest("[title]") ?? own?.querySelector("title") ?? one.querySelector("title")
          return /\d/.test(one.textContent) && (own === null || title === null)
        })
        .map((one) => one.outerHTML.slice(0, 160))
    })
    expect(bare).toEqual([])
    expect(await page.locator("#screen").innerText()).not.toMatch(/\d ?GB(?!\/s)/)
    await page.close()
  })

  it("has no serious findings of axe in either theme, and fits from 400 to 2560 px", async () => {
    const { page } = await blank({ viewport: { width: 400, height: 900 } })
    await open(page)
    for (const width of [400, 1280, 2560]) {
      await page.setViewportSize({ width, height: 900 })
      await page.evaluate(
        () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))
      )
      const beyond = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
      expect([width, beyond <= 0 ? 0 : beyond]).toEqual([width, 0])
    }
    for (const theme of ["light", "dark"]) {
      await page.evaluate((name) => (document.documentElement.dataset["theme"] = name), theme)
      expect([theme, await seriousFindings(page)]).toEqual([theme, []])
    }
    await page.close()
  })
})

describe("the page", () => {
  it("tells what is wrong with a broken file of any kind, and goes on", async () => {
    const trace = Buffer.from([...writeTrace(aRound())].join(""))
    const perfetto = Buffer.concat([...perfettoTrace(aRound())].map((part) => Buffer.from(part)))
    const columns = ["sweep", "method", "a", "status"].map((name) => ({ name, type: "text" as const }))
    const parquet = Buffer.concat(
      [...parquetFormat.encode(columns, [["s", "m", "1", "simulated"]])].map((part) => Buffer.from(part))
    )
    const garbage = Buffer.from([0, 255, 254, 1, 2, 3, 10, 200])
    const files: Readonly<Record<string, Buffer>> = {
      "a.yaml": Buffer.from("name: [unclosed\n"),
      "b.yaml": garbage,
      "empty.yaml": Buffer.alloc(0),
      "torn.jsonl": trace.subarray(0, trace.length / 2),
      "c.jsonl": garbage,
      "empty.jsonl": Buffer.alloc(0),
      "d.json": Buffer.from('{"traceEvents":[{"ph":"X"'),
      "torn.pftrace": perfetto.subarray(0, perfetto.length - 7),
      "e.pftrace": garbage,
      "torn.parquet": parquet.subarray(0, parquet.length - 9),
      "f.parquet": garbage,
      "torn.csv": Buffer.from('sweep,method,a,status\ns,m,"1'),
      "g.csv": garbage,
      "sweep.jsonl": Buffer.from('{"sweep":"s","method":'),
      "h.xyz": garbage
    }
    const { page, complaints } = await blank()
    await page.goto(app.url)
    await page.locator(".verdict", { hasText: "serves" }).waitFor()
    for (const [name, bytes] of Object.entries(files)) {
      await page.evaluate(() => (document.querySelector(".toast")!.textContent = ""))
      await drop(page, name, bytes)
      await page.waitForFunction((file) => {
        const told = [...document.querySelectorAll(".failure, .toast, [role=alert]")]
        const shown = document.querySelector<HTMLElement>("#screen")!.innerText.trim()
        return shown !== "" && told.some((one) => one.textContent.includes(file))
      }, name)
    }
    await page.getByRole("link", { name: "What-if" }).click()
    await page.locator(".verdict").waitFor()
    expect(complaints).toEqual([])
    await page.close()
  })

  it("works from a subfolder of a static host, the workers too", async () => {
    const below = await serveApp("/some/folder/")
    const { page, complaints } = await blank()
    await page.goto(below.url)
    await page.locator(".verdict", { hasText: "serves" }).waitFor()
    await page.getByRole("link", { name: "Hardware" }).click()
    await page.locator(".badge.software").waitFor()
    expect(complaints).toEqual([])
    await page.close()
    below.close()
  })

  it("is small: what runs before the first result is at most 200 kB of script, packed", async () => {
    const { page } = await blank()
    const asked: string[] = []
    page.on("response", (answer) => {
      if (new URL(answer.url()).pathname.endsWith(".js")) asked.push(new URL(answer.url()).pathname)
    })
    await page.goto(app.url)
    await page.locator(".verdict", { hasText: "serves" }).waitFor()
    const web = join(import.meta.dirname, "..", "..", "dist", "web")
    const bytes = asked.map((path) => gzipSync(readFileSync(join(web, path))).length)
    expect(asked.some((path) => path.includes("simulation"))).toBe(true)
    expect(bytes.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(200_000)
    const all = readdirSync(join(web, "assets")).filter((name) => name.endsWith(".js"))
    expect(asked.length).toBeLessThan(all.length)
    await page.close()
  })
})
