/** The built app, served and open to a browser, for all tests of a file. */
import type { Browser } from "playwright-core"
import { afterAll, beforeAll } from "vitest"
import { type Served, serveApp, startBrowser } from "./browser.fixture.ts"

export interface AppInBrowser {
  readonly browser: Browser
  /** Where the app is served. */
  readonly url: string
}

/** Serves the app and starts a browser, with WebGPU or without, before the first test of a file, and ends both after the last. */
export const appInBrowser = (webgpu = true): AppInBrowser => {
  let served: Served | undefined
  let browser: Browser | undefined
  beforeAll(async () => {
    served = await serveApp()
    browser = await startBrowser(webgpu)
  })
  afterAll(async () => {
    await browser?.close()
    served?.close()
  })
  return {
    get browser() {
      return browser!
    },
    get url() {
      return served!.url
    }
  }
}
