/**
 * The built web app in a headless Chromium that an npm package carries with the libraries it needs, so that a bare system
 * will do: docs/ui.md says which flags and libraries.
 */
import { createReadStream, readFileSync } from "node:fs"
import { stat } from "node:fs/promises"
import { createRequire } from "node:module"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { extname, join, normalize } from "node:path"
import chromiumPackage, { inflate, setupLambdaEnvironment } from "@sparticuz/chromium"
import { type Browser, chromium, type Page } from "playwright-core"

const root = join(import.meta.dirname, "..", "..")
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css"
}

export interface Served {
  readonly url: string
  readonly close: () => void
}

/** Serves the built app as any static host would, in any folder. */
export const serveApp = async (folder = "/"): Promise<Served> => {
  const web = join(root, "dist", "web")
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url ?? "/", "http://localhost").pathname)
    if (!path.startsWith(folder)) {
      response.writeHead(404).end()
      return
    }
    const below = path.slice(folder.length)
    const file = join(web, below === "" ? "index.html" : below)
    stat(file).then(
      ({ size }) => {
        response.setHeader("content-type", TYPES[extname(file)] ?? "application/octet-stream")
        response.setHeader("content-length", size)
        createReadStream(file, { highWaterMark: 1 << 20 }).pipe(response)
      },
      () => response.writeHead(404).end()
    )
  })
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${folder}`,
    close: () => server.close()
  }
}

/** Starts Chromium with WebGPU on a software adapter, or without WebGPU. */
export const startBrowser = async (webgpu = true): Promise<Browser> => {
  const executablePath = await chromiumPackage.executablePath()
  await inflate(join(root, "node_modules", "@sparticuz", "chromium", "bin", "al2023.tar.br"))
  setupLambdaEnvironment(join(tmpdir(), "al2023", "lib"))
  const browser = await chromium.launch({
    executablePath,
    args: [
      "--no-sandbox",
      "--no-zygote",
      "--headless=shell",
      ...(webgpu ? ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"] : [])
    ]
  })
  const newPage = browser.newPage.bind(browser)
  // Waits end with the test: how fast the machine is decides nothing.
  browser.newPage = async (options) => {
    const page = await newPage(options)
    page.setDefaultTimeout(0)
    return page
  }
  return browser
}

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8")

/** What axe finds serious or critical on a page: rules, and the elements that break them. */
export const seriousFindings = async (
  page: Page
): Promise<readonly (readonly [rule: string, elements: readonly string[]])[]> => {
  await page.evaluate(axe)
  const { violations } = await page.evaluate<{
    readonly violations: readonly {
      readonly id: string
      readonly impact: string
      readonly nodes: readonly { readonly html: string }[]
    }[]
  }>("axe.run()")
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => [id, nodes.map(({ html }) => html.slice(0, 200))])
}
